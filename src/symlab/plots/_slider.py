"""The spectrum of each layer at a training step that the reader chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symlab.plots._style import MINUS, PALETTE, QUIET, axis_label, finite
from symlab.plots._training_maps import spectra_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

TICKS = ("0.01 %", "0.1 %", "1 %", "10 %", "100 %")


def training_slider(
    steps: Sequence[int],
    spectra: ArrayLike,
    sectors: Sequence[tuple[int, int]],
    layers: Sequence[str],
    curves: Mapping[str, ArrayLike],
    *,
    ylabel: str,
    unit: str = "",
) -> Figure:
    r"""Make the interactive form of `training_maps`: layers against sectors at one step, and a slider over the steps.

    Args:
        steps: the checkpoints.
        spectra: fractions of shape (n_steps, n_layers, n_sectors).
        sectors: pairs (lambda, sigma), the columns.
        layers: names of the rows, from input (top) to output.
        curves: errors by name, positive, shape (n_steps,), drawn below with a mark at the chosen step.
        ylabel: what the errors are.
        unit: their unit.

    Returns:
        The plotly figure, for `Run.interactive`.
    """
    from plotly import graph_objects

    table = spectra_of(spectra, steps, layers, sectors)
    order = sorted(range(len(sectors)), key=lambda i: (-sectors[i][1], sectors[i][0]))
    columns = [f"{sectors[i][0]}{'+' if sectors[i][1] > 0 else MINUS}" for i in order]
    lines = {name: finite(f"curves[{name!r}]", values) for name, values in curves.items()}
    places = [str(step) for step in steps]

    def moving(k: int) -> list[Any]:
        marks = [
            graph_objects.Scatter(
                x=[places[k]],
                y=[float(values[k])],
                xaxis="x2",
                yaxis="y2",
                mode="markers",
                showlegend=False,
                marker={"size": 13, "color": PALETTE[number], "line": {"width": 2, "color": "black"}},
                hoverinfo="skip",
            )
            for number, values in enumerate(lines.values())
        ]
        return [_map(table[k][:, order], columns, layers), *marks]

    still = [
        graph_objects.Scatter(
            x=places,
            y=values.tolist(),
            xaxis="x2",
            yaxis="y2",
            name=name,
            mode="lines+markers",
            line={"color": PALETTE[number]},
            marker={"symbol": ("circle", "square")[number % 2]},
        )
        for number, (name, values) in enumerate(lines.items())
    ]
    last = len(steps) - 1
    figure = graph_objects.Figure(
        data=[*moving(last), *still],
        frames=[
            graph_objects.Frame(name=places[k], data=moving(k), traces=list(range(1 + len(lines))))
            for k in range(len(steps))
        ],
    )
    instant = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    quiet = {"showgrid": True, "gridcolor": "#E3E3E3", "zeroline": False}
    figure.update_layout(
        height=720,
        margin={"l": 10, "r": 10, "t": 70, "b": 10},
        paper_bgcolor="white",
        plot_bgcolor="white",
        font={"size": 13, "color": "black"},
        xaxis={
            "domain": [0, 1],
            "anchor": "y",
            "type": "category",
            "side": "top",
            "title": "sector: degree λ and sign σ",
        },
        yaxis={"domain": [0.41, 1], "anchor": "x", "autorange": "reversed", "automargin": True, "type": "category"},
        xaxis2={"domain": [0, 1], "anchor": "y2", "type": "category", "categoryarray": places, **quiet},
        yaxis2={
            "domain": [0, 0.28],
            "anchor": "x2",
            "type": "log",
            "dtick": 1,
            "title": axis_label(ylabel, unit),
            **quiet,
        },
        legend={"orientation": "h", "x": 0, "y": 0.39, "yanchor": "top"},
        shapes=[_divide(columns)],
        sliders=[
            {
                "active": last,
                "currentvalue": {"prefix": "training step "},
                "pad": {"t": 30},
                "steps": [{"method": "animate", "label": place, "args": [[place], instant]} for place in places],
            }
        ],
    )
    return figure


def _map(table: NDArray[np.float64], columns: Sequence[str], layers: Sequence[str]) -> Any:
    """Draw the shares of one step, on logarithmic colours."""
    from plotly import graph_objects

    return graph_objects.Heatmap(
        z=np.log10(np.clip(table, 1e-4, 1.0)).tolist(),
        x=list(columns),
        y=list(layers),
        zmin=-4,
        zmax=0,
        colorscale="Viridis",
        customdata=(100 * table).tolist(),
        hovertemplate="%{y}, %{x}: %{customdata:.2g} %<extra></extra>",
        colorbar={"tickvals": [-4, -3, -2, -1, 0], "ticktext": TICKS, "len": 0.6, "y": 0.705, "thickness": 12},
    )


def _divide(columns: Sequence[str]) -> dict[str, Any]:
    """Mark where natural parity ends and pseudo begins."""
    first = next((k for k, name in enumerate(columns) if name.endswith(MINUS)), len(columns))
    return {
        "type": "line",
        "xref": "x",
        "yref": "y domain",
        "x0": first - 0.5,
        "x1": first - 0.5,
        "y0": 0,
        "y1": 1,
        "line": {"color": QUIET, "width": 3},
    }
