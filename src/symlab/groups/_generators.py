"""Infinitesimal rotations: the generators of SO(3), and how a representation responds to them."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups._representation import Representation


def generators() -> Float[Tensor, "3 3 3"]:
    """Give the generators about x, y, z: ``exp(t X_a)`` turns by the angle t (radian) about axis a."""
    x = torch.zeros(3, 3, 3, dtype=torch.float64)
    for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        x[a, c, b], x[a, b, c] = 1.0, -1.0
    return x


def turn_about_axes(angle: float) -> Float[Tensor, "3 3 3"]:
    """Rotate by ``angle`` (radian) about x, y and z: ``1 + sin(t) X_a + (1 - cos t) X_a^2``."""
    x = generators()
    return torch.eye(3, dtype=torch.float64) + math.sin(angle) * x + (1 - math.cos(angle)) * (x @ x)


def differential(representation: Representation, y: Tensor) -> Tensor:
    """Differentiate a representation at the identity: ``d/dt rho(exp(t X_a)) y`` at t = 0, for the three axes.

    ``rho(exp(t X)) y`` is a trigonometric polynomial in t of degree l_max, so its derivative follows exactly from
    2 l_max + 1 equispaced angles: ``sum_k c_k rho(exp(t_k X)) y`` with ``c_k = -(-1)^k / (2 sin(t_k / 2))``.

    Args:
        representation: how y turns.
        y: ``(..., *shape)``, one object; no leading batch axis.

    Returns:
        ``(3, ..., *shape)``, per radian.

    Cost: 3 (2 l_max + 1) turns of y.
    """
    copies = y.expand(3, *y.shape)
    total = torch.zeros_like(copies)
    n = 2 * max(sector.l for sector in representation.sectors()) + 1
    for k in range(1, n):
        angle = 2 * math.pi * k / n
        total = total - (-1) ** k / (2 * math.sin(angle / 2)) * representation.apply(turn_about_axes(angle), copies)
    return total
