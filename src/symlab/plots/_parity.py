"""Prediction against reference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._style import MARKERS, PALETTE, QUIET, axis_label, canvas, finite


def parity(pairs: Mapping[str, tuple[ArrayLike, ArrayLike]], *, quantity: str, unit: str) -> Figure:
    """Draw predictions against references, with the root-mean-square error of each set in the legend.

    Args:
        pairs: for each set ("train", "held out"), references and predictions of equal shape.
        quantity: what is predicted ("force component").
        unit: its unit.

    Returns:
        The figure, with equal axes.
    """
    with canvas(5.4) as figure:
        axes = figure.subplots()
        everything = []
        for number, (label, (reference, prediction)) in enumerate(pairs.items()):
            across = finite(f"reference of {label!r}", reference).ravel()
            up = finite(f"prediction of {label!r}", prediction).ravel()
            if across.shape != up.shape:
                raise ValueError(f"{label!r}: {across.size} references but {up.size} predictions")
            error = float(np.sqrt(((across - up) ** 2).mean()))
            axes.plot(
                across,
                up,
                MARKERS[number],
                color=PALETTE[number],
                alpha=0.5,
                markersize=4,
                markeredgewidth=0,
                rasterized=True,
                label=f"{label}, RMSE {error:.3g} {unit}",
            )
            everything += [across.min(), across.max(), up.min(), up.max()]
        margin = 0.04 * (max(everything) - min(everything)) or 1.0
        ends = [min(everything) - margin, max(everything) + margin]
        axes.plot(ends, ends, color=QUIET, linewidth=1.2, linestyle="--")
        axes.set(xlim=ends, ylim=ends, aspect="equal")
        axes.set_xlabel(axis_label(f"reference {quantity}", unit))
        axes.set_ylabel(axis_label(f"predicted {quantity}", unit))
        axes.grid(True)
        figure.legend(loc="outside lower center", ncols=1)
    return figure
