"""Curves on linear axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from numpy.typing import ArrayLike

from symlab.plots._series import Series
from symlab.plots._style import MARKERS, PALETTE, QUIET, axis_label, canvas, finite

DASHES = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)))


def curves(
    series: Sequence[Series],
    *,
    xlabel: str,
    ylabel: str,
    xunit: str = "",
    yunit: str = "",
    levels: Mapping[str, ArrayLike] | None = None,
    markers: bool = False,
) -> Figure:
    """Draw curves, told apart by colour and by dashes, on linear axes.

    Args:
        series: the curves; bands are drawn where they are given.
        xlabel: horizontal quantity.
        ylabel: vertical quantity.
        xunit: unit of the horizontal axis, empty for a pure number.
        yunit: unit of the vertical axis.
        levels: named horizontal lines.
        markers: mark the points, for curves that were measured at few places.

    Returns:
        The figure.
    """
    with canvas(4.2) as figure:
        axes = figure.subplots()
        for number, one in enumerate(series):
            colour, dashes = PALETTE[number % len(PALETTE)], DASHES[number % len(DASHES)]
            shape = MARKERS[number % len(MARKERS)] if markers else ""
            axes.plot(one.x, one.y, color=colour, linestyle=dashes, marker=shape, label=one.label)
            if one.low is not None and one.high is not None:
                axes.fill_between(one.x, one.low, one.high, color=colour, alpha=0.18, linewidth=0)
        for name, level in (levels or {}).items():
            axes.axhline(float(finite(name, level)), color=QUIET, linestyle=":", linewidth=1.4, label=name)
        axes.set(xlabel=axis_label(xlabel, xunit), ylabel=axis_label(ylabel, yunit))
        axes.margins(x=0.03 if markers else 0.01)
        if xunit == "°":
            axes.xaxis.set_major_locator(MultipleLocator(45 if max(one.x.max() for one in series) > 100 else 15))
        axes.grid(True)
        figure.legend(loc="outside lower center", ncols=2)
    return figure
