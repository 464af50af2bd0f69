"""A run from inside a notebook: what it takes from the cells, and what it writes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from symlab.runs import ParameterError, Run, RunError

CELL = 'preset: str = "book"\nseed: int = 0\nn: int = None\n'
PRESETS = {"smoke": {"n": 2}, "book": {"n": 3}, "full": {"n": 4}}
ALT = "A straight line that rises to the right"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMLAB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("SYMLAB_NOTEBOOK", "01_tiny")
    monkeypatch.delenv("SYMLAB_RUN_FOLDER", raising=False)


def notebook(*cells: str, **values: Any) -> dict[str, Any]:
    """Names of a notebook after its first cells have run."""
    return {"preset": "book", "seed": 0, "n": None, "In": ["", CELL, *cells, "run = Run.start(...)"], **values}


@pytest.fixture
def run() -> Run:
    return Run.start(notebook(), PRESETS)


def line() -> Figure:
    figure = Figure()
    figure.subplots().plot([0, 1])
    return figure


def test_parameters_come_from_the_cell_that_ran_and_the_preset(run: Run) -> None:
    assert (run.notebook, run.parameters.preset, run.parameters.n) == ("01_tiny", "book", 3)
    assert run.folder.parent.name == "01_tiny"


def test_a_value_edited_or_injected_wins() -> None:
    assert Run.start(notebook("# Parameters\nn = 9\n", n=9), PRESETS).parameters.n == 9
    assert Run.start(notebook(preset="smoke"), PRESETS).parameters.n == 2


def test_a_name_that_papermill_injected_but_nobody_declared_is_refused() -> None:
    with pytest.raises(
        ParameterError, match=r"01_tiny: unknown parameter 'nn' \(did you mean 'n'\?\); the valid ones are"
    ):
        Run.start(notebook("# Parameters\nnn = 9\n", nn=9), PRESETS)


def test_a_wrong_type_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="parameter n must be of type int, got 'five' of type str"):
        Run.start(notebook(n="five"), PRESETS)
    assert not (tmp_path / "runs").exists()


def test_a_notebook_without_parameters_or_presets_is_refused() -> None:
    with pytest.raises(RunError, match="no parameters cell has run"):
        Run.start({"In": ["", "x = 1"]}, PRESETS)
    with pytest.raises(RunError, match="'smoke' is missing"):
        Run.start(notebook(), {"book": {}, "full": {}})


def test_a_plain_script_reads_its_own_file(tmp_path: Path) -> None:
    path = tmp_path / "02_script.py"
    path.write_text(f'# %% tags=["parameters"]\n{CELL}\n# %%\nrun = Run.start(globals())\n', "utf8")
    assert Run.start({"__file__": str(path), "preset": "full", "n": None}, PRESETS).parameters.n == 4


def test_the_record_tells_how_the_numbers_came_about(run: Run) -> None:
    run.figure(line(), "01_line", caption="A line.", alt=ALT)
    run.key("slope", torch.tensor(0.5), unit="eV", uncertainty=np.float64(0.1), text="slope")
    run.finish()
    record = json.loads((run.folder / "record.json").read_text("utf8"))
    assert record["status"] == "finished"
    assert record["parameters"] == {"preset": "book", "seed": 0, "n": 3}
    assert record["key_numbers"] == {"slope": {"value": 0.5, "unit": "eV", "uncertainty": 0.1, "text": "slope"}}
    assert record["figures"]["01_line"]["alt"] == ALT
    assert {"python", "symlab", "torch"} <= set(record["versions"])
    assert record["seconds"] >= 0 < record["peak_memory_mb"]
    assert (record["device"], record["machine"]["cpus"] > 0) == ("cpu", True)
    assert (run.folder / "figures" / "01_line.png").read_bytes()[1:4] == b"PNG"


def test_an_interactive_figure_needs_no_network_and_names_itself(run: Run) -> None:
    plotly = pytest.importorskip("plotly.graph_objects")
    run.interactive(
        plotly.Figure(plotly.Scatter(y=[1, 2])), "01_play", caption="Play.", alt='Points "a" < b that can be moved'
    )
    html = (run.folder / "figures" / "01_play.html").read_text("utf8")
    assert 'id="plot-01_play"' in html
    assert 'aria-label="Points &quot;a&quot; &lt; b that can be moved"' in html
    assert "src=" not in html


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "A line"}, "figure name must be lower-case letters, digits and '_', got 'A line'"),
        ({"caption": " "}, "caption must not be empty"),
        ({"alt": "a line"}, "alt must say what the figure shows, got 'a line'"),
    ],
)
def test_a_figure_that_cannot_be_read_is_refused(run: Run, change: dict[str, str], message: str) -> None:
    given = {"name": "01_line", "caption": "A line.", "alt": ALT} | change
    with pytest.raises(RunError, match=message):
        run.figure(line(), given["name"], caption=given["caption"], alt=given["alt"])


def test_a_cell_shows_one_figure() -> None:
    cells = notebook()
    run = Run.start(cells, PRESETS)
    run.figure(line(), "01_a", caption="A line.", alt=ALT)
    with pytest.raises(RunError, match="figure '01_b': its cell already shows '01_a'"):
        run.figure(line(), "01_b", caption="A line.", alt=ALT)
    cells["In"].append("next cell")
    run.figure(line(), "01_b", caption="A line.", alt=ALT)
    cells["In"].append("next cell")
    with pytest.raises(RunError, match="figure '01_b' exists already"):
        run.figure(line(), "01_b", caption="A line.", alt=ALT)


def test_a_key_number_is_finite_and_named_once(run: Run) -> None:
    run.key("a", 1.0)
    with pytest.raises(RunError, match="key 'a' exists already"):
        run.key("a", 2.0)
    with pytest.raises(ValueError, match="b must be finite, got nan"):
        run.key("b", float("nan"))
    with pytest.raises(TypeError, match="c must be a number or text, got list"):
        run.key("c", [1.0])  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_written_is_said_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", "utf8")
    monkeypatch.setenv("SYMLAB_RUNS", str(tmp_path / "file"))
    with pytest.raises(RunError, match=r"cannot write the run folder .*01_tiny.* make it writable, or set SYMLAB_RUNS"):
        Run.start(notebook(), PRESETS)


def test_no_write_permission_is_said_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *args: Any, **options: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(RunError, match=r"cannot write the run folder .*Permission denied.*make it writable"):
        Run.start(notebook(), PRESETS)
