"""Groups of points: the spheres that a tokenizer lays over an event."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle
from numpy.typing import ArrayLike, NDArray

from symlab.plots._style import PALETTE, QUIET, canvas, finite

GROUP, CENTRE, LEFT_OUT = PALETTE[0], PALETTE[1], PALETTE[3]


def group_panels(
    positions: ArrayLike,
    centres: ArrayLike,
    inside: ArrayLike,
    *,
    radius: float,
    focus: ArrayLike,
    reach: float,
    unit: str = "voxel",
) -> Figure:
    """Draw an event with its groups: the whole of it on the left, a part of it enlarged on the right.

    Both are projections along z, so spheres overlap more than they do in space.

    Args:
        positions: shape (n, 3).
        centres: shape (t, 3), centres of the groups.
        inside: shape (n,) bool, whether a point belongs to a group.
        radius: of a group.
        focus: shape (3,), middle of the enlarged part.
        reach: half its width.
        unit: of all lengths.

    Returns:
        The figure.

    Raises:
        ValueError: shapes that do not fit, or NaN.
    """
    points, middles = finite("positions", positions), finite("centres", centres)
    eye, taken = finite("focus", focus), np.asarray(inside, dtype=bool)
    if points.ndim != 2 or points.shape[1] != 3 or taken.shape != points.shape[:1]:
        raise ValueError(f"positions must have shape (n, 3) and inside (n,); got {points.shape} and {taken.shape}")
    if middles.ndim != 2 or middles.shape[1] != 3 or eye.shape != (3,):
        raise ValueError(f"centres must have shape (t, 3) and focus (3,); got {middles.shape} and {eye.shape}")
    with canvas(3.9, width=6.8) as figure:
        whole, part = figure.subplots(1, 2)
        near = (np.abs(points - eye) < reach + radius).all(1)
        near_centres = (np.abs(middles - eye) < reach + radius).all(1)
        _draw(whole, points, taken, middles, radius, 1.0)
        _draw(part, points[near], taken[near], middles[near_centres], radius, 12.0)
        part.scatter(middles[near_centres, 0], middles[near_centres, 1], s=36, marker="P", color=CENTRE, linewidth=0)
        span = 1.08 * float(np.abs(points[:, :2]).max())
        whole.set(xlim=(-span, span), ylim=(-span, span), title="an event and its groups")
        frame = Rectangle((eye[0] - reach, eye[1] - reach), 2 * reach, 2 * reach, fill=False, edgecolor="black")
        whole.add_patch(frame)
        part.set(xlim=(eye[0] - reach, eye[0] + reach), ylim=(eye[1] - reach, eye[1] + reach), title="the square")
        for axes in (whole, part):
            axes.set(aspect="equal", xlabel=f"x ({unit})")
            axes.spines[:].set_visible(True)
            axes.spines[:].set_color("#C8C8C8")
        whole.set_ylabel(f"y ({unit})")
        marks: dict[str, Any] = {"linestyle": "", "markersize": 6}
        handles = [
            Line2D([], [], marker="o", color=QUIET, label="point", **marks),
            Line2D([], [], marker="P", color=CENTRE, label="centre", **marks),
            Line2D([], [], marker="o", mfc="none", mec=GROUP, markersize=12, linestyle="", label="group"),
        ]
        if not taken.all():
            handles.append(Line2D([], [], marker="o", color=LEFT_OUT, label="in no group", **marks))
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _draw(
    axes: Axes,
    points: NDArray[np.float64],
    taken: NDArray[np.bool_],
    centres: NDArray[np.float64],
    radius: float,
    size: float,
) -> None:
    circles = [Circle((x, y), radius) for x, y in centres[:, :2]]
    axes.add_collection(PatchCollection(circles, facecolor=GROUP, edgecolor=GROUP, alpha=0.12, linewidth=0))
    axes.add_collection(PatchCollection(circles, facecolor="none", edgecolor=GROUP, alpha=0.6, linewidth=0.6))
    axes.scatter(points[taken, 0], points[taken, 1], s=size, color=QUIET, linewidth=0)
    axes.scatter(points[~taken, 0], points[~taken, 1], s=1.6 * size, color=LEFT_OUT, linewidth=0)
