"""Errors beside the smallest error that could have been measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._style import MARKERS, PALETTE, QUIET, axis_label, canvas, finite, same_length


def noise_floors(
    names: Sequence[str], errors: ArrayLike, floors: ArrayLike, *, xlabel: str = "equivariance RMSE", unit: str
) -> Figure:
    """Draw the error of each model against its noise floor, on one logarithmic axis.

    A marker on its floor means zero, as far as the arithmetic can tell.

    Args:
        names: one for each model.
        errors: shape (n_models,), positive.
        floors: noise floors, same shape, positive.
        xlabel: the quantity.
        unit: its unit.

    Returns:
        The figure, one row for each model.
    """
    values, lowest = finite("errors", errors), finite("floors", floors)
    same_length(names=names, errors=values, floors=lowest)
    if (values <= 0).any() or (lowest <= 0).any():
        raise ValueError("errors and floors must be positive on a logarithmic axis; use the floor for an exact zero")
    places = np.arange(len(names))
    with canvas(1.6 + 0.5 * len(names)) as figure:
        axes = figure.subplots()
        axes.hlines(places, np.minimum(values, lowest), np.maximum(values, lowest), color=QUIET, linewidth=1.2)
        axes.plot(lowest, places, "|", color=QUIET, markersize=16, markeredgewidth=2.5, label="noise floor")
        axes.plot(values, places, MARKERS[0], color=PALETTE[1], markersize=8, label="measured")
        axes.set_yticks(places, names)
        axes.invert_yaxis()
        axes.margins(y=0.15)
        axes.set(xscale="log", xlabel=axis_label(xlabel, unit))
        axes.grid(True, axis="x")
        figure.legend(loc="outside lower center", ncols=2)
    return figure
