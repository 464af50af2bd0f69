"""A quantity as a function of orientation, on a map of the sphere."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from symlab.plots._style import axis_label, canvas, finite


def orientation_map(
    directions: ArrayLike,
    panels: Mapping[str, ArrayLike],
    *,
    quantity: str,
    unit: str,
    show_nodes: bool = True,
) -> Figure:
    r"""Draw a value for each polar direction $R\hat z$ in Mollweide's equal-area projection.

    Each place of the map has the colour of the nearest direction that was measured, and nothing is smoothed.
    The largest value of each panel is marked with a star.

    Args:
        directions: unit vectors, shape (n_directions, 3).
        panels: for each title ("proper", "improper"), one value for each direction; all share one colour scale.
        quantity: what is drawn.
        unit: its unit.
        show_nodes: dots at the measured directions.

    Returns:
        The figure, panels above one another.

    Raises:
        ValueError: for directions that are not unit vectors, or values that are NaN.
    """
    nodes = finite("directions", directions)
    if nodes.ndim != 2 or nodes.shape[1] != 3 or not np.allclose((nodes**2).sum(1), 1.0, atol=1e-6):
        raise ValueError(f"directions must be unit vectors of shape (n, 3), got shape {nodes.shape}; normalize them")
    tables = {title: finite(f"panels[{title!r}]", values) for title, values in panels.items()}
    for title, values in tables.items():
        if values.shape != (len(nodes),):
            raise ValueError(f"panels[{title!r}] must hold one value for each of {len(nodes)} directions")
    low = min(values.min() for values in tables.values())
    high = max(values.max() for values in tables.values())
    longitudes, latitudes = np.linspace(-np.pi, np.pi, 361), np.linspace(-np.pi / 2, np.pi / 2, 181)
    centres = _unit(0.5 * (longitudes[1:] + longitudes[:-1]), 0.5 * (latitudes[1:] + latitudes[:-1]))
    nearest = (centres @ nodes.T).argmax(-1)
    where = np.arctan2(nodes[:, 1], nodes[:, 0]), np.arcsin(np.clip(nodes[:, 2], -1.0, 1.0))
    with canvas(0.9 + 2.9 * len(tables)) as figure:
        grid = figure.subplots(len(tables), 1, squeeze=False, subplot_kw={"projection": "mollweide"})[:, 0]
        for axes, (title, values) in zip(grid, tables.items(), strict=True):
            image = axes.pcolormesh(
                longitudes, latitudes, values[nearest], cmap="viridis", vmin=low, vmax=high, rasterized=True
            )
            if show_nodes:
                axes.plot(*where, ".", color="white", markersize=3, alpha=0.8)
            worst = int(values.argmax())
            axes.plot(
                where[0][worst],
                where[1][worst],
                "*",
                markersize=15,
                markerfacecolor="#D55E00",
                markeredgecolor="white",
                clip_on=False,
            )
            axes.set_title(title, pad=12)
            axes.grid(False)
            axes.set_xticks(np.deg2rad([-90, 0, 90]), ["−90°", "0°", "90°"], color="white")
            axes.set_yticks(np.deg2rad([-60, 0, 60]), ["−60°", "0°", "60°"])
        figure.colorbar(
            image, ax=list(grid), location="bottom", shrink=0.8, aspect=35, label=axis_label(quantity, unit)
        )
    return figure


def _unit(longitudes: NDArray[np.float64], latitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make the unit vectors of a longitude-latitude grid, shape (n_latitudes, n_longitudes, 3)."""
    lon, lat = np.meshgrid(longitudes, latitudes)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
