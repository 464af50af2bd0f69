"""A molecule, its turned copies and its mirror image, with the vectors that it carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from symlab.plots._style import PALETTE, QUIET, canvas, finite

ELEMENT_COLOURS = {1: "#FFFFFF", 6: "#5A5A5A", 7: "#0072B2", 8: "#D55E00", 9: "#009E73", 17: "#CC79A7", 35: "#E69F00"}
ELEMENT_NAMES = {1: "H", 6: "C", 7: "N", 8: "O", 9: "F", 17: "Cl", 35: "Br"}


@dataclass(frozen=True)
class Snapshot:
    """One molecule to draw.

    Args:
        title: written above it.
        positions: shape (n_atoms, 3), Å.
        species: atomic numbers, shape (n_atoms,).
        arrows: named vectors, shape (3,), drawn from the centre of the molecule.
        note: a line written below it.
    """

    title: str
    positions: ArrayLike
    species: Sequence[int]
    arrows: Mapping[str, ArrayLike] = field(default_factory=dict)
    note: str = ""


def molecule_panels(snapshots: Sequence[Snapshot], *, bond_length: float = 2.0, columns: int = 2) -> Figure:
    """Draw molecules seen along the z axis (x to the right, y up, near atoms larger), all at one scale.

    Args:
        snapshots: what to draw.
        bond_length: atoms closer than this are joined, Å.
        columns: panels in a row.

    Returns:
        The figure.
    """
    rows = -(-len(snapshots) // columns)
    reach = 1.15 * max(
        max(np.abs(finite(f"positions of {one.title!r}", one.positions)).max() for one in snapshots),
        max((np.linalg.norm(finite(name, a)) for one in snapshots for name, a in one.arrows.items()), default=0.0),
    )
    with canvas(0.7 + 3.0 * rows) as figure:
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in grid[len(snapshots) :]:
            axes.remove()
        for axes, one in zip(grid, snapshots, strict=False):
            atoms = np.asarray(one.positions, dtype=np.float64)
            order = atoms[:, 2].argsort()
            for i in range(len(atoms)):
                for j in range(i):
                    if np.linalg.norm(atoms[i] - atoms[j]) < bond_length:
                        depth = min(atoms[i, 2], atoms[j, 2])
                        axes.plot(*atoms[[i, j], :2].T, color=QUIET, linewidth=3, zorder=10 + depth)
            for i in order:
                axes.scatter(
                    *atoms[i, :2],
                    s=330 * (1 + 0.25 * atoms[i, 2] / reach),
                    color=ELEMENT_COLOURS.get(one.species[i], "#56B4E9"),
                    edgecolor="black",
                    linewidth=1.0,
                    zorder=10.1 + atoms[i, 2],
                )
                axes.text(
                    *atoms[i, :2],
                    ELEMENT_NAMES.get(one.species[i], str(one.species[i])),
                    ha="center",
                    va="center",
                    fontsize=9,
                    color="black" if one.species[i] == 1 else "white",
                    zorder=10.2 + atoms[i, 2],
                )
            for number, (name, arrow) in enumerate(one.arrows.items()):
                tip = np.asarray(arrow, dtype=np.float64)[:2]
                line = {"color": PALETTE[number], "linewidth": 2.6, "zorder": 40}
                axes.plot(
                    [0, 0.9 * tip[0]], [0, 0.9 * tip[1]], linestyle=("-", (0, (2, 1)))[number % 2], label=name, **line
                )
                head = {"arrowstyle": "-|>", "color": PALETTE[number], "mutation_scale": 20, "shrinkA": 0, "shrinkB": 0}
                axes.annotate("", xy=tuple(tip), xytext=tuple(0.85 * tip), arrowprops=head, zorder=41)
            axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title=one.title)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(True)
            axes.spines[:].set_color("#C8C8C8")
            if one.note:
                axes.set_xlabel(one.note, fontsize=11)
        handles, labels = grid[0].get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="outside lower center", ncols=len(handles))
    return figure
