"""Haar quadrature on O(3) and SO(3): a Lebedev rule on the sphere, a circle, and the two cosets of the inversion."""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from scipy.integrate import lebedev_rule
from torch import Tensor

from symlab.groups._orthogonal import check_orthogonal, determinant_signs
from symlab.groups._random import random_rotations

LEBEDEV_DEGREES = (*range(3, 32, 2), *range(35, 132, 6))
"""Degrees of the Lebedev rules that SciPy tabulates."""


@dataclass(frozen=True, eq=False)
class ProductRule:
    """The factors of a product grid, in the order coset (slowest), sphere node, in-plane angle (fastest).

    Element ``(c, i, k)`` is ``coset_c Rz(alpha_i) Ry(beta_i) Rz(gamma_k) Q`` with weight
    ``node_weights_i / (n_cosets n_gamma)``.

    Attributes:
        alpha: ``(n_nodes,)``, radian; 0 at the poles.
        beta: ``(n_nodes,)``, radian, in [0, pi].
        node_weights: ``(n_nodes,)``, sum 1; may hold negative values (degrees 13, 25, 27, ...).
        gamma: ``(n_gamma,)``, radian, equispaced from 0.
        cosets: ``(1,)`` or ``(1, -1)``.
        turn: ``Q``, ``(3, 3)``, a rotation from the right, or None.
    """

    alpha: Float[Tensor, " nodes"]
    beta: Float[Tensor, " nodes"]
    node_weights: Float[Tensor, " nodes"]
    gamma: Float[Tensor, " angles"]
    cosets: tuple[int, ...]
    turn: Float[Tensor, "3 3"] | None = None


@dataclass(frozen=True, eq=False)
class HaarGrid:
    """Group elements and weights: the mean over the group of f is ``sum_g w_g f(g)``.

    Attributes:
        matrices: ``(n, 3, 3)`` float64, orthogonal.
        weights: ``(n,)`` float64, sum 1; some Lebedev rules have negative ones.
        degree: products of Wigner functions up to this degree in total are integrated exactly; None for a
            Monte Carlo grid, exact for no degree above 0.
        group: the name of the group, ``"O(3)"``, ``"SO(3)"``, ``"Ih"``, ...
        product: the factors of a product grid (private structure for separable transforms), or None.

    Raises:
        ValueError: if a matrix is not orthogonal, the shapes differ, or the weights do not sum to 1.
    """

    matrices: Float[Tensor, "n 3 3"]
    weights: Float[Tensor, " n"]
    degree: int | None
    group: str
    product: ProductRule | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_orthogonal(self.matrices, "matrices")
        if self.weights.shape != (len(self.matrices),):
            raise ValueError(f"weights must have shape ({len(self.matrices)},); got {tuple(self.weights.shape)}")
        total = float(self.weights.sum())
        if not math.isclose(total, 1.0, abs_tol=1e-9):
            raise ValueError(f"weights must sum to 1; got {total:.12g}. Divide them by their sum")

    def __len__(self) -> int:
        return len(self.matrices)

    @property
    def proper(self) -> Tensor:
        """Which elements are rotations, ``det = +1``: ``(n,)`` bool."""
        return determinant_signs(self.matrices) > 0

    @property
    def has_negative_weights(self) -> bool:
        """Whether the rule is signed, so that the mean of a square can come out negative."""
        return bool((self.weights < 0).any())


def lebedev_degree(degree: int) -> int:
    """Smallest degree >= ``degree`` for which a Lebedev rule is tabulated.

    Raises:
        ValueError: above 131, the last one.
    """
    if isinstance(degree, bool) or not isinstance(degree, (int, np.integer)):
        raise TypeError(f"degree must be an int; got {degree!r}")
    if not 0 <= degree <= LEBEDEV_DEGREES[-1]:
        raise ValueError(
            f"degree must lie between 0 and {LEBEDEV_DEGREES[-1]} (the last Lebedev rule); got {degree}. "
            "For a finer look at one structure use monte_carlo_grid"
        )
    return next(known for known in LEBEDEV_DEGREES if known >= degree)


