"""What averaging over more orientations buys."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._style import MARKERS, PALETTE, QUIET, axis_label, canvas, finite, same_length


def ladder(
    names: Sequence[str],
    evaluations: ArrayLike,
    remaining: ArrayLike,
    *,
    ylabel: str,
    unit: str,
    error: ArrayLike | None = None,
    floor: float | None = None,
) -> Figure:
    """Draw the error that remains after averaging over groups of growing size, against their cost.

    Args:
        names: one for each rung ("identity", "inversion", "416 elements").
        evaluations: model evaluations of each rung, positive.
        remaining: error left at each rung, positive.
        ylabel: the quantity.
        unit: its unit.
        error: half-length of error bars.
        floor: noise floor, a dotted line.

    Returns:
        The figure.
    """
    cost, left = finite("evaluations", evaluations), finite("remaining", remaining)
    same_length(names=names, evaluations=cost, remaining=left)
    if (cost <= 0).any() or (left <= 0).any():
        raise ValueError("evaluations and remaining must be positive on logarithmic axes")
    bars = None if error is None else finite("error", error)
    with canvas(4.2) as figure:
        axes = figure.subplots()
        axes.errorbar(cost, left, bars, fmt=MARKERS[0] + "-", color=PALETTE[0], capsize=3)
        for name, x, y in zip(names, cost, left, strict=True):
            axes.annotate(name, (x, y), xytext=(5, 6), textcoords="offset points", fontsize=10)
        if floor is not None:
            axes.axhline(floor, color=QUIET, linestyle=":", linewidth=1.2, label="noise floor")
            figure.legend(loc="outside lower center")
        axes.set(xscale="log", yscale="log", xlabel="model evaluations", ylabel=axis_label(ylabel, unit))
        axes.set_xlim(right=cost.max() * (cost.max() / cost.min()) ** 0.2 if len(np.unique(cost)) > 1 else None)
        axes.margins(y=0.15)
        axes.grid(True)
    return figure
