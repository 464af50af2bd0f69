"""F1: how well each class is found."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def f1_scores(
    predicted: Int[Tensor, " n"], truth: Int[Tensor, " n"], n_classes: int, weights: Float[Tensor, " n"] | None = None
) -> Float[Tensor, " classes"]:
    """Compute F1 of each class, ``2 TP / (2 TP + FP + FN)``; their mean is the macro F1.

    Args:
        predicted: class of each case, 0 ... n_classes - 1.
        truth: the true ones.
        n_classes: how many classes there are.
        weights: how often each case counts (of a bootstrap over events, say); None counts each once.

    Returns:
        ``(n_classes,)`` float64; NaN for a class that is neither there nor predicted.

    Raises:
        ValueError: lengths that differ, or a class out of range.
    """
    if predicted.shape != truth.shape or truth.ndim != 1:
        raise ValueError(
            f"predicted and truth must be lists of the same length; got shapes {tuple(predicted.shape)} and "
            f"{tuple(truth.shape)}"
        )
    for name, values in (("predicted", predicted), ("truth", truth)):
        if len(values) and not 0 <= int(values.min()) <= int(values.max()) < n_classes:
            raise ValueError(
                f"{name} must hold classes from 0 to {n_classes - 1}; got {int(values.min())} to {int(values.max())}"
            )
    table = torch.bincount(truth * n_classes + predicted, weights, minlength=n_classes**2).double()
    table = table.reshape(n_classes, n_classes)
    return 2 * table.diagonal() / (table.sum(0) + table.sum(1))
