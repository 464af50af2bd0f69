"""How an output transforms: spherical (e3nn irreps) or Cartesian (an index formula), in one object."""

import re
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups._cartesian import Permutations, parse_formula, split_matrix
from symlab.groups._orthogonal import check_orthogonal, determinant_signs
from symlab.groups._sectors import Sector
from symlab.groups._wigner import wigner_D

_IRREP = re.compile(r"(?:(\d+)x)?(\d+)([eo])")


@dataclass(frozen=True)
class Representation:
    """A linear action of O(3) on the trailing axes of a tensor, ``y -> rho(R) y``.

    Make one with ``parse_output``.

    Attributes:
        name: what the user wrote.
        shape: the trailing axes, ``(d,)`` for irreps, ``(3,) * rank`` for a Cartesian tensor, ``()`` for rank 0.
        blocks: ``(multiplicity, sector)`` in the order of the components (irreps), or None (Cartesian).
        permutations: index symmetries (Cartesian), or None (irreps).
        pseudo: whether a Cartesian tensor carries an extra factor ``det R``.
    """

    name: str
    shape: tuple[int, ...]
    blocks: tuple[tuple[int, Sector], ...] | None = None
    permutations: Permutations | None = None
    pseudo: bool = False

    @property
    def dim(self) -> int:
        """Number of components d, the product of ``shape``."""
        return int(torch.Size(self.shape).numel())

    def sectors(self) -> list[Sector]:
        """List the sectors that occur, without repetition, in increasing order of l."""
        if self.blocks is not None:
            found = {sector for _, sector in self.blocks}
        elif self.permutations is not None:
            # A true Cartesian tensor of rank r has parity (-1)^r in every l.
            parity = (-1) ** self.permutations.rank * (-1 if self.pseudo else 1)
            found = {Sector(l, parity * (-1) ** l) for l in self.permutations.multiplicities()}
        else:
            found = {Sector(0, -1 if self.pseudo else 1)}
        return sorted(found, key=lambda sector: (sector.l, -sector.sigma))

    def check(self, y: Tensor, name: str = "output") -> None:
        """Refuse a batch whose trailing axes do not have this shape.

        Args:
            y: ``(n, ..., *shape)``.
            name: what to call it in the error.

        Raises:
            ValueError: naming both shapes.
        """
        rank = len(self.shape)
        if y.ndim < 1 + rank or tuple(y.shape[y.ndim - rank :]) != self.shape:
            advice = 'a number without component axis is declared as "scalar"' if self.dim == 1 else "change output="
            raise ValueError(
                f"{name} has shape {tuple(y.shape)}, but {self.name!r} needs (batch, ..., "
                f"{', '.join(map(str, self.shape))}); reshape it, or {advice}"
            )

    def apply(self, matrices: Float[Tensor, "n 3 3"], y: Tensor) -> Tensor:
        """Turn a batch, element i by matrix i: ``rho(R_i) y_i``.

        Args:
            matrices: ``(n, 3, 3)``, orthogonal.
            y: ``(n, ..., *shape)``, real; any unit.

        Returns:
            The same shape and type as y.

        Raises:
            ValueError: non-orthogonal matrix, wrong trailing shape, or a batch of another length.

        Cost: one matrix product per index, or per irreducible block.
        """
        check_orthogonal(matrices)
        self.check(y)
        if len(y) != len(matrices):
            raise ValueError(f"matrices and output must have the same length; got {len(matrices)} and {len(y)}")
        if self.blocks is not None:
            return self._apply_blocks(matrices, y)
        turned = y
        rotation = matrices.to(dtype=y.dtype, device=y.device)
        for axis in range(y.ndim - len(self.shape), y.ndim):
            moved = turned.movedim(axis, -1)
            turned = (moved.reshape(len(y), -1, 3) @ rotation.mT).reshape(moved.shape).movedim(-1, axis)
        if self.pseudo:
            turned = turned * determinant_signs(rotation).reshape(-1, *[1] * (y.ndim - 1))
        return turned

    def inverse_apply(self, matrices: Float[Tensor, "n 3 3"], y: Tensor) -> Tensor:
        """Turn a batch back: ``rho(R_i)^-1 y_i``; arguments and errors as in ``apply``."""
        return self.apply(matrices.mT, y)

    def decompose(self, y: Tensor) -> dict[Sector, Tensor]:
        """Split into sectors, orthonormally: the squares of all parts add up to ``|y|^2``.

        Args:
            y: ``(..., *shape)``.

        Returns:
            For each sector ``(..., multiplicity, 2 l + 1)``, e3nn's basis.

        Raises:
            NotImplementedError: Cartesian tensors above rank 2; declare them by irreps.
        """
        sign = -1 if self.pseudo else 1
        if self.blocks is not None:
            parts: dict[Sector, list[Tensor]] = {}
            start = 0
            for multiplicity, sector in self.blocks:
                stop = start + multiplicity * sector.dim
                block = y[..., start:stop]
                parts.setdefault(sector, []).append(block.reshape(*block.shape[:-1], multiplicity, sector.dim))
                start = stop
            return {sector: torch.cat(blocks, dim=-2) for sector, blocks in parts.items()}
        if len(self.shape) == 0:
            return {Sector(0, sign): y[..., None, None]}
        if len(self.shape) == 1:
            return {Sector(1, sign): y[..., None, :]}
        if len(self.shape) == 2:
            allowed = self.sectors()
            return {s: part[..., None, :] for s, part in split_matrix(y, self.pseudo).items() if s in allowed}
        raise NotImplementedError(f"decompose handles Cartesian rank 0, 1 and 2; {self.name!r} has {len(self.shape)}")

    def _apply_blocks(self, matrices: Tensor, y: Tensor) -> Tensor:
        """Multiply each irreducible block by its D matrix."""
        turned, start = [], 0
        for multiplicity, sector in self.blocks or ():
            stop = start + multiplicity * sector.dim
            rotation = wigner_D(sector, matrices).to(dtype=y.dtype, device=y.device)
            block = y[..., start:stop]
            turned.append((block.reshape(len(y), -1, sector.dim) @ rotation.mT).reshape(block.shape))
            start = stop
        return turned[0] if len(turned) == 1 else torch.cat(turned, dim=-1)


