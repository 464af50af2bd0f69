"""What curves along a training share: a logarithmic axis with room for step 0, medians, and bands for the seeds."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from symlab.plots._style import MARKERS, PALETTE, finite


def step_axis(axes: Axes, steps: NDArray[np.float64]) -> None:
    """Make the horizontal axis logarithmic, with step 0 at the left edge."""
    smallest = float(steps[steps > 0].min())
    axes.set_xscale("symlog", linthresh=smallest, linscale=0.4)
    axes.set_xlim(left=0)
    powers = 10.0 ** np.arange(np.ceil(np.log10(smallest)), np.floor(np.log10(steps.max())) + 1)
    axes.set_xticks([0, *powers] if len(powers) else [0, smallest])  # none crowds the zero


def seed_curve(
    axes: Axes, steps: NDArray[np.float64], values: ArrayLike, *, name: str, label: str, number: int
) -> None:
    """Draw the median over seeds and the band from the best to the worst; `name` is what messages call the values.

    Args:
        axes: where to draw.
        steps: shape (n_steps,).
        values: positive, shape (n_steps,) or (n_seeds, n_steps).
        name: what error messages call the values.
        label: in the legend.
        number: of the curve: it decides colour and marker.
    """
    table = np.atleast_2d(finite(name, values))
    if table.shape[1] != steps.size:
        raise ValueError(f"{name} must have {steps.size} steps in its last axis")
    if (table <= 0).any():
        raise ValueError(f"{name} must be positive on a logarithmic axis")
    colour, marker = PALETTE[number % len(PALETTE)], MARKERS[number % len(MARKERS)]
    axes.plot(steps, np.median(table, axis=0), marker=marker, color=colour, markersize=4, linewidth=1.5, label=label)
    if len(table) > 1:
        axes.fill_between(steps, table.min(0), table.max(0), color=colour, alpha=0.15, linewidth=0)
