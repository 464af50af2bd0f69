"""What readers type: `symlab run`, `symlab book`, plain papermill."""

import subprocess
import sys
from pathlib import Path

import pytest
from tiny import make_project, write_notebook
from typer.testing import CliRunner, Result

from symlab.cli import app
from symlab.runs._record import read_record


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    make_project(root)
    write_notebook(root, "01_a")
    monkeypatch.chdir(root)
    monkeypatch.delenv("SYMLAB_RUNS", raising=False)
    return root


def symlab(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def papermill(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-p", "m=3"), "error: 01_a: unknown parameter 'm'"),
        (("-p", "m=3"), "the valid ones are\n  preset: str = 'book'  # smoke, book or full\n  seed: int = 0"),
        (("-p", "n=five"), "error: parameter n must be of type int | None, got 'five' of type str"),
        (("--preset", "fast"), "error: parameter preset must be one of 'smoke', 'book', 'full', got 'fast'"),
    ],
)
def test_a_bad_parameter_is_refused_before_any_work(root: Path, arguments: tuple[str, ...], message: str) -> None:
    result = symlab("run", "01_a", *arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert not (root / "runs").exists()


def test_an_unknown_notebook_or_preset_is_refused(root: Path) -> None:
    assert "no notebook '7' in notebooks/; there are: 01_a" in symlab("run", "7").stderr
    assert "parameter preset must be one of" in symlab("book", "--preset", "fast").stderr


def test_a_run_with_parameters_tells_its_numbers_and_where_they_are(root: Path) -> None:
    result = symlab("run", "notebooks/01_a.py", "-p", "n=7", "--preset", "smoke")
    assert result.exit_code == 0, result.stderr
    assert "slope = 0.333333 ± 0.012 eV" in result.stdout
    (folder,) = (root / "runs" / "01_a").iterdir()
    assert read_record(folder)["parameters"] == {"preset": "smoke", "seed": 0, "n": 7}
    assert (folder / "figures" / "01_a_line.png").is_file()


def test_a_folder_that_cannot_be_written_is_one_line(root: Path) -> None:
    (root / "runs").write_text("a file where a folder should be", "utf8")
    result = symlab("run", "01_a")
    assert result.exit_code == 1
    assert "error: cannot write the run folder" in result.stderr
    assert "make it writable, or set SYMLAB_RUNS" in result.stderr


def test_a_failing_notebook_ends_the_book_with_its_name_and_cell(root: Path) -> None:
    write_notebook(root, "01_a", "raise ValueError('no such luck')")
    result = symlab("book", "--preset", "smoke")
    assert result.exit_code == 1
    at_once, _, at_the_end = result.stderr.partition("the notebooks that do not need it still run")
    assert "failed: 01_a failed in cell 4 (notebooks/01_a.py:" in at_once
    assert "error: 01_a failed in cell 4 (notebooks/01_a.py:" in at_the_end
    assert "ValueError: no such luck" in at_the_end


def test_a_text_that_shows_an_unknown_number_ends_the_book_before_any_work(root: Path) -> None:
    write_notebook(root, "01_a", prose="The slope is {glue:text}`slop:.2f`.")
    result = symlab("book")
    assert result.exit_code == 1
    assert "error: 01_a.py:16: the text shows 'slop', which no run.key(...) of the code records" in result.stderr
    assert "(did you mean 'slope'?)" in result.stderr
    assert not (root / "runs").exists()


def test_plain_papermill_reads_the_text_and_the_parameters(root: Path) -> None:
    done = papermill("jupytext:notebooks/01_a.py", "out.ipynb", "-p", "n", "9")
    assert done.returncode == 0, done.stderr
    assert "unknown parameter" not in done.stderr
    (folder,) = (root / "runs" / "01_a").iterdir()
    assert read_record(folder)["parameters"]["n"] == 9
    shown = papermill("--help-notebook", "jupytext:notebooks/01_a.py").stdout
    assert "n: int | None (default None)" in shown
    assert "number of points" in shown


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("m", "3", "01_a: unknown parameter 'm'"), ("n", "five", "parameter n must be of type int | None, got 'five'")],
)
def test_plain_papermill_stops_at_a_bad_parameter_before_any_work(
    root: Path, name: str, value: str, message: str
) -> None:
    done = papermill("jupytext:notebooks/01_a.py", "out.ipynb", "-p", name, value)
    assert done.returncode == 1
    assert message in done.stderr
    assert not (root / "runs").exists()


def test_the_source_is_never_written() -> None:
    from symlab.runs._papermill import handler

    with pytest.raises(OSError, match="is a source and is not written"):
        handler.write("{}", "jupytext:notebooks/01_a.py")


def test_looking_for_work_does_not_load_torch(root: Path) -> None:
    code = "import sys; from symlab.runs._site import Site; from symlab.cli import app; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
