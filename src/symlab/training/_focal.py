"""Learning classes of very unequal size: the focal loss, and weights."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


def focal_loss(
    logits: Float[Tensor, "n classes"],
    truth: Int[Tensor, " n"],
    weights: Float[Tensor, " classes"],
    gamma: float = 2.0,
) -> Tensor:
    r"""Focal loss, weighted by class: ``sum_i w_i (1 - p_i)^gamma (-log p_i) / sum_i w_i``, arXiv:1708.02002, eq. 5.

    Args:
        logits: of each point.
        truth: its class.
        weights: of each class.
        gamma: 0 is the cross-entropy; a larger one cares less about points that are right already.

    Returns:
        The loss, a scalar.
    """
    surprise = functional.cross_entropy(logits, truth, reduction="none")
    weight = weights[truth]
    return (weight * (1 - torch.exp(-surprise)).pow(gamma) * surprise).sum() / weight.sum()


def class_weights(truth: Int[Tensor, " n"], n_classes: int, balance: float = 1.0) -> Float[Tensor, " classes"]:
    """Weight each class by its inverse frequency to the power ``balance``; the mean over points is 1.

    A class that never occurs weighs what a class of one point would.
    """
    share = torch.bincount(truth, minlength=n_classes).clamp(min=1).double() / max(1, len(truth))
    weights = share.pow(-balance)
    return (weights / (weights * share).sum()).float()
