"""Displays of events: classes keep their colours, changed points get their rings, and the gallery is small."""

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.colors import to_rgb

from symlab import plots

CLASSES = ("shower", "track", "Michel", "delta")
RANDOM = np.random.default_rng(3)


def event(n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return RANDOM.normal(size=(n, 3)) * 50, np.arange(n) % 10 % 4, RANDOM.random(n)


def test_changed_points_are_ringed_where_they_lie() -> None:
    positions, classes, _ = event()
    circled = np.arange(60) < 5
    axes = plots.event_panels([plots.EventView("a", positions, classes, circled)], classes=CLASSES).axes[0]
    rings = axes.collections[-1]
    np.testing.assert_allclose(rings.get_offsets(), positions[:5, :2])
    red, green, blue = rings.get_edgecolor()[0][:3]
    assert red > 0.8 > 0.1 > max(green, blue)
    assert len(rings.get_facecolor()) == 0


def test_neighbours_share_a_ring() -> None:
    positions, classes = np.zeros((50, 3)), np.zeros(50, dtype=int)
    positions[:, 0] = np.linspace(0, 100, 50)
    axes = plots.event_panels([plots.EventView("a", positions, classes, classes == 0)], classes=CLASSES).axes[0]
    places = axes.collections[-1].get_offsets()
    assert 10 < len(places) < 40
    assert np.diff(np.sort(places[:, 0])).min() >= 0.03 * axes.get_xlim()[1]


def test_a_class_has_one_colour_and_one_marker_in_all_figures() -> None:
    positions, classes, energies = event()
    figure = plots.event_panels(
        [plots.EventView("a", positions, classes), plots.EventView("b", positions[1:], np.roll(classes, 3)[1:])],
        classes=CLASSES,
    )
    first, second = ({to_rgb(c.get_facecolor()[0]) for c in axes.collections} for axes in figure.axes)
    assert first == second
    assert len(first) == len(CLASSES)
    gallery = plots.event_gallery({"a": (positions, classes, energies)}, classes=CLASSES)
    assert {to_rgb(trace.marker.color) for trace in gallery.data} == first
    assert len({trace.marker.symbol for trace in gallery.data}) == len(CLASSES)


def test_all_panels_have_one_scale() -> None:
    positions, classes, _ = event()
    views = [plots.EventView("a", positions, classes), plots.EventView("b", positions / 3, classes)]
    first, second = plots.event_panels(views, classes=CLASSES).axes
    assert first.get_xlim() == second.get_xlim() == first.get_ylim()


def test_the_menu_shows_one_event_at_a_time() -> None:
    names = ["one", "two", "three"]
    figure = plots.event_gallery({name: event() for name in names}, classes=CLASSES)
    assert isinstance(figure, go.Figure)
    assert sum(trace.visible for trace in figure.data) == len(CLASSES)
    (menu,) = figure.layout.updatemenus
    assert [button.label for button in menu.buttons] == names
    shown = np.array([button.args[0]["visible"] for button in menu.buttons])
    np.testing.assert_array_equal(shown.sum(0), np.ones(12))
    np.testing.assert_array_equal(shown.sum(1), 3 * [4])


def test_a_page_with_a_dozen_large_events_stays_small() -> None:
    figure = plots.event_gallery({str(k): event(3000) for k in range(12)}, classes=CLASSES)
    html = figure.to_html(include_plotlyjs=False, full_html=False)
    assert len(html) < 2_000_000
    assert "http" not in html.replace("https://plot.ly", "")


def test_what_the_gallery_cannot_draw_is_named() -> None:
    positions, classes, energies = event()
    with pytest.raises(ValueError, match="at least one event"):
        plots.event_gallery({}, classes=CLASSES)
    with pytest.raises(ValueError, match=r"energies \(n,\); got \(60, 3\), \(60,\), \(2,\)"):
        plots.event_gallery({"a": (positions, classes, energies[:2])}, classes=CLASSES)
    with pytest.raises(ValueError, match="whole numbers below 2"):
        plots.event_gallery({"a": (positions, classes, energies)}, classes=CLASSES[:2])
    with pytest.raises(ValueError, match="NaN or infinite"):
        plots.event_gallery({"a": (positions, classes, np.nan * energies)}, classes=CLASSES)
