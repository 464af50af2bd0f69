"""Cartesian tensors: index-permutation formulas such as "ij=ji", their sectors, and the split of 3 x 3 matrices."""

import itertools
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups._sectors import Sector


@dataclass(frozen=True)
class Permutations:
    """The signed index permutations under which a Cartesian tensor does not change: ``y[p(indices)] = sign y``.

    Attributes:
        rank: number of indices.
        elements: all ``(permutation, sign)``, closed under composition, the identity among them.
    """

    rank: int
    elements: tuple[tuple[tuple[int, ...], int], ...]

    def project(self, tensor: Tensor) -> Tensor:
        """Take the part of ``tensor`` (trailing ``rank`` axes of length 3) that has these symmetries."""
        lead = tensor.ndim - self.rank
        terms = [
            sign * tensor.permute(*range(lead), *(lead + index for index in permutation))
            for permutation, sign in self.elements
        ]
        return torch.stack(terms).mean(dim=0)

    def multiplicities(self) -> dict[int, int]:
        """Count how often each angular momentum l occurs, from ``chi(theta)`` and the class measure.

        ``chi = 1/|P| sum_p sign(p) prod_cycles tr R^length`` is a trigonometric polynomial, so the equispaced sum is
        exact.
        """
        n = 4 * self.rank + 4
        theta = torch.arange(n, dtype=torch.float64) * (2 * math.pi / n)
        chi = torch.zeros_like(theta)
        for permutation, sign in self.elements:
            term = torch.full_like(theta, sign)
            for length in _cycle_lengths(permutation):
                term = term * (1 + 2 * torch.cos(length * theta))
            chi = chi + term / len(self.elements)
        counts = {}
        for l in range(self.rank + 1):
            chi_l = 1 + 2 * sum((torch.cos(m * theta) for m in range(1, l + 1)), start=torch.zeros_like(theta))
            count = round(float((chi * chi_l * (1 - torch.cos(theta))).mean()))
            if count:
                counts[l] = count
        return counts


def _cycle_lengths(permutation: tuple[int, ...]) -> list[int]:
    """Lengths of the cycles of a permutation."""
    lengths, seen = [], set()
    for start in range(len(permutation)):
        length, index = 0, start
        while index not in seen:
            seen.add(index)
            index = permutation[index]
            length += 1
        if length:
            lengths.append(length)
    return lengths


def parse_formula(formula: str) -> Permutations:
    """Read a formula such as ``"ij"``, ``"ij=ji"``, ``"ij=-ji"`` or ``"ijkl=jikl=klij"``.

    Raises:
        ValueError: if an index repeats, the sides use different indices, or the signs leave nothing but zero.
    """
    sides = [side.strip() for side in formula.split("=")]
    indices = sides[0]
    well_formed = indices.isalpha() and indices.islower() and len(set(indices)) == len(indices)
    if not well_formed or any(sorted(side.lstrip("-")) != sorted(indices) for side in sides):
        raise ValueError(
            "a Cartesian formula lists distinct lower-case indices and their permutations, such as "
            f'"i", "ij", "ij=ji" or "ij=-ji"; got {formula!r}'
        )
    generators = [(tuple(indices.index(c) for c in side.lstrip("-")), -1 if "-" in side else 1) for side in sides[1:]]
    found = {tuple(range(len(indices))): 1}
    frontier = list(found.items())
    while frontier:
        reached = []
        for (permutation, sign), (step, step_sign) in itertools.product(frontier, generators):
            product, product_sign = tuple(permutation[index] for index in step), sign * step_sign
            if product not in found:
                found[product] = product_sign
                reached.append((product, product_sign))
            elif found[product] != product_sign:
                raise ValueError(f"the signs of the formula {formula!r} contradict each other: only zero obeys it")
        frontier = reached
    return Permutations(len(indices), tuple(sorted(found.items())))


def split_matrix(matrix: Float[Tensor, "*batch 3 3"], pseudo: bool = False) -> dict[Sector, Tensor]:
    """Split 3 x 3 matrices into irreducible parts, orthonormally: the squared norms of the parts add up to ``|M|^2``.

    Trace part ``tr M / sqrt 3``; axial vector ``a_k = eps_kij M_ij / sqrt 2``; quadrupole of the symmetric part S:
    ``(sqrt2 S_xz, sqrt2 S_xy, (2 S_yy - S_xx - S_zz) / sqrt 6, sqrt2 S_yz, (S_zz - S_xx) / sqrt 2)``, e3nn's order.

    Args:
        matrix: ``(..., 3, 3)``, any unit; the parts have the same unit.
        pseudo: whether the matrix carries an extra ``det R``.

    Returns:
        Sectors (0,+), (1,-), (2,+) (or (0,-), (1,+), (2,-) for a pseudo-tensor) with ``(..., 2 l + 1)`` components.
    """
    sign = -1 if pseudo else 1
    xx, yy, zz = matrix[..., 0, 0], matrix[..., 1, 1], matrix[..., 2, 2]
    pairs = ((1, 2), (2, 0), (0, 1))
    plus = [(matrix[..., i, j] + matrix[..., j, i]) / math.sqrt(2) for i, j in pairs]
    minus = [(matrix[..., i, j] - matrix[..., j, i]) / math.sqrt(2) for i, j in pairs]
    yz, xz, xy = plus
    quadrupole = [xz, xy, (2 * yy - xx - zz) / math.sqrt(6), yz, (zz - xx) / math.sqrt(2)]
    return {
        Sector(0, sign): ((xx + yy + zz) / math.sqrt(3))[..., None],
        Sector(1, -sign): torch.stack(minus, dim=-1),
        Sector(2, sign): torch.stack(quadrupole, dim=-1),
    }
