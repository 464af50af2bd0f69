"""Spectra through a network: sectors across, layers down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from symlab.plots._style import canvas, finite


def layer_spectrum(
    spectra: Mapping[str, ArrayLike],
    sectors: Sequence[tuple[int, int]],
    layers: Sequence[str],
    *,
    remainder: Mapping[str, ArrayLike] | None = None,
    smallest: float = 1e-4,
    numbers: bool = True,
) -> Figure:
    r"""Draw heat maps of $b_{\lambda\sigma}$ by layer: natural parity left, pseudo right, the remainder last.

    Args:
        spectra: for each state of the network ("untrained", "trained"), fractions of shape (n_layers, n_sectors).
        sectors: pairs (lambda, sigma), the columns of each array.
        layers: names of the rows, from input to output.
        remainder: for each state, the share above the cutoff, shape (n_layers,).
        smallest: lower end of the logarithmic colour scale.
        numbers: write each share in percent into its cell.

    Returns:
        The figure, one row of panels for each state.
    """
    columns = {sigma: [i for i, (_, s) in enumerate(sectors) if s == sigma] for sigma in (1, -1)}
    widths = [len(columns[1]), len(columns[-1])] + ([1] if remainder is not None else [])
    norm = LogNorm(smallest, 1.0)
    longest = max(len(name) for name in layers)
    with canvas(1.3 + len(spectra) * (0.55 + 0.34 * len(layers)), width=6.0 if longest < 14 else 6.8) as figure:
        grid = figure.subplots(len(spectra), len(widths), squeeze=False, width_ratios=widths)
        for row, (state, values) in zip(grid, spectra.items(), strict=True):
            table = finite(f"spectra[{state!r}]", values)
            if table.shape != (len(layers), len(sectors)):
                raise ValueError(
                    f"spectra[{state!r}] must have shape (n_layers, n_sectors) = {(len(layers), len(sectors))}, "
                    f"got {table.shape}; pass one row for each layer"
                )
            blocks = [(rf"$\sigma = {sign}1$", table[:, columns[s]]) for s, sign in ((1, "+"), (-1, "-"))]
            names = [[str(sectors[i][0]) for i in columns[s]] for s in (1, -1)]
            if remainder is not None:
                blocks.append(("rest", finite(f"remainder[{state!r}]", remainder[state])[:, None]))
                names.append([f">{max(degree for degree, _ in sectors)}"])
            for axes, (title, block), ticks in zip(row, blocks, names, strict=True):
                image = axes.imshow(np.clip(block, smallest, 1.0), norm=norm, cmap="viridis", aspect="auto")
                axes.set_xticks(range(len(ticks)), ticks)
                axes.set_yticks(range(len(layers)), layers if axes is row[0] else [""] * len(layers), fontsize=10)
                axes.tick_params(length=0)
                axes.spines[:].set_visible(False)
                axes.set_title(title)
                if axes is not row[-1] or remainder is None:
                    axes.set_xlabel(r"degree $\lambda$")
                if numbers:
                    _write_percent(axes, block)
            row[0].set_ylabel(state)
        figure.colorbar(
            image, ax=grid[-1].tolist(), location="bottom", shrink=0.7, aspect=40, label="share of the layer's power"
        )
    return figure


def _write_percent(axes: Axes, block: NDArray[np.float64]) -> None:
    """Write shares of one permille or more into the cells, in percent."""
    for (row, column), share in np.ndenumerate(block):
        if share >= 0.001:
            text = f"{100 * share:.0f}" if share >= 0.0995 else f"{100 * share:.1f}"
            ink = "black" if share > 0.03 else "white"
            axes.text(column, row, text, ha="center", va="center", fontsize=8.5, color=ink)
