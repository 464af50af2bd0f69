"""Which sectors hold an error, and which of them a group takes away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from symlab.plots._style import canvas, finite

EXACT = 1e-12


def sector_removal(
    shares: Mapping[str, ArrayLike],
    left: Mapping[str, ArrayLike],
    sectors: Sequence[tuple[int, int]],
    *,
    label: str = "share of the squared error",
) -> Figure:
    r"""Draw, above, the sectors in which errors lie, and below, what each group leaves of each sector.

    A blank cell is an exact zero: that group removes that sector wholly. Columns are shared, so that an error in the
    upper map can be followed down to the first group that takes it away.

    Args:
        shares: for each output its share in each sector, shape (n_sectors,), between 0 and 1.
        left: for each group the share of a sector that stays, shape (n_sectors,), between 0 and 1.
        sectors: pairs (lambda, sigma), in the order of the arrays.
        label: what the shares above are shares of.

    Returns:
        The figure: two rows of panels, natural parity left and pseudo right.
    """
    tables = [_table("shares", shares, len(sectors)), _table("left", left, len(sectors))]
    columns = {sigma: [i for i, (_, s) in enumerate(sectors) if s == sigma] for sigma in (1, -1)}
    with canvas(2.2 + 0.34 * (len(shares) + len(left)), width=6.8) as figure:
        grid = figure.subplots(
            2, 2, squeeze=False, height_ratios=[len(shares), len(left)], width_ratios=[len(columns[s]) for s in (1, -1)]
        )
        scales = ((label, "Blues"), ("share left by the group", "Oranges"))
        rows = zip(grid, tables, (list(shares), list(left)), scales, strict=True)
        for number, (row, table, names, (title, colours)) in enumerate(rows):
            top = float(table.max()) or 1.0
            for axes, sigma in zip(row, (1, -1), strict=True):
                block = table[:, columns[sigma]]
                image = axes.imshow(
                    np.ma.masked_less(block, EXACT), cmap=colours, norm=Normalize(0, top), aspect="auto"
                )
                axes.set_xticks(range(len(columns[sigma])), [str(sectors[i][0]) for i in columns[sigma]])
                axes.set_yticks(range(len(names)), names if sigma == 1 else [""] * len(names), fontsize=10)
                axes.tick_params(length=0)
                axes.spines[:].set_visible(False)
                if number == 0:
                    axes.set_title(rf"$\sigma = {'+' if sigma > 0 else '-'}1$")
                else:
                    axes.set_xlabel(r"degree $\lambda$")
                _write(axes, block, top)
            figure.colorbar(image, ax=list(row), shrink=0.9, label=title)
    return figure


def _table(name: str, rows: Mapping[str, ArrayLike], n_sectors: int) -> NDArray[np.float64]:
    table = np.stack([finite(f"{name}[{key!r}]", values) for key, values in rows.items()])
    if table.shape[1] != n_sectors:
        raise ValueError(f"{name} must have one value for each of {n_sectors} sectors, got {table.shape[1]}")
    if (table < -EXACT).any() or (table > 1 + 1e-9).any():
        raise ValueError(f"{name} must lie between 0 and 1; divide by the whole first")
    return table


def _write(axes: Axes, block: NDArray[np.float64], top: float) -> None:
    """Write percents of at least one half into the cells."""
    for (row, column), share in np.ndenumerate(block):
        if share >= 0.005:
            ink = "white" if share > 0.6 * top else "black"
            axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=9, color=ink)
