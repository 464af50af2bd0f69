"""True branching points: where a visible particle leaves a visible parent, or several begin together."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from symlab.data.tracks._argon import VOXEL
from symlab.data.tracks._fragments import CELLS, ROW, Fragments, voxel_key
from symlab.data.tracks._register import Process
from symlab.data.tracks._voxels import Image

BRANCHES = ("vertex", "decay", "delta", "star", "conversion")
KIND = {
    Process.PRIMARY: 0,
    Process.DECAY: 1,
    Process.IONISATION: 2,
    Process.HADRONIC: 3,
    Process.PAIR: 4,
    Process.COMPTON: 4,
    Process.PHOTOELECTRIC: 4,
}
REACH = 2.0  # voxels; a point belongs to a fragment that has the centre of a voxel within this distance


@dataclass(frozen=True, eq=False)
class Branching:
    """Branching points of a block, and the fragments that can be seen.

    Attributes:
        event: of each point, its number in the block.
        point: ``(k, 3)``, in voxels from the centre of the first voxel of the detector.
        kind: an index into `BRANCHES`.
        fragment: rows of the particles that begin visible fragments, sorted.
        parent: of each visible fragment, the row that begins its nearest visible ancestor, or -1.
    """

    event: Int[np.ndarray, " k"]
    point: Float[np.ndarray, "k 3"]
    kind: Int[np.ndarray, " k"]
    fragment: Int[np.ndarray, " f"]
    parent: Int[np.ndarray, " f"]


def find_branching(image: Image, fragments: Fragments, tracks: dict[str, np.ndarray], half_width: float) -> Branching:
    """Find the points at which fragments of the image begin on another one, or with another one.

    A point counts if its fragment, and the one that it leaves, both have a voxel within 2 voxels of it: what cannot be
    seen is no branching point. Primary particles count if at least two of them begin there.
    """
    visible = np.unique(image.fragment)
    seen = np.zeros(len(fragments.of_track), dtype=bool)
    seen[visible] = True
    parent = _ancestors(visible, seen, fragments, tracks["parent"])
    process, event = tracks["process"][visible], tracks["event"][visible]
    point = (tracks["origin"][visible] + half_width) / VOXEL - 0.5
    lookup = np.unique(image.fragment * CELLS + voxel_key(image.voxel))
    near = _reaches(visible, point, lookup)
    primary = process == Process.PRIMARY
    attached = near & ~primary & (parent >= 0)
    attached[attached] = _reaches(parent[attached], point[attached], lookup)
    kind = np.array([KIND.get(Process(code), -1) for code in process], dtype=np.int64)
    together = np.concatenate([event[:, None], np.round(point, 3)], axis=1)
    _, group = np.unique(together, axis=0, return_inverse=True)
    several = np.bincount(group, near & primary, group.max() + 1 if len(group) else 0) >= 2
    chosen = np.flatnonzero(attached | (near & primary & several[group]))
    _, first = np.unique(group[chosen], return_index=True)
    chosen = chosen[np.sort(first)]
    return Branching(event[chosen], point[chosen], kind[chosen], visible, parent)


def _ancestors(
    visible: Int[np.ndarray, " f"], seen: np.ndarray, fragments: Fragments, parent: Int[np.ndarray, " n"]
) -> Int[np.ndarray, " f"]:
    """Climb from each fragment to the nearest other one that is seen."""
    current = visible.copy()
    found = np.full(len(visible), -1)
    climbing = np.arange(len(visible))
    while len(climbing):
        above = parent[current[climbing]]
        climbing, above = climbing[above >= 0], above[above >= 0]
        above = fragments.of_track[above]
        current[climbing] = above
        done = seen[above] & (above != visible[climbing])
        found[climbing[done]] = above[done]
        climbing = climbing[~done]
    return found


def _reaches(
    fragment: Int[np.ndarray, " k"], point: Float[np.ndarray, "k 3"], lookup: Int[np.ndarray, " m"]
) -> np.ndarray:
    """Tell for each point whether the fragment beside it has a voxel within `REACH`."""
    if not len(fragment):
        return np.zeros(0, dtype=bool)
    width = int(np.ceil(REACH))
    shifts = np.stack(np.meshgrid(*[np.arange(-width, width + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    cells = np.round(point).astype(np.int64)[:, None] + shifts
    close = np.linalg.norm(cells - point[:, None], axis=-1) <= REACH
    close &= ((cells >= 0) & (cells < ROW)).all(axis=-1)
    keys = fragment[:, None] * CELLS + voxel_key(cells)
    at = np.minimum(np.searchsorted(lookup, keys), len(lookup) - 1)
    return ((lookup[at] == keys) & close).any(axis=1)
