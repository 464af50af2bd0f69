"""A measured curve with its error band, and the power law that fits it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symlab.plots._style import finite, same_length


@dataclass(frozen=True)
class Series:
    """One labelled curve: points `(x, y)` and, if known, the band from `low` to `high`."""

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        for name in ("x", "y", "low", "high"):
            values = getattr(self, name)
            if values is not None:
                object.__setattr__(self, name, finite(f"{name} of series {self.label!r}", values))
        same_length(x=self.x, y=self.y)

    @classmethod
    def from_repeats(cls, label: str, x: ArrayLike, repeats: ArrayLike) -> Series:
        """Make a curve from repeated measurements.

        Args:
            label: the name in the legend.
            x: shape (n_points,).
            repeats: shape (n_repeats, n_points), non-negative errors; the curve is their root mean square over
                repeats, the band their 16 to 84 % quantiles.
        """
        values = finite(f"repeats of series {label!r}", repeats)
        if values.ndim != 2:
            raise ValueError(f"repeats must have shape (n_repeats, n_points), got {values.shape}; stack one row a seed")
        low, high = np.quantile(values, [0.16, 0.84], axis=0)
        return cls(label, np.asarray(x, dtype=np.float64), np.sqrt((values**2).mean(0)), low, high)


@dataclass(frozen=True)
class PowerLaw:
    """The straight line of a log-log plot: `y = prefactor * x ** exponent`, with the exponent's standard error."""

    exponent: float
    uncertainty: float
    prefactor: float

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        return self.prefactor * np.asarray(x, dtype=np.float64) ** self.exponent


def fit_power_law(x: ArrayLike, y: ArrayLike) -> PowerLaw:
    """Fit `log y = exponent * log x + const` by least squares.

    Args:
        x: shape (n_points,), positive.
        y: shape (n_points,), or (n_repeats, n_points) for independent repeats. Repeats are pooled by their root mean
            square at each x, and the standard error of the exponent comes from the jackknife over repeats (leave one
            repeat out); for a single curve it is that of the least-squares line.

    Raises:
        ValueError: for values that are not positive and finite, or fewer than three points.
    """
    points, values = finite("x", x), np.atleast_2d(finite("y", y))
    if points.size < 3 or values.shape[1] != points.size:
        raise ValueError(f"x and y must hold the same three or more points, got {points.shape} and {values.shape}")
    if (points <= 0).any() or (values < 0).any() or not values.any(axis=0).all():
        raise ValueError("x and y must be positive: a power law has no zeros; leave out points at round-off")
    if len(values) == 1:
        (exponent, offset), covariance = np.polyfit(np.log(points), np.log(values[0]), 1, cov="unscaled")
        scatter = np.log(values[0]) - exponent * np.log(points) - offset
        error = np.sqrt(covariance[0, 0] * (scatter**2).sum() / (points.size - 2))
        return PowerLaw(float(exponent), float(error), float(np.exp(offset)))

    def slope(squares: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.polyfit(np.log(points), 0.5 * np.log(squares), 1)

    n, total = len(values), (values**2).sum(0)
    exponent, offset = slope(total / n)
    left_out = np.array([slope((total - row**2) / (n - 1))[0] for row in values])
    error = np.sqrt((n - 1) * left_out.var())
    return PowerLaw(float(exponent), float(error), float(np.exp(offset)))
