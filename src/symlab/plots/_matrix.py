"""Small matrices with their numbers written in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray

from symlab.plots._style import MINUS, canvas, finite


def matrix_table(values: ArrayLike, names: Sequence[str], *, title: str = "", xlabel: str = "", label: str) -> Figure:
    """Draw a square matrix as a labelled grid of numbers on a diverging scale about zero.

    Args:
        values: shape (n, n).
        names: names of rows and columns.
        title: a short title.
        xlabel: what rows and columns are.
        label: name of the colour scale, with its unit.

    Returns:
        The figure.
    """
    table = finite("values", values)
    if table.shape != (len(names), len(names)):
        raise ValueError(f"values must have shape ({len(names)}, {len(names)}) to match names, got {table.shape}")
    with canvas(5.6) as figure:
        axes = figure.subplots()
        image = _draw(axes, table, float(np.abs(table).max()) or 1.0, digits=0, size=9.5)
        axes.set_xticks(range(len(names)), names, rotation=60)
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel=xlabel, ylabel=xlabel, title=title)
        figure.colorbar(image, ax=axes, shrink=0.8, label=label)
    return figure


def tensor_parts(parts: Sequence[tuple[str, ArrayLike]], *, unit: str) -> Figure:
    """Draw a 3 x 3 tensor and the parts that it is the sum of, on one colour scale.

    Args:
        parts: pairs (title, matrix of shape (3, 3)); the first is the whole.
        unit: unit of the components.

    Returns:
        The figure, one panel for each part.
    """
    tables = [(title, finite(title, values)) for title, values in parts]
    for title, table in tables:
        if table.shape != (3, 3):
            raise ValueError(f"{title!r} must have shape (3, 3), got {table.shape}")
    scale = max(float(np.abs(table).max()) for _, table in tables) or 1.0
    rows = (len(tables) + 1) // 2
    with canvas(0.9 + 2.7 * rows) as figure:
        grid = figure.subplots(rows, 2, squeeze=False).ravel()
        for axes in grid[len(tables) :]:
            axes.remove()
        for axes, (title, table) in zip(grid, tables, strict=False):
            image = _draw(axes, table, scale, digits=2, size=12)
            axes.set_xticks(range(3), ["x", "y", "z"])
            axes.set_yticks(range(3), ["x", "y", "z"])
            axes.set_title(title)
        figure.colorbar(
            image, ax=list(grid[: len(tables)]), location="bottom", shrink=0.7, aspect=35, label=f"component ({unit})"
        )
    return figure


def _draw(axes: Axes, table: NDArray[np.float64], scale: float, *, digits: int, size: float) -> AxesImage:
    """Draw one annotated matrix and return its image."""
    image = axes.imshow(table, cmap="PuOr", vmin=-scale, vmax=scale)
    for (row, column), value in np.ndenumerate(table):
        text = f"{round(value, digits) + 0.0:.{digits}f}".replace("-", MINUS)  # + 0.0 turns -0 into 0
        ink = "white" if abs(value) > 0.6 * scale else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color=ink)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return image
