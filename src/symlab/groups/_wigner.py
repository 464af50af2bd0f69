"""Wigner matrices in float64: the small d of the z-y-z convention, and real D matrices in e3nn's basis.

e3nn builds its generators in torch's default type (float32 unless the process changes it), so its matrices carry
1e-7 errors; these are computed from the spectrum of J_y in float64 and agree with e3nn's where e3nn runs in float64.
"""

import math
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from symlab.groups._orthogonal import check_orthogonal, determinant_signs
from symlab.groups._sectors import Sector


@lru_cache(maxsize=64)
def _spectrum_of_jy(l: int) -> Complex[Tensor, "d d"]:
    """Eigenvectors of J_y as columns, for the eigenvalues -l ... l; basis |m>, m = -l ... l."""
    m = np.arange(-l, l)
    raising = np.diag(np.sqrt(l * (l + 1) - m * (m + 1)), k=-1)
    return torch.from_numpy(np.linalg.eigh((raising - raising.T) / 2j)[1])


@lru_cache(maxsize=64)
def _real_from_complex(l: int) -> Complex[Tensor, "d d"]:
    """Rows: real harmonics m = -l ... l, in terms of complex ones with the Condon-Shortley phase."""
    matrix = np.zeros((2 * l + 1, 2 * l + 1), dtype=np.complex128)
    matrix[l, l] = 1
    for m in range(1, l + 1):
        matrix[l + m, l + m] = (-1) ** m / math.sqrt(2)
        matrix[l + m, l - m] = 1 / math.sqrt(2)
        matrix[l - m, l + m] = -1j * (-1) ** m / math.sqrt(2)
        matrix[l - m, l - m] = 1j / math.sqrt(2)
    return torch.from_numpy(matrix)


def small_d(l: int, beta: Float[Tensor, " n"]) -> Float[Tensor, "n d d"]:
    """Wigner's small d, ``d^l_mm'(beta) = <l m| exp(-i beta J_y) |l m'>``; m, m' = -l ... l.

    ``D^l_mm'(R) = exp(-i m alpha) d^l_mm'(beta) exp(-i m' gamma)`` for ``R = Rz(alpha) Ry(beta) Rz(gamma)``.
    Summed over the eigenvectors of J_y, so orthogonal to round-off at every l.

    Args:
        l: angular momentum, >= 0.
        beta: ``(n,)``, radian.

    Returns:
        ``(n, 2 l + 1, 2 l + 1)`` float64, on the device of beta.

    Cost: n (2l+1)^3 multiplications.
    """
    vectors = _spectrum_of_jy(l).to(beta.device)
    m = torch.arange(-l, l + 1, dtype=torch.float64, device=beta.device)
    phases = torch.exp(-1j * beta.to(torch.float64)[:, None] * m)
    return ((vectors * phases[:, None, :]) @ vectors.mH).real.contiguous()


def euler_zyz(
    rotations: Float[Tensor, "n 3 3"],
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Find alpha, beta, gamma of ``R = Rz(alpha) Ry(beta) Rz(gamma)`` by atan2, accurate at the poles too.

    Args:
        rotations: ``(n, 3, 3)``, proper.

    Returns:
        Three ``(n,)`` tensors in radian; beta in [0, pi].
    """
    alpha = torch.atan2(rotations[:, 1, 2], rotations[:, 0, 2])
    cosine, sine = torch.cos(alpha), torch.sin(alpha)
    beta = torch.atan2(cosine * rotations[:, 0, 2] + sine * rotations[:, 1, 2], rotations[:, 2, 2])
    row = cosine[:, None] * rotations[:, 1] - sine[:, None] * rotations[:, 0]
    return alpha, beta, torch.atan2(row[:, 0], row[:, 1])


def wigner_D(sector: Sector | tuple[int, int], matrices: Float[Tensor, "n 3 3"]) -> Float[Tensor, "n d d"]:
    """Real matrices of an irreducible representation of O(3), in e3nn's basis: ``Y(R r) = D(R) Y(r)``.

    For l = 1 the components are x, y, z, so D of (1,+1) is R itself. An improper ``R = -S`` has
    ``D(R) = sigma (-1)^l D(S)``.

    Args:
        sector: (l, sigma).
        matrices: ``(n, 3, 3)``, orthogonal.

    Returns:
        ``(n, 2 l + 1, 2 l + 1)`` float64.

    Raises:
        ValueError: non-orthogonal matrix, or no valid sector.

    Cost: n (2l+1)^3 multiplications.
    """
    sector = Sector(*sector)
    check_orthogonal(matrices)
    matrices = matrices.to(torch.float64)
    signs = determinant_signs(matrices)
    factor = (torch.ones_like(signs) if sector.parity == 1 else signs)[:, None, None]
    if sector.l == 0:
        return factor
    if sector.l == 1:
        return matrices if sector.sigma == 1 else matrices * signs[:, None, None]
    # e3nn's polar axis is y: its (x, y, z) are (y, z, x) of the usual real harmonics.
    order = [2, 0, 1]
    alpha, beta, gamma = euler_zyz((signs[:, None, None] * matrices)[:, order][:, :, order])
    m = torch.arange(-sector.l, sector.l + 1, dtype=torch.float64, device=matrices.device)
    left, right = torch.exp(-1j * alpha[:, None] * m), torch.exp(-1j * gamma[:, None] * m)
    complex_d = left[:, :, None] * small_d(sector.l, beta) * right[:, None, :]
    basis = _real_from_complex(sector.l).to(matrices.device)
    return factor * (basis @ complex_d.conj() @ basis.mH).real
