"""The grid of a sweep is read and checked before any work."""

from pathlib import Path

import pytest
from tiny import make_project, write_notebook

from symlab.runs import ParameterError
from symlab.runs._grid import grid_points
from symlab.runs._notebook import Notebook, read_notebook

CELL = """\
# %% tags=["parameters"]
preset: str = "book"
seed: int = 3  # of everything random
target_l: int = 0  # degree
l_max: int | None = None  # the preset decides
cut: int | None = 4
rate: float = 1.0
kind: Literal["none", "some"] = "some"
name: str = "a"
degrees: tuple[int, ...] = (3, 5)
turned: bool = False
"""
NOTEBOOK = Notebook(Path("11_spectral.py"), CELL)


def values(text: str) -> list:
    return [point.values[text.partition("=")[0]] for point in grid_points(NOTEBOOK, [text])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("target_l=0..6", [0, 1, 2, 3, 4, 5, 6]),
        ("target_l=-1..1,7", [-1, 0, 1, 7]),
        ("target_l=2..2", [2]),
        ("l_max=none,2,4,8", [None, 2, 4, 8]),
        ("cut=None,4", [None, 4]),
        ("rate=0..1,1e-3", [0.0, 1.0, 0.001]),
        ("kind=none,some", ["none", "some"]),
        ("name=none, b c ,'0..6'", ["none", "b c", "0..6"]),
        ("degrees=(3,5),[7]", [(3, 5), (7,)]),
        ("turned=true,False", [True, False]),
    ],
)
def test_values_are_of_the_declared_type(text: str, expected: list) -> None:
    found = values(text)
    assert found == expected
    assert list(map(type, found)) == list(map(type, expected))


def test_the_first_axis_varies_slowest_and_seeds_count_from_the_default() -> None:
    points = grid_points(NOTEBOOK, ["l_max=none,2", "target_l=1..2"], seeds=2)
    assert list(map(str, points))[:3] == [
        "l_max=none target_l=1 seed=3",
        "l_max=none target_l=1 seed=4",
        "l_max=none target_l=2 seed=3",
    ]
    assert len(points) == 8


def test_a_default_given_again_is_the_same_run() -> None:
    assert [dict(point.given) for point in grid_points(NOTEBOOK, ["cut=4,none", "l_max=none,2"])] == [
        {},
        {"l_max": 2},
        {"cut": None},
        {"cut": None, "l_max": 2},
    ]


@pytest.mark.parametrize(
    ("texts", "seeds", "message"),
    [
        (["l_mx=1"], None, r"11_spectral: unknown parameter 'l_mx' \(did you mean 'l_max'\?\); .*\n  preset: str"),
        (["target_l=a"], None, "target_l must be of type int, got 'a' of type str; .*\n  target_l: int = 0  # degree"),
        (["target_l=1,2.5"], None, "target_l must be of type int, got '2.5'"),
        (["target_l=none"], None, "target_l must be of type int, got 'none'"),
        (["name=0..2"], None, "name must be of type str, got 0 of type int"),
        (["kind=all"], None, r"kind must be of type Literal\['none', 'some'\], got 'all'"),
        (["target_l=6..0"], None, "target_l the empty range 6..0; a range goes up .*\n  target_l: int = 0"),
        (["target_l="], None, "the grid gives target_l no value; it is declared as\n  target_l: int"),
        (["target_l=1,0..2"], None, "the grid gives target_l the value 1 twice"),
        (["target_l=1", "target_l=2"], None, "the grid gives target_l twice; write all its values in one list"),
        (["target_l"], None, "an axis of the grid is given as name=values, such as seed=0..2; got 'target_l'"),
        (["preset=smoke,book"], None, "preset is the same in the whole sweep; give it as --preset"),
        (["seed=1,2"], 3, "the grid gives seed already; leave out --seeds"),
        ([], None, "nothing to sweep: give --grid name=values or --seeds; 11_spectral declares\n  preset: str"),
    ],
)
def test_what_cannot_be_a_grid_is_refused(texts: list[str], seeds: int | None, message: str) -> None:
    with pytest.raises(ParameterError, match=f"(?s){message}"):
        grid_points(NOTEBOOK, texts, seeds)


def test_seeds_need_a_seed_to_count_from(tmp_path: Path) -> None:
    notebook = Notebook(Path("x.py"), CELL.replace("seed: int = 3", "seed: int = None"))
    with pytest.raises(ParameterError, match="--seeds counts from the default of seed, which is None; give seed in"):
        grid_points(notebook, [], 2)
    with pytest.raises(ParameterError, match="x: unknown parameter 'seed'"):
        grid_points(Notebook(Path("x.py"), CELL.replace("seed", "sede")), [], 2)


def test_the_key_of_a_run_depends_on_what_differs_from_the_defaults(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    notebook = read_notebook(write_notebook(project.root, "01_a"))
    folders = [
        project.folder("01_a", "smoke", point.given) for point in grid_points(notebook, ["n=none,2", "seed=0,1"])
    ]
    assert len(set(folders)) == 4
    assert folders[0] == project.folder("01_a", "smoke"), "the run of the book itself"
