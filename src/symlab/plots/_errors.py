"""Absolute error beside equivariance error, structure by structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._style import MARKERS, PALETTE, QUIET, axis_label, canvas, finite, same_length


def error_boxes(
    errors: Mapping[str, Mapping[str, ArrayLike]], *, ylabel: str, unit: str, floor: float | None = None
) -> Figure:
    """Draw the spread of errors for each kind of structure, one box for each measure, on a logarithmic axis.

    Args:
        errors: for each measure ("absolute", "equivariance"), the positive errors of the structures by kind.
        ylabel: the quantity.
        unit: its unit.
        floor: noise floor, a dotted line.

    Returns:
        The figure; boxes hold the middle half, whiskers 5 to 95 %, every structure is a dot.
    """
    kinds = list(next(iter(errors.values())))
    spread = np.linspace(-0.2, 0.2, len(errors)) if len(errors) > 1 else np.zeros(1)
    with canvas(4.2) as figure:
        axes = figure.subplots()
        for number, (measure, by_kind) in enumerate(errors.items()):
            if list(by_kind) != kinds:
                raise ValueError(f"errors[{measure!r}] must have the kinds {kinds}, got {list(by_kind)}")
            colour = PALETTE[number]
            for place, kind in enumerate(kinds):
                values = finite(f"errors[{measure!r}][{kind!r}]", by_kind[kind])
                if (values <= 0).any():
                    raise ValueError(f"errors[{measure!r}][{kind!r}] must be positive on a logarithmic axis")
                middle = place + spread[number]
                axes.boxplot(
                    values,
                    positions=[middle],
                    widths=0.3,
                    whis=(5, 95),
                    showfliers=False,
                    manage_ticks=False,
                    medianprops={"color": colour, "linewidth": 2.2},
                    boxprops={"color": colour},
                    whiskerprops={"color": colour},
                    capprops={"color": colour},
                )
                wobble = 0.1 * np.sin(2.4 * np.arange(values.size))
                axes.plot(
                    middle + wobble,
                    values,
                    MARKERS[number],
                    color=colour,
                    alpha=0.35,
                    markersize=3.5,
                    markeredgewidth=0,
                    label=measure if place == 0 else None,
                )
        if floor is not None:
            axes.axhline(floor, color=QUIET, linestyle=":", linewidth=1.2, label="noise floor")
        axes.set_xticks(range(len(kinds)), kinds)
        axes.set(yscale="log", ylabel=axis_label(ylabel, unit))
        axes.grid(True, axis="y")
        legend = figure.legend(loc="outside lower center", ncols=3, markerscale=2)
        for handle in legend.legend_handles:
            if handle is not None:
                handle.set_alpha(1.0)
    return figure


def error_scatter(
    absolute: ArrayLike, equivariance: ArrayLike, kinds: Sequence[str], *, quantity: str, unit: str
) -> Figure:
    """Draw equivariance error against absolute error, one marker for each structure.

    Below the diagonal the model errs more than it breaks symmetry.

    Args:
        absolute: errors against the reference, shape (n_structures,), positive.
        equivariance: equivariance errors, same shape and unit.
        kinds: the kind of each structure; each gets a colour and a marker.
        quantity: what is predicted ("force").
        unit: its unit.

    Returns:
        The figure.
    """
    across, up = finite("absolute", absolute), finite("equivariance", equivariance)
    same_length(absolute=across, equivariance=up, kinds=kinds)
    if (across <= 0).any() or (up <= 0).any():
        raise ValueError("absolute and equivariance must be positive on logarithmic axes; use RMSE per structure")
    with canvas(5.2) as figure:
        axes = figure.subplots()
        for number, kind in enumerate(dict.fromkeys(kinds)):
            chosen = [i for i, name in enumerate(kinds) if name == kind]
            axes.plot(across[chosen], up[chosen], MARKERS[number], color=PALETTE[number], alpha=0.75, label=kind)
        ends = [min(across.min(), up.min()) / 1.3, max(across.max(), up.max()) * 1.3]
        axes.plot(ends, ends, color=QUIET, linewidth=1.2, linestyle="--", label="equal")
        axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends, aspect="equal")
        axes.set_xlabel(axis_label(f"absolute {quantity} error", unit))
        axes.set_ylabel(axis_label(f"equivariance {quantity} error", unit))
        axes.grid(True)
        figure.legend(loc="outside lower center", ncols=3)
    return figure
