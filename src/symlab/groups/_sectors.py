"""Sectors (l, sigma): the irreducible representations of O(3), and their characters."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups._orthogonal import check_orthogonal, determinant_signs


class _Fields(NamedTuple):
    l: int
    sigma: int


class Sector(_Fields):
    """An irreducible representation of O(3), ``(l, sigma)``, of dimension ``2 l + 1``.

    ``sigma = +1`` is natural parity ``(-1)^l``: scalar (0,+1), polar vector (1,+1), quadrupole (2,+1); ``sigma = -1``
    is the opposite: pseudoscalar (0,-1), axial vector (1,-1). In e3nn's names ``sigma = parity (-1)^l``:
    1o = (1,+1), 1e = (1,-1), 0o = (0,-1). A sector equals the tuple ``(l, sigma)``.

    Args:
        l: angular momentum, >= 0.
        sigma: +1 or -1.

    Raises:
        ValueError: for other values.
    """

    __slots__ = ()

    def __new__(cls, l: int, sigma: int) -> "Sector":
        """Check and make."""
        if isinstance(l, bool) or int(l) != l or l < 0:
            raise ValueError(f"l must be an int >= 0; got {l!r}")
        if sigma not in (1, -1):
            raise ValueError(f"sigma must be +1 or -1; got {sigma!r}")
        return super().__new__(cls, int(l), int(sigma))

    @property
    def dim(self) -> int:
        """Dimension, ``2 l + 1``."""
        return 2 * self.l + 1

    @property
    def parity(self) -> int:
        """Factor under inversion, ``sigma (-1)^l``."""
        return self.sigma * (-1) ** self.l

    @property
    def irrep(self) -> str:
        """Name in e3nn's notation, such as ``"1o"``."""
        return f"{self.l}{'e' if self.parity == 1 else 'o'}"

    def __str__(self) -> str:
        return f"({self.l},{'+' if self.sigma == 1 else '-'})"


def sectors(l_max: int) -> list[Sector]:
    """List all sectors up to ``l_max``, in the order (0,+1), (0,-1), (1,+1), (1,-1), ...

    Raises:
        ValueError: if l_max is negative.
    """
    if isinstance(l_max, bool) or int(l_max) != l_max or l_max < 0:
        raise ValueError(f"l_max must be an int >= 0; got {l_max!r}")
    return [Sector(l, sigma) for l in range(int(l_max) + 1) for sigma in (1, -1)]


def character(sector: Sector | tuple[int, int], matrices: Float[Tensor, "n 3 3"]) -> Float[Tensor, " n"]:
    """Trace of the irreducible representation, ``chi(R) = sin((2l+1) theta/2) / sin(theta/2)``.

    theta is the rotation angle of R, or of ``-R`` when R is improper; improper elements carry the extra factor
    ``sigma (-1)^l``. Evaluated as ``1 + 2 sum_m cos(m theta)`` by the Chebyshev recursion in
    ``cos theta = (tr R - 1) / 2``, which is stable at theta = 0 and pi.

    Args:
        sector: (l, sigma).
        matrices: ``(n, 3, 3)``, orthogonal.

    Returns:
        ``(n,)``, in the type of ``matrices``.

    Raises:
        ValueError: non-orthogonal matrix, or no valid sector.
    """
    sector = Sector(*sector)
    check_orthogonal(matrices)
    signs = determinant_signs(matrices)
    cosine = (signs * matrices.diagonal(dim1=1, dim2=2).sum(dim=-1) - 1) / 2
    previous, current, total = torch.ones_like(cosine), cosine, torch.ones_like(cosine)
    for _ in range(sector.l):
        total = total + 2 * current
        previous, current = current, 2 * cosine * current - previous
    return torch.where(signs > 0, total, sector.parity * total)
