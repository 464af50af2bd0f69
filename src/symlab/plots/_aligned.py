"""Several quantities along one training, one above the other, so that what moves together can be seen to."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._steps import seed_curve, step_axis
from symlab.plots._style import canvas, finite


def aligned_curves(
    steps: ArrayLike,
    panels: Mapping[str, Mapping[str, ArrayLike]],
    *,
    xlabel: str = "training step",
) -> Figure:
    """Draw quantities against training step, one panel below the other on one logarithmic axis of steps.

    Args:
        steps: shape (n_steps,); step 0 is drawn at the left edge.
        panels: by quantity (with its unit, the label of the vertical axis) and curve, positive values of shape
            (n_steps,) or (n_seeds, n_steps). A curve has one colour in all panels.
        xlabel: the horizontal quantity.

    Returns:
        The figure; lines are medians over seeds, bands run from the lowest to the highest.
    """
    across = finite("steps", steps)
    labels = list(dict.fromkeys(label for curves in panels.values() for label in curves))
    with canvas(1.3 + 2.3 * len(panels)) as figure:
        grid = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
        for axes, (quantity, curves) in zip(grid, panels.items(), strict=True):
            for label, values in curves.items():
                number = labels.index(label)
                seed_curve(axes, across, values, name=f"{quantity}: {label}", label=label, number=number)
            step_axis(axes, across)
            axes.set(yscale="log", ylabel=quantity)
            axes.grid(True)
        grid[-1].set_xlabel(xlabel)
        handles, names = grid[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=2)
    return figure
