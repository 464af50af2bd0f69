"""What a sweep over two settings found: one cell for each pair, with its spread over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from symlab.plots._style import MINUS, axis_label, canvas, finite

SIGNIFICANT = 2  # digits written into a cell


def sweep_maps(
    panels: Mapping[str, tuple[ArrayLike, ArrayLike | None]],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    xlabel: str,
    ylabel: str,
    label: str,
    unit: str = "",
    limits: tuple[float, float] | None = None,
    log: bool = True,
    side_by_side: int = 1,
    decimals: int = 3,
) -> Figure:
    """Draw heat maps of one quantity on one colour scale, with the numbers and their spread written into the cells.

    Args:
        panels: by title, values of shape (n_rows, n_columns) and their spread over seeds (None to leave it out).
        rows: names of the settings down.
        columns: names of the settings across.
        xlabel: what the columns are.
        ylabel: what the rows are.
        label: the quantity.
        unit: its unit.
        limits: ends of the colour scale; values beyond keep their numbers. None takes the ends of the values.
        log: logarithmic colours; values must then be positive.
        side_by_side: panels in one line.
        decimals: at most, in a cell; otherwise two digits of the value and one of the spread.

    Returns:
        The figure, dark where the quantity is small.
    """
    tables = {title: finite(title, values) for title, (values, _) in panels.items()}
    for title, table in tables.items():
        if table.shape != (len(rows), len(columns)):
            raise ValueError(f"panels[{title!r}] must have shape {(len(rows), len(columns))}, got {table.shape}")
        if log and (table <= 0).any():
            raise ValueError(f"panels[{title!r}] must be positive for logarithmic colours; clip it and say so")
    everything = np.concatenate([table.ravel() for table in tables.values()])
    low, high = limits if limits else (float(everything.min()), float(everything.max()))
    norm = LogNorm(low, high) if log else Normalize(low, high)
    lines = -(-len(tables) // side_by_side)
    wide = len(columns) * side_by_side > 8
    with canvas(1.3 + lines * (0.75 + 0.42 * len(rows)), width=6.8 if wide else 6.0) as figure:
        grid = figure.subplots(lines, side_by_side, squeeze=False, sharey=True)
        for axes in grid.ravel()[len(tables) :]:
            axes.remove()
        for number, (axes, (title, table)) in enumerate(zip(grid.ravel(), tables.items(), strict=False)):
            image = axes.imshow(np.clip(table, low, high), norm=norm, cmap="viridis", aspect="auto")
            spread = panels[title][1]
            _write(axes, table, None if spread is None else finite(f"spread of {title}", spread), norm, wide, decimals)
            axes.set_xticks(range(len(columns)), columns)
            axes.set_yticks(range(len(rows)), rows, fontsize=10 if wide else 12)
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
            axes.set_title(title)
            if number >= len(tables) - side_by_side:
                axes.set_xlabel(xlabel)
        figure.supylabel(ylabel)
        figure.colorbar(
            image,
            ax=list(grid.ravel()[: len(tables)]),
            location="bottom",
            shrink=0.7,
            aspect=40,
            label=axis_label(label, unit),
            extend="both",
        )
    return figure


def _write(
    axes: Axes,
    table: NDArray[np.float64],
    spread: NDArray[np.float64] | None,
    norm: Normalize,
    wide: bool,
    most: int,
) -> None:
    """Write each number into its cell, and below it the spread, with decimals enough for both and at most `most`."""
    for (row, column), value in np.ndenumerate(table):
        ink, size = "black" if float(norm(value)) > 0.55 else "white", 7.5 if wide else 10.5
        width = 0.0 if spread is None else float(spread[row, column])
        decimals = min(most, max(0, _place(value) + SIGNIFICANT - 1, _place(width)))
        text = f"{round(float(value), decimals) + 0.0:.{decimals}f}".replace("-", MINUS)  # + 0.0: no sign before zero
        if spread is None:
            axes.text(column, row, text, ha="center", va="center", fontsize=size, color=ink)
            continue
        axes.text(column, row - 0.17, text, ha="center", va="center", fontsize=size, color=ink)
        below = f"±{width:.{decimals}f}"
        axes.text(column, row + 0.25, below, ha="center", va="center", fontsize=0.8 * size, color=ink)


def _place(value: float) -> int:
    """Decimals that the first digit of a number takes: 1 for 0.3, 0 for 3, and 0 for nothing."""
    return -int(np.floor(np.log10(abs(value)))) if value else 0
