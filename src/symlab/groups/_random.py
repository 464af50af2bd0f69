"""Uniformly random elements of O(3) and SO(3)."""

import torch
from jaxtyping import Float
from torch import Tensor


def random_rotations(n: int, generator: torch.Generator, improper: bool = False) -> Float[Tensor, "n 3 3"]:
    """Draw elements uniformly (Haar measure), from Gaussian quaternions.

    Args:
        n: how many, >= 0.
        generator: the explicit source of randomness.
        improper: if True, each is multiplied by the inversion with probability 1/2 (O(3) instead of SO(3)).

    Returns:
        ``(n, 3, 3)`` float64.

    Raises:
        TypeError: if ``generator`` is no ``torch.Generator``.
        ValueError: if n is negative.
    """
    if not isinstance(generator, torch.Generator):
        raise TypeError(f"generator must be a torch.Generator; got {type(generator).__name__}")
    if n < 0:
        raise ValueError(f"n must be >= 0; got {n}")
    q = torch.randn(n, 4, dtype=torch.float64, generator=generator)
    w, x, y, z = (q / q.norm(dim=1, keepdim=True)).unbind(dim=1)
    rows = [
        1 - 2 * (y * y + z * z),
        2 * (x * y - w * z),
        2 * (x * z + w * y),
        2 * (x * y + w * z),
        1 - 2 * (x * x + z * z),
        2 * (y * z - w * x),
        2 * (x * z - w * y),
        2 * (y * z + w * x),
        1 - 2 * (x * x + y * y),
    ]
    matrices = torch.stack(rows, dim=-1).reshape(n, 3, 3)
    if improper:
        signs = 1 - 2 * torch.randint(0, 2, (n, 1, 1), generator=generator)
        matrices = matrices * signs
    return matrices