def haar_grid(degree: int, group: str = "O(3)", generator: torch.Generator | None = None) -> HaarGrid:
    """Build a quadrature of O(3) or SO(3) that is exact for products of Wigner functions up to ``degree`` in total.

    Lebedev rule of degree >= ``degree`` for the axis x ``degree + 1`` equispaced in-plane angles x {1, inversion};
    Z-Y-Z Euler angles, ``R = Rz(alpha) Ry(beta) Rz(gamma)``. Degree D integrates ``D^l_mn conj(D^l'_m'n')`` for
    ``l + l' <= D``, so mean squares of a response of band limit L need ``D = 2 L``.

    Args:
        degree: 0 ... 131. Degrees 13, 25, 27, ... have negative weights; prefer their neighbours.
        group: ``"O(3)"`` (both cosets) or ``"SO(3)"`` (rotations only).
        generator: if given, the whole rule is turned from the right by one uniformly random rotation: each mean
            over the grid becomes an unbiased estimate of the Haar mean, for responses of any band limit.

    Returns:
        The grid, order: coset slowest, sphere node, in-plane angle fastest.

    Raises:
        ValueError: unknown group, degree outside 0 ... 131.
        TypeError: degree is no int.

    Cost: ``n = 2 M (degree + 1)`` elements with M Lebedev points, e.g. 48, 168, 416, 760, 1200 for degree
    3, 5, 7, 9, 11. See arXiv:2603.24638, Sec. II.
    """
    if group not in ("O(3)", "SO(3)"):
        raise ValueError(f'group must be "O(3)" or "SO(3)"; got {group!r}. For a finite group use finite_group')
    nodes, node_weights = lebedev_rule(lebedev_degree(degree))
    x, y, z = nodes
    sine = np.hypot(x, y)
    alpha = torch.from_numpy(np.where(sine == 0, 0.0, np.arctan2(y, x)))
    beta = torch.from_numpy(np.arctan2(sine, z))
    gamma = torch.arange(degree + 1, dtype=torch.float64) * (2 * math.pi / (degree + 1))
    product = ProductRule(
        alpha=alpha,
        beta=beta,
        node_weights=torch.from_numpy(node_weights / node_weights.sum()),
        gamma=gamma,
        cosets=(1, -1) if group == "O(3)" else (1,),
        turn=None if generator is None else random_rotations(1, generator)[0],
    )
    return _from_product(product, int(degree), group)


def _from_product(product: ProductRule, degree: int, group: str) -> HaarGrid:
    """Multiply the factors out."""
    axes = rotation_z(product.alpha) @ rotation_y(product.beta)
    matrices = axes[:, None] @ rotation_z(product.gamma)
    if product.turn is not None:
        matrices = matrices @ product.turn
    signs = torch.tensor(product.cosets, dtype=torch.float64)
    matrices = (signs[:, None, None, None, None] * matrices).reshape(-1, 3, 3)
    copies = len(signs) * len(product.gamma)
    weights = product.node_weights[None, :, None].expand(len(signs), -1, len(product.gamma)).reshape(-1) / copies
    return HaarGrid(matrices, weights, degree, group, product)


def rotation_z(angle: Float[Tensor, " n"]) -> Float[Tensor, "n 3 3"]:
    """Rotate about z by ``angle`` (radian)."""
    cosine, sine, zero = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)
    rows = [cosine, -sine, zero, sine, cosine, zero, zero, zero, zero + 1]
    return torch.stack(rows, dim=-1).reshape(-1, 3, 3)


def rotation_y(angle: Float[Tensor, " n"]) -> Float[Tensor, "n 3 3"]:
    """Rotate about y by ``angle`` (radian)."""
    cosine, sine, zero = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)
    rows = [cosine, zero, sine, zero, zero + 1, zero, -sine, zero, cosine]
    return torch.stack(rows, dim=-1).reshape(-1, 3, 3)
