"""Votes of the orientations, ROC curves and F1: against closed forms and independent counts."""

import math

import pytest
import torch
from scipy.stats import mannwhitneyu
from torch import Tensor

from symlab.groups import HaarGrid, PointCloud, finite_group, haar_grid, monte_carlo_grid
from symlab.measure import ResponseError, class_votes, equivariance, f1_scores, roc

CLOUD = PointCloud(torch.tensor([[0.0, 0.0, 1.0], [3.0, 0.0, 0.0], [0.0, -2.0, 0.0]], dtype=torch.float64))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def above(stack: PointCloud) -> Tensor:
    """A planted classifier: class 0 above the plane z = |r| / 2, class 1 below."""
    height = stack.positions[..., 2] / stack.positions.norm(dim=-1)
    return torch.stack([height - 0.5, 0.5 - height], dim=-1)


def test_a_plane_cuts_off_its_share_of_the_sphere() -> None:
    """A cap of height h/R = 1/2 is a quarter of the sphere, for a point at any place."""
    votes = class_votes(above, CLOUD, haar_grid(41), progress=False)
    assert torch.allclose(votes.share[:, 0], torch.full((3,), 0.25, dtype=torch.float64), atol=0.02)
    assert votes.majority.tolist() == [1, 1, 1]
    assert torch.allclose(votes.flip_rate, votes.share[:, 0])
    assert votes.n_orientations == len(haar_grid(41))


def test_the_group_of_the_cube_can_be_counted_by_hand() -> None:
    """A point on an axis goes up in one of six cases."""
    share = class_votes(above, CLOUD, finite_group("O"), progress=False).share
    assert torch.allclose(share, torch.tensor([[1, 5]] * 3, dtype=torch.float64) / 6)


def test_all_decisions_count_with_their_votes() -> None:
    """Each point has 1/6 of its votes for class 0 and 5/6 for class 1; F1 is ``2 rights / (truths + decisions)``."""
    predicted, weights = class_votes(above, CLOUD, finite_group("O"), progress=False).all_decisions()
    assert predicted.tolist() == [0, 1, 0, 1, 0, 1]
    found = f1_scores(predicted, torch.tensor([1, 0, 1]).repeat_interleave(2), 2, weights)
    assert found.tolist() == pytest.approx([2 * (1 / 6) / (1 + 3 / 6), 2 * (10 / 6) / (2 + 15 / 6)])


def test_an_invariant_classifier_never_flips() -> None:
    def radius(stack: PointCloud) -> Tensor:
        r = stack.positions.norm(dim=-1)
        return torch.stack([r - 2.5, 2.5 - r], dim=-1)

    found = class_votes(radius, [CLOUD, CLOUD], monte_carlo_grid(20, "O(3)", seeded()), progress=False)
    assert [float(one.flip_rate.max()) for one in found] == pytest.approx([0.0, 0.0], abs=1e-12)
    assert found[0].majority.tolist() == [1, 0, 1]


def test_the_equivariance_error_of_each_point_is_the_spread_of_its_probabilities() -> None:
    """v of "2x0e" is the variance of the probabilities, averaged over classes, for each point."""
    grid = monte_carlo_grid(50, "SO(3)", seeded())

    def f(stack: PointCloud) -> Tensor:
        return above(stack).softmax(-1)

    report = equivariance(f, CLOUD, "2x0e", grid=grid, n_converge=0, check=False, progress=False)
    direct = f(CLOUD.stacked(grid.matrices)).var(dim=0, correction=0).mean(-1)
    assert torch.allclose(report.variance, direct)


