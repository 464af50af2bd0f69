"""Detector events: points in space, coloured by class or by a number, with those that changed in a red circle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from symlab.plots._style import MARKERS, PALETTE, QUIET, axis_label, canvas, finite

CLASS_COLOURS = (PALETTE[5], PALETTE[6], PALETTE[2], PALETTE[4], PALETTE[3], PALETTE[0])
"""Sky blue, black, green, orange, ...: in this order for the classes of an event, everywhere in the book."""

RING = "#E00000"
RING_SPACING = 0.03  # share of half the panel's width; a circle has a radius of about this size

Drawn = tuple[NDArray[np.float64], NDArray[np.generic], "NDArray[np.bool_] | None"]


@dataclass(frozen=True)
class EventView:
    """One event to draw.

    Args:
        title: written above it.
        positions: shape (n, 3), any unit of length; drawn as they are seen along z (x to the right, y up).
        values: shape (n,): whole numbers are classes, floating-point numbers a quantity.
        circled: shape (n,) bool, points to draw a red circle round, one for points that lie closer than its radius
            as they are seen; or None.
        note: a line written below it.
    """

    title: str
    positions: ArrayLike
    values: ArrayLike
    circled: ArrayLike | None = None
    note: str = ""


def event_panels(
    views: Sequence[EventView],
    *,
    classes: Sequence[str] = (),
    quantity: str = "",
    unit: str = "",
    bar: tuple[float, str] | None = None,
    limits: tuple[float, float] | None = None,
    ring: str = "changed",
    columns: int = 2,
) -> Figure:
    """Draw events side by side at one scale; rare classes and large values lie on top.

    Args:
        views: what to draw.
        classes: names of the classes; class k has the same colour and marker in all figures.
        quantity: what floating-point values are, for the colour bar.
        unit: their unit.
        bar: length and label of a scale bar in the first panel.
        limits: smallest and largest value of the colour scale; None takes those of the values.
        ring: what a red circle says, for the legend.
        columns: panels in a row.

    Returns:
        The figure.

    Raises:
        ValueError: NaN, lengths that differ, or a class without a name.
    """
    drawn = [_checked(view, len(classes)) for view in views]
    scalars = [values for _, values, _ in drawn if values.dtype.kind == "f"]
    low, high = limits or (
        min((float(values.min()) for values in scalars), default=0.0),
        max((float(values.max()) for values in scalars), default=1.0),
    )
    norm, image = Normalize(low, high), None
    reach = 1.06 * max(float(np.abs(positions[:, :2]).max()) for positions, _, _ in drawn)
    rows = -(-len(views) // columns)
    with canvas(0.8 + rows * 6.8 / columns, width=6.8) as figure:
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in grid[len(views) :]:
            axes.remove()
        for axes, view, (positions, values, circled) in zip(grid, views, drawn, strict=False):
            if values.dtype.kind == "f":
                order = values.argsort()
                x, y = positions[order, :2].T
                image = axes.scatter(x, y, c=values[order], s=5, cmap="viridis", norm=norm, linewidth=0)
            else:
                _draw_classes(axes, positions, values)
            if circled is not None and circled.any():
                x, y = _apart(positions[circled, :2], RING_SPACING * reach).T
                axes.scatter(x, y, s=34, facecolor="none", edgecolor=RING, linewidth=0.8)
            axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title=view.title)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(True)
            axes.spines[:].set_color("#C8C8C8")
            if view.note:
                axes.set_xlabel(view.note, fontsize=11)
        if bar is not None:
            _draw_bar(grid[0], reach, *bar)
        if image is not None:
            figure.colorbar(
                image,
                ax=grid[: len(views)].tolist(),
                location="bottom",
                shrink=0.6,
                aspect=40,
                label=axis_label(quantity, unit),
            )
        present = sorted({int(k) for _, values, _ in drawn if values.dtype.kind != "f" for k in values})
        handles = [
            Line2D([], [], linestyle="", marker=MARKERS[k], color=CLASS_COLOURS[k], markersize=6, label=classes[k])
            for k in present
        ]
        if any(circled is not None and circled.any() for _, _, circled in drawn):
            handles.append(Line2D([], [], linestyle="", marker="o", markersize=8, mfc="none", mec=RING, label=ring))
        if handles:
            figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _checked(
    view: EventView, n_classes: int
) -> tuple[NDArray[np.float64], NDArray[np.generic], NDArray[np.bool_] | None]:
    """Bring the arrays of a view into shape, and refuse what cannot be drawn."""
    positions = finite(f"positions of {view.title!r}", view.positions)
    values = np.asarray(view.values)
    circled = None if view.circled is None else np.asarray(view.circled, dtype=bool)
    shapes = (positions.shape, values.shape, positions.shape[:1] if circled is None else circled.shape)
    if positions.ndim != 2 or positions.shape[1] != 3 or not shapes[1] == shapes[2] == positions.shape[:1]:
        raise ValueError(
            f"{view.title!r}: positions must have shape (n, 3), values and circled (n,); got "
            + ", ".join(map(str, shapes))
        )
    if values.dtype.kind == "f":
        return positions, finite(f"values of {view.title!r}", values), circled
    if values.size and not 0 <= values.min() <= values.max() < min(n_classes, len(CLASS_COLOURS)):
        raise ValueError(
            f"{view.title!r}: classes run from {values.min()} to {values.max()}, but {n_classes} have a name; "
            f"name each (at most {len(CLASS_COLOURS)}), or give floating-point numbers for a quantity"
        )
    return positions, values, circled


def _draw_classes(axes: Axes, positions: NDArray[np.float64], values: NDArray[np.generic]) -> None:
    """Draw the points of each class, the most frequent first."""
    kinds, counts = np.unique(values, return_counts=True)
    for kind in kinds[counts.argsort()[::-1]]:
        x, y = positions[values == kind, :2].T
        size = 4 if len(x) > 0.2 * len(positions) else 9
        axes.scatter(x, y, s=size, marker=MARKERS[int(kind)], color=CLASS_COLOURS[int(kind)], linewidth=0)


def _apart(places: NDArray[np.float64], spacing: float) -> NDArray[np.float64]:
    """Leave out places that are closer than this to one that stays, so that circles do not run into a blot."""
    kept: list[NDArray[np.float64]] = []
    for place in places:
        if all(np.hypot(*(place - other)) >= spacing for other in kept):
            kept.append(place)
    return np.array(kept)


def _draw_bar(axes: Axes, reach: float, length: float, label: str) -> None:
    """Draw a scale bar in the lower left corner."""
    left, height = -0.92 * reach, -0.9 * reach
    axes.plot([left, left + length], [height, height], color=QUIET, linewidth=3, solid_capstyle="butt")
    axes.text(left, height + 0.03 * reach, label, color=QUIET, fontsize=10, va="bottom")
