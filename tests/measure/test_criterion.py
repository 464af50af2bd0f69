import math

import pytest
import torch

from symlab.measure import cross_validated, crossing, fit_threshold, hit_rate, rank_correlation


def test_a_threshold_between_two_kinds_lies_in_the_middle_of_the_gap() -> None:
    scores = torch.tensor([0.0, 1.0, 4.0, 5.0])
    rule = fit_threshold(scores, scores < 2)
    assert rule.threshold == 2.5
    assert rule(torch.tensor([2.4, 2.6])).tolist() == [True, False]


def test_a_threshold_makes_as_few_mistakes_as_possible() -> None:
    """Against all thresholds, one by one."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        scores = torch.randn(15, generator=generator).round(decimals=1)
        truth = torch.randn(15, generator=generator) + scores < 0
        rule = fit_threshold(scores, truth)
        best = max(int(((scores < t) == truth).sum()) for t in [*(scores + 1e-3).tolist(), -9.0])
        assert int((rule(scores) == truth).sum()) == best


@pytest.mark.parametrize("answer", [True, False])
def test_cases_that_are_all_alike_give_a_rule_that_never_changes_its_mind(answer: bool) -> None:
    scores = torch.tensor([1.0, 2.0, 3.0])
    rule = fit_threshold(scores, torch.full((3,), answer))
    assert math.isfinite(rule.threshold)
    assert rule(scores).tolist() == [answer] * 3


def test_a_score_that_knows_nothing_does_not_beat_the_majority() -> None:
    truth = torch.tensor([True, True, True, False])
    rule = fit_threshold(torch.zeros(4), truth)
    assert rule(torch.zeros(4)).all()


def test_wilsons_interval_in_closed_form() -> None:
    """(p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)."""
    found = hit_rate(torch.ones(28, dtype=torch.bool), torch.arange(28) < 24)
    p, n, z = 24 / 28, 28, 1.959963984540054
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert (found.hits, found.n, found.rate) == (24, 28, p)
    assert found.low == pytest.approx((middle - half) / (1 + z * z / n), abs=1e-12)
    assert found.high == pytest.approx((middle + half) / (1 + z * z / n), abs=1e-12)
    assert str(found) == "24 of 28 (69% to 94%)"


def test_a_prediction_never_sees_its_own_fold() -> None:
    """The fold that is left out has its truth upside down: every one of its predictions must fail."""
    scores, folds = torch.tensor([0.0, 1, 2, 2.5, 4, 5, 6, 7]), torch.tensor([0, 1] * 4)
    truth = (scores < 3) ^ (folds == 1)
    predicted, rules = cross_validated(scores, truth, folds)
    assert set(rules) == {0, 1}
    assert rules[1].threshold == pytest.approx(3.0)
    assert (predicted[folds == 1] == truth[folds == 1]).sum() == 0


def test_a_curve_crosses_a_level_between_two_points() -> None:
    steps, values = torch.tensor([0.0, 10.0, 20.0]), torch.tensor([1.0, 0.8, 0.4])
    assert crossing(steps, values, 0.6) == pytest.approx(15.0)
    assert crossing(steps, values, 1.0) == 0.0
    assert crossing(steps, values, 0.1) == math.inf


def test_ranks_do_not_care_about_scale_and_infinity_is_the_highest() -> None:
    first = torch.tensor([1.0, 2.0, 5.0, math.inf])
    assert rank_correlation(first, first**3) == pytest.approx(1.0)
    assert rank_correlation(first, torch.tensor([4.0, 3.0, 2.0, 1.0])) == pytest.approx(-1.0)
    swapped = torch.tensor([2.0, 1.0, 3.0, 4.0])  # 1 - 6 sum d^2 / (n (n^2 - 1)) with d^2 = 1 + 1
    assert rank_correlation(first, swapped) == pytest.approx(1 - 12 / 60)
    assert rank_correlation(first, torch.ones(4)) == 0.0


def test_errors_say_what_is_wrong() -> None:
    yes = torch.tensor([True, False])
    with pytest.raises(ValueError, match="same length, at least 1; got shapes"):
        fit_threshold(torch.zeros(3), yes)
    with pytest.raises(ValueError, match="scores must be finite"):
        fit_threshold(torch.tensor([0.0, math.nan]), yes)
    with pytest.raises(ValueError, match="predicted and truth"):
        hit_rate(yes, yes[:1])
    with pytest.raises(ValueError, match="at least two"):
        cross_validated(torch.zeros(2), yes, torch.zeros(2))
    with pytest.raises(ValueError, match="first and second must be lists"):
        rank_correlation(torch.zeros(2), torch.zeros(3))
    with pytest.raises(ValueError, match="steps must increase"):
        crossing(torch.tensor([1.0, 0.0]), torch.zeros(2), 0.5)
