"""Orthogonal matrices: the one check that every function of this room uses, and their sign."""

import torch
from jaxtyping import Float
from torch import Tensor


def check_orthogonal(matrices: Tensor, name: str = "matrices") -> None:
    """Refuse anything but a stack of orthogonal matrices, ``R R^T = 1``.

    Args:
        matrices: ``(n, 3, 3)``, elements of O(3); no unit.
        name: what to call the argument in the error.

    Raises:
        TypeError: if the argument is no floating-point tensor.
        ValueError: if the shape is wrong, a value is not finite, or ``max |R R^T - 1|`` is above 1e-10 (float64) or
            1e-5 (other types).

    Cost: 27 n multiplications.
    """
    if not isinstance(matrices, Tensor) or not matrices.is_floating_point():
        raise TypeError(f"{name} must be a floating-point torch.Tensor; got {type(matrices).__name__}")
    if matrices.ndim != 3 or matrices.shape[1:] != (3, 3):
        raise ValueError(f"{name} must have shape (n, 3, 3); got {tuple(matrices.shape)}")
    if len(matrices) == 0:
        return
    identity = torch.eye(3, dtype=matrices.dtype, device=matrices.device)
    defect = (matrices @ matrices.transpose(1, 2) - identity).abs().amax(dim=(1, 2))
    tolerance = 1e-10 if matrices.dtype == torch.float64 else 1e-5
    if not bool((defect <= tolerance).all()):
        worst = int(defect.nan_to_num(nan=torch.inf).argmax())
        raise ValueError(
            f"{name} must be orthogonal, R R^T = 1; matrix {worst} misses by {float(defect[worst]):.3g} "
            f"(allowed: {tolerance:g}). Make it orthogonal first: u, _, vh = torch.linalg.svd(R); R = u @ vh"
        )


def determinant_signs(matrices: Float[Tensor, "n 3 3"]) -> Float[Tensor, " n"]:
    """Tell proper from improper elements: ``+1`` for a rotation, ``-1`` for a rotation times the inversion.

    Args:
        matrices: ``(n, 3, 3)``, orthogonal.

    Returns:
        ``(n,)``, exactly +1 or -1, in the type of ``matrices``.
    """
    return torch.sign((torch.linalg.cross(matrices[:, 0], matrices[:, 1]) * matrices[:, 2]).sum(dim=-1))
