"""A rule with one threshold, and how often it is right: what a claim of prediction needs."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from scipy.stats import binomtest, spearmanr
from torch import Tensor


@dataclass(frozen=True)
class ThresholdRule:
    """Says yes where a score lies below a threshold.

    Attributes:
        threshold: in the unit of the score.
    """

    threshold: float

    def __call__(self, scores: Float[Tensor, " n"]) -> Bool[Tensor, " n"]:
        """Predict for each score."""
        return scores < self.threshold


@dataclass(frozen=True)
class HitRate:
    """How many of n independent predictions came true.

    Attributes:
        hits: predictions that came true.
        n: predictions.
        low, high: Wilson's interval of the rate.
        confidence: of the interval.
    """

    hits: int
    n: int
    low: float
    high: float
    confidence: float

    @property
    def rate(self) -> float:
        """Share of predictions that came true."""
        return self.hits / self.n

    def __str__(self) -> str:
        return f"{self.hits} of {self.n} ({self.low:.0%} to {self.high:.0%})"


def fit_threshold(scores: Float[Tensor, " n"], truth: Bool[Tensor, " n"]) -> ThresholdRule:
    """Fit the threshold that is right most often; among equals, the one in the middle of the widest gap.

    Thresholds half-way between neighbouring scores are tried, and one on either side of all. Give a score that spans
    decades as its logarithm, so that "half-way" means the same at both ends.

    Args:
        scores: one number for each case, any unit.
        truth: whether the rule should say yes.

    Returns:
        The rule. If all cases are alike it always says the same.

    Raises:
        ValueError: no case, different lengths, or a score that is not finite.
    """
    if scores.ndim != 1 or scores.shape != truth.shape or len(scores) == 0:
        raise ValueError(
            f"scores and truth must be lists of the same length, at least 1; got shapes {tuple(scores.shape)} and "
            f"{tuple(truth.shape)}"
        )
    values = scores.double()
    if not bool(torch.isfinite(values).all()):
        raise ValueError("scores must be finite; leave out what was not measured, or give it a number")
    ordered = values.unique()
    edges = torch.cat([ordered[:1] - 1, ordered, ordered[-1:] + 1])
    thresholds, gaps = (edges[1:] + edges[:-1]) / 2, edges[1:] - edges[:-1]
    hits = ((values < thresholds[:, None]) == truth).sum(1)
    best = torch.where(hits == hits.max(), gaps, -1.0)
    return ThresholdRule(float(thresholds[best.argmax()]))


def hit_rate(predicted: Bool[Tensor, " n"], truth: Bool[Tensor, " n"], confidence: float = 0.95) -> HitRate:
    """Count the predictions that came true, with Wilson's interval of the rate.

    The interval takes the cases for independent: give one for each setting, not one for each seed of a setting.

    Args:
        predicted: yes or no for each case.
        truth: what happened.
        confidence: of the interval, between 0 and 1.

    Raises:
        ValueError: no case, or different lengths.
    """
    if predicted.shape != truth.shape or predicted.ndim != 1 or len(predicted) == 0:
        raise ValueError(
            f"predicted and truth must be lists of the same length, at least 1; got shapes {tuple(predicted.shape)} "
            f"and {tuple(truth.shape)}"
        )
    hits, n = int((predicted == truth).sum()), len(predicted)
    interval = binomtest(hits, n).proportion_ci(confidence, method="wilson")
    return HitRate(hits, n, float(interval.low), float(interval.high), confidence)


def cross_validated(
    scores: Float[Tensor, " n"], truth: Bool[Tensor, " n"], folds: Float[Tensor, " n"] | Tensor
) -> tuple[Bool[Tensor, " n"], dict[int, ThresholdRule]]:
    """Predict each case by a threshold fitted on the cases of all other folds.

    Args:
        scores: one number for each case.
        truth: whether the rule should say yes.
        folds: for each case the number of its fold; at least two folds.

    Returns:
        The predictions, and by fold the rule that its cases were predicted with.

    Raises:
        ValueError: fewer than two folds.
    """
    numbers = folds.unique().tolist()
    if len(numbers) < 2:
        raise ValueError(f"folds must number at least two, one to fit on and one to predict; got {numbers}")
    rules = {int(k): fit_threshold(scores[folds != k], truth[folds != k]) for k in numbers}
    predicted = torch.zeros(len(scores), dtype=torch.bool)
    for k, rule in rules.items():
        predicted[folds == k] = rule(scores[folds == k])
    return predicted, rules


def crossing(steps: Float[Tensor, " n"], values: Float[Tensor, " n"], level: float) -> float:
    """Find the step at which a curve first falls to a level, by straight lines between its points.

    Args:
        steps: increasing.
        values: of the curve, any unit.
        level: same unit.

    Returns:
        The step; infinity if the curve stays above.

    Raises:
        ValueError: different lengths, or steps that do not increase.
    """
    if steps.shape != values.shape or steps.ndim != 1 or bool((steps.diff() <= 0).any()):
        raise ValueError("steps must increase, and there must be one value for each")
    below = (values <= level).nonzero()
    if len(below) == 0:
        return float("inf")
    k = int(below[0])
    if k == 0:
        return float(steps[0])
    share = (values[k - 1] - level) / (values[k - 1] - values[k])
    return float(steps[k - 1] + share * (steps[k] - steps[k - 1]))


def rank_correlation(first: Float[Tensor, " n"], second: Float[Tensor, " n"]) -> float:
    """Compute Spearman's rank correlation; what is infinite ranks highest, and a constant correlates with nothing.

    Raises:
        ValueError: different lengths, or fewer than two cases.
    """
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2:
        raise ValueError(
            f"first and second must be lists of the same length, at least 2; got shapes {tuple(first.shape)} and "
            f"{tuple(second.shape)}"
        )
    if any(len(values.unique()) == 1 for values in (first, second)):
        return 0.0
    return float(spearmanr(first, second).statistic)
