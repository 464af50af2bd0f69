"""Errors along ladders of deformation, one panel for each quantity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from symlab.plots._style import MARKERS, PALETTE, QUIET, axis_label, canvas, finite, same_length


def deformation_ladders(
    panels: Mapping[str, tuple[str, Mapping[str, ArrayLike]]],
    kinds: Sequence[str],
    amplitudes: ArrayLike,
    *,
    quiet: Sequence[str] = (),
    floor: Mapping[str, float] | None = None,
) -> Figure:
    """Draw errors of many structures, sorted into kinds of deformation and, within a kind, by amplitude.

    A line is the median over the structures of equal amplitude, a band runs from the smallest to the largest of them.

    Args:
        panels: for each quantity its unit and, for each measure ("absolute", "equivariance"), the positive errors of
            the structures, shape (n_structures,).
        kinds: the kind of each structure; kinds stand side by side in order of first appearance.
        amplitudes: shape (n_structures,).
        quiet: measures drawn in thin grey: controls.
        floor: noise floor of each quantity, a dotted line.

    Returns:
        The figure, panels above each other.
    """
    strain = finite("amplitudes", amplitudes)
    same_length(kinds=kinds, amplitudes=strain)
    names = list(dict.fromkeys(kinds))
    with canvas(0.9 + 2.15 * len(panels)) as figure:
        all_axes = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
        for axes, (quantity, (unit, measures)) in zip(all_axes, panels.items(), strict=True):
            colours = iter(zip(PALETTE, MARKERS, strict=False))
            for label, values in measures.items():
                errors = finite(f"{quantity}: {label}", values)
                same_length(kinds=kinds, errors=errors)
                if (errors <= 0).any():
                    raise ValueError(f"{quantity}: {label} must be positive on a logarithmic axis")
                style: dict[str, Any] = {"color": QUIET, "linewidth": 1.2, "linestyle": "--", "marker": ""}
                if label not in quiet:
                    colour, marker = next(colours)
                    style = {"color": colour, "linewidth": 1.8, "linestyle": "-", "marker": marker, "markersize": 3.5}
                elif label != quiet[0]:
                    style["linestyle"] = ":"
                _draw_kinds(axes, names, list(kinds), strain, errors, label, style)
            if floor is not None:
                level = float(finite(f"floor of {quantity}", floor[quantity]))
                axes.axhline(level, color="black", linestyle=(0, (1, 3)), linewidth=1.0, label="noise floor")
            axes.set(yscale="log", ylabel=axis_label(quantity, unit))
            axes.set_xticks([place + 0.5 for place in range(len(names))], names)
            axes.tick_params(axis="x", length=0)
            for place in range(1, len(names)):
                axes.axvline(place, color=QUIET, linewidth=0.6)
            axes.grid(True, axis="y")
            axes.set_xlim(0, len(names))
        all_axes[-1].set_xlabel(r"kind of deformation; amplitude grows $\rightarrow$ within each")
        handles, labels = all_axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _draw_kinds(
    axes: Axes,
    names: Sequence[str],
    kinds: Sequence[str],
    amplitudes: NDArray[np.float64],
    errors: NDArray[np.float64],
    label: str,
    style: dict[str, Any],
) -> None:
    """Draw one measure in the block of each kind."""
    belongs = np.asarray(kinds)
    for place, kind in enumerate(names):
        rungs = np.unique(amplitudes[belongs == kind])
        groups = [errors[(belongs == kind) & (amplitudes == rung)] for rung in rungs]
        across = place + (np.arange(len(rungs)) + 0.5) / len(rungs)
        axes.plot(across, [np.median(g) for g in groups], label=label if place == 0 else None, **style)
        if style["linestyle"] == "-":
            low, high = [g.min() for g in groups], [g.max() for g in groups]
            axes.fill_between(across, low, high, color=style["color"], alpha=0.15, linewidth=0)
