"""How well a score tells two kinds apart: curves of true against false positives."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._curves import DASHES
from symlab.plots._style import PALETTE, QUIET, canvas, finite, same_length


def roc_curves(
    scores: Mapping[str, tuple[ArrayLike, ArrayLike, tuple[float, float, float]]], *, xlabel: str, ylabel: str
) -> Figure:
    """Draw receiver operating characteristics, with the area under each in the legend.

    Args:
        scores: by label, false positive rates and true positive rates, both rising from 0 to 1, and the area with the
            ends of its interval.
        xlabel: what is rejected wrongly ("stable decisions flagged").
        ylabel: what is found ("flips found").

    Returns:
        The figure; a score that knows nothing lies on the dotted diagonal.

    Raises:
        ValueError: NaN, lengths that differ, or an area outside its interval.
    """
    with canvas(5.0) as figure:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=QUIET, linestyle=":", linewidth=1.4)
        for number, (label, (false, true, numbers)) in enumerate(scores.items()):
            across, up = finite(f"false positives of {label!r}", false), finite(f"true positives of {label!r}", true)
            same_length(false=across, true=up)
            area, low, high = finite(f"area of {label!r}", numbers)
            if not 0 <= low <= area <= high <= 1:
                raise ValueError(f"area of {label!r} must be ordered low <= area <= high in [0, 1]; got {numbers}")
            axes.plot(
                across,
                up,
                color=PALETTE[number % len(PALETTE)],
                linestyle=DASHES[number % len(DASHES)],
                label=f"{label}: {area:.3f} ({low:.3f} to {high:.3f})",
            )
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel=xlabel, ylabel=ylabel)
        axes.grid(True)
        figure.legend(loc="outside lower center", ncols=1)
    return figure
