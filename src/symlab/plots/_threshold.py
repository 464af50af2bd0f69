"""A rule with a threshold: what it saw, what came of it, and how often it was right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from symlab.plots._style import MARKERS, PALETTE, QUIET, axis_label, canvas, finite, same_length

LIGHT = PALETTE[3:6]  # colours on which black reads better than white


def threshold_scatter(
    points: Mapping[str, tuple[ArrayLike, ArrayLike, Sequence[str]]],
    *,
    xlabel: str,
    ylabel: str,
    xunit: str = "",
    yunit: str = "",
    thresholds: Mapping[str, float] | None = None,
    level: tuple[str, float] | None = None,
    never: float | None = None,
) -> Figure:
    """Draw an outcome against the score that shall predict it, both logarithmic, each point with its name.

    Args:
        points: for each group the scores and the outcomes, positive, and the name written into each point: one or two
            letters.
        xlabel: the score.
        ylabel: the outcome.
        xunit: unit of the score.
        yunit: unit of the outcome.
        thresholds: vertical lines by name: where the rule changes its mind.
        level: name and height of the line that divides the outcomes.
        never: height of a dotted line for outcomes that never came.

    Returns:
        The figure.
    """
    with canvas(5.4) as figure:
        axes = figure.subplots()
        for number, (group, (scores, outcomes, names)) in enumerate(points.items()):
            across, up = finite(f"scores of {group!r}", scores), finite(f"outcomes of {group!r}", outcomes)
            same_length(scores=across, outcomes=up, names=names)
            if (across <= 0).any() or (up <= 0).any():
                raise ValueError(f"{group!r}: scores and outcomes must be positive on logarithmic axes")
            colour = PALETTE[number % len(PALETTE)]
            look: dict[str, Any] = {"color": colour, "markersize": 13, "markeredgecolor": "white", "zorder": 3 + number}
            axes.plot(across, up, MARKERS[number % len(MARKERS)], label=group, **look)
            for name, x, y in zip(names, across, up, strict=True):
                ink = "black" if colour in LIGHT else "white"
                axes.text(x, y, name, ha="center", va="center", fontsize=9, color=ink, zorder=3 + number)
        for number, (name, place) in enumerate((thresholds or {}).items()):
            axes.axvline(place, color="black", linestyle=("--", ":", "-.")[number % 3], linewidth=1.3, label=name)
        if level is not None:
            axes.axhline(level[1], color=QUIET, linewidth=1.2, label=level[0])
        axes.set(xscale="log", yscale="log")
        if never is not None:
            axes.axhline(never, color=QUIET, linestyle=":", linewidth=1.2, label="never")
        axes.set(xlabel=axis_label(xlabel, xunit), ylabel=axis_label(ylabel, yunit))
        axes.margins(x=0.08, y=0.1)
        axes.grid(True)
        figure.legend(loc="outside lower center", ncols=2, markerscale=0.6)
    return figure


def hit_rates(rules: Mapping[str, tuple[float, float, float]], *, xlabel: str, confidence: float = 0.95) -> Figure:
    """Draw how often each rule was right, with its interval.

    Args:
        rules: by name, the rate and the two ends of its interval, all in [0, 1].
        xlabel: what is counted.
        confidence: of the intervals.

    Returns:
        The figure, rules from top to bottom.
    """
    with canvas(1.3 + 0.45 * len(rules)) as figure:
        axes = figure.subplots()
        for place, (name, numbers) in enumerate(rules.items()):
            rate, low, high = finite(name, numbers)
            if not 0 <= low <= rate <= high <= 1:
                raise ValueError(f"rules[{name!r}] must be ordered low <= rate <= high in [0, 1]; got {numbers}")
            axes.barh(place, rate, height=0.6, color=PALETTE[0] if place == 0 else PALETTE[5])
            axes.errorbar(rate, place, xerr=[[rate - low], [high - rate]], color="black", capsize=4, linewidth=1.3)
            axes.text(0.02, place, f"{rate:.0%}", va="center", color="white" if place == 0 else "black")
        axes.set_yticks(range(len(rules)), list(rules))
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xticks(np.linspace(0, 1, 6), [f"{share:.0%}" for share in np.linspace(0, 1, 6)])
        axes.set_xlabel(xlabel)
        axes.grid(True, axis="x")
        line = Line2D([], [], color="black", linewidth=1.3, label=f"{confidence:.0%} interval")
        figure.legend(handles=[line], loc="outside lower center")
    return figure
