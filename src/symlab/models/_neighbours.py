"""Neighbour lists of one structure: every directed edge within the cutoff, and where its reverse stands."""

from dataclasses import dataclass

import numpy as np
import torch
import vesin
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Neighbours:
    """Directed edges i -> j of one structure, in rows of equal length; every periodic image is an edge of its own.

    Rows are ordered by (j, image), which no rotation changes. In a padded slot: ``atom`` = i, image 0, mask False.

    Attributes:
        atom: ``(n_atoms, m)``, the neighbour j of atom i in slot k.
        image: ``(n_atoms, m, 3)``, the cell S in which it lies: ``r_ij = r_j + S @ cell - r_i``.
        mask: ``(n_atoms, m)``, True for an edge.
        reverse_slot: ``(n_atoms, m)``, slot of the edge j -> i (image -S) in row j.
    """

    atom: Int[Tensor, "n m"]
    image: Float[Tensor, "n m 3"]
    mask: Bool[Tensor, "n m"]
    reverse_slot: Int[Tensor, "n m"]

    @property
    def width(self) -> int:
        """Length m of the rows, the largest number of neighbours (at least 1)."""
        return self.atom.shape[1]


def neighbours(positions: Float[Tensor, "n 3"], cell: Float[Tensor, "3 3"] | None, cutoff: float) -> Neighbours:
    """List all neighbours within a cutoff (vesin), each edge with its reverse.

    Args:
        positions: ``(n_atoms, 3)``, Angstrom.
        cell: ``(3, 3)``, Angstrom, rows are lattice vectors; None for a molecule.
        cutoff: Angstrom.

    Returns:
        The edges; float64 images.

    Cost: linear in the number of edges.
    """
    points = positions.detach().to("cpu", torch.float64).numpy()
    box = np.zeros((3, 3)) if cell is None else cell.detach().to("cpu", torch.float64).numpy()
    finder = vesin.NeighborList(cutoff=cutoff, full_list=True, sorted=False, n_threads=1)
    i, j, shift = finder.compute(points, box, periodic=cell is not None, quantities="ijS")
    i, j = i.astype(np.int64), j.astype(np.int64)
    order = np.lexsort((*shift.T[::-1], j, i))
    i, j, shift = i[order], j[order], shift[order]
    # The edges sorted as (j, i, -S) run through the reverses of the edges sorted as (i, j, S).
    reverse = np.lexsort((*(-shift.T[::-1]), i, j))
    counts = np.bincount(i, minlength=len(points))
    slot = np.arange(len(i)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = (len(points), max(1, int(counts.max())))
    atom = np.broadcast_to(np.arange(shape[0])[:, None], shape).copy()
    image, mask = np.zeros((*shape, 3)), np.zeros(shape, dtype=bool)
    reverse_slot = np.broadcast_to(np.arange(shape[1]), shape).copy()
    atom[i, slot], image[i, slot], mask[i, slot], reverse_slot[i, slot] = j, shift, True, slot[reverse]
    return Neighbours(*(torch.from_numpy(array) for array in (atom, image, mask, reverse_slot)))
