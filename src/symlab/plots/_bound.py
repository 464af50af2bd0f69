"""A quantity against its bound."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._style import MARKERS, PALETTE, QUIET, axis_label, canvas, finite


def bound_scatter(
    points: Mapping[str, tuple[ArrayLike, ArrayLike]], *, xlabel: str, ylabel: str, unit: str, bound: str
) -> Figure:
    """Draw points that must lie on or below the diagonal, on logarithmic axes.

    Args:
        points: for each label, the bound (across) and the bounded quantity (up), positive and of equal shape.
        xlabel: the bound.
        ylabel: the bounded quantity.
        unit: their common unit.
        bound: how the shaded, forbidden half is named in the legend.

    Returns:
        The figure.
    """
    with canvas(5.2) as figure:
        axes = figure.subplots()
        everything: list[float] = []
        for number, (label, (across, up)) in enumerate(points.items()):
            x, y = finite(f"bound of {label!r}", across), finite(f"values of {label!r}", up)
            if x.shape != y.shape or (x <= 0).any() or (y <= 0).any():
                raise ValueError(f"{label!r}: the two arrays must be positive and of equal shape")
            axes.plot(x, y, MARKERS[number], color=PALETTE[number], alpha=0.7, markeredgewidth=0, label=label)
            everything += [x.min(), x.max(), y.min(), y.max()]
        ends = np.array([min(everything) / 1.6, max(everything) * 1.6])
        axes.plot(ends, ends, color=QUIET, linewidth=1.4, linestyle="--")
        axes.fill_between(ends, ends, ends[1], color=QUIET, alpha=0.15, linewidth=0, label=bound)
        axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
        axes.set(xlabel=axis_label(xlabel, unit), ylabel=axis_label(ylabel, unit))
        axes.grid(True)
        figure.legend(loc="outside lower center", ncols=2)
    return figure
