"""What averaging over some elements of the group leaves of each sector."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups._haar import HaarGrid
from symlab.groups._orthogonal import check_orthogonal
from symlab.groups._sectors import Sector, character
from symlab.groups._wigner import wigner_D

_INTEGER = 1e-6


def n_invariants(group: HaarGrid, sector: Sector | tuple[int, int]) -> int:
    """Count the invariants of a finite group in a sector, ``n = (1/|H|) sum_h chi(h)``.

    The rotations of the tetrahedron have the first one at l = 3 (``xyz``), those of the cube at l = 4, those of the
    icosahedron at l = 6. With the inversion, sectors of odd parity ``sigma (-1)^l = -1`` have none.

    Args:
        group: all elements of a finite group with equal weights, as from ``finite_group``.
        sector: (l, sigma).

    Returns:
        How many independent vectors of the sector every element leaves alone, 0 ... 2 l + 1.

    Raises:
        ValueError: elements that are no group (the count is no whole number), or no valid sector.

    Cost: l multiplications per element. See J.-P. Serre, Linear Representations of Finite Groups, Sec. 2.3.
    """
    count = float(group.weights @ character(sector, group.matrices))
    if abs(count - round(count)) > _INTEGER:
        raise ValueError(
            f"group must hold all elements of a finite group with equal weights; the {len(group)} elements of "
            f"{group.group!r} give {count:.6g} invariants in {Sector(*sector)}. For any other grid use retention"
        )
    return round(count)


def retention(grid: HaarGrid, sector: Sector | tuple[int, int]) -> float:
    """Share of a sector that averaging over a grid is expected to leave, if the grid is turned at random.

    Averaging ``z(g)`` over ``h g`` multiplies the coefficients of a sector by ``P = sum_h w_h D(h)``. If the grid as a
    whole is turned at random, the share left is on average ``|P|^2 / (2 l + 1)``: for a group ``n / (2 l + 1)`` with
    its number of invariants n, for N independent random elements ``1 / N`` in expectation. It is 1 for (0,+), and
    tends to ``sum w^2`` (1 / N for equal weights) as l grows.

    Args:
        grid: any elements and weights.
        sector: (l, sigma).

    Returns:
        A share; below 1e-20 it is round-off.

    Raises:
        ValueError: no valid sector.

    Cost: ``(2 l + 1)^3`` multiplications per element.
    """
    sector = Sector(*sector)
    mean = torch.tensordot(grid.weights, wigner_D(sector, grid.matrices), dims=1)
    return float(mean.square().sum()) / sector.dim


def conjugated(grid: HaarGrid, turn: Float[Tensor, "3 3"]) -> HaarGrid:
    """Turn a grid as a whole, ``g -> Q g Q^-1``: the same group about other axes.

    Args:
        grid: any elements and weights; a product grid loses its product structure.
        turn: Q, ``(3, 3)``, orthogonal.

    Raises:
        ValueError: Q is not orthogonal.
    """
    check_orthogonal(turn[None], "turn")
    turn = turn.to(grid.matrices)
    return replace(grid, matrices=turn @ grid.matrices @ turn.T, product=None)
