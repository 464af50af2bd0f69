"""Pages: today's prose beside the run's outputs, numbered figures with alt texts, numbers in the text."""

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from tiny import make_project, write_notebook

from symlab.runs import RunError
from symlab.runs._notebook import read_notebook
from symlab.runs._project import Project
from symlab.runs._publish import publish
from symlab.runs._record import write_json
from symlab.runs._site import Site

CODE = "x = 1\nx"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
FIGURE = {"name": "01_line", "caption": "A line, $y = x^2$, with 3 points.", "alt": "A straight line that rises"}
CONFIG = "title: t\nonly_build_toc_files: true\nexecute:\n  execute_notebooks: 'off'\n"


def figure(**change: Any) -> Any:
    """What `Run.figure` leaves in a notebook."""
    return new_output("display_data", {"image/png": PIXEL, "text/plain": "line"}, metadata={"symlab": FIGURE | change})


def number(name: str, value: float) -> Any:
    """What `Run.key` leaves in a notebook."""
    prefix = "application/papermill.record/"
    data = {f"{prefix}text/plain": repr(value)}
    return new_output("display_data", data, metadata={"scrapbook": {"name": name, "mime_prefix": prefix}})


def pretend_run(path: Path, folder: Path, outputs: list[Any]) -> Path:
    """Write what papermill would: all code cells, an injected one, `outputs` below the cell before the last."""
    cells = [new_markdown_cell("# Old prose")]
    for code in read_notebook(path).code:
        cells.append(new_code_cell(code, execution_count=len(cells), metadata={"papermill": {"duration": 1.0}}))
    cells.insert(2, new_code_cell("# Parameters\nn = 9", metadata={"tags": ["injected-parameters"]}))
    cells[-2].outputs = outputs
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells), folder / f"{path.stem}.ipynb")
    return folder / f"{path.stem}.ipynb"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    make_project(tmp_path / "project")
    return write_notebook(tmp_path / "project", "01_a", CODE)


def test_prose_is_todays_and_outputs_are_the_runs(source: Path, tmp_path: Path) -> None:
    executed = pretend_run(source, tmp_path / "run", [figure(), number("slope", 0.5)])
    write_notebook(source.parents[1], "01_a", CODE, prose="Better words.")
    cells = publish(source, executed).cells
    assert "Better words." in cells[0].source
    assert [cell.source for cell in cells[1:3]] == [
        read_notebook(source).parameters and cells[1].source,
        "# Parameters\nn = 9",
    ]
    assert cells[-2].metadata["mystnb"] == {
        "figure": {"name": "fig-01_line", "caption": FIGURE["caption"]},
        "image": {"alt": FIGURE["alt"]},
    }
    assert all("papermill" not in cell.metadata for cell in cells)


def test_equal_runs_give_equal_pages(source: Path, tmp_path: Path) -> None:
    first, second = (publish(source, pretend_run(source, tmp_path / name, [figure()])) for name in "ab")
    assert nbformat.writes(first) == nbformat.writes(second)


def test_outputs_of_other_code_are_refused(source: Path, tmp_path: Path) -> None:
    executed = pretend_run(source, tmp_path / "run", [])
    write_notebook(source.parents[1], "01_a", "x = 2")
    with pytest.raises(RunError, match=r"was not made from the code of 01_a.py; run the notebook again"):
        publish(source, executed)


def test_a_figure_has_its_cell_for_itself(source: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="the cell of figure '01_line' shows something else too"):
        publish(
            source, pretend_run(source, tmp_path / "run", [figure(), new_output("execute_result", {"text/plain": "1"})])
        )


LEAVES_OUT = 'run.key("slope", 0.5)\nif p.preset != "smoke":\n    run.key("end", 2.0, uncertainty=0.1)'
PROSE = "From {glue:text}`slope:.2f` to {glue:text}`end:.1f` ± {glue:text}`end_uncertainty:.1g`, or {glue:text}`end`."


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """A chapter whose small run leaves out a number that the text shows."""
    make_project(tmp_path / "partial")
    return write_notebook(tmp_path / "partial", "01_a", LEAVES_OUT, prose=PROSE)


def test_a_number_that_a_small_run_left_out_is_shown_as_missing(partial: Path, tmp_path: Path) -> None:
    executed = pretend_run(partial, tmp_path / "run", [number("slope", 0.5)])
    prose = publish(partial, executed, complete=False).cells[0].source
    assert "From {glue:text}`slope:.2f` to n/a ± n/a, or n/a." in prose


def test_a_complete_run_must_have_every_number(partial: Path, tmp_path: Path) -> None:
    everything = [number("slope", 0.5), number("end", 2.0), number("end_uncertainty", 0.1), number("unused", 1.0)]
    assert PROSE in publish(partial, pretend_run(partial, tmp_path / "all", everything)).cells[0].source
    with pytest.raises(RunError) as caught:
        publish(partial, pretend_run(partial, tmp_path / "some", everything[:2]))
    line = 1 + partial.read_text("utf8").splitlines().index(f"# {PROSE}")
    assert str(caught.value) == (
        f"01_a.py:{line}: the text shows 'end_uncertainty', which the run did not record; correct the name, or let the "
        "code come to its run.key(...) with this preset"
    )


