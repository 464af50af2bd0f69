"""From particles to fragments: which particles are one object in the image, and of which class.

The rules follow Supera, the label maker of PILArNet, as lartpc_mlreco3d and SPINE document its constants: by creator
process, with least sizes.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from symlab.data.tracks._particles import ELECTRON, PHOTON, POSITRON
from symlab.data.tracks._register import Process

SEMANTIC = ("shower", "track", "Michel", "delta", "low energy")
SHOWER, TRACK, MICHEL, DELTA, LOW_ENERGY = range(len(SEMANTIC))
LEAST_SHOWER = 11  # voxels; a smaller piece of a shower is low energy
LEAST_DELTA = 5  # voxels; a smaller delta belongs to its track
ROW = 1 << 10  # voxels of a detector side, at most
CELLS = ROW**3


def voxel_key(voxel: Int[np.ndarray, "*batch 3"]) -> Int[np.ndarray, "*batch"]:
    """Give each voxel of a detector a number; the difference of two is the number of the difference."""
    return (voxel[..., 0] * ROW + voxel[..., 1]) * ROW + voxel[..., 2]


@dataclass(frozen=True, eq=False)
class Fragments:
    """Fragments of a block of events.

    Attributes:
        of_track: for each particle, the row of the particle that begins its fragment; photons have that of who emitted
            them, and primary photons their own.
        semantic: for each particle that begins a fragment, its class; -1 for the others.
    """

    of_track: Int[np.ndarray, " tracks"]
    semantic: Int[np.ndarray, " tracks"]


def find_fragments(
    tracks: dict[str, np.ndarray], owner: Int[np.ndarray, " m"], voxel: Int[np.ndarray, " m"]
) -> Fragments:
    """Join particles to fragments, and give each its class.

    Muons, pions and protons are tracks. An electron knocked out by one of them is a delta if it has at least 5 voxels;
    otherwise it belongs to the track. Electrons from the decay of a muon are Michel. Electrons knocked out by
    electrons belong to these. All other electrons and positrons are pieces of showers: both of a pair together, and
    all pieces of one primary that touch (also by edge or corner) as one. A piece of 10 voxels or fewer is low energy,
    unless a primary electron begins it.

    Args:
        tracks: the register, see `Register.tracks`.
        owner: row of the particle for each pair of particle and voxel.
        voxel: key of the voxel within the event.
    """
    kind, process, parent = tracks["kind"], tracks["process"], tracks["parent"]
    n = len(kind)
    rows = np.arange(n)
    light = kind <= POSITRON
    parent_light = np.where(parent >= 0, light[parent], False)
    knocked = process == Process.IONISATION
    partner = np.full(n, -1)
    electrons = (process == Process.PAIR) & (kind == ELECTRON)
    partner[parent[electrons]] = rows[electrons]
    target = rows.copy()
    joins = (knocked & parent_light) | ((kind == PHOTON) & (parent >= 0))
    target[joins] = parent[joins]
    second = (process == Process.PAIR) & (kind == POSITRON)
    target[second] = partner[parent[second]]
    target = _settle(target)

    delta = knocked & ~parent_light
    small = delta & (_sizes(target, owner, voxel) < LEAST_DELTA)
    target[small] = parent[small]
    target = _settle(target)

    michel = light & (process == Process.DECAY)
    heads = target == rows
    electromagnetic = heads & light & ~delta & ~michel
    primary = _settle(np.where(parent >= 0, parent, rows))
    target = _touching(target, electromagnetic, primary, owner, voxel)[target]
    heads = target == rows
    electromagnetic &= heads

    semantic = np.full(n, -1)
    semantic[heads & ~light & (kind != PHOTON)] = TRACK
    semantic[heads & delta] = DELTA
    semantic[heads & michel] = MICHEL
    large = (_sizes(target, owner, voxel) >= LEAST_SHOWER) | (process == Process.PRIMARY)
    semantic[electromagnetic] = np.where(large[electromagnetic], SHOWER, LOW_ENERGY)
    return Fragments(target, semantic)


def _settle(target: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Follow pointers to their ends."""
    while not np.array_equal(further := target[target], target):
        target = further
    return target


def _sizes(
    target: Int[np.ndarray, " n"], owner: Int[np.ndarray, " m"], voxel: Int[np.ndarray, " m"]
) -> Int[np.ndarray, " n"]:
    """Count the voxels of each fragment."""
    pairs = np.unique(target[owner] * CELLS + voxel)
    return np.bincount(pairs // CELLS, minlength=len(target))


def _touching(
    target: Int[np.ndarray, " n"],
    chosen: np.ndarray,
    primary: Int[np.ndarray, " n"],
    owner: Int[np.ndarray, " m"],
    voxel: Int[np.ndarray, " m"],
) -> Int[np.ndarray, " n"]:
    """For each particle: the first of the chosen fragments of its primary that it is connected to, else itself."""
    rows = chosen[target[owner]]
    pairs = np.unique(target[owner[rows]] * CELLS + voxel[rows])
    fragment, cell = np.divmod(pairs, CELLS)
    place = primary[fragment] * CELLS + cell
    order = np.argsort(place, kind="stable")
    fragment, place = fragment[order], place[order]
    ends = [(fragment[:-1][same], fragment[1:][same]) for same in [place[1:] == place[:-1]]]
    cells, first = np.unique(place, return_index=True)
    steps = voxel_key(np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3), axis=-1))
    for offset in steps[steps > 0]:  # the other half of the neighbours looks back
        at = np.searchsorted(cells, cells + offset)
        at[at == len(cells)] = 0
        found = cells[at] == cells + offset
        ends.append((fragment[first[found]], fragment[first[at[found]]]))
    left, right = (np.concatenate(side) for side in zip(*ends, strict=True))
    n = len(target)
    _, component = connected_components(coo_array((np.ones(len(left)), (left, right)), shape=(n, n)), directed=False)
    earliest = np.full(n, n)
    np.minimum.at(earliest, component, np.arange(n))
    return earliest[component]
