# ruff: noqa: RUF009 - the calls make dataclass fields
"""The two kinds of input: a Structure of atoms, with a cell or without, and a bare PointCloud."""

from dataclasses import dataclass

import torch
from torch import Tensor

from symlab.groups._representation import Representation
from symlab.groups._rotatable import Rotatable, invariant, rotates, rotates_as_declared


@dataclass(frozen=True, eq=False)
class Structure(Rotatable):
    """Atoms, in a periodic cell or free. Positions, cell and every vector or tensor input turn together.

    Attributes:
        positions: ``(n_atoms, 3)``, Angstrom.
        species: ``(n_atoms,)`` int64, atomic numbers.
        cell: ``(3, 3)``, Angstrom, rows are lattice vectors, left- or right-handed; None for a free molecule.
        vectors: named polar vectors, ``(..., 3)`` (1o).
        axial_vectors: named axial vectors, ``(..., 3)`` (1e).
        scalars: named invariants, any shape.
        tensors: named ``(tensor, output)``, with ``output`` as for ``parse_output``.

    Raises:
        TypeError: a field of the wrong type.
        ValueError: wrong shape, NaN or infinite value, or a cell without volume.
    """

    positions: Tensor = rotates("1x1o")
    species: Tensor = invariant()
    cell: Tensor | None = rotates("1x1o", default=None)
    vectors: dict[str, Tensor] = rotates("1x1o", default_factory=dict)
    axial_vectors: dict[str, Tensor] = rotates("1x1e", default_factory=dict)
    scalars: dict[str, Tensor] = invariant(default_factory=dict)
    tensors: dict[str, tuple[Tensor, str | Representation]] = rotates_as_declared(default_factory=dict)

    def __post_init__(self) -> None:
        _check_positions(self.positions)
        if not isinstance(self.species, Tensor) or self.species.dtype != torch.int64:
            kind = self.species.dtype if isinstance(self.species, Tensor) else type(self.species).__name__
            raise TypeError(f"species must be an int64 tensor of atomic numbers; got {kind}")
        if self.species.shape != self.positions.shape[:1]:
            raise ValueError(
                f"species must have shape ({len(self.positions)},), one per row of positions; "
                f"got {tuple(self.species.shape)}"
            )
        if self.cell is not None:
            _check_cell(self.cell)
        for name, (tensor, representation) in self.rotating_tensors().items():
            representation.check(tensor[None], name)
            _check_finite(tensor, name)

    @property
    def periodic(self) -> bool:
        """Whether there is a cell."""
        return self.cell is not None

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return self.positions.shape[-2]


@dataclass(frozen=True, eq=False)
class PointCloud(Rotatable):
    """Points in space with invariant features (charges, energies, labels).

    Attributes:
        positions: ``(n, 3)``, any unit of length.
        features: named invariants, first axis n.

    Raises:
        TypeError: a field of the wrong type.
        ValueError: wrong shape, or NaN or infinite positions.
    """

    positions: Tensor = rotates("1x1o")
    features: dict[str, Tensor] = invariant(default_factory=dict)

    def __post_init__(self) -> None:
        _check_positions(self.positions)
        for name, feature in self.features.items():
            if not isinstance(feature, Tensor) or len(feature) != len(self.positions):
                raise ValueError(
                    f"features[{name!r}] must be a tensor whose first axis is {len(self.positions)}, one per point"
                )


def _check_positions(positions: Tensor) -> None:
    """Refuse positions that are no finite (n, 3) floating-point tensor."""
    if not isinstance(positions, Tensor) or not positions.is_floating_point():
        kind = positions.dtype if isinstance(positions, Tensor) else type(positions).__name__
        raise TypeError(f"positions must be a floating-point torch.Tensor; got {kind}")
    if positions.ndim != 2 or positions.shape[1] != 3 or len(positions) == 0:
        raise ValueError(f"positions must have shape (n, 3) with n >= 1; got {tuple(positions.shape)}")
    _check_finite(positions, "positions")


def _check_cell(cell: Tensor) -> None:
    """Refuse a cell that is no finite (3, 3) floating-point tensor with a volume."""
    if not isinstance(cell, Tensor) or not cell.is_floating_point():
        kind = cell.dtype if isinstance(cell, Tensor) else type(cell).__name__
        raise TypeError(f"cell must be a floating-point torch.Tensor; got {kind}")
    if cell.shape != (3, 3):
        raise ValueError(f"cell must have shape (3, 3), rows are lattice vectors; got {tuple(cell.shape)}")
    _check_finite(cell, "cell")
    volume = float(torch.linalg.det(cell.to(torch.float64)).abs())
    if volume <= 1e-6 * float(cell.to(torch.float64).norm(dim=1).prod()):
        raise ValueError(
            f"cell is singular: its lattice vectors span a volume of {volume:.3g}. For a free molecule give cell=None"
        )


def _check_finite(tensor: Tensor, name: str) -> None:
    """Refuse NaN and infinite values, naming the first."""
    bad = (~torch.isfinite(tensor)).nonzero()
    if len(bad):
        index = tuple(bad[0].tolist())
        raise ValueError(f"{name} must be finite; {name}{list(index)} is {float(tensor[index])}")
