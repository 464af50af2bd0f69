"""Sources as they are committed: notebooks are text and can be re-run, links lead somewhere, facts are told once."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from environment import LOCK, ROOT, read_pins
from symlab import __version__
from symlab.runs._notebook import Notebook, read_notebook
from symlab.runs._papermill import to_ipynb
from symlab.runs._project import Project
from symlab.runs._shown import check_shown, recordable, shown_numbers

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
BUILT = re.compile(r"^(\.venv|build|runs|artifacts)/")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
by_name = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def tracked() -> list[str]:
    """Files in git, and those that would be added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


def test_no_output_is_committed() -> None:
    made = [name for name in tracked() if BUILT.match(name) or name.endswith((".ipynb", ".pt", ".safetensors", ".npz"))]
    assert made == []


def test_no_file_is_large() -> None:
    assert {name: size for name in tracked() if (size := (ROOT / name).stat().st_size) > 400_000} == {}


@by_name
def test_a_notebook_is_text_that_jupytext_reads_as_we_do(path: Path) -> None:
    notebook, node = read_notebook(path), to_ipynb(path)
    assert [cell.source for cell in node.cells if cell.cell_type == "code"] == list(notebook.code)
    assert len(node.cells) == len(notebook.cells)
    assert node.metadata.jupytext.text_representation.format_name == "percent"
    assert "jupytext_version" not in path.read_text("utf8"), (
        "a version in the header changes with every tool that saves"
    )


@by_name
def test_a_notebook_declares_parameters_that_papermill_shows_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    papermill = pytest.importorskip("papermill")
    monkeypatch.setenv("SYMLAB_NOTEBOOK", "")
    notebook = read_notebook(path)
    with pytest.warns(UserWarning, match="does not end in"):
        shown = papermill.inspect_notebook(f"jupytext:{path}")
    assert list(shown) == [parameter.name for parameter in notebook.parameters]
    assert [entry["help"] for entry in shown.values()] == [parameter.help for parameter in notebook.parameters]
    assert all(parameter.help for parameter in notebook.parameters), "say what each parameter is"
    assert {"preset", "seed"} <= set(shown)
    defaults = {parameter.name: parameter.default for parameter in notebook.parameters}
    assert defaults["preset"] == "book"


@by_name
def test_a_notebook_starts_and_finishes_a_run(path: Path) -> None:
    notebook = read_notebook(path)
    calls = [
        ast.unparse(node.func) for node in ast.walk(ast.parse("\n".join(notebook.code))) if isinstance(node, ast.Call)
    ]
    assert calls.count("Run.start") == calls.count("run.finish") == 1
    assert notebook.code[-1].strip().endswith("run.finish()"), "the record is written last"


@by_name
def test_the_argument_is_in_the_notebook_and_the_machinery_in_the_package(path: Path) -> None:
    notebook = read_notebook(path)
    tree = ast.parse("\n".join(notebook.code))
    assert [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)] == []
    assert not re.search(r"^\s*[%!]", "\n".join(notebook.code), re.MULTILINE), "magics are not Python"
    assert "import matplotlib" not in notebook.text, "figures come from symlab.plots"


@by_name
def test_the_code_can_record_each_number_that_the_text_shows(path: Path) -> None:
    notebook = read_notebook(path)
    shown = shown_numbers(notebook)
    assert shown, "a chapter's numbers come from its run"
    check_shown(shown, recordable(notebook), complete=False)


def test_figures_and_key_numbers_are_named_once_through_the_book() -> None:
    seen: dict[str, str] = {}
    for path in NOTEBOOKS:
        chapter = path.stem.split("_")[0]
        for name in named_figures(read_notebook(path)):
            assert name.startswith(f"{chapter}_"), f"{path.name}: figure {name!r} must begin with {chapter}_"
            assert name not in seen, f"{path.name}: figure {name!r} is in {seen[name]} too"
            seen[name] = path.name


def named_figures(notebook: Notebook) -> list[str]:
    """Names given to `run.figure` and `run.interactive`."""
    tree = ast.parse("\n".join(notebook.code))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    shown = [call for call in calls if ast.unparse(call.func) in ("run.figure", "run.interactive")]
    values = [[*call.args[1:2], *(word.value for word in call.keywords if word.arg == "name")][0] for call in shown]
    return [value.value for value in values if isinstance(value, ast.Constant)]


def test_the_table_of_contents_holds_every_notebook() -> None:
    text = (ROOT / "book" / "_toc.yml").read_text("utf8")
    listed = set(re.findall(r"file: notebooks/(\w+)", text))
    assert listed == {path.stem for path in NOTEBOOKS}
    assert set(Project(ROOT, ROOT / "runs").notebooks) == listed, "and no notebook needs one that is not there"


def prose(name: str) -> str:
    """Text of a page, or the text cells of a notebook."""
    if name.endswith(".md"):
        return (ROOT / name).read_text("utf8")
    return "\n".join(cell.source for cell in read_notebook(ROOT / name).cells if not cell.is_code)


def test_links_in_the_texts_lead_to_files() -> None:
    pages = ROOT / "book"
    chapters = {pages / "notebooks" / path.stem for path in NOTEBOOKS}
    broken = []
    for name in tracked():
        if not (name.endswith(".md") or ROOT / name in NOTEBOOKS):
            continue
        folder = pages / "notebooks" if ROOT / name in NOTEBOOKS else (ROOT / name).parent  # where the page will be
        for target in LINK.findall(prose(name)):
            place = target.partition("#")[0]
            if ("/" not in place and "." not in place) or ":" in place:  # a label, which Sphinx checks, or the web
                continue
            path = (folder / place).resolve()
            if not (path.exists() or path.with_name(f"{path.name}.md").is_file() or path in chapters):
                broken.append(f"{name}: {target}")
    assert broken == []


def test_the_version_is_told_once() -> None:
    assert "version" in tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]["dynamic"]
    assert str(yaml.safe_load((ROOT / "CITATION.cff").read_text("utf8"))["version"]) == __version__


def test_pins_that_the_texts_repeat_are_those_of_the_lock() -> None:
    pins = read_pins(ROOT / LOCK)
    told = [
        (name, package, version)
        for name in tracked()
        if name.endswith((".md", ".toml"))
        for package, version in re.findall(r"([a-z][\w-]*)==(\d[\w.]*)", (ROOT / name).read_text("utf8"))
    ]
    assert [entry for entry in told if pins.get(entry[1], entry[2]) != entry[2].rstrip(".")] == []


def test_texts_name_only_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf8"), re.MULTILINE))
    named = {
        (name, target)
        for name in tracked()
        if name.endswith(".md")
        for target in re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / name).read_text("utf8"), re.MULTILINE)
    }
    assert {(name, target) for name, target in named if target not in targets} == set()
