"""Errors along training, with the spread over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._style import MARKERS, PALETTE, QUIET, axis_label, canvas, finite


def learning_curve(
    steps: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    ylabel: str,
    unit: str,
    xlabel: str = "training step",
    reference: Mapping[str, float] | None = None,
) -> Figure:
    """Draw curves against training step on logarithmic axes; bands run from the best to the worst seed.

    Args:
        steps: shape (n_steps,); step 0, the untrained network, is drawn at the left edge.
        curves: for each label, values of shape (n_steps,) or (n_seeds, n_steps), positive.
        ylabel: the quantity.
        unit: its unit.
        xlabel: the horizontal quantity.
        reference: named horizontal lines, such as the standard deviation of the labels.

    Returns:
        The figure; lines are geometric means over seeds.
    """
    across = finite("steps", steps)
    with canvas(4.2) as figure:
        axes = figure.subplots()
        for number, (label, values) in enumerate(curves.items()):
            table = np.atleast_2d(finite(f"curves[{label!r}]", values))
            if table.shape[1] != across.size:
                raise ValueError(f"curves[{label!r}] must have {across.size} steps in its last axis, got {table.shape}")
            if (table <= 0).any():
                raise ValueError(f"curves[{label!r}] must be positive on a logarithmic axis")
            colour = PALETTE[number % len(PALETTE)]
            style: dict[str, Any] = {"color": colour, "marker": MARKERS[number % len(MARKERS)], "markersize": 5}
            axes.plot(across, np.exp(np.log(table).mean(0)), label=label, **style)
            if len(table) > 1:
                axes.fill_between(across, table.min(0), table.max(0), color=colour, alpha=0.2, linewidth=0)
        for number, (name, level) in enumerate((reference or {}).items()):
            dashes = (":", "--", "-.")[number % 3]
            axes.axhline(float(finite(name, level)), color=QUIET, linestyle=dashes, linewidth=1.3, label=name)
        positive = across[across > 0]
        if positive.size:
            axes.set_xscale("symlog", linthresh=positive.min(), linscale=0.5)
            axes.set_xlim(left=0 if (across == 0).any() else positive.min() / 1.2)
        axes.set(yscale="log", xlabel=xlabel, ylabel=axis_label(ylabel, unit))
        axes.grid(True)
        figure.legend(loc="outside lower center", ncols=2)
    return figure
