"""The status page is rendered from run records, whatever they lack."""

import re

from symlab.runs._status import status_page

RECORD = {
    "notebook": "04_equivariance_error",
    "parameters": {"preset": "book", "seed": 3},
    "seconds": 12.345,
    "peak_memory_mb": 812.4,
    "finished": "2026-11-23T10:00:00",
    "versions": {"torch": "2.13.0", "python": "3.11.7"},
    "key_numbers": {"04_variance": {"value": 4.6666667, "unit": "eV^2", "uncertainty": 0.0123, "text": "exact 14/3"}},
}


def plain(page: str) -> str:
    return page.replace("\N{NON-BREAKING HYPHEN}", "-").replace("\N{NO-BREAK SPACE}", " ")


def test_a_run_is_one_row_with_its_cost() -> None:
    row = "| [04_equivariance_error](notebooks/04_equivariance_error) | `book` | `3` | 12.3 | 812 | 2026-11-23 |"
    assert row in plain(status_page([RECORD]))


def test_a_key_number_keeps_unit_and_uncertainty() -> None:
    assert "| `04_variance` | 4.667\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}0.012 | eV^2 | exact 14/3 |" in status_page(
        [RECORD]
    )


def test_a_tiny_number_is_a_power_of_ten() -> None:
    assert "$1.12 \\times 10^{-15}$" in status_page([RECORD | {"key_numbers": {"n": {"value": 1.12e-15}}}])


def test_versions_are_said_once_unless_runs_differ() -> None:
    other = RECORD | {"notebook": "05_characters", "versions": {"torch": "2.14.0", "python": "3.11.7"}}
    page = status_page([other, RECORD])
    assert "| torch | 2.13.0 (04_equivariance_error), 2.14.0 (05_characters) |" in page
    assert "| python | 3.11.7 |" in page


def test_runs_are_sorted_and_tables_have_one_width() -> None:
    page = status_page([RECORD | {"notebook": "09_b"}, RECORD | {"notebook": "02_a"}])
    assert page.index("[02_a]") < page.index("[09_b]")
    for table in re.findall(r"(?:^\|.*\n)+", page, flags=re.M):
        assert len({len(re.split(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_what_a_record_lacks_is_a_dash() -> None:
    assert "| [x](notebooks/x) | - | - | - | - | - |" in status_page([{"notebook": "x"}])


def test_a_bar_in_a_text_does_not_split_the_row() -> None:
    numbers = {"n": {"value": 1.0, "text": "mean |u|^2"}}
    assert "mean \\|u\\|^2" in status_page([RECORD | {"key_numbers": numbers}])


def test_machines_and_commits_are_said_once() -> None:
    record = RECORD | {"machine": {"system": "Linux x86_64", "cpus": 2, "gpu": None}, "commit": "abc123"}
    page = status_page([record, record | {"notebook": "05_characters"}])
    assert "Machine: Linux x86_64, 2 CPUs. Commit: `abc123`." in page


def test_no_runs_says_what_to_do() -> None:
    assert "make book" in status_page([])
