"""A quantity against another one, in bins, with intervals that know which cases belong together."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from symlab.measure._bootstrap import draw_groups, group_sums, interval


@dataclass(frozen=True, eq=False)
class BinnedMean:
    """Means in bins; NaN in a bin that holds nothing.

    Attributes:
        edges: ``(n_bins + 1,)``, in the unit of what was binned.
        mean: ``(n_bins,)``, in the unit of the values.
        low, high: ends of the intervals.
        n_cases: ``(n_bins,)``, how many cases.
        n_groups: ``(n_bins,)``, how many groups they come from.
        confidence: of the intervals.
    """

    edges: Float[Tensor, " edges"]
    mean: Float[Tensor, " bins"]
    low: Float[Tensor, " bins"]
    high: Float[Tensor, " bins"]
    n_cases: Int[Tensor, " bins"]
    n_groups: Int[Tensor, " bins"]
    confidence: float


def binned_mean(
    values: Float[Tensor, " n"],
    distances: Float[Tensor, " n"],
    edges: Float[Tensor, " edges"],
    groups: Int[Tensor, " n"],
    *,
    confidence: float = 0.95,
    n_draws: int = 1000,
    generator: torch.Generator,
) -> BinnedMean:
    """Average values in bins of a distance, each case counting the same; intervals by a bootstrap over groups.

    A bin holds ``low <= distance < high``, the last one also its upper edge; cases outside all bins are left out. The
    bootstrap draws whole groups (events) again, since the points of one event share its fate; where all groups of a bin
    agree, or there is but one, it knows no uncertainty and the interval has no width.

    Args:
        values: one for each case, any unit.
        distances: one for each case; infinite where there is nothing to be near to.
        edges: increasing.
        groups: the number of each case's group.
        confidence: of the intervals, between 0 and 1.
        n_draws: bootstrap samples.
        generator: the explicit source of randomness.

    Returns:
        Means and intervals.

    Raises:
        ValueError: lengths that differ, NaN, or edges that do not increase.

    Cost: ``n`` and ``n_draws x n_groups x n_bins``. See B. Efron and R. Tibshirani, An Introduction to the Bootstrap.
    """
    if not values.shape == distances.shape == groups.shape or values.ndim != 1 or len(values) == 0:
        raise ValueError(
            "values, distances and groups must be lists of the same length, at least 1; got shapes "
            f"{tuple(values.shape)}, {tuple(distances.shape)}, {tuple(groups.shape)}"
        )
    if bool(values.isnan().any() or distances.isnan().any()):
        raise ValueError("values and distances must not be NaN; leave out what was not measured")
    if len(edges) < 2 or bool((edges.diff() <= 0).any()):
        raise ValueError(f"edges must increase, at least two; got {edges.tolist()}")
    edges, values = edges.double(), values.double()
    n_bins = len(edges) - 1
    place = torch.bucketize(distances.double(), edges, right=True) - 1
    place[distances.double() == edges[-1]] = n_bins - 1
    inside = (place >= 0) & (place < n_bins)
    one_hot = torch.zeros(len(values), n_bins, dtype=torch.float64)
    one_hot[inside.nonzero()[:, 0], place[inside]] = 1
    sums, counts = group_sums(one_hot * values[:, None], groups), group_sums(one_hot, groups)
    drawn = draw_groups(len(sums), n_draws, generator)
    low, high = interval(drawn @ sums / (drawn @ counts), confidence)
    mean = sums.sum(0) / counts.sum(0)
    return BinnedMean(
        edges, mean, low.minimum(mean), high.maximum(mean), counts.sum(0).long(), (counts > 0).sum(0), confidence
    )
