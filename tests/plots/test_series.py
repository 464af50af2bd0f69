"""Curves with bands, and the power law that fits them."""

import numpy as np
import pytest

from symlab.plots import Series, fit_power_law

N = np.array([10.0, 30, 100, 300, 1000])


def test_an_exact_power_law_is_found_exactly() -> None:
    law = fit_power_law(N, 3 * N**-1.5)
    assert law.exponent == pytest.approx(-1.5, abs=1e-12)
    assert law.prefactor == pytest.approx(3.0)
    assert law.uncertainty == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(law(N), 3 * N**-1.5)


def test_the_standard_error_of_a_slope_covers_the_truth() -> None:
    random = np.random.default_rng(0)
    pulls = []
    for _ in range(200):
        law = fit_power_law(N, np.abs(random.normal(size=(40, 5))) / np.sqrt(N))
        pulls.append((law.exponent + 0.5) / law.uncertainty)
    assert np.abs(np.mean(pulls)) < 0.3
    assert 0.8 < np.std(pulls) < 1.25


def test_repeats_become_a_root_mean_square_inside_its_band() -> None:
    repeats = np.abs(np.random.default_rng(1).normal(size=(500, 5)))
    one = Series.from_repeats("seeds", N, repeats)
    np.testing.assert_allclose(one.y, np.sqrt((repeats**2).mean(0)))
    assert one.low is not None
    assert one.high is not None
    assert (one.low < one.y).all()
    assert (one.y < one.high).all()


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [([1, 2], [1, 2], "three or more"), ([1, 2, 3], [1, 0, 1], "no zeros"), ([1, 2, 3], [1, np.nan, 1], "NaN")],
)
def test_a_power_law_needs_positive_points(x: list[float], y: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_power_law(x, y)


def test_a_series_needs_one_y_for_each_x() -> None:
    with pytest.raises(ValueError, match="equal lengths"):
        Series("a", N, N[1:])
    with pytest.raises(ValueError, match="n_repeats, n_points"):
        Series.from_repeats("a", N, N)
