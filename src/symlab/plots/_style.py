"""One look for every figure: opaque white, safe for colour-blind readers, large enough for a phone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

WIDTH = 6.0  # inches; with 12-point type this stays readable when a phone shrinks it to 360 pixels
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe and Ito, without yellow
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SIGMA_COLOURS = {1: PALETTE[0], -1: PALETTE[1]}  # one colour for each parity, through the whole book
SIGMA_HATCHES = {1: "", -1: "///"}
QUIET = "#5A5A5A"
MINUS = "\N{MINUS SIGN}"
RULES: dict[str, Any] = {
    "figure.facecolor": "white",
    "figure.dpi": 160,
    "savefig.facecolor": "white",
    "savefig.transparent": False,
    "font.size": 12,
    "axes.facecolor": "white",
    "axes.edgecolor": QUIET,
    "figure.labelsize": 12,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.8,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
    "hatch.linewidth": 1.0,
    "svg.hashsalt": "symlab",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the book's style inside a `with` block; nothing is changed outside it.

    The colours are those of Okabe and Ito, which stay apart for colour-blind readers; the background is opaque, so
    that figures also read on a dark page.
    """
    with rc_context(RULES):  # type: ignore[arg-type]
        yield


@contextmanager
def canvas(height: float, width: float = WIDTH) -> Iterator[Figure]:
    """Give an empty figure (sizes in inches) in the book's style, and lay it out at the end of the block.

    The figure does not belong to pyplot: nothing is kept alive, and nothing is displayed twice in a notebook.
    """
    with style():
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        figure.draw_without_rendering()  # ticks are made lazily: make them while the style holds


def axis_label(quantity: str, unit: str = "") -> str:
    """Write `quantity (unit)`, or the bare quantity when it has no unit."""
    return f"{quantity} ({unit})" if unit else quantity


def sector_label(degree: int, sigma: int) -> str:
    r"""Write a sector as the text does: $(1, +)$ or $(1, -)$."""
    return f"({degree},{'+' if sigma > 0 else MINUS})"


def finite(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return `values` as float64.

    Raises:
        ValueError: if an entry is NaN or infinite; a figure must not drop points in silence.
    """
    array = np.asarray(values, dtype=np.float64)
    bad = int(array.size - np.isfinite(array).sum())
    if bad:
        raise ValueError(
            f"{name}: {bad} of {array.size} values are NaN or infinite; find out why before plotting, "
            "or leave them out and say so in the caption"
        )
    return array


def same_length(**arrays: Sequence[Any] | NDArray[Any]) -> None:
    """Raise a ValueError that names the arguments if their lengths differ."""
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"arguments must have equal lengths, got {lengths}; pass one entry for each point drawn")
