"""How the spectrum of each layer grows along a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from symlab.plots._style import MARKERS, PALETTE, axis_label, canvas, finite

SHOWN_TICKS = 7


def training_maps(
    steps: Sequence[int],
    spectra: ArrayLike,
    sectors: Sequence[tuple[int, int]],
    layers: Sequence[str],
    curves: Mapping[str, ArrayLike],
    *,
    ylabel: str,
    unit: str = "",
    smallest: float = 1e-4,
) -> Figure:
    r"""Draw, for each sector, a heat map of $b_{\lambda\sigma}$ by layer and training step, and errors below them.

    Args:
        steps: the checkpoints, evenly spaced across whatever their distance.
        spectra: fractions of shape (n_steps, n_layers, n_sectors).
        sectors: pairs (lambda, sigma); one row of panels for each degree, natural parity left, pseudo right.
        layers: names of the rows of a map, from input (top) to output.
        curves: two or fewer errors by name, positive, shape (n_steps,) or (n_seeds, n_steps), below the two columns.
        ylabel: what the errors are.
        unit: their unit.
        smallest: lower end of the logarithmic colour scale.

    Returns:
        The figure; lines are medians over seeds, bands run from the lowest to the highest.
    """
    table = spectra_of(spectra, steps, layers, sectors)
    norm = LogNorm(smallest, 1.0)
    degrees = sorted({degree for degree, _ in sectors})
    heights = [0.15 * len(layers)] * len(degrees) + [1.5]
    with canvas(1.6 + sum(heights) + 0.3 * len(degrees), width=6.8) as figure:
        grid = figure.subplots(len(heights), 2, sharex=True, height_ratios=heights)
        for row, degree in zip(grid, degrees, strict=False):
            for axes, sigma in zip(row, (1, -1), strict=True):
                values = table[:, :, list(sectors).index((degree, sigma))].T
                image = axes.imshow(np.clip(values, smallest, 1.0), norm=norm, cmap="viridis", aspect="auto")
                sign = "+" if sigma > 0 else "-"
                axes.set_title(rf"$(\lambda, \sigma) = ({degree}, {sign}1)$")
                axes.set_yticks(range(len(layers)), layers if sigma > 0 else [""] * len(layers), fontsize=8)
                axes.tick_params(length=0, labelbottom=False)
                axes.spines[:].set_visible(False)
        for number, (axes, (name, error)) in enumerate(zip(grid[-1], curves.items(), strict=False)):
            _errors(axes, np.atleast_2d(finite(f"curves[{name!r}]", error)), number)
            axes.set_title(name)
            chosen = range(0, len(steps), -(-len(steps) // SHOWN_TICKS))
            axes.set_xticks(list(chosen), [str(steps[i]) for i in chosen], fontsize=10)
            axes.set_xlabel("training step")
        ends = [axes.get_ylim() for axes in grid[-1][: len(curves)]]
        for axes in grid[-1]:
            axes.set_ylim(min(low for low, _ in ends), max(high for _, high in ends))
        grid[-1][0].set_ylabel(axis_label(ylabel, unit))
        grid[-1][1].tick_params(axis="y", which="both", labelleft=False)
        figure.colorbar(
            image,
            ax=grid[:-1].ravel().tolist(),
            location="top",
            shrink=0.6,
            aspect=40,
            label="share of the layer's power",
            extend="min",
        )
    return figure


def _errors(axes: Axes, table: NDArray[np.float64], number: int) -> None:
    """Draw one error over the same places as the maps above."""
    across = range(table.shape[1])
    axes.plot(across, np.median(table, axis=0), color=PALETTE[number], marker=MARKERS[number], markersize=4)
    if len(table) > 1:
        axes.fill_between(across, table.min(0), table.max(0), color=PALETTE[number], alpha=0.2, linewidth=0)
    axes.set_yscale("log")
    axes.grid(True)


def spectra_of(
    spectra: ArrayLike, steps: Sequence[int], layers: Sequence[str], sectors: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """Check the shape of spectra along a training.

    Raises:
        ValueError: another shape than (n_steps, n_layers, n_sectors), or a value that is not finite.
    """
    table = finite("spectra", spectra)
    wanted = (len(steps), len(layers), len(sectors))
    if table.shape != wanted:
        raise ValueError(f"spectra must have shape (n_steps, n_layers, n_sectors) = {wanted}, got {table.shape}")
    return table
