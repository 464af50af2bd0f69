"""Turn a stack of copies once more."""

from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups._orthogonal import check_orthogonal
from symlab.groups._representation import Representation
from symlab.groups._rotatable import Rotatable

R = TypeVar("R", bound=Rotatable)


def turned_again(stack: R, matrices: Float[Tensor, "m 3 3"]) -> R:
    """Turn each copy of a stack by each matrix: n copies become n m, copy slowest, matrix fastest.

    ``turned_again(x.stacked(g), h)`` holds ``h_j g_i x``. Rotation in float64, then rounded to the type of the field.

    Args:
        stack: ``x.stacked(...)``, n copies.
        matrices: ``(m, 3, 3)``, orthogonal.

    Returns:
        The same type with ``n_copies = n m``.

    Raises:
        TypeError: no Rotatable.
        ValueError: an object that is not stacked, or a matrix that is not orthogonal.

    Cost: m times the rotating fields in memory.
    """
    if not isinstance(stack, Rotatable):
        raise TypeError(f"stack must be a Structure, a PointCloud or another Rotatable; got {type(stack).__name__}")
    if stack.n_copies is None:
        raise ValueError(
            f"stack must hold turned copies; this {type(stack).__name__} is a single one. Give x.stacked(matrices)"
        )
    check_orthogonal(matrices)
    n, m = stack.n_copies, len(matrices)

    def turn(tensor: Tensor, representation: Representation | None) -> Tensor:
        assert representation is not None
        copies = tensor.to(torch.float64).repeat_interleave(m, dim=0)
        return representation.apply(matrices.to(copies).repeat(n, 1, 1), copies).to(tensor.dtype)

    return stack._mapped(turn, n_copies=n * m)
