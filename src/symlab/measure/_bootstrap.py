"""Intervals by drawing whole groups again: points of one event are no independent cases."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def group_sums(values: Float[Tensor, "n k"], groups: Int[Tensor, " n"]) -> Float[Tensor, "groups k"]:
    """Add up the rows of each group, groups in rising order of their numbers."""
    _, index = groups.unique(return_inverse=True)
    return values.new_zeros(int(index.max()) + 1, values.shape[1]).index_add_(0, index, values)


def draw_groups(n_groups: int, n_draws: int, generator: torch.Generator) -> Float[Tensor, "draws groups"]:
    """Draw n groups out of n with replacement, many times: how often each was drawn.

    Args:
        n_groups: how many there are.
        n_draws: how many samples.
        generator: the explicit source of randomness.
    """
    drawn = torch.randint(n_groups, (n_draws, n_groups), generator=generator)
    counts = torch.zeros(n_draws, n_groups, dtype=torch.float64)
    return counts.scatter_add_(1, drawn, torch.ones_like(counts))


def interval(samples: Float[Tensor, "draws k"], confidence: float) -> tuple[Tensor, Tensor]:
    """Give the two ends of the central interval of each column; draws that are NaN are left out."""
    tail = (1 - confidence) / 2
    ends = torch.nanquantile(samples, torch.tensor([tail, 1 - tail], dtype=samples.dtype), dim=0)
    return ends[0], ends[1]
