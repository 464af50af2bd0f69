"""A batch of structures as PET sees it: one padded neighbourhood per atom, and the way back along each edge."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import accumulate

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from symlab.groups import Structure
from symlab.models._neighbours import Neighbours, neighbours


@dataclass(frozen=True)
class PETBatch:
    """Neighbourhoods of n atoms in s structures, padded to m neighbours; molecules and crystals alike.

    Attributes:
        species: ``(n,)``, atomic numbers of the centres.
        neighbour_species: ``(n, m)``, atomic numbers of the neighbours.
        edge_vectors: ``(n, m, 3)``, ``r_j - r_i`` with the periodic image, Angstrom; zero where padded.
        mask: ``(n, m)``, True for an edge.
        reverse: ``(n * m,)``, position of the edge j -> i in the flattened edges; a padded slot points to itself.
        structure: ``(n,)``, index of the structure that an atom belongs to, ascending.
        n_atoms: ``(s,)``, atoms in each structure.
        volume: ``(s,)``, Angstrom^3; 0 for a molecule.
    """

    species: Int[Tensor, " n"]
    neighbour_species: Int[Tensor, "n m"]
    edge_vectors: Float[Tensor, "n m 3"]
    mask: Bool[Tensor, "n m"]
    reverse: Int[Tensor, " nm"]
    structure: Int[Tensor, " n"]
    n_atoms: Int[Tensor, " s"]
    volume: Float[Tensor, " s"]

    @classmethod
    def from_structures(cls, structures: Sequence[Structure], cutoff: float) -> "PETBatch":
        """Batch structures of any sizes; neighbour lists are computed here.

        Args:
            structures: single structures (not stacked), Angstrom.
            cutoff: Angstrom.

        Raises:
            ValueError: no structure, or a stacked one.
        """
        for structure in structures:
            if structure.n_copies is not None:
                raise ValueError(
                    f"structures must hold single structures; got a stack of {structure.n_copies} copies, "
                    "which PETBatch.from_stack takes"
                )
        lists = [neighbours(s.positions, s.cell, cutoff) for s in structures]
        return cls.from_neighbours(structures, lists)

    @classmethod
    def from_neighbours(cls, structures: Sequence[Structure], lists: Sequence[Neighbours]) -> "PETBatch":
        """Batch structures whose neighbour lists are known; a list stays valid when its structure turns."""
        if len(structures) == 0:
            raise ValueError("structures is empty; a batch needs at least one")
        width = max(item.width for item in lists)
        sizes = torch.tensor([len(s.positions) for s in structures])
        starts = (sizes.cumsum(0) - sizes).tolist()
        first, n = structures[0].positions, int(sizes.sum())
        species = torch.cat([s.species for s in structures])
        structure = torch.repeat_interleave(torch.arange(len(structures)), sizes)
        atom = torch.arange(n)[:, None].repeat(1, width)
        slot = torch.arange(width).repeat(n, 1)
        mask = torch.zeros(n, width, dtype=torch.bool)
        image = first.new_zeros(n, width, 3)
        for start, item in zip(starts, lists, strict=True):
            rows = slice(start, start + len(item.atom)), slice(0, item.width)
            atom[rows] = item.atom + start
            slot[rows] = item.reverse_slot
            mask[rows] = item.mask
            image[rows] = item.image.to(first)
        positions = torch.cat([s.positions for s in structures])
        cells = torch.stack([first.new_zeros(3, 3) if s.cell is None else s.cell.to(first) for s in structures])
        vectors = positions[atom] - positions[:, None] + image @ cells[structure]
        return cls(
            species, species[atom], vectors, mask, (atom * width + slot).flatten(), structure, sizes, _volume(cells)
        )

    @classmethod
    def concatenate(cls, batches: "Sequence[PETBatch]") -> "PETBatch":
        """Join batches into one, padded to the widest."""
        width = max(batch.mask.shape[1] for batch in batches)
        padded = [batch.widened(width) for batch in batches]
        atoms = [0, *accumulate(len(batch.species) for batch in batches)]
        structures = [0, *accumulate(len(batch.n_atoms) for batch in batches)]
        return cls(
            torch.cat([batch.species for batch in padded]),
            torch.cat([batch.neighbour_species for batch in padded]),
            torch.cat([batch.edge_vectors for batch in padded]),
            torch.cat([batch.mask for batch in padded]),
            torch.cat([batch.reverse + start * width for batch, start in zip(padded, atoms, strict=False)]),
            torch.cat([batch.structure + start for batch, start in zip(padded, structures, strict=False)]),
            torch.cat([batch.n_atoms for batch in padded]),
            torch.cat([batch.volume for batch in padded]),
        )

    def widened(self, width: int) -> "PETBatch":
        """Pad every neighbourhood to ``width`` slots; slots already there keep their place.

        Raises:
            ValueError: a width below the present one.
        """
        n, m = self.mask.shape
        extra = width - m
        if extra < 0:
            raise ValueError(f"width must be at least {m}, the neighbours there are; got {width}")
        if extra == 0:
            return self
        reverse = self.reverse + torch.div(self.reverse, m, rounding_mode="floor") * extra
        padding = torch.arange(n)[:, None] * width + torch.arange(m, width)
        return PETBatch(
            self.species,
            torch.cat([self.neighbour_species, self.species[:, None].expand(n, extra)], dim=1),
            functional.pad(self.edge_vectors, (0, 0, 0, extra)),
            functional.pad(self.mask, (0, extra)),
            torch.cat([reverse.view(n, m), padding.to(reverse)], dim=1).flatten(),
            self.structure,
            self.n_atoms,
            self.volume,
        )

    def rotated(self, matrices: Float[Tensor, "s 3 3"]) -> "PETBatch":
        """Turn structure i by matrix i: the same batch as that of the turned structures.

        Edge vectors are linear in positions and cell, so turning them turns both.
        """
        per_atom = matrices.to(self.edge_vectors)[self.structure]
        return replace(self, edge_vectors=self.edge_vectors @ per_atom.mT)

    def to(self, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> "PETBatch":
        """Move every tensor to a device, and every floating-point tensor to a type."""
        moved = {
            entry.name: (value := getattr(self, entry.name)).to(
                device=device, dtype=dtype if value.is_floating_point() else None
            )
            for entry in fields(self)
        }
        return PETBatch(**moved)

    @classmethod
    def from_stack(cls, stack: Structure, cutoff: float) -> "PETBatch":
        """Batch the turned copies of one structure: the neighbour list of the first copy serves all.

        Edge vectors come from the turned positions and the turned cells by tensor operations. Atoms of a copy are
        contiguous, so a hidden tensor ``(B * n_atoms, ...)`` reshapes to ``(B, n_atoms, ...)``.

        Args:
            stack: ``structure.stacked(matrices)``, B copies.
            cutoff: Angstrom.

        Raises:
            ValueError: a structure that is not stacked.
        """
        if stack.n_copies is None:
            raise ValueError("stack must hold turned copies; make it with structure.stacked(matrices)")
        copies, n = stack.positions.shape[:2]
        cells = stack.positions.new_zeros(copies, 3, 3) if stack.cell is None else stack.cell.to(stack.positions)
        item = neighbours(stack.positions[0], None if stack.cell is None else stack.cell[0], cutoff)
        vectors = stack.positions[:, item.atom] - stack.positions[:, :, None]
        if stack.cell is not None:
            vectors = vectors + (item.image.to(cells).flatten(0, 1) @ cells).view_as(vectors)
        reverse = (item.atom * item.width + item.reverse_slot).flatten()
        offsets = torch.arange(copies)[:, None] * reverse.numel()
        return cls(
            stack.species.repeat(copies),
            stack.species[item.atom].repeat(copies, 1),
            vectors.flatten(0, 1),
            item.mask.repeat(copies, 1),
            (reverse + offsets).flatten(),
            torch.arange(copies).repeat_interleave(n),
            torch.full((copies,), n),
            _volume(cells),
        )


def _volume(cells: Float[Tensor, "s 3 3"]) -> Float[Tensor, " s"]:
    """Volume of each cell, 0 where there is none."""
    return torch.linalg.det(cells).abs()
