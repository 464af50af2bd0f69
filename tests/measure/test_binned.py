"""Means in bins, their bootstrap over groups, and distances to what confuses."""

import math

import pytest
import torch

from symlab.measure import binned_mean, distance_to, distance_to_other_class

EDGES = torch.tensor([0.0, 1, 2, 4])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_each_case_counts_the_same_and_the_last_edge_is_inside() -> None:
    distances = torch.tensor([0.0, 0.5, 1.0, 4.0, 4.1, math.inf])
    found = binned_mean(torch.arange(6.0), distances, EDGES, torch.tensor([0, 1, 0, 1, 0, 1]), generator=seeded())
    assert found.mean.tolist() == [0.5, 2.0, 3.0]
    assert found.n_cases.tolist() == [2, 1, 1]
    assert found.n_groups.tolist() == [2, 1, 1]
    assert (found.low[0], found.high[0]) == (0.0, 1.0)
    assert found.low[1] == found.high[1] == 2.0


def test_an_empty_bin_is_no_number() -> None:
    found = binned_mean(torch.ones(2), torch.tensor([0.1, 3.0]), EDGES, torch.tensor([0, 1]), generator=seeded())
    assert bool(found.mean[1].isnan() & found.low[1].isnan() & found.high[1].isnan())
    assert found.n_cases.tolist() == [1, 0, 1]


def test_the_interval_knows_that_points_of_one_event_share_its_fate() -> None:
    """50 events of 20 equal points: the standard error is that of 50 numbers, not of 1000."""
    fate = torch.randn(50, dtype=torch.float64, generator=seeded(1))
    groups = torch.arange(50).repeat_interleave(20)
    found = binned_mean(
        fate[groups], torch.zeros(1000), EDGES, groups, confidence=0.683, n_draws=4000, generator=seeded()
    )
    half = float(found.high[0] - found.low[0]) / 2
    assert half == pytest.approx(float(fate.std()) / math.sqrt(50), rel=0.08)


def test_distances_agree_with_all_pairs() -> None:
    points = torch.randn(40, 3, dtype=torch.float64, generator=seeded(2))
    classes = torch.arange(40) % 3
    table = torch.cdist(points, points)
    table[classes[:, None] == classes] = math.inf
    assert torch.allclose(distance_to_other_class(points, classes), table.amin(1))
    assert torch.allclose(distance_to(points, points[:2]), torch.cdist(points, points[:2]).amin(1))


def test_nothing_near_is_infinitely_far() -> None:
    points = torch.zeros(2, 3)
    assert distance_to(points, points[:0]).tolist() == [math.inf, math.inf]
    assert distance_to_other_class(points, torch.zeros(2, dtype=torch.int64)).tolist() == [math.inf, math.inf]


def test_errors_say_what_is_wrong() -> None:
    ones, groups = torch.ones(2), torch.tensor([0, 1])
    with pytest.raises(ValueError, match="same length, at least 1; got shapes"):
        binned_mean(ones, torch.ones(3), EDGES, groups, generator=seeded())
    with pytest.raises(ValueError, match="must not be NaN"):
        binned_mean(ones * math.nan, ones, EDGES, groups, generator=seeded())
    with pytest.raises(ValueError, match="edges must increase"):
        binned_mean(ones, ones, EDGES.flip(0), groups, generator=seeded())
    with pytest.raises(ValueError, match="places must be finite"):
        distance_to(torch.zeros(2, 3), torch.zeros(2))
    with pytest.raises(ValueError, match="classes must have shape"):
        distance_to_other_class(torch.zeros(2, 3), torch.zeros(3, dtype=torch.int64))
