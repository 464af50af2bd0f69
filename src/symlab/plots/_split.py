"""The exact split of an error into what averaging removes and what it cannot remove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._style import PALETTE, canvas, finite, same_length


def error_split(
    names: Sequence[str],
    symmetrized: ArrayLike,
    equivariance: ArrayLike,
    averaged: ArrayLike,
    *,
    unit: str | Sequence[str],
) -> Figure:
    """Draw the two parts of each mean-square error as shares of the whole, which is measured on its own.

    The parts must reach exactly to 1, where a diamond stands: that is the identity of the conventions page.

    Args:
        names: one for each model or output.
        symmetrized: RMSE of the symmetrized prediction.
        equivariance: equivariance RMSE.
        averaged: orientation-averaged RMSE, written beside each name.
        unit: unit of the three, or one for each name.

    Returns:
        The figure.
    """
    low, high, top = (
        finite("symmetrized", symmetrized),
        finite("equivariance", equivariance),
        finite("averaged", averaged),
    )
    units = [unit] * len(names) if isinstance(unit, str) else list(unit)
    same_length(names=names, symmetrized=low, equivariance=high, averaged=top, unit=units)
    if (top <= 0).any():
        raise ValueError("averaged must be positive: there is no share of an error that is zero")
    low, high = (low / top) ** 2, (high / top) ** 2
    places = np.arange(len(names))
    with canvas(1.6 + 0.65 * len(names)) as figure:
        axes = figure.subplots()
        bar: dict[str, Any] = {"height": 0.55, "edgecolor": "white", "linewidth": 0.5}
        axes.barh(places, low, color=PALETTE[0], label="symmetrized prediction", **bar)
        axes.barh(places, high, left=low, color=PALETTE[1], hatch="///", label="equivariance", **bar)
        axes.plot(
            np.ones(len(names)),
            places,
            "D",
            color="white",
            markeredgecolor="black",
            markersize=8,
            label="whole, measured",
        )
        labels = [f"{name}\n{error:.2g} {of}" for name, error, of in zip(names, top, units, strict=True)]
        axes.set_yticks(places, labels)
        axes.invert_yaxis()
        axes.set(xlabel="share of the mean-square error", xlim=(0, 1.04))
        axes.grid(True, axis="x")
        figure.legend(loc="outside lower center", ncols=3, columnspacing=1.0, handletextpad=0.5)
    return figure