def test_a_misspelt_number_is_refused_even_for_a_small_run(partial: Path, tmp_path: Path) -> None:
    executed = pretend_run(partial, tmp_path / "run", [number("slope", 0.5)])
    write_notebook(partial.parents[1], "01_a", LEAVES_OUT, prose=PROSE.replace("`slope:", "`slpe:"))
    with pytest.raises(RunError, match=r"01_a.py:\d+: the text shows 'slpe', .* \(did you mean 'slope'\?\)"):
        publish(partial, executed, complete=False)


def test_a_caption_shows_numbers_by_the_same_rule(partial: Path, tmp_path: Path) -> None:
    told = figure(caption="Up to {glue:text}`end:.1f` from {glue:text}`slope:.1f`.")
    executed = pretend_run(partial, tmp_path / "run", [told, number("slope", 0.5)])
    write_notebook(partial.parents[1], "01_a", LEAVES_OUT)
    cell = publish(partial, executed, complete=False).cells[-2]
    assert cell.metadata["mystnb"]["figure"]["caption"] == "Up to n/a from {glue:text}`slope:.1f`."
    with pytest.raises(RunError, match=r"01_a.py: caption of fig-01_line: the text shows 'end', which the run did not"):
        publish(partial, executed)


@pytest.mark.parametrize("preset", ["book", "full"])
def test_only_the_pages_of_the_smallest_preset_may_leave_out_numbers(partial: Path, preset: str) -> None:
    project = Project(partial.parents[1], partial.parents[1] / "runs")
    (project.root / "book").mkdir()
    for name in ("smoke", preset):
        folder = project.folder("01_a", name)
        pretend_run(partial, folder, [number("slope", 0.5)])
        write_json(folder / "record.json", {"notebook": "01_a", "status": "finished", "parameters": {"preset": name}})
    staged = Site(project, "smoke").stage() / "notebooks" / "01_a.ipynb"
    assert "to n/a ± n/a, or n/a." in nbformat.read(staged, as_version=4).cells[0].source
    with pytest.raises(RunError, match="the text shows 'end', which the run did not record"):
        Site(project, preset).stage()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A book of one page and one chapter that has run."""
    root = tmp_path / "project"
    project = make_project(root)
    prose = "See {numref}`fig-01_line`: {glue:text}`slope:.2f` ± {glue:text}`slope_uncertainty:.1g` eV."
    path = write_notebook(root, "01_a", CODE, prose=prose)
    book = root / "book"
    book.mkdir()
    (book / "_config.yml").write_text(CONFIG, "utf8")
    (book / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: notebooks/01_a\n", "utf8")
    text = (
        "# Home\n\nElsewhere: {glue:text}`notebooks/01_a.ipynb::slope:.1f`.\n\n```{include} _generated/status.md\n```\n"
    )
    (book / "index.md").write_text(text, "utf8")
    folder = project.folder("01_a", "book")
    pretend_run(path, folder, [figure(), number("slope", 1 / 3), number("slope_uncertainty", 0.0123)])
    write_json(folder / "record.json", {"notebook": "01_a", "status": "finished", "parameters": {"preset": "book"}})
    return Site(project, "book")


def test_figures_and_numbers_are_on_the_page_and_a_broken_link_keeps_the_page_before(site: Site) -> None:
    assert not site.is_current()
    index = site.write()
    assert site.is_current()
    page = (index.parent / "notebooks" / "01_a.html").read_text("utf8")
    assert 'alt="A straight line that rises"' in page
    assert '<span class="caption-text">A line, <span class="math notranslate nohighlight">\\(y = x^2\\)</span>' in page
    assert '<a class="reference internal" href="#fig-01-line">' in page
    assert '<span class="pasted-text">0.33</span> ± <span class="pasted-text">0.01</span>' in page
    assert 'Elsewhere: <span class="pasted-text">0.3</span>' in index.read_text("utf8")
    assert "01_a" in index.read_text("utf8")

    (site.project.root / "book" / "index.md").write_text("# Home\n\n{ref}`nowhere`\n", "utf8")
    assert not site.is_current()
    before = index.read_bytes()
    with pytest.raises(RunError, match=r"(?s)the pages were not written; the whole log is in .*html.log\n.*nowhere"):
        site.write()
    assert site.index.read_bytes() == before
    assert not site.is_current()


def test_a_chapter_without_a_run_is_named(site: Site) -> None:
    shutil.rmtree(site.project.runs)
    with pytest.raises(RunError, match="01_a: not run with the sources as they are now"):
        site.stage()


def test_pages_of_another_preset_have_a_folder_of_their_own(site: Site) -> None:
    small = Site(site.project, "smoke")
    assert small.index == site.project.root / "build" / "smoke" / "html" / "index.html"
    assert Site(Project.find(), "book").index.parts[-3:] == ("build", "html", "index.html")
