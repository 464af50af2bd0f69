"""Keys: a change redoes exactly what depends on it."""

from pathlib import Path

import pytest
from tiny import make_project, write_notebook

from symlab.runs import ParameterError, RunError
from symlab.runs._notebook import read_notebook
from symlab.runs._project import Project, given_from_text

NAMES = ("01_base", "02_top", "03_apart")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    make_project(root)
    write_notebook(root, "01_base")
    write_notebook(root, "02_top", needs="01_base")
    write_notebook(root, "03_apart", "from symlab.groups import haar_grid\nhaar_grid(3)")
    return root


def keys(root: Path) -> dict[str, str]:
    project = Project(root, root / "runs")
    return {name: project.key(name, {"preset": "smoke"}) for name in NAMES}


def changed(root: Path, before: dict[str, str]) -> set[str]:
    return {name for name, key in keys(root).items() if key != before[name]}


def test_the_same_sources_give_the_same_keys(root: Path) -> None:
    assert changed(root, keys(root)) == set()


def test_prose_does_not_count(root: Path) -> None:
    before = keys(root)
    write_notebook(root, "01_base", prose="Better words.")
    assert changed(root, before) == set()


def test_code_counts_for_the_notebook_and_those_that_need_it(root: Path) -> None:
    before = keys(root)
    write_notebook(root, "01_base", "x = 1")
    assert changed(root, before) == {"01_base", "02_top"}
    before = keys(root)
    write_notebook(root, "03_apart", "x = 1")
    assert changed(root, before) == {"03_apart"}


def test_a_module_counts_for_the_notebooks_that_import_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import symlab.runs._project as module

    before, digest = keys(root), module.source_digest
    groups = {"01_base": "", "02_top": "", "03_apart": "edited"}
    monkeypatch.setattr(module, "source_digest", lambda files: digest(files=files) + groups[files[0].stem])
    assert changed(root, before) == {"03_apart"}


def test_pins_count_and_comments_beside_them_do_not(root: Path) -> None:
    before = keys(root)
    (root / "requirements.lock").write_text("# another comment\ntorch==2.0\n", "utf8")
    assert changed(root, before) == set()
    (root / "requirements.lock").write_text("torch==2.1\n", "utf8")
    assert changed(root, before) == set(NAMES)


def test_a_preset_is_a_run_of_its_own(root: Path) -> None:
    project = Project(root, root / "runs")
    assert project.folder("01_base", "smoke").name.startswith("smoke-")
    assert project.folder("01_base", "smoke") != project.folder("01_base", "book")


def test_chains_come_first(root: Path) -> None:
    project = Project(root, root / "runs")
    assert [project.depth(name) for name in NAMES] == [2, 1, 1]


def test_a_need_must_exist_and_not_be_mutual(root: Path) -> None:
    write_notebook(root, "03_apart", needs="07_lost")
    with pytest.raises(RunError, match=r"03_apart.py: needs '07_lost', but there is no notebooks/07_lost.py"):
        keys(root)
    write_notebook(root, "03_apart", needs="02_top")
    write_notebook(root, "01_base", needs="03_apart")
    with pytest.raises(RunError, match=r"in a circle: 01_base -> 03_apart -> 02_top -> 01_base"):
        keys(root)


def test_a_notebook_that_does_not_exist_is_answered_with_those_that_do(root: Path) -> None:
    with pytest.raises(RunError, match=r"no notebook '9' in notebooks/; there are: 01_base, 02_top, 03_apart"):
        Project(root, root / "runs").notebook("9")
    assert Project(root, root / "runs").notebook("notebooks/02_top.py").needs == ("01_base",)


def test_a_cell_that_is_not_python_is_named(root: Path) -> None:
    write_notebook(root, "01_base", "%matplotlib inline")
    with pytest.raises(RunError, match=r"01_base.py:\d+: not plain Python"):
        keys(root)


def test_a_notebook_needs_a_parameters_cell_and_known_settings(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text("# %%\nx = 1\n", "utf8")
    with pytest.raises(RunError, match=r"x.py: no parameters cell; begin with a cell"):
        _ = read_notebook(path).parameters
    path.write_text("# ---\n# jupyter:\n#   symlab:\n#     needed: [a]\n# ---\n", "utf8")
    with pytest.raises(RunError, match=r"x.py: unknown setting 'needed'"):
        _ = read_notebook(path).settings


def test_parameters_from_the_command_line_are_checked_by_name_and_type(root: Path) -> None:
    notebook = Project(root, root / "runs").notebook("01_base")
    assert given_from_text(notebook, ["n=7", "preset=smoke"]) == {"n": 7, "preset": "smoke"}
    with pytest.raises(ParameterError, match=r"01_base: unknown parameter 'm'.*valid ones are\n  preset: str = 'book'"):
        given_from_text(notebook, ["m=7"])
    with pytest.raises(ParameterError, match=r"parameter n must be of type int \| None, got 'x' of type str"):
        given_from_text(notebook, ["n=x"])
    with pytest.raises(ParameterError, match="given as name=value, got 'n'"):
        given_from_text(notebook, ["n"])
    with pytest.raises(ParameterError, match="preset must be one of 'smoke', 'book', 'full', got 'fast'"):
        given_from_text(notebook, ["preset=fast"])
