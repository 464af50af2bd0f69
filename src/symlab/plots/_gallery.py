"""Detector events in space, to be turned by hand; one at a time, chosen from a menu."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from symlab.plots._events import CLASS_COLOURS
from symlab.plots._style import QUIET, finite

if TYPE_CHECKING:
    import plotly.graph_objects as go

SYMBOLS = ("circle", "square", "diamond", "cross", "x", "circle-open")


def event_gallery(
    events: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]],
    *,
    classes: Sequence[str],
    unit: str = "voxel",
    energy_unit: str = "MeV",
    height: int = 560,
) -> go.Figure:
    """Draw events in three dimensions; a menu chooses the event, a click in the legend hides a class.

    Args:
        events: by the name in the menu: positions (n, 3), classes (n,) as whole numbers, energies (n,).
        classes: names of the classes; colour and marker as in `event_panels`.
        unit: of the positions.
        energy_unit: of the energies, shown where the pointer is.
        height: of the figure, pixels; the width is that of the page.

    Returns:
        A plotly figure that needs nothing from the network, about 15 bytes a point and coordinate.

    Raises:
        ValueError: no event, NaN, lengths that differ, or a class without a name.
    """
    import plotly.graph_objects as go

    if not events:
        raise ValueError("events must hold at least one event to show; got none")
    traces, owner = [], []
    for number, (name, (positions, values, energies)) in enumerate(events.items()):
        places = finite(f"positions of {name!r}", positions).astype(np.float32)
        kinds, deposited = np.asarray(values), finite(f"energies of {name!r}", energies).astype(np.float32)
        if places.shape != (len(kinds), 3) or len(kinds) != len(deposited):
            raise ValueError(
                f"{name!r}: positions must have shape (n, 3), classes and energies (n,); got {places.shape}, "
                f"{kinds.shape}, {deposited.shape}"
            )
        if kinds.dtype.kind not in "iu" or not 0 <= kinds.min() <= kinds.max() < len(classes):
            raise ValueError(f"{name!r}: classes must be whole numbers below {len(classes)}, one name for each")
        for k, label in enumerate(classes):
            chosen = kinds == k
            x, y, z = places[chosen].T
            traces.append(
                go.Scatter3d(
                    x=x,
                    y=y,
                    z=z,
                    customdata=deposited[chosen],
                    mode="markers",
                    name=f"{label} ({int(chosen.sum())})",
                    legendgroup=label,
                    marker={
                        "size": 2.2 if chosen.mean() > 0.2 else 3.2,
                        "color": CLASS_COLOURS[k],
                        "symbol": SYMBOLS[k],
                        "line": {"width": 0},
                    },
                    hovertemplate=f"{label}<br>%{{customdata:.2f}} {energy_unit}<extra></extra>",
                    visible=number == 0,
                )
            )
            owner.append(number)
    buttons = [
        {"label": name, "method": "update", "args": [{"visible": [o == number for o in owner]}]}
        for number, name in enumerate(events)
    ]
    axis = {
        "backgroundcolor": "white",
        "gridcolor": "#E3E3E3",
        "color": QUIET,
        "showspikes": False,
        "zeroline": False,
        "nticks": 5,
    }
    figure = go.Figure(traces)
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 0, "t": 46, "b": 0},
        paper_bgcolor="white",
        font={"size": 13, "color": "black"},
        scene={
            "aspectmode": "data",
            "camera": {"eye": {"x": 1.0, "y": 1.0, "z": 0.8}},
            "xaxis": axis | {"title": {"text": f"x ({unit})"}},
            "yaxis": axis | {"title": {"text": f"y ({unit})"}},
            "zaxis": axis | {"title": {"text": f"z ({unit})"}},
        },
        legend={
            "orientation": "h",
            "y": 0.0,
            "yanchor": "bottom",
            "x": 0.5,
            "xanchor": "center",
            "itemsizing": "constant",
        },
        updatemenus=[
            {
                "buttons": buttons,
                "x": 0.0,
                "xanchor": "left",
                "y": 1.0,
                "yanchor": "bottom",
                "pad": {"b": 6},
                "bgcolor": "white",
                "showactive": True,
            }
        ],
    )
    return figure
