"""The spectrum of one response: a bar for each sector, the two parities side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from symlab.plots._style import (
    PALETTE,
    QUIET,
    SIGMA_COLOURS,
    SIGMA_HATCHES,
    axis_label,
    canvas,
    finite,
    same_length,
)


def sector_bars(
    sectors: Sequence[tuple[int, int]],
    values: ArrayLike,
    *,
    ylabel: str = r"fraction $b_{\lambda\sigma}$",
    unit: str = "",
    error: ArrayLike | None = None,
    expected: ArrayLike | None = None,
    remainder: float | None = None,
    log: bool = False,
    smallest: float = 1e-16,
    title: str = "",
) -> Figure:
    r"""Draw a character spectrum, $b_{\lambda\sigma}$ or $B_{\lambda\sigma}$ against $\lambda$.

    Args:
        sectors: pairs (lambda, sigma).
        values: one number for each sector, shape (n_sectors,).
        ylabel: the quantity.
        unit: its unit; fractions have none.
        error: half-length of error bars, shape (n_sectors,).
        expected: known values, drawn as open diamonds; a zero has no place on a logarithmic axis.
        remainder: share above the cutoff, drawn as a last grey bar.
        log: logarithmic axis; values below `smallest` are then drawn at `smallest`.
        smallest: lower end of the logarithmic axis.
        title: a short title.

    Returns:
        The figure.
    """
    heights = finite("values", values)
    same_length(sectors=sectors, values=heights)
    bars = None if error is None else finite("error", error)
    diamonds = None if expected is None else finite("expected", expected)
    top = max(degree for degree, _ in sectors)
    drawn = np.maximum(heights, smallest) if log else heights
    with canvas(3.6) as figure:
        axes = figure.subplots()
        for sigma in (1, -1):
            chosen = [i for i, (_, s) in enumerate(sectors) if s == sigma]
            if not chosen:
                continue
            places = np.array([sectors[i][0] for i in chosen]) - 0.2 * sigma
            _bars(axes, places, drawn[chosen], sigma)
            if bars is not None:
                axes.errorbar(places, drawn[chosen], bars[chosen], fmt="none", ecolor="black", capsize=3, linewidth=1.2)
            if diamonds is not None:
                shown = diamonds[chosen] > 0 if log else np.full(len(chosen), True)
                axes.plot(
                    places[shown],
                    diamonds[chosen][shown],
                    "D",
                    color="none",
                    markeredgecolor="black",
                    markersize=8,
                    label="expected" if sigma == 1 else None,
                )
        ticks, names = list(range(top + 1)), [str(degree) for degree in range(top + 1)]
        if remainder is not None:
            share = float(finite("remainder", remainder))
            axes.bar(top + 1, max(share, smallest) if log else share, width=0.5, color=QUIET, label="remainder")
            ticks, names = [*ticks, top + 1], [*names, rf"$> {top}$"]
        axes.set_xticks(ticks, names)
        if log:
            axes.set_yscale("log")
            axes.set_ylim(bottom=smallest / 3)
        axes.axhline(0 if not log else smallest, color=QUIET, linewidth=0.8)
        axes.set(xlabel=r"degree $\lambda$", ylabel=axis_label(ylabel, unit), title=title)
        axes.grid(True, axis="y")
        figure.legend(loc="outside lower center", ncols=4)
    return figure


def spectrum_comparison(
    sectors: Sequence[tuple[int, int]],
    spectra: Sequence[tuple[str, ArrayLike]],
    *,
    ylabel: str = r"fraction $b_{\lambda\sigma}$",
    unit: str = "",
) -> Figure:
    """Draw the spectra of several responses above one another, with the same axes.

    Args:
        sectors: pairs (lambda, sigma).
        spectra: pairs (title, values of shape (n_sectors,)).
        ylabel: the quantity on every vertical axis.
        unit: its unit.

    Returns:
        The figure, with one panel for each spectrum.
    """
    top = max(degree for degree, _ in sectors)
    with canvas(0.8 + 1.5 * len(spectra)) as figure:
        panels = np.atleast_1d(figure.subplots(len(spectra), 1, sharex=True, sharey=True))
        for axes, (title, values) in zip(panels, spectra, strict=True):
            heights = finite(f"spectrum {title!r}", values)
            same_length(sectors=sectors, values=heights)
            for sigma in (1, -1):
                chosen = [i for i, (_, s) in enumerate(sectors) if s == sigma]
                places = np.array([sectors[i][0] for i in chosen]) - 0.2 * sigma
                _bars(axes, places, heights[chosen], sigma, labelled=axes is panels[0])
            axes.set_title(title, loc="left", color=PALETTE[-1])
            axes.grid(True, axis="y")
        panels[-1].set_xticks(range(top + 1))
        panels[-1].set_xlabel(r"degree $\lambda$")
        figure.supylabel(axis_label(ylabel, unit))
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def _bars(
    axes: Axes, places: NDArray[np.float64], heights: NDArray[np.float64], sigma: int, *, labelled: bool = True
) -> None:
    """Draw the bars of one parity, in its colour and hatch."""
    axes.bar(
        places,
        heights,
        width=0.38,
        color=SIGMA_COLOURS[sigma],
        hatch=SIGMA_HATCHES[sigma],
        edgecolor="white",
        linewidth=0.5,
        label=rf"$\sigma = {'+' if sigma > 0 else '-'}1$" if labelled else None,
    )
