"""Error against the number of evaluations, on logarithmic axes, with slopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from symlab.plots._series import PowerLaw, Series
from symlab.plots._style import MARKERS, MINUS, PALETTE, QUIET, axis_label, canvas


def convergence(
    series: Sequence[Series],
    *,
    xlabel: str,
    ylabel: str,
    xunit: str = "",
    yunit: str = "",
    slopes: Mapping[str, PowerLaw] | None = None,
    floor: float | None = None,
    logx: bool = True,
) -> Figure:
    """Draw how fast errors fall.

    A straight line is a power law; a cliff is an exact rule.

    Args:
        series: the curves; bands are drawn where they are given.
        xlabel: what is counted across.
        ylabel: the error.
        xunit: unit of the horizontal axis, empty for a count.
        yunit: unit of the error.
        slopes: fitted power laws by label of their curve; dashed, with the exponent and its standard error.
        floor: size of round-off; a dotted line, and points below it are drawn on it.
        logx: logarithmic horizontal axis; switch it off for degrees.

    Returns:
        The figure.
    """
    slopes, single_column = dict(slopes or {}), bool(slopes)
    unknown = set(slopes) - {one.label for one in series}
    if unknown:
        raise ValueError(f"slopes: no curve is called {sorted(unknown)}; labels are {[one.label for one in series]}")
    lowest = floor if floor is not None else np.finfo(np.float64).tiny
    with canvas(4.0 + 0.12 * len(series) * (2 if single_column else 1)) as figure:
        axes = figure.subplots()
        for number, one in enumerate(series):
            colour = PALETTE[number % len(PALETTE)]
            label = one.label
            if label in slopes:
                law = slopes.pop(label)
                label += f", slope {law.exponent:.2f} ± {law.uncertainty:.2f}".replace("-", MINUS)
                axes.plot(one.x, law(one.x), "--", color=colour, linewidth=1.2)
            line = "-" if one.label == label else ""
            axes.plot(
                one.x,
                np.maximum(one.y, lowest),
                line + MARKERS[number % len(MARKERS)],
                color=colour,
                markeredgecolor="white",
                markeredgewidth=0.6,
                label=label,
            )
            if one.low is not None and one.high is not None:
                low, high = np.maximum(one.low, lowest), np.maximum(one.high, lowest)
                axes.fill_between(one.x, low, high, color=colour, alpha=0.18, linewidth=0)
        if floor is not None:
            axes.axhline(floor, color=QUIET, linestyle=":", linewidth=1.2, label="round-off")
        axes.set(xscale="log" if logx else "linear", yscale="log")
        axes.set(xlabel=axis_label(xlabel, xunit), ylabel=axis_label(ylabel, yunit))
        axes.grid(True)
        figure.legend(loc="outside lower center", ncols=1 if single_column else 2)
    return figure
