import subprocess
import sys
from pathlib import Path

import pytest

from symlab.artifacts import source_digest

TOY = {
    "toy/__init__.py": "",
    "toy/top.py": (
        '"""Top."""\nfrom toy.room import middle\n\n\ndef top(x):\n    """Say it."""\n    return middle(x)  # twice\n'
    ),
    "toy/room/__init__.py": "from toy.room._middle import middle\nfrom toy.room._other import other\n",
    "toy/room/_middle.py": "def middle(x):\n    from .. import low\n    return low.double(x)\n",
    "toy/room/_other.py": "def other(x):\n    return x\n",
    "toy/low.py": "def double(x):\n    return 2 * x\n",
    "toy/stranger.py": "VALUE = 1\n",
}


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    for name, text in TOY.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def edited(toy: Path, file: str, old: str, new: str) -> tuple[str, str]:
    before = source_digest(["toy.top"], root=toy)
    path = toy / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return before, source_digest(["toy.top"], root=toy)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("toy/top.py", "# twice", "# two times, which is said at greater length"),
        ("toy/top.py", '"""Say it."""', '"""Say it otherwise."""'),
        ("toy/low.py", "def", "\n\n\ndef"),
        ("toy/stranger.py", "VALUE = 1", "VALUE = 2"),
        ("toy/room/_other.py", "return x", "return -x"),  # re-exported beside what is used, but not used
    ],
)
def test_digest_ignores_what_does_not_run(toy, file, old, new):
    before, after = edited(toy, file, old, new)
    assert before == after


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("toy/top.py", "middle(x)", "middle(-x)"),
        ("toy/low.py", "2 * x", "3 * x"),  # two imports away, inside a function, relative
        ("toy/low.py", "2 * x", "2.0 * x"),
        ("toy/room/__init__.py", "from toy.room._middle import middle", "from toy.room._other import other as middle"),
    ],
)
def test_digest_sees_every_change_that_runs(toy, file, old, new):
    before, after = edited(toy, file, old, new)
    assert before != after


def test_digest_follows_a_module_named_by_a_string(toy):
    text = 'import importlib\n\n\ndef top():\n    return importlib.import_module("toy.stranger")\n'
    (toy / "toy/top.py").write_text(text)
    before, after = edited(toy, "toy/stranger.py", "VALUE = 1", "VALUE = 2")
    assert before != after


def test_digest_takes_a_whole_package_that_defines_the_name_itself(toy):
    text = "from toy.room._other import other\n\n\ndef middle(x):\n    return other(x)\n"
    (toy / "toy/room/__init__.py").write_text(text)
    before, after = edited(toy, "toy/room/_other.py", "return x", "return -x")
    assert before != after


def test_digest_survives_import_cycles(toy):
    (toy / "toy/low.py").write_text("from toy.top import top\n\n\ndef double(x):\n    return 2 * x\n")
    assert len(source_digest(["toy.top"], root=toy)) == 64


def test_ignored_rooms_do_not_count(toy):
    before = source_digest(["toy.top"], root=toy, ignore=("toy.low",))
    (toy / "toy/low.py").write_text("def double(x):\n    return 3 * x\n")
    assert source_digest(["toy.top"], root=toy, ignore=("toy.low",)) == before


def test_a_notebook_is_hashed_with_what_it_imports(tmp_path):
    notebook = tmp_path / "02.py"
    notebook.write_text("# %% [markdown]\n# Prose.\n# %%\nfrom symlab.artifacts import Store\n")
    before = source_digest(files=[notebook])
    notebook.write_text("# %% [markdown]\n# Better prose.\n# %%\nfrom symlab.artifacts import Store\n")
    assert source_digest(files=[notebook]) == before
    assert source_digest(files=[notebook], ignore=()) != before  # now follows into the store


def test_two_files_of_one_name_both_count(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "notebook.py").write_text("x = 1\n")
    files = [tmp_path / "a" / "notebook.py", tmp_path / "b" / "notebook.py"]
    before = source_digest(files=files)
    files[1].write_text("x = 2\n")
    assert source_digest(files=files) != before


def test_importing_the_store_loads_nothing_heavy():
    code = "import sys, symlab.artifacts; assert not {'torch', 'numpy', 'ase'} & set(sys.modules), 'heavy import'"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_module_is_named():
    with pytest.raises(ValueError, match=r"modules: no source file for 'symlab\.nowhere'.*full dotted name"):
        source_digest(["symlab.nowhere"])
