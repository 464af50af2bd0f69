"""Grids that are not product rules: the finite point groups, and Monte Carlo."""

import re

import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from symlab.groups._haar import HaarGrid
from symlab.groups._random import random_rotations

_EXACT_DEGREE = {"C1": 0, "Ci": 0, "T": 2, "Th": 2, "O": 3, "Oh": 3, "I": 5, "Ih": 5}
_ROTATIONS_OF = {"Ci": "C1", "Th": "T", "Oh": "O", "Ih": "I"}


def finite_group(name: str) -> HaarGrid:
    """List all elements of a finite subgroup of O(3), with equal weights.

    ``degree`` of the result says up to which l the group mean equals the Haar mean: one below the first l > 0 that
    holds an invariant of the rotations (Cn: its axis, l = 1; Dn: l = 2; T: xyz, l = 3; O: l = 4; I: l = 6). With the
    inversion (Ci, Th, Oh, Ih) the polar sectors of odd l vanish as well, but the axial ones (l, -1) do not, so the
    degree stays.

    Args:
        name: "C1" (1 element), "Ci" (2), "T" (12), "Th" (24), "O" (24), "Oh" (48), "I" (60) or "Ih" (120); or rotations
            about one axis, "C2", "C3", ... (n elements), and with half-turns across it, "D2", "D3", ... (2 n).

    Returns:
        The grid; the inversion coset, where there is one, is the second half.

    Raises:
        ValueError: unknown name.
    """
    if axial := re.fullmatch(r"([CD])([2-9]|[1-9]\d+)", name):
        matrices = torch.from_numpy(Rotation.create_group(name).as_matrix())
        return HaarGrid(matrices, _equal(matrices), 0 if axial[1] == "C" else 1, name)
    if name not in _EXACT_DEGREE:
        raise ValueError(f"name must be one of {', '.join(_EXACT_DEGREE)}, or Cn or Dn with n >= 2; got {name!r}")
    rotations = _ROTATIONS_OF.get(name, name)
    if rotations == "C1":
        matrices = torch.eye(3, dtype=torch.float64)[None]
    else:
        matrices = torch.from_numpy(Rotation.create_group(rotations).as_matrix())
    if name in _ROTATIONS_OF:
        matrices = torch.cat([matrices, -matrices])
    return HaarGrid(matrices, _equal(matrices), _EXACT_DEGREE[name], name)


def monte_carlo_grid(n: int, group: str, generator: torch.Generator) -> HaarGrid:
    """Draw ``n`` independent, uniformly distributed elements with equal weights.

    The error of a mean falls as ``1 / sqrt(n)``; compare ``haar_grid``, exact up to its degree. A variance about the
    mean of the same n elements comes out low by the factor ``1 - 1 / n``.

    Args:
        n: how many elements, >= 1.
        group: ``"O(3)"`` or ``"SO(3)"``.
        generator: the explicit source of randomness.

    Raises:
        ValueError: unknown group, or n < 1.
    """
    if group not in ("O(3)", "SO(3)"):
        raise ValueError(f'group must be "O(3)" or "SO(3)"; got {group!r}')
    if n < 1:
        raise ValueError(f"n must be >= 1; got {n}")
    matrices = random_rotations(n, generator, improper=group == "O(3)")
    return HaarGrid(matrices, torch.full((n,), 1 / n, dtype=torch.float64), None, group)


def _equal(matrices: Tensor) -> Tensor:
    """Give the same weight to every element."""
    return torch.full((len(matrices),), 1 / len(matrices), dtype=torch.float64)
