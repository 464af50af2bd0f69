"""Means against distance, in bins that grow with it, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._style import MARKERS, PALETTE, axis_label, canvas, finite


def binned_curves(
    panels: Mapping[str, tuple[str, Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]]]],
    edges: ArrayLike,
    *,
    xlabel: str,
    xunit: str = "",
    percent: bool = False,
) -> Figure:
    """Draw means in bins: a panel for each quantity, a curve for each label, bars for the intervals.

    The horizontal axis is logarithmic; a first bin that begins at 0 is drawn from half of its upper edge. Curves are
    shifted a little against each other, so that their bars stay apart.

    Args:
        panels: by title, the unit of the quantity and its curves: by label the means, the lower and the upper ends of
            their intervals, each of shape (n_bins,). A bin with NaN in all three holds nothing and is left out.
        edges: shape (n_bins + 1,), increasing, >= 0.
        xlabel: the distance.
        xunit: its unit.
        percent: write the vertical axes in percent.

    Returns:
        The figure, panels side by side.

    Raises:
        ValueError: lengths that differ, a mean outside its interval, or NaN in one of the three only.
    """
    bounds = finite("edges", edges).copy()
    if bounds.size < 2 or (np.diff(bounds) <= 0).any() or bounds[0] < 0:
        raise ValueError(f"edges must increase from 0 or more; got {bounds.tolist()}")
    if bounds[0] == 0:
        bounds[0] = bounds[1] / 2
    labels = list(dict.fromkeys(label for _, curves in panels.values() for label in curves))
    with canvas(3.9, width=6.8) as figure:
        for axes, (title, (unit, curves)) in zip(
            figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
        ):
            for label, numbers in curves.items():
                if any(np.shape(one) != (bounds.size - 1,) for one in numbers):
                    raise ValueError(
                        f"{title}: {label} must hold mean, low and high of {bounds.size - 1} bins; got shapes "
                        + ", ".join(str(np.shape(one)) for one in numbers)
                    )
                table = np.array(numbers, dtype=np.float64)
                filled = ~np.isnan(table).all(0)
                mean, low, high = finite(f"{title}: {label}", table[:, filled])
                if (low > mean).any() or (high < mean).any():
                    raise ValueError(f"{title}: {label} has a mean outside of its interval")
                number = labels.index(label)
                shift = 1 + 0.05 * (number - (len(labels) - 1) / 2)
                centres = np.sqrt(bounds[1:] * bounds[:-1])[filled] * shift
                axes.errorbar(
                    centres,
                    (100 if percent else 1) * mean,
                    (100 if percent else 1) * np.array([mean - low, high - mean]),
                    color=PALETTE[number],
                    marker=MARKERS[number],
                    markersize=5,
                    linewidth=1.5,
                    elinewidth=1.2,
                    capsize=2.5,
                    label=label,
                )
            axes.set(xscale="log", xlim=(bounds[0] / 1.15, bounds[-1] * 1.15), xlabel=axis_label(xlabel, xunit))
            axes.set_ylabel(axis_label(title, "%" if percent else unit))
            axes.set_ylim(bottom=0)
            ticks = [edge for edge in bounds[1:] if edge >= 1]
            ticks = ticks[:: -(-len(ticks) // 6)]
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.minorticks_off()
            axes.grid(True)
        if len(labels) > 1:
            named = [axes.get_legend_handles_labels() for axes in figure.axes]
            handles = {label: handle for pair in named for handle, label in zip(*pair, strict=True)}
            figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=min(3, len(labels)))
    return figure
