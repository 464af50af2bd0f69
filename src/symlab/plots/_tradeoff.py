"""Two qualities of a few kinds of network against each other, one point for each network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._style import MARKERS, PALETTE, QUIET, axis_label, canvas, finite


def tradeoff(
    kinds: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    xlabel: str,
    ylabel: str,
    xunit: str = "",
    yunit: str = "",
    level: tuple[str, float] | None = None,
) -> Figure:
    """Draw each network as a pale point, and for each kind of several the mean with bars of one standard deviation.

    Args:
        kinds: by label, the two qualities of its networks, (n,) each, in the unit of its axis.
        xlabel: horizontal quantity.
        ylabel: vertical quantity.
        xunit: its unit.
        yunit: its unit.
        level: name and height of a horizontal line.

    Returns:
        The figure.

    Raises:
        ValueError: lengths that differ, or NaN.
    """
    with canvas(4.6) as figure:
        axes = figure.subplots()
        if level is not None:
            axes.axhline(float(finite(*level)), color=QUIET, linestyle=":", linewidth=1.4, label=level[0])
        for number, (label, qualities) in enumerate(kinds.items()):
            x, y = (finite(f"{label!r}", one).reshape(-1) for one in qualities)
            if len(x) != len(y) or not len(x):
                raise ValueError(
                    f"{label!r} needs as many values across as up, at least one; got {len(x)} and {len(y)}"
                )
            look: dict[str, Any] = {"color": PALETTE[number % len(PALETTE)], "marker": MARKERS[number % len(MARKERS)]}
            if len(x) > 1:
                axes.plot(x, y, linestyle="", markersize=5, alpha=0.4, markeredgewidth=0, **look)
            spread = (np.std(x, ddof=1), np.std(y, ddof=1)) if len(x) > 1 else (0.0, 0.0)
            axes.errorbar(
                x.mean(),
                y.mean(),
                spread[1],
                spread[0],
                markersize=8,
                elinewidth=1.4,
                capsize=3,
                linestyle="",
                label=label,
                **look,
            )
        axes.set(xlabel=axis_label(xlabel, xunit), ylabel=axis_label(ylabel, yunit))
        axes.grid(True)
        figure.legend(loc="outside lower center", ncols=2)
    return figure
