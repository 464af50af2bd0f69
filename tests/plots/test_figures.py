"""Each kind of figure: labels with units, the expected number of things drawn, and no silent NaN."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from matplotlib import rcParams
from matplotlib.colors import to_rgba
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from symlab import plots

RANDOM = np.random.default_rng(7)
SECTORS = [(l, sigma) for l in range(3) for sigma in (1, -1)]
LAYERS = ["embedding", "attention", "head"]
DIRECTIONS = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1]])
SPECIES = (6, 1, 8)
POSITIONS = np.array([[0.0, 0, 0], [1, 0, 0.2], [0, 1.2, -0.3]])


def series(value: float = 1.0) -> plots.Series:
    return plots.Series("rule", np.array([1.0, 2, 4]), np.array([value, 0.1, 0.01]))


def positive(*shape: int, value: float = 1.0) -> np.ndarray:
    array = np.exp(RANDOM.normal(size=shape))
    array.flat[0] = value
    return array


def rungs(value: float) -> dict[str, list[float]]:
    return {"measured": [value, 0.5, 0.1], "low": [0.9, 0.4, 0.05], "high": [1, 0.6, 0.2], "predicted": [1, 0.5, 0.1]}


def maps(values: list[list[float]]) -> Figure:
    return plots.sweep_maps({"a": (values, None)}, ["r"], ["c"], xlabel="x", ylabel="y", label="z")


def binned(mean: list[float], low: list[float], high: list[float], edges: list[float]) -> Figure:
    return plots.binned_curves({"p": ("", {"a": (mean, low, high)})}, edges, xlabel="x")


# For each figure: how to make it with one entry set to `value`, its axis labels, and the number of axes.
FIGURES: dict[str, tuple[Callable[[float], Figure], tuple[str, ...], int]] = {
    "convergence": (
        lambda value: plots.convergence([series(value)], xlabel="evaluations", ylabel="error", yunit="eV²", floor=1e-9),
        ("evaluations", "error (eV²)"),
        1,
    ),
    "curves": (
        lambda value: plots.curves([series(value)], xlabel="angle", xunit="°", ylabel="energy", yunit="eV"),
        ("angle (°)", "energy (eV)"),
        1,
    ),
    "sector_bars": (
        lambda value: plots.sector_bars(SECTORS, positive(6, value=value), ylabel="power", unit="eV²"),
        (r"degree $\lambda$", "power (eV²)"),
        1,
    ),
    "spectrum_comparison": (
        lambda value: plots.spectrum_comparison(SECTORS, [("a", positive(6, value=value)), ("b", positive(6))]),
        (r"degree $\lambda$",),
        2,
    ),
    "layer_spectrum": (
        lambda value: plots.layer_spectrum(
            {"untrained": positive(3, 6, value=value) / 10}, SECTORS, LAYERS, remainder={"untrained": np.zeros(3)}
        ),
        (r"degree $\lambda$", "untrained", "share of the layer's power"),
        4,
    ),
    "error_boxes": (
        lambda value: plots.error_boxes({"absolute": {"shear": positive(9, value=value)}}, ylabel="error", unit="eV"),
        ("error (eV)",),
        1,
    ),
    "error_scatter": (
        lambda value: plots.error_scatter(positive(4, value=value), positive(4), "abab", quantity="force", unit="eV/Å"),
        ("absolute force error (eV/Å)", "equivariance force error (eV/Å)"),
        1,
    ),
    "parity": (
        lambda value: plots.parity({"test": (positive(5, value=value), positive(5))}, quantity="energy", unit="eV"),
        ("reference energy (eV)", "predicted energy (eV)"),
        1,
    ),
    "learning_curve": (
        lambda value: plots.learning_curve([0, 1, 10], {"a": positive(2, 3, value=value)}, ylabel="RMSE", unit="eV"),
        ("training step", "RMSE (eV)"),
        1,
    ),
    "orientation_map": (
        lambda value: plots.orientation_map(
            DIRECTIONS, {"proper": positive(4, value=value)}, quantity="error", unit="eV"
        ),
        ("error (eV)",),
        2,
    ),
    "ladder": (
        lambda value: plots.ladder(
            {"force": rungs(value), "stress": rungs(0.5)}, [1, 2, 48], list("aab"), ylabel="share left", goal=0.5
        ),
        (),
        2,
    ),
    "sector_removal": (
        lambda value: plots.sector_removal({"force": [value, *5 * [0.0]]}, {"T": 6 * [0.1]}, SECTORS),
        (r"degree $\lambda$", "share of the squared error", "share left by the group"),
        6,
    ),
    "group_panels": (
        lambda value: plots.group_panels(
            POSITIONS * [[value], [1], [1]],
            POSITIONS[:1],
            [True, True, False],
            radius=0.5,
            focus=POSITIONS[0],
            reach=1.0,
        ),
        ("x (voxel)", "y (voxel)"),
        2,
    ),
    "matrix_table": (
        lambda value: plots.matrix_table(np.diag([value, 1.0]), ["a", "b"], label="overlap", xlabel="sector"),
        ("sector", "overlap"),
        2,
    ),
    "tensor_parts": (
        lambda value: plots.tensor_parts([("whole", np.eye(3) * value), ("trace", np.eye(3))], unit="eV/Å³"),
        ("component (eV/Å³)",),
        3,
    ),
    "molecule_panels": (
        lambda value: plots.molecule_panels([plots.Snapshot("x", POSITIONS * value, SPECIES, {"dipole": [1, 0, 0]})]),
        (),
        1,
    ),
    "error_split": (
        lambda value: plots.error_split(["a", "b"], [value, 1], [2, 1], [3, 2], unit="eV"),
        ("share of the mean-square error",),
        1,
    ),
    "deformation_ladders": (
        lambda value: plots.deformation_ladders(
            {"force": ("eV/Å", {"absolute": positive(4, value=value)})}, list("aabb"), [1, 2, 1, 2]
        ),
        ("force (eV/Å)",),
        1,
    ),
    "noise_floors": (
        lambda value: plots.noise_floors(["a", "b"], [value, 1e-9], [1e-16, 1e-9], unit="eV"),
        ("equivariance RMSE (eV)",),
        1,
    ),
    "bound_scatter": (
        lambda value: plots.bound_scatter(
            {"a": (positive(4, value=value), positive(4))}, xlabel="$A^2$", ylabel="B", unit="eV²", bound="impossible"
        ),
        ("$A^2$ (eV²)", "B (eV²)"),
        1,
    ),
    "sweep_maps": (
        lambda value: plots.sweep_maps(
            {"error": (positive(2, 3, value=value), np.ones((2, 3)))},
            ["a", "b"],
            ["0", "1", "2"],
            xlabel="degree",
            ylabel="embedding",
            label="RMSE",
            unit="eV",
        ),
        ("degree", "RMSE (eV)"),
        2,
    ),
    "learning_panels": (
        lambda value: plots.learning_panels(
            [0, 1, 10], {"x": {"a": positive(2, 3, value=value)}, "y": {"a": np.ones(3)}}, ylabel="RMSE", unit="eV"
        ),
        (),
        2,
    ),
    "aligned_curves": (
        lambda value: plots.aligned_curves(
            [0, 1, 10], {"RMSE (eV)": {"a": positive(2, 3, value=value)}, "share": {"a": np.ones(3)}}
        ),
        ("RMSE (eV)", "share", "training step"),
        2,
    ),
    "training_maps": (
        lambda value: plots.training_maps(
            [0, 10],
            positive(2, 3, 6, value=value),
            SECTORS,
            LAYERS,
            {"RMSE": [1.0, value], "A": np.ones((2, 2))},
            ylabel="error",
            unit="eV",
        ),
        ("training step", "error (eV)", "share of the layer's power"),
        9,
    ),
    "threshold_scatter": (
        lambda value: plots.threshold_scatter(
            {"a": (positive(3, value=value), positive(3), "xyz")},
            xlabel="share",
            ylabel="error",
            xunit="%",
            thresholds={"threshold": 0.1},
            level=("half", 0.7),
        ),
        ("share (%)", "error"),
        1,
    ),
    "hit_rates": (
        lambda value: plots.hit_rates({"rule": (0.8 * value, 0.6, 0.9)}, xlabel="correct predictions"),
        ("correct predictions",),
        1,
    ),
    "event_panels": (
        lambda value: plots.event_panels(
            [
                plots.EventView("truth", POSITIONS, [0, 1, 1]),
                plots.EventView("error", POSITIONS, np.array([0.1, value, 0.2]), [True, False, False]),
            ],
            classes=["shower", "track"],
            quantity="A",
            bar=(1.0, "3 mm"),
        ),
        ("A",),
        3,
    ),
    "binned_curves": (
        lambda value: plots.binned_curves(
            {"flips": ("", {"a": ([value, 0.5], [0.1, 0.1], [2, 2])}), "A": ("eV", {"b": 3 * [[0.1, 0.2]]})},
            [0, 1, 2],
            xlabel="distance",
            xunit="voxel",
        ),
        ("distance (voxel)", "flips", "A (eV)"),
        2,
    ),
    "roc_curves": (
        lambda value: plots.roc_curves(
            {"A": ([0, 0.5, value], [0, 0.7, 1], (0.8, 0.7, 0.9))}, xlabel="false alarms", ylabel="flips found"
        ),
        ("false alarms", "flips found"),
        1,
    ),
    "tradeoff": (
        lambda value: plots.tradeoff(
            {"a": ([0.1, value], [50, 60]), "b": (0.5, 99)}, xlabel="A", ylabel="right", yunit="%", level=("chance", 50)
        ),
        ("A", "right (%)"),
        1,
    ),
}


def labels_of(figure: Figure) -> set[str]:
    return {text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel())}


@pytest.mark.parametrize("name", FIGURES)
def test_axes_carry_their_quantity_and_unit(name: str) -> None:
    make, labels, n_axes = FIGURES[name]
    figure = make(1.0)
    assert set(labels) <= labels_of(figure)
    assert len(figure.axes) == n_axes


@pytest.mark.parametrize("name", FIGURES)
def test_a_value_that_is_not_finite_is_refused(name: str) -> None:
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="NaN or infinite"), np.errstate(invalid="ignore"):
            FIGURES[name][0](bad)


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_opaque_and_fit_a_column(name: str) -> None:
    figure = FIGURES[name][0](1.0)
    assert figure.get_facecolor() == to_rgba("white")
    assert figure.get_figwidth() <= 7.0
    target = BytesIO()
    figure.savefig(target, format="png")
    assert target.tell() < 300_000


def test_every_public_function_is_tested_here() -> None:
    functions = {item for item in plots.__all__ if item[0].islower()} - {"style", "sector_label", "fit_power_law"}
    assert functions == set(FIGURES) | {"event_gallery", "training_slider"}  # plotly; they have files of their own


def test_the_style_ends_with_its_block() -> None:
    before = dict(rcParams)
    with plots.style():
        assert rcParams["figure.facecolor"] == "white"
    assert dict(rcParams) == before


def test_parities_differ_in_hatch_and_not_in_colour_alone() -> None:
    axes = plots.sector_bars(SECTORS, np.ones(6), remainder=0.1, expected=np.ones(6), error=np.ones(6)).axes[0]
    bars = [container for container in axes.containers if isinstance(container, BarContainer)]
    hatches = {container.get_label(): container.patches[0].get_hatch() for container in bars}
    assert len(axes.patches) == 6 + 1
    assert hatches[r"$\sigma = +1$"] != hatches[r"$\sigma = -1$"]


def test_every_structure_is_a_marker_of_its_kind() -> None:
    figure = plots.error_scatter(positive(6), positive(6), list("aabbbc"), quantity="force", unit="eV/Å")
    lines = figure.axes[0].lines[:-1]
    assert [len(line.get_xdata()) for line in lines] == [2, 3, 1]
    assert len({line.get_marker() for line in lines}) == 3


def test_the_worst_orientation_gets_a_star() -> None:
    figure = plots.orientation_map(DIRECTIONS, {"all": [0.0, 2.0, 1.0, 0.5]}, quantity="error", unit="eV")
    (star,) = [line for line in figure.axes[0].lines if line.get_marker() == "*"]
    assert star.get_xdata()[0] == pytest.approx(np.pi / 2)
    assert star.get_ydata()[0] == pytest.approx(0.0)


def test_the_parts_of_an_error_reach_the_whole() -> None:
    axes = plots.error_split(["a"], [3.0], [4.0], [5.0], unit="eV").axes[0]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([9 / 25, 16 / 25])
    assert axes.get_yticklabels()[0].get_text() == "a\n5 eV"
    axes = plots.error_split(["a", "b"], [3.0, 1], [4.0, 0], [5.0, 1], unit=["eV", "eV/Å"]).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a\n5 eV", "b\n1 eV/Å"]


def test_a_sector_that_a_group_removes_exactly_is_blank() -> None:
    figure = plots.sector_removal({"force": 6 * [1 / 6]}, {"C2": 6 * [0.5], "T": [0.2, *5 * [0.0]]}, SECTORS)
    panels = figure.axes[:4]
    assert [axes.get_title() for axes in panels] == [r"$\sigma = +1$", r"$\sigma = -1$", "", ""]
    assert [int(axes.images[0].get_array().mask.sum()) for axes in panels] == [0, 0, 2, 3]


def test_each_family_of_a_ladder_has_its_marker() -> None:
    axes = plots.ladder({"force": rungs(1.0)}, [1, 2, 48], list("aab"), ylabel="share left").axes[0]
    assert [len(container.lines[0].get_xdata()) for container in axes.containers] == [2, 1]
    assert len({container.lines[0].get_marker() for container in axes.containers}) == 2


def test_one_row_of_panels_for_each_state_of_a_network() -> None:
    table = np.full((3, 6), 1 / 6)
    figure = plots.layer_spectrum({"untrained": table, "trained": table}, SECTORS, LAYERS)
    assert len(figure.axes) == 2 * 2 + 1
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == LAYERS
    assert sum(len(axes.texts) for axes in figure.axes) == 2 * 18


def test_a_cell_shows_its_number_and_its_spread() -> None:
    figure = plots.sweep_maps(
        {"a": ([[0.123, 12.3]], [[0.045, 4.5]]), "b": ([[1.0, 1.0]], None)},
        ["r"],
        ["0", "1"],
        xlabel="x",
        ylabel="y",
        label="z",
    )
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.12", "±0.04", "12", "±4"]
    assert [text.get_text() for text in figure.axes[1].texts] == ["1.0", "1.0"]


def test_a_cell_has_decimals_for_its_spread_and_no_more_than_allowed() -> None:
    options = {"xlabel": "x", "ylabel": "y", "label": "z", "log": False}
    expected = {
        3: ["0.141", "±0.005", "\u22122.1", "±0.0", "\u22120.004", "±0.000"],
        1: ["0.1", "±0.0", "\u22122.1", "±0.0", "0.0", "±0.0"],
    }
    for most, texts in expected.items():
        figure = plots.sweep_maps(
            {"a": ([[0.141, -2.13, -0.004]], [[0.005, 0.0, 0.0]])}, ["r"], ["0", "1", "2"], decimals=most, **options
        )
        assert [text.get_text() for text in figure.axes[0].texts] == texts


@pytest.mark.parametrize(("panels", "side_by_side"), [(1, 2), (3, 2), (2, 3)])
def test_maps_need_not_fill_their_lines(panels: int, side_by_side: int) -> None:
    tables = {str(k): ([[1.0, 2.0]], None) for k in range(panels)}
    options = {"xlabel": "x", "ylabel": "y", "label": "z"}
    figure = plots.sweep_maps(tables, ["r"], ["0", "1"], side_by_side=side_by_side, **options)
    assert [axes.get_title() for axes in figure.axes] == [*tables, ""], "the maps, and one colour bar"


def test_what_never_came_stands_on_a_line_of_its_own() -> None:
    points = {"a": ([1.0, 0.1], [10.0, 200.0], "56")}
    plain, with_line = (plots.threshold_scatter(points, xlabel="x", ylabel="y", never=at) for at in (None, 200.0))
    assert [text.get_text() for text in plain.axes[0].texts] == ["5", "6"]
    labels = [{line.get_label(): line for line in figure.axes[0].lines} for figure in (plain, with_line)]
    assert "never" not in labels[0]
    assert set(labels[1]["never"].get_ydata()) == {200.0}


def test_a_task_has_one_colour_in_all_panels() -> None:
    curves = {"plain": {"a": np.ones(2), "b": np.ones(2)}, "rich": {"b": np.ones(2)}}
    first, second = plots.learning_panels([0, 1], curves, ylabel="x").axes
    assert first.lines[1].get_color() == second.lines[0].get_color() != first.lines[0].get_color()


def test_the_legend_names_the_curves_of_every_panel() -> None:
    curves = {"plain": {"a": np.ones(2)}, "rich": {"a": np.ones(2), "b": np.ones(2)}}
    figure = plots.learning_panels([0, 1], curves, ylabel="x", level=("one", 1.0))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "one", "b"]


def test_a_map_along_training_has_a_panel_for_each_sector_and_layers_run_down() -> None:
    spectra = np.full((2, 3, 6), 1e-3)
    spectra[1, 2, SECTORS.index((0, -1))] = 1.0
    errors = {"RMSE": [1.0, 0.1], "A": [0.5, 0.2]}
    figure = plots.training_maps([0, 10], spectra, SECTORS, LAYERS, errors, ylabel="error")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:2] == [r"$(\lambda, \sigma) = (0, +1)$", r"$(\lambda, \sigma) = (0, -1)$"]
    np.testing.assert_allclose(figure.axes[1].images[0].get_array(), [[1e-3, 1e-3], [1e-3, 1e-3], [1e-3, 1.0]])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == LAYERS
    assert titles[6:8] == ["RMSE", "A"]
    assert list(figure.axes[6].lines[0].get_ydata()) == [1.0, 0.1]


def test_no_tick_lies_between_zero_and_the_first_step() -> None:
    figure = plots.learning_panels([0, 29, 100, 2000], {"p": {"a": np.ones(4)}}, ylabel="x")
    assert list(figure.axes[0].get_xticks()) == [0, 100, 1000]
    figure = plots.aligned_curves([0, 3, 4], {"p": {"a": np.ones(3)}})
    assert list(figure.axes[0].get_xticks()) == [0, 3]


def test_what_moves_together_stands_one_above_the_other() -> None:
    curves = {"RMSE": {"a": [[1.0, 2, 3], [1, 4, 9]], "b": np.ones(3)}, "share": {"b": np.ones(3)}}
    first, second = plots.aligned_curves([0, 1, 10], curves).axes
    assert list(first.lines[0].get_ydata()) == [1, 3, 6]
    assert first.get_xlim() == second.get_xlim()
    assert first.lines[1].get_color() == second.lines[0].get_color() != first.lines[0].get_color()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: plots.sector_bars(SECTORS, np.ones(5)), "equal lengths"),
        (lambda: plots.layer_spectrum({"a": np.ones((2, 6))}, SECTORS, LAYERS), "n_layers, n_sectors"),
        (lambda: plots.matrix_table(np.eye(3), ["a"], label="x"), "to match names"),
        (
            lambda: plots.group_panels(POSITIONS, POSITIONS, [True], radius=1, focus=POSITIONS[0], reach=1),
            r"inside \(n,\)",
        ),
        (lambda: plots.group_panels(POSITIONS, POSITIONS, 3 * [True], radius=1, focus=[0.0], reach=1), r"focus \(3,\)"),
        (lambda: plots.tensor_parts([("a", np.eye(2))], unit="eV"), r"must have shape \(3, 3\)"),
        (lambda: plots.orientation_map(2 * DIRECTIONS, {"a": np.ones(4)}, quantity="x", unit=""), "unit vectors"),
        (lambda: plots.orientation_map(DIRECTIONS, {"a": np.ones(3)}, quantity="x", unit=""), "one value for each"),
        (lambda: plots.ladder({"a": rungs(1)}, [0, 1, 2], "aaa", ylabel="x"), "sizes must be positive"),
        (lambda: plots.ladder({"a": rungs(0)}, [1, 2, 3], "aaa", ylabel="x"), "a: measured must be positive"),
        (lambda: plots.ladder({"a": rungs(1)}, [1, 2], "aa", ylabel="x"), "equal lengths"),
        (lambda: plots.sector_removal({"a": [1.0]}, {"T": 6 * [0.1]}, SECTORS), "one value for each of 6 sectors"),
        (lambda: plots.sector_removal({"a": 6 * [2.0]}, {"T": 6 * [0.1]}, SECTORS), "between 0 and 1"),
        (lambda: plots.learning_curve([0, 1], {"a": np.ones(3)}, ylabel="x", unit=""), "2 steps"),
        (lambda: plots.learning_curve([0, 1], {"a": np.zeros(2)}, ylabel="x", unit=""), "positive"),
        (lambda: plots.parity({"a": ([1, 2], [1])}, quantity="x", unit=""), "2 references but 1"),
        (
            lambda: plots.convergence(
                [series()], xlabel="n", ylabel="e", slopes={"other": plots.fit_power_law([1, 2, 3], [1, 2, 3])}
            ),
            "no curve is called",
        ),
        (
            lambda: plots.error_boxes({"a": {"x": [1.0]}, "b": {"y": [1.0]}}, ylabel="e", unit=""),
            "must have the kinds",
        ),
        (lambda: plots.error_split(["a"], [0.0], [0.0], [0.0], unit=""), "no share"),
        (lambda: plots.noise_floors(["a"], [0.0], [1.0], unit=""), "positive"),
        (lambda: plots.error_boxes({"a": {"x": [0.0]}}, ylabel="e", unit=""), "positive"),
        (lambda: plots.bound_scatter({"a": ([1.0], [-1.0])}, xlabel="x", ylabel="y", unit="", bound=""), "positive"),
        (lambda: maps([[1.0, 2.0]]), r"must have shape \(1, 1\)"),
        (lambda: maps([[0.0]]), "positive for logarithmic colours"),
        (lambda: plots.learning_panels([0, 1], {"p": {"a": np.ones(3)}}, ylabel="x"), "2 steps"),
        (lambda: plots.learning_panels([0, 1], {"p": {"a": np.zeros(2)}}, ylabel="x"), "positive"),
        (lambda: plots.aligned_curves([0, 1], {"p": {"a": np.zeros(2)}}), "p: a must be positive"),
        (lambda: plots.aligned_curves([0, 1], {"p": {"a": np.ones(3)}}), "p: a must have 2 steps"),
        (
            lambda: plots.training_maps([0], np.ones((1, 2, 6)), SECTORS, LAYERS, {}, ylabel="x"),
            r"n_steps, n_layers, n_sectors\) = \(1, 3, 6\), got \(1, 2, 6\)",
        ),
        (lambda: plots.threshold_scatter({"a": ([1.0], [0.0], "x")}, xlabel="x", ylabel="y"), "must be positive"),
        (lambda: plots.threshold_scatter({"a": ([1.0], [1.0], "xy")}, xlabel="x", ylabel="y"), "equal lengths"),
        (lambda: plots.hit_rates({"a": (0.5, 0.6, 0.7)}, xlabel="x"), "low <= rate <= high"),
        (lambda: plots.event_panels([plots.EventView("a", POSITIONS, [0, 1])]), r"got \(3, 3\), \(2,\), \(3,\)"),
        (lambda: plots.event_panels([plots.EventView("a", POSITIONS, [0, 1, 2])], classes="xy"), "0 to 2, but 2 have"),
        (lambda: binned([0.5], [0.1], [1.0], [1, 0]), "edges must increase"),
        (lambda: binned([0.5], [0.6], [1.0], [0, 1]), "mean outside of its interval"),
        (lambda: binned([0.5, 1], [0.6], [1.0], [0, 1, 2]), r"of 2 bins; got shapes \(2,\), \(1,\)"),
        (lambda: binned([0.5], [np.nan], [1.0], [0, 1]), "NaN or infinite"),
        (lambda: plots.roc_curves({"a": ([0, 1], [0, 1], (0.5, 0.6, 0.7))}, xlabel="", ylabel=""), "low <= area"),
        (lambda: plots.roc_curves({"a": ([0, 1], [0], (0.5, 0.4, 0.7))}, xlabel="", ylabel=""), "equal lengths"),
        (lambda: plots.tradeoff({"a": ([0, 1], [0])}, xlabel="", ylabel=""), "across as up, at least one; got 2 and 1"),
    ],
)
def test_wrong_input_is_named(make: Callable[[], Figure], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_kinds_of_network_are_drawn_at_their_means() -> None:
    figure = plots.tradeoff({"a": ([0.1, 0.3], [50, 60]), "b": (0.5, 99)}, xlabel="A", ylabel="right")
    middles = [bars.lines[0].get_xydata()[0] for bars in figure.axes[0].containers]
    np.testing.assert_allclose(middles, [(0.2, 55), (0.5, 99)])
