"""Curves on linear axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._series import Series
from symlab.plots._style import PALETTE, QUIET, axis_label, canvas, finite

DASHES = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)))


def curves(
    series: Sequence[Series],
    *,
    xlabel: str,
    ylabel: str,
    xunit: str = "",
    yunit: str = "",
    levels: Mapping[str, ArrayLike] | None = None,
) -> Figure:
    """Draw curves, told apart by colour and by dashes, on linear axes.

    Args:
        series: the curves; bands are drawn where they are given.
        xlabel: horizontal quantity.
        ylabel: vertical quantity.
        xunit: unit of the horizontal axis, empty for a pure number.
        yunit: unit of the vertical axis.
        levels: named horizontal lines.

    Returns:
        The figure.
    """
    with canvas(4.2) as figure:
        axes = figure.subplots()
        for number, one in enumerate(series):
            colour, dashes = PALETTE[number % len(PALETTE)], DASHES[number % len(DASHES)]
            axes.plot(one.x, one.y, color=colour, linestyle=dashes, label=one.label)
            if one.low is not None and one.high is not None:
                axes.fill_between(one.x, one.low, one.high, color=colour, alpha=0.18, linewidth=0)
        for name, level in (levels or {}).items():
            axes.axhline(float(finite(name, level)), color=QUIET, linestyle=":", linewidth=1.4, label=name)
        axes.set(xlabel=axis_label(xlabel, xunit), ylabel=axis_label(ylabel, yunit))
        axes.margins(x=0.01)
        axes.grid(True)
        figure.legend(loc="outside lower center", ncols=2)
    return figure
