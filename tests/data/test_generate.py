import functools
import multiprocessing
import os
import subprocess
import sys
import textwrap
import time

import pytest

from symlab import workers
from symlab.artifacts import Recipe, Store
from symlab.data import _generate, load_molecules
from symlab.data._records import Plan

N = 300
SCRIPT = textwrap.dedent(
    """
    if __name__ == "__main__":
        import sys
        from symlab.artifacts import Recipe, Store
        from symlab.data._generate import generate
        from symlab.data._records import Plan

        plan = Plan(**{plan!r})
        recipe = Recipe("molecules", plan.description())
        Store(sys.argv[1]).get_or_make(recipe, lambda part: generate(plan, part, n_workers=2))
    """
)


@pytest.fixture
def plan(monkeypatch) -> Plan:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    parameters = {"names": ["ethanol", "methanol"], "rattle": [0.02, 0.08]}
    return Plan("molecules", N, 3, parameters, "GFN2-xTB", 250, True)


def test_a_killed_generation_resumes_where_it_was(tmp_path, monkeypatch, plan):
    script = tmp_path / "make.py"
    script.write_text(SCRIPT.format(plan=plan.description()))
    root = tmp_path / "artifacts"
    process = subprocess.Popen([sys.executable, str(script), str(root)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(root.glob("*/*.part/chunk_*.safetensors")):
        assert process.poll() is None, "the generation ended before it could be killed"
        assert time.monotonic() < deadline, "no chunk was written"
        time.sleep(0.002)
    process.kill()
    process.wait()
    time.sleep(0.5)  # the workers notice that their parent is gone
    chunks = sorted(root.glob("*/*.part/chunk_*.safetensors"))
    time.sleep(0.3)
    assert sorted(root.glob("*/*.part/chunk_*.safetensors")) == chunks, "an orphan goes on writing"
    assert 0 < len(chunks) < len(plan.chunks())

    labelled = []
    original = _generate.label_chunk

    def counting(plan, indices, path):
        labelled.append(path)
        return original(plan, indices, path)

    monkeypatch.setattr(_generate, "label_chunk", counting)
    recipe = Recipe("molecules", plan.description())
    resumed = Store(root).get_or_make(recipe, lambda part: _generate.generate(plan, part, n_workers=1))
    assert len(labelled) == len(plan.chunks()) - len(chunks)
    assert not set(labelled) & set(chunks)
    assert sorted(path.name for path in resumed.iterdir()) == ["dataset.json", "dataset.safetensors", "manifest.json"]

    whole = Store(tmp_path / "other").get_or_make(recipe, lambda part: _generate.generate(plan, part, n_workers=1))
    for name in ("dataset.safetensors", "dataset.json"):
        assert (resumed / name).read_bytes() == (whole / name).read_bytes()


def test_a_dead_worker_is_explained(tmp_path, monkeypatch, plan):
    monkeypatch.setattr(workers, "_die_with_parent", functools.partial(os._exit, 1))
    with pytest.raises(
        RuntimeError, match=r"labels molecules died: out of memory, or .* Run again: finished chunks are kept"
    ):
        _generate.generate(plan, tmp_path, n_workers=2)


def test_a_script_without_main_guard_is_refused_instead_of_waiting_for_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(RuntimeError, match='put the work under `if __name__ == "__main__":`, or give n_workers=1'):
        load_molecules(Store(tmp_path), n=3)


def test_points_are_cut_into_chunks_that_cover_them(plan):
    assert [index for chunk in plan.chunks() for index in chunk] == list(range(N))
