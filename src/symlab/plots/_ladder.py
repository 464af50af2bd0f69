"""What averaging over more orientations buys, predicted and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from numpy.typing import ArrayLike

from symlab.plots._style import MARKERS, PALETTE, QUIET, canvas, finite, same_length


def ladder(
    panels: Mapping[str, Mapping[str, ArrayLike]],
    sizes: Sequence[int],
    families: Sequence[str],
    *,
    ylabel: str,
    goal: float | None = None,
) -> Figure:
    """Draw the share of an error that remains after averaging over groups of growing size, against their cost.

    Filled markers are measured, with error bars; open diamonds are predicted; the dashed line is what independent
    random orientations leave, ``N^(-1/2)``.

    Args:
        panels: for each quantity the shares of each rung, positive: "measured", "low" and "high" (ends of the error
            bar), "predicted"; each of shape (n_rungs,).
        sizes: model evaluations of each rung.
        families: the kind of each rung ("rotations"); each gets a colour and a marker.
        ylabel: what the shares are shares of.
        goal: a share to reach, a dotted line.

    Returns:
        The figure, two panels in a row.
    """
    cost = finite("sizes", sizes)
    same_length(sizes=cost, families=families)
    if (cost <= 0).any():
        raise ValueError("sizes must be positive on a logarithmic axis")
    rows = (len(panels) + 1) // 2
    columns = min(2, len(panels))
    with canvas(1.3 + 2.3 * rows, width=6.8 if columns == 2 else 6.0) as figure:
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for axes in grid.ravel()[len(panels) :]:
            axes.set_visible(False)
        for axes, (title, values) in zip(grid.ravel(), panels.items(), strict=False):
            _draw(axes, title, values, cost, families)
            line = np.array([1.0, cost.max()])
            axes.plot(line, line**-0.5, "--", color=QUIET, linewidth=1.2, label=r"random orientations, $N^{-1/2}$")
            if goal is not None:
                axes.axhline(goal, color=QUIET, linestyle=":", linewidth=1.2, label=f"share {goal:g}")
            axes.set_title(title, loc="left")
            axes.grid(True)
        first = grid[0, 0]
        first.set(xscale="log", yscale="log")
        ticks = [1, 2, 4, 6, 12, 24, 48, 120, 416]
        first.xaxis.set_major_locator(FixedLocator(ticks))
        first.xaxis.set_major_formatter(FixedFormatter([str(tick) for tick in ticks]))
        first.xaxis.set_minor_locator(NullLocator())
        for axes in grid[-1]:
            axes.set_xlabel("model evaluations $N$")
        figure.supylabel(ylabel)
        handles, labels = first.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _draw(
    axes: Axes,
    title: str,
    values: Mapping[str, ArrayLike],
    cost: np.ndarray[tuple[int], np.dtype[np.float64]],
    families: Sequence[str],
) -> None:
    """Draw the rungs of one quantity."""
    shares = {key: finite(f"{title}: {key}", values[key]) for key in ("measured", "low", "high", "predicted")}
    for key, share in shares.items():
        same_length(**{"sizes": cost, key: share})
        if (share <= 0).any():
            raise ValueError(f"{title}: {key} must be positive on a logarithmic axis; use the noise floor for a zero")
    axes.plot(
        cost,
        shares["predicted"],
        "D",
        color="none",
        markeredgecolor="black",
        markersize=8,
        markeredgewidth=1.0,
        label="predicted by characters",
    )
    for number, family in enumerate(dict.fromkeys(families)):
        chosen = [i for i, name in enumerate(families) if name == family]
        middle, low, high = (shares[key][chosen] for key in ("measured", "low", "high"))
        axes.errorbar(
            cost[chosen],
            middle,
            [np.maximum(middle - low, 0), np.maximum(high - middle, 0)],
            fmt=MARKERS[number],
            color=PALETTE[number],
            markersize=5,
            capsize=2,
            linewidth=1.2,
            label=family,
        )