@pytest.mark.parametrize("digits", [0, 3])
def test_the_area_is_mann_and_whitneys(digits: int) -> None:
    """With ties (rounded to whole numbers) and without."""
    scores = torch.randn(300, dtype=torch.float64, generator=seeded(1)).mul(2).round(decimals=digits)
    truth = scores + 2 * torch.randn(300, dtype=torch.float64, generator=seeded(2)) > 0.5
    found = roc(scores, truth, groups=torch.arange(300) % 30, generator=seeded())
    u = mannwhitneyu(scores[truth], scores[~truth]).statistic
    assert found.auc == pytest.approx(u / (int(truth.sum()) * int((~truth).sum())), abs=1e-12)
    assert found.low < found.auc < found.high
    assert found.false_positive[0] == found.true_positive[0] == 0
    assert found.false_positive[-1] == found.true_positive[-1] == 1
    x, y = found.thinned(20)
    assert (x[0], x[-1], y[-1], len(x)) == (0, 1, 1, min(20, len(found.true_positive)))


def test_counts_are_repeated_cases() -> None:
    scores, positives, negatives = torch.tensor([0.1, 0.5, 0.5, 0.9]), torch.tensor([0, 2, 1, 3]), torch.ones(4)
    counted = roc(scores, positives, negatives.long(), groups=torch.arange(4), generator=seeded())
    long = torch.tensor([0.1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.9, 0.9, 0.9, 0.9])
    truth = torch.tensor([0, 1, 1, 1, 0, 0, 1, 1, 1, 0], dtype=torch.bool)
    assert counted.auc == pytest.approx(roc(long, truth, groups=torch.arange(10), generator=seeded()).auc)


def test_the_extremes_of_the_area() -> None:
    scores, groups = torch.arange(10.0), torch.arange(10)
    assert roc(scores, scores > 4, groups=groups, generator=seeded()).auc == 1
    assert roc(-scores, scores > 4, groups=groups, generator=seeded()).auc == 0
    assert roc(torch.zeros(10), scores > 4, groups=groups, generator=seeded()).auc == 0.5


def test_f1_in_closed_form() -> None:
    truth, predicted = torch.tensor([0, 0, 0, 1, 1, 3]), torch.tensor([0, 0, 1, 1, 3, 3])
    found = f1_scores(predicted, truth, 4)
    assert found[[0, 1, 3]].tolist() == pytest.approx([4 / 5, 1 / 2, 2 / 3])
    assert math.isnan(found[2])
    weights = torch.tensor([1.0, 1, 0, 1, 0, 1])
    assert f1_scores(predicted, truth, 4, weights)[[0, 1, 3]].tolist() == [1, 1, 1]


def test_errors_say_what_is_wrong() -> None:
    grid, groups = monte_carlo_grid(3, "SO(3)", seeded()), torch.arange(3)
    scores = torch.zeros(3)
    signed = HaarGrid(grid.matrices, torch.tensor([1.0, 1, -1], dtype=torch.float64), None, "SO(3)")
    with pytest.raises(ValueError, match="grid must have positive weights"):
        class_votes(above, CLOUD, signed)
    with pytest.raises(ValueError, match="must return 'logits'; it returns 'output'"):
        class_votes(above, CLOUD, grid, output="logits", progress=False)
    with pytest.raises(ResponseError, match="finite score for each of two classes"):
        class_votes(lambda stack: above(stack)[..., :1], CLOUD, grid, progress=False)
    with pytest.raises(ValueError, match="positive and negative cases; got 3 and 0"):
        roc(scores, torch.ones(3, dtype=torch.bool), groups=groups, generator=seeded())
    with pytest.raises(ValueError, match="negatives must be given"):
        roc(scores, torch.ones(3), groups=groups, generator=seeded())
    with pytest.raises(ValueError, match="same length; got shapes"):
        roc(scores, torch.ones(2, dtype=torch.bool), groups=groups, generator=seeded())
    with pytest.raises(ValueError, match="must not be NaN"):
        roc(scores * math.nan, torch.tensor([True, False, True]), groups=groups, generator=seeded())
    with pytest.raises(ValueError, match="predicted must hold classes from 0 to 1; got 0 to 2"):
        f1_scores(groups, groups, 2)
    with pytest.raises(ValueError, match="predicted and truth"):
        f1_scores(groups, groups[:2], 3)
