"""Every notebook runs from end to end with its smallest preset, through the same pipeline as the published pages."""

import json
from pathlib import Path
from typing import Any

import pytest

from symlab.runs._execute import Processes, ensure
from symlab.runs._notebook import read_notebook
from symlab.runs._project import Project
from symlab.runs._record import read_record
from symlab.runs._shown import shown_numbers
from test_repository import NOTEBOOKS, named_figures

ALT = 20  # characters; fewer cannot describe a figure
LEAVES_OUT = ("11_spectral",)  # its smoke run trains the corners of the sweep only


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def run(request: pytest.FixtureRequest) -> tuple[Path, Path]:
    """The notebook's source and the folder of its smoke run."""
    project, name = Project.find(), request.param.stem
    ensure(project, name, "smoke", Processes())
    return request.param, project.folder(name, "smoke")


def outputs(folder: Path, name: str) -> list[dict[str, Any]]:
    """All outputs of an executed notebook."""
    cells = json.loads((folder / f"{name}.ipynb").read_text("utf8"))["cells"]
    return [output for cell in cells for output in cell.get("outputs", ())]


def test_the_record_is_complete(run: tuple[Path, Path]) -> None:
    path, folder = run
    record = read_record(folder)
    assert record["notebook"] == path.stem
    assert (record["status"], record["parameters"]["preset"]) == ("finished", "smoke")
    assert set(record["parameters"]) == {parameter.name for parameter in read_notebook(path).parameters}
    assert record["seconds"] > 0 < record["peak_memory_mb"]
    assert {"python", "torch", "e3nn"} <= set(record["versions"])
    assert len(record["cells"]) >= 3
    assert record["key_numbers"], "a chapter ends with its key numbers"
    assert [name for name, entry in record["key_numbers"].items() if not entry["text"]] == [], "say what each number is"


def test_every_figure_is_in_the_notebook_and_in_the_folder(run: tuple[Path, Path]) -> None:
    path, folder = run
    figures = read_record(folder)["figures"]
    assert figures, "a chapter without a figure"
    assert sorted(figures) == sorted(named_figures(read_notebook(path)) or figures)
    shown = [
        output["metadata"]["symlab"]["name"]
        for output in outputs(folder, path.stem)
        if "symlab" in output.get("metadata", {})
    ]
    assert sorted(shown) == sorted(figures)
    for entry in figures.values():
        assert (folder / entry["file"]).stat().st_size > 1000
        assert len(entry["alt"]) > ALT < len(entry["caption"])


def test_the_text_shows_what_the_run_recorded(run: tuple[Path, Path]) -> None:
    path, folder = run
    numbers = read_record(folder)["key_numbers"]
    missing = [
        name for _, name in shown_numbers(read_notebook(path)) if name.removesuffix("_uncertainty") not in numbers
    ]
    assert bool(missing) == (path.stem in LEAVES_OUT), missing


def test_nothing_was_said_on_the_error_stream(run: tuple[Path, Path]) -> None:
    path, folder = run
    said = [
        out["text"]
        for out in outputs(folder, path.stem)
        if out.get("name") == "stderr" or out["output_type"] == "error"
    ]
    assert said == [], "a page should not show a warning"
