"""The table of a sweep: from the records of its runs to csv and columns."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from tiny import make_project, write_notebook

from symlab.runs import RunError, read_sweep
from symlab.runs import _sweep as module
from symlab.runs._grid import grid_points
from symlab.runs._notebook import read_notebook
from symlab.runs._record import read_record, write_json
from symlab.runs._sweep import Sweep
from symlab.runs._table import sweep_rows, table_text

FAILING = {"l": 1, "seed": 1}


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """A sweep of 2 x 2 runs without any process: `pretend` takes the place of a worker."""
    project = make_project(tmp_path / "project")
    path = write_notebook(project.root, "01_a")
    text = path.read_text("utf8").replace("seed: int", 'l: int | None = None\nkind: str = "a"\nseed: int')
    path.write_text(text, "utf8")

    class Nobody:
        def __enter__(self) -> None: ...
        def __exit__(self, *error: object) -> None: ...

    monkeypatch.setattr(module, "connected", lambda scheduler, workers: Nobody())
    monkeypatch.setattr(module, "as_told", lambda _, task, calls, tick: ((key, pretend(*calls[key])) for key in calls))
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("SYMLAB_RUNS", str(project.runs))
    return Sweep(project, read_notebook(path), "smoke", grid_points(read_notebook(path), ["l=none,1", "seed=0,1"]))


def pretend(project, name: str, preset: str, given: dict, folder: Path) -> str | None:
    settled = {"preset": preset, "l": 5, "kind": "a", "seed": 0, **given}
    folder.mkdir(parents=True)
    if given == FAILING:
        write_json(folder / "record.json", {"status": "failed", "parameters": settled})
        return "01_a failed in cell 4"
    numbers = {
        "rmse": {"value": 0.5 + settled["seed"], "unit": "eV", "uncertainty": 0.25, "text": ""},
        "steps": {"value": 30, "unit": "", "uncertainty": None, "text": ""},
        "best": {"value": "Ih, i", "unit": "", "uncertainty": None, "text": ""},
        "seed": {"value": 1.5, "unit": "", "uncertainty": None, "text": "a key number named as a parameter"},
    }
    record = {"status": "finished", "parameters": settled, "key_numbers": numbers, "seconds": 1.25}
    write_json(folder / "record.json", record)
    (folder / f"{name}.ipynb").write_text("{}", "utf8")
    return None


def test_a_row_for_each_run_with_parameters_numbers_and_status(sweep: Sweep) -> None:
    shown: list = []
    failed = r"1 of 4 runs of 01_a failed; the others are kept\nl=1 seed=1: 01_a failed in cell 4"
    with pytest.raises(RunError, match=failed):
        sweep.run(show=lambda *state: shown.append((tuple(state[0]), *state[1:])))
    assert shown == [
        ((), 0, 4),
        (("l=none seed=0",), 1, 4),
        (("l=none seed=1",), 2, 4),
        (("l=1 seed=0",), 3, 4),
        (("l=1 seed=1 failed",), 4, 4),
    ]
    with sweep.table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {
        **{"l": "5", "seed": "1", "preset": "smoke", "kind": "a", "rmse": "1.5", "rmse_uncertainty": "0.25"},
        **{"steps": "30", "best": "Ih, i", "key_seed": "1.5", "status": "finished", "seconds": "1.25"},
        "folder": sweep.runs[1].name,
    }
    assert [row["status"] for row in rows] == ["finished", "finished", "finished", "failed"]
    assert (rows[3]["rmse"], rows[3]["l"]) == ("", "1")


def test_columns_are_arrays_that_can_be_selected_and_drawn(sweep: Sweep) -> None:
    with pytest.raises(RunError):
        sweep.run()
    table = read_sweep(sweep.folder)
    np.testing.assert_array_equal(table["rmse"], [0.5, 1.5, 0.5, np.nan])
    np.testing.assert_array_equal(table["steps"], [30, 30, 30, np.nan])
    np.testing.assert_array_equal(table["l"], [5, 5, 1, 1])
    assert table["rmse"][(table["l"] == 5) & (table["seed"] == 1)] == [1.5]
    assert list(table["best"]) == ["Ih, i"] * 3 + [None]
    assert list(table)[:4] == ["l", "seed", "preset", "kind"]
    assert {column.shape for column in table.values()} == {(4,)}


def test_none_stays_none_in_a_column_of_parameters(sweep: Sweep) -> None:
    with pytest.raises(RunError):
        sweep.run()
    for run in sweep.runs[:2]:
        record = read_record(run)
        write_json(run / "record.json", record | {"parameters": record["parameters"] | {"l": None, "kind": [1, 2]}})
    table = read_sweep(sweep.folder)
    assert list(table["l"]) == [None, None, 1, 1]
    assert list(table["kind"]) == [[1, 2], [1, 2], "a", "a"]
    first = table_text(sweep_rows(sweep.folder)).splitlines()[1]
    assert first.startswith(',0,smoke,"[1, 2]",0.5,'), "None is an empty cell, a list is JSON"


def test_only_what_is_missing_is_done(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError):
        sweep.run()
    shutil.rmtree(sweep.runs[3])
    monkeypatch.setitem(FAILING, "seed", 7)
    asked: list[int] = []
    pretended = module.as_told

    def noted(client: object, task: object, calls: dict, tick: object) -> object:
        asked.extend(calls)
        return pretended(client, task, calls, tick)

    monkeypatch.setattr(module, "as_told", noted)
    sweep.run()
    assert asked == [3]
    sweep.run()
    assert asked == [3]
    assert list(read_sweep(sweep.table)["status"]) == ["finished"] * 4


def test_the_folder_is_that_of_the_grid_and_the_sources(sweep: Sweep) -> None:
    grid = ["l=none,1", "seed=0,1"]
    again = Sweep(sweep.project, sweep.notebook, "smoke", grid_points(sweep.notebook, grid))
    assert again.folder == sweep.folder
    write_notebook(sweep.project.root, "01_a", "x = 1")
    notebook = read_notebook(sweep.notebook.path)
    edited = Sweep(sweep.project, notebook, "smoke", grid_points(notebook, ["n=1,2"]))
    assert edited.folder != sweep.folder


def test_where_there_is_no_sweep_those_that_exist_are_listed(sweep: Sweep) -> None:
    with pytest.raises(RunError, match=r"no sweep in nowhere; .* there are: none yet"):
        read_sweep("nowhere")
    with pytest.raises(RunError):
        sweep.run()
    with pytest.raises(RunError, match=rf"no sweep in nowhere; .* there are: .*{sweep.folder.name}"):
        read_sweep("nowhere")
    inside = sweep.folder.relative_to(sweep.project.root)
    assert len(read_sweep(inside)["seed"]) == 4