def parse_output(output: str | Representation, pseudo: bool = False) -> Representation:
    """Read the declaration of how an output transforms.

    Args:
        output: e3nn irreps (``"1x1o"``, ``"0e+2e"``: one trailing axis, e3nn's basis), a Cartesian formula
            (``"i"``, ``"ij"``, ``"ij=ji"``, ``"ij=-ji"``: trailing axes of length 3, ``T -> R T R^T``), ``"scalar"``
            (no trailing axis), or a Representation, returned as it is.
        pseudo: an extra factor ``det R`` for a Cartesian formula (irreps carry their own parity).

    Returns:
        The representation.

    Raises:
        TypeError: if ``output`` is neither string nor Representation.
        ValueError: if the text is neither irreps nor a formula, or pseudo is asked for irreps.
    """
    if isinstance(output, Representation):
        return output
    if not isinstance(output, str):
        raise TypeError(f'output must be a string such as "1x1o" or "ij=ji"; got {type(output).__name__}')
    text = output.replace(" ", "")
    if text == "scalar":
        return Representation("scalar", (), pseudo=pseudo)
    if not any(character.isdigit() for character in text):
        permutations = parse_formula(text)
        return Representation(text, (3,) * permutations.rank, permutations=permutations, pseudo=pseudo)
    blocks = []
    for term in text.split("+"):
        match = _IRREP.fullmatch(term)
        if match is None or match[1] == "0":
            raise ValueError(
                f'output must be e3nn irreps such as "1x1o" or "0e+2e", a Cartesian formula such as "ij=ji", or '
                f'"scalar"; cannot read {term!r} in {output!r}'
            )
        l = int(match[2])
        blocks.append((int(match[1] or 1), Sector(l, (1 if match[3] == "e" else -1) * (-1) ** l)))
    if pseudo:
        raise ValueError(f'pseudo=True is for Cartesian formulas; irreps carry their parity (e or o): got "{output}"')
    return Representation(text, (sum(m * s.dim for m, s in blocks),), blocks=tuple(blocks))
