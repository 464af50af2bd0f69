"""How well a score tells what happened from what did not: the receiver operating characteristic and its area."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from symlab.measure._bootstrap import draw_groups, interval


@dataclass(frozen=True, eq=False)
class Roc:
    """A receiver operating characteristic.

    Attributes:
        false_positive: ``(k,)`` from 0 to 1, share of negative cases whose score is at least the threshold.
        true_positive: ``(k,)`` from 0 to 1, the same for positive cases.
        auc: area under the curve, the chance that a positive case has the higher score than a negative one, ties
            counting one half.
        low, high: ends of the interval of the area.
        confidence: of the interval.
    """

    false_positive: Float[Tensor, " k"]
    true_positive: Float[Tensor, " k"]
    auc: float
    low: float
    high: float
    confidence: float

    def thinned(self, n: int) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
        """Give about n points of the curve, both ends among them, enough to draw it."""
        rows = torch.linspace(0, len(self.true_positive) - 1, min(n, len(self.true_positive))).round().long()
        return self.false_positive[rows], self.true_positive[rows]


def roc(
    scores: Float[Tensor, " n"],
    positives: Tensor,
    negatives: Tensor | None = None,
    *,
    groups: Int[Tensor, " n"],
    confidence: float = 0.95,
    n_draws: int = 400,
    generator: torch.Generator,
) -> Roc:
    """Trace the characteristic of a score, with the interval of its area by a bootstrap over groups.

    The area is Mann and Whitney's U over its largest value, ``P(s+ > s-) + P(s+ = s-) / 2``.

    Args:
        scores: one for each case, any unit; large ones should mean positive.
        positives: whether each case is positive, or how many positive cases have this score (a point that changed its
            class in 5 of 24 orientations: 5).
        negatives: how many negative ones do (19); None takes what is not positive of yes or no.
        groups: the number of each case's group (its event): whole groups are drawn again.
        confidence: of the interval, between 0 and 1.
        n_draws: bootstrap samples.
        generator: the explicit source of randomness.

    Returns:
        The curve, its area and the interval.

    Raises:
        ValueError: lengths that differ, NaN, counts below zero, or nothing positive or nothing negative.

    Cost: one sort, and ``n`` additions for each draw.
    """
    if negatives is None:
        if positives.dtype != torch.bool:
            raise ValueError("negatives must be given with counts of positives; leave it out for yes or no only")
        negatives = ~positives
    if not scores.shape == positives.shape == negatives.shape == groups.shape or scores.ndim != 1:
        raise ValueError(
            "scores, positives, negatives and groups must be lists of the same length; got shapes "
            f"{tuple(scores.shape)}, {tuple(positives.shape)}, {tuple(negatives.shape)}, {tuple(groups.shape)}"
        )
    counts = torch.stack([positives, negatives]).double()
    if bool(scores.isnan().any()) or bool((counts < 0).any()):
        raise ValueError("scores must not be NaN, and counts not negative")
    if bool((counts.sum(1) == 0).any()):
        raise ValueError(
            f"there must be positive and negative cases; got {int(counts[0].sum())} and {int(counts[1].sum())}"
        )
    values, rank = scores.double().unique(return_inverse=True)
    order = rank.argsort(descending=True, stable=True)
    counts, rank = counts[:, order], rank[order]
    ends = torch.cat([rank.diff().nonzero()[:, 0], torch.tensor([len(rank) - 1])])
    assert len(ends) == len(values)
    _, group = groups[order].unique(return_inverse=True)

    def curve(weights: Tensor) -> Tensor:
        rates = (counts * weights).cumsum(1)[:, ends]
        return torch.cat([torch.zeros(2, 1, dtype=torch.float64), rates / rates[:, -1:]], dim=1)

    drawn = draw_groups(int(group.max()) + 1, n_draws, generator)
    areas = torch.stack([_area(curve(weights[group])) for weights in drawn])
    whole = curve(torch.ones(len(rank), dtype=torch.float64))
    auc = float(_area(whole))
    low, high = interval(areas[:, None], confidence)
    return Roc(whole[1], whole[0], auc, min(auc, float(low)), max(auc, float(high)), confidence)


def _area(curve: Float[Tensor, "2 k"]) -> Tensor:
    """Area under the curve by trapezoids, which is the right rule for ties."""
    return torch.trapezoid(curve[0], curve[1])
