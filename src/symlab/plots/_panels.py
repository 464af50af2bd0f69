"""Many learning curves: one panel for each setting, one curve for each task, a band for the seeds."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._steps import seed_curve, step_axis
from symlab.plots._style import QUIET, axis_label, canvas, finite


def learning_panels(
    steps: ArrayLike,
    panels: Mapping[str, Mapping[str, ArrayLike]],
    *,
    ylabel: str,
    unit: str = "",
    level: tuple[str, float] | None = None,
    xlabel: str = "training step",
) -> Figure:
    """Draw errors against training step, panels two by two on the same axes.

    Args:
        steps: shape (n_steps,); step 0 is drawn at the left edge.
        panels: by title and label, positive values of shape (n_steps,) or (n_seeds, n_steps).
        ylabel: the quantity.
        unit: its unit.
        level: name and height of a dashed line.
        xlabel: the horizontal quantity.

    Returns:
        The figure; lines are medians over seeds, bands run from the best to the worst.
    """
    across = finite("steps", steps)
    lines = -(-len(panels) // 2)
    labels = list(dict.fromkeys(label for curves in panels.values() for label in curves))
    with canvas(1.2 + 2.5 * lines, width=6.8) as figure:
        grid = figure.subplots(lines, min(2, len(panels)), squeeze=False, sharex=True, sharey=True)
        for axes in grid.ravel()[len(panels) :]:
            axes.remove()
        for axes, (title, curves) in zip(grid.ravel(), panels.items(), strict=False):
            for label, values in curves.items():
                number = labels.index(label)
                seed_curve(axes, across, values, name=f"{title}: {label}", label=label, number=number)
            if level is not None:
                axes.axhline(level[1], color=QUIET, linestyle="--", linewidth=1.2, label=level[0])
            step_axis(axes, across)
            axes.set(yscale="log", title=title)
            axes.grid(True)
        figure.supylabel(axis_label(ylabel, unit))
        for axes in figure.axes[-grid.shape[1] :]:
            axes.set_xlabel(xlabel)
        drawn = {name: one for axes in figure.axes for one, name in zip(*axes.get_legend_handles_labels(), strict=True)}
        figure.legend(drawn.values(), drawn.keys(), loc="outside lower center", ncols=4)
    return figure
