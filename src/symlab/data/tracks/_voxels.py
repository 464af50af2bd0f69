"""From deposits to voxels: energies, classes and fragments, one row for each voxel of each event."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from symlab.data.tracks._argon import VOXEL
from symlab.data.tracks._fragments import (
    CELLS,
    DELTA,
    LOW_ENERGY,
    MICHEL,
    ROW,
    SHOWER,
    TRACK,
    Fragments,
    find_fragments,
    voxel_key,
)
from symlab.data.tracks._register import Register

PRIORITY = np.argsort([TRACK, MICHEL, SHOWER, DELTA, LOW_ENERGY])  # which class a shared voxel gets


@dataclass(frozen=True, eq=False)
class Image:
    """Voxels of a block of events, sorted by event.

    Attributes:
        event: number in the block.
        voxel: ``(n, 3)``, counted from the corner of the detector.
        energy: MeV.
        semantic: class, an index into `SEMANTIC`.
        fragment: row of the particle that begins the fragment.
    """

    event: Int[np.ndarray, " n"]
    voxel: Int[np.ndarray, "n 3"]
    energy: Float[np.ndarray, " n"]
    semantic: Int[np.ndarray, " n"]
    fragment: Int[np.ndarray, " n"]


def voxelize(
    register: Register,
    *,
    half_width: float,
    threshold: float,
    drift_smearing: float = 0.0,
    rng: np.random.Generator | None = None,
) -> tuple[Image, Fragments, dict[str, np.ndarray]]:
    """Sum deposits in voxels of 3 mm, and label them.

    A voxel that several fragments share gets the class that comes first in track, Michel, shower, delta, low energy,
    among those that leave at least `threshold` there; within a class, the fragment that leaves most.

    Args:
        register: the simulated block.
        half_width: of the detector, cm.
        threshold: least energy of a voxel, MeV.
        drift_smearing: standard deviation by which deposits are displaced along z, voxels.
        rng: of the smearing.

    Returns:
        The image, the fragments, and the register as arrays.
    """
    tracks = register.tracks()
    owner, position, energy = register.deposits()
    if drift_smearing and rng is not None:
        position = position + np.array([0, 0, VOXEL * drift_smearing]) * rng.normal(size=(len(position), 1))
    index = np.floor((position + half_width) / VOXEL).astype(np.int64)
    inside = ((index >= 0) & (index < round(2 * half_width / VOXEL))).all(axis=1)
    owner, energy, index = owner[inside], energy[inside], index[inside]
    cell = voxel_key(index)

    fragments = find_fragments(tracks, owner, cell)
    place = tracks["event"][owner] * CELLS + cell
    fragment = fragments.of_track[owner]
    order = np.lexsort((fragment, place))
    place, fragment, energy = place[order], fragment[order], energy[order]
    starts = np.flatnonzero(np.r_[True, (place[1:] != place[:-1]) | (fragment[1:] != fragment[:-1])])[: len(place)]
    energy = np.add.reduceat(energy, starts) if len(starts) else energy
    place, fragment = place[starts], fragment[starts]

    semantic = fragments.semantic[fragment]
    best = np.lexsort((-energy, PRIORITY[semantic], energy < threshold, place))
    cells, first, which = np.unique(place[best], return_index=True, return_inverse=True)
    total = np.bincount(which, energy[best], len(cells))
    kept = total >= threshold
    winner = best[first[kept]]
    event, cell = np.divmod(cells[kept], CELLS)
    voxel = np.stack([cell // ROW**2, cell // ROW % ROW, cell % ROW], axis=1)
    return Image(event, voxel, total[kept], semantic[winner], fragment[winner]), fragments, tracks
