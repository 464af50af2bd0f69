"""Numbers in a text: places, names that the code can record, and what stands for one left out."""

from pathlib import Path

import pytest
from tiny import make_project, write_notebook

from symlab.runs import RunError
from symlab.runs._notebook import Notebook, read_notebook
from symlab.runs._shown import check_shown, mark_left_out, names_in, recordable, shown_numbers

CODE = """\
run.key("slope", 1.0, uncertainty=0.1)
run.key(name="steps", value=3)
for l in range(p.n):
    run.key(f"error_l{l}_{p.seed}", l)
    run.key(f"twice_{l}", l, uncertainty=None)"""


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    make_project(tmp_path)
    prose = "First {glue:text}`slope:.2f` ± {glue:text}`slope_uncertainty:.1g`,\n# then {glue:text}`steps`."
    return read_notebook(write_notebook(tmp_path, "01_a", CODE, prose=prose))


def test_a_place_is_the_line_of_the_file(notebook: Notebook) -> None:
    lines = notebook.text.splitlines()
    found = shown_numbers(notebook)
    assert [name for _, name in found] == ["slope", "slope_uncertainty", "steps"]
    for place, name in found:
        file, _, line = place.partition(":")
        assert file == "01_a.py"
        assert f"`{name}" in lines[int(line) - 1]


def test_a_number_of_another_page_is_not_looked_for_here() -> None:
    assert names_in("{glue:text}`04_x.ipynb::slope:.2f`, `slope`, {ref}`slope` and {glue:text}`n:+.1e`") == ["n"]


def test_what_the_code_can_record_is_read_from_its_calls(notebook: Notebook) -> None:
    part = "[a-z0-9_]+"
    assert recordable(notebook) == (
        "slope",
        "slope_uncertainty",
        "steps",
        f"error_l{part}_{part}",
        f"twice_{part}",
        f"twice_{part}_uncertainty",
    )


def test_a_name_that_is_a_variable_may_be_any(tmp_path: Path) -> None:
    make_project(tmp_path)
    variable = read_notebook(write_notebook(tmp_path, "01_a", "name = 'a'\nrun.key(name, 1)"))
    assert recordable(variable) == ("[a-z0-9_]+",)
    other = read_notebook(write_notebook(tmp_path, "01_b", "table.key('a', 1)"))
    assert recordable(other) == ()


@pytest.mark.parametrize("name", ["slope", "slope_uncertainty", "error_l3_0", "twice_0", "twice_0_uncertainty"])
def test_a_small_run_may_leave_out_what_the_code_can_record(notebook: Notebook, name: str) -> None:
    check_shown([("here:1", name)], recordable(notebook), complete=False)
    with pytest.raises(RunError, match=rf"here:1: the text shows '{name}', which the run did not record"):
        check_shown([("here:1", name)], recordable(notebook), complete=True)
    check_shown([("here:1", name)], recordable(notebook), [name], complete=True)


@pytest.mark.parametrize("name", ["slop", "steps_uncertainty", "error_3", "my_slope"])
@pytest.mark.parametrize("complete", [True, False])
def test_a_name_that_no_call_can_record_is_refused_whatever_the_run(
    notebook: Notebook, name: str, complete: bool
) -> None:
    with pytest.raises(
        RunError, match=rf"here:1: the text shows '{name}', which no run.key\(...\) of the code records"
    ):
        check_shown([("here:1", name)], recordable(notebook), ["slope"], complete=complete)


def test_the_message_names_the_nearest_name_and_the_remedy_for_each_number(notebook: Notebook) -> None:
    shown = [("01_a.py:7", "slpe"), ("01_a.py:8", "slope"), ("01_a.py:9", "error_l3_0")]
    with pytest.raises(RunError) as caught:
        check_shown(shown, recordable(notebook), ["slope", "error_l2_0"], complete=True)
    assert str(caught.value).splitlines() == [
        "01_a.py:7: the text shows 'slpe', which no run.key(...) of the code records (did you mean 'slope'?); "
        "correct the name, or record it",
        "01_a.py:9: the text shows 'error_l3_0', which the run did not record (did you mean 'error_l2_0'?); "
        "correct the name, or let the code come to its run.key(...) with this preset",
    ]


def test_what_was_left_out_is_marked_whatever_its_format() -> None:
    text = "{glue:text}`a:.2f` ± {glue:text}`b:+.1e` %, {glue:text}`b`, **{glue:text}`c:d`** and {glue:text}`a`"
    assert mark_left_out(text, {"a", "never_shown"}) == "{glue:text}`a:.2f` ± n/a %, n/a, **n/a** and {glue:text}`a`"
    assert mark_left_out(text, {"a", "b", "c"}) == text
