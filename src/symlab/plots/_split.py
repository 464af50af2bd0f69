"""The exact split of an error into what averaging removes and what it cannot remove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._style import PALETTE, axis_label, canvas, finite, same_length


def error_split(
    names: Sequence[str], symmetrized: ArrayLike, equivariance: ArrayLike, total: ArrayLike, *, unit: str
) -> Figure:
    """Draw stacked mean-square errors, with the independently measured total as a diamond.

    The diamond must sit on top of the stack: that is the identity of the conventions page.

    Args:
        names: one for each model or output.
        symmetrized: mean-square error of the symmetrized prediction.
        equivariance: equivariance mean-square error.
        total: orientation-averaged mean-square error, measured on its own.
        unit: unit of the squares.

    Returns:
        The figure.
    """
    low, high, top = finite("symmetrized", symmetrized), finite("equivariance", equivariance), finite("total", total)
    same_length(names=names, symmetrized=low, equivariance=high, total=top)
    places = np.arange(len(names))
    with canvas(0.9 + 0.7 * len(names) + 1.0) as figure:
        axes = figure.subplots()
        bar: dict[str, Any] = {"height": 0.55, "edgecolor": "white", "linewidth": 0.5}
        axes.barh(places, low, color=PALETTE[0], label="symmetrized prediction", **bar)
        axes.barh(places, high, left=low, color=PALETTE[1], hatch="///", label="equivariance", **bar)
        axes.plot(top, places, "D", color="white", markeredgecolor="black", markersize=8, label="measured total")
        axes.set_yticks(places, names)
        axes.invert_yaxis()
        axes.set_xlabel(axis_label("mean-square error", unit))
        axes.grid(True, axis="x")
        figure.legend(loc="outside lower center", ncols=2)
    return figure
