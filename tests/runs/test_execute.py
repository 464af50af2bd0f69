"""Execution: real papermill where a kernel matters, a stand-in where only the order does."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tiny import FIGURE, make_project, write_notebook

from symlab.runs import RunError
from symlab.runs import _execute as module
from symlab.runs._execute import Processes, ensure, ensure_all
from symlab.runs._project import Project
from symlab.runs._record import read_record, write_json


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "project")


class Pretend:
    """Stands for `Processes`: notes who runs with whom, and finishes at once."""

    def __init__(self, failing: str = "") -> None:
        self.failing, self.ran, self.together = failing, [], []
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def run(self, project: Project, notebook: Any, folder: Path, given: dict[str, Any]) -> None:
        with self._lock:
            self._running.add(notebook.name)
            self.ran.append(notebook.name)
            self.together.append(frozenset(self._running))
        time.sleep(0.2)
        with self._lock:
            self._running.remove(notebook.name)
        if notebook.name == self.failing:
            raise RunError(f"{notebook.name} failed in cell 3")
        (folder / f"{notebook.name}.ipynb").write_text("{}", "utf8")
        write_json(folder / "record.json", {"status": "finished"})

    def stop(self) -> None:
        """Nothing to end."""


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    stand_in = Pretend()
    monkeypatch.setattr(module, "Processes", lambda: stand_in)
    monkeypatch.setattr(module, "TICK", 0.02)
    return stand_in


def edit(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text("utf8").replace(old, new), "utf8")


def test_each_runs_after_those_it_needs_and_independent_ones_run_together(project: Project, pretend: Pretend) -> None:
    for name, needs in (("01_a", ""), ("02_b", ""), ("03_c", "01_a"), ("04_d", "03_c")):
        write_notebook(project.root, name, needs=needs)
    shown: list[tuple[tuple[str, ...], int, int]] = []
    ran = ensure_all(project, "smoke", show=lambda running, done, total: shown.append((tuple(running), done, total)))
    assert sorted(ran) == ["01_a", "02_b", "03_c", "04_d"]
    assert [name for name in pretend.ran if name != "02_b"] == ["01_a", "03_c", "04_d"]
    assert frozenset({"01_a", "02_b"}) in pretend.together
    assert max(map(len, pretend.together)) == 2
    assert shown[0] == (("01_a", "02_b"), 0, 4)


def test_a_notebook_with_its_own_processes_runs_alone(project: Project, pretend: Pretend) -> None:
    for name in ("01_a", "02_b", "03_c"):
        write_notebook(project.root, name)
    edit(
        project.root / "notebooks" / "02_b.py",
        "#     name: python3\n",
        "#     name: python3\n#   symlab: {workers: 2}\n",
    )
    ensure_all(Project(project.root, project.runs), "smoke")
    assert frozenset({"02_b"}) in pretend.together
    assert not any("02_b" in group and len(group) > 1 for group in pretend.together)


def test_a_second_time_nothing_runs_and_a_change_redoes_what_depends_on_it(project: Project, pretend: Pretend) -> None:
    for name, needs in (("01_a", ""), ("02_b", "01_a"), ("03_c", "")):
        write_notebook(project.root, name, needs=needs)
    again = [Project(project.root, project.runs) for _ in range(4)]
    assert len(ensure_all(again[0], "smoke")) == 3
    assert ensure_all(again[1], "smoke") == []
    write_notebook(project.root, "03_c", "x = 1")
    assert ensure_all(again[2], "smoke") == ["03_c"]
    write_notebook(project.root, "01_a", "x = 1")
    assert sorted(ensure_all(again[3], "smoke")) == ["01_a", "02_b"]


def test_a_failure_spares_the_others_and_stops_those_that_need_it(project: Project, pretend: Pretend) -> None:
    for name, needs in (("01_a", ""), ("02_b", "01_a"), ("03_c", "")):
        write_notebook(project.root, name, needs=needs)
    pretend.failing = "01_a"
    told: list[str] = []
    counts: list[int] = []
    with pytest.raises(RunError, match=r"01_a failed in cell 3\n02_b was not run, because it needs 01_a"):
        ensure_all(project, "smoke", show=lambda running, done, total: counts.append(done), failed=told.append)
    assert told == ["01_a failed in cell 3"], "at once, and once"
    assert max(counts) <= 1, "what failed or was not run is not done"
    assert project.is_finished("03_c", "smoke")
    assert "02_b" not in pretend.ran
    pretend.failing = ""
    assert sorted(ensure_all(project, "smoke")) == ["01_a", "02_b"], "what failed is tried again"


def test_two_processes_run_a_notebook_once(project: Project, pretend: Pretend) -> None:
    write_notebook(project.root, "01_a")
    threads = [threading.Thread(target=ensure, args=(project, "01_a", "smoke", pretend)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pretend.ran == ["01_a"]


def test_a_run_whose_sources_changed_meanwhile_does_not_count(project: Project, pretend: Pretend) -> None:
    write_notebook(project.root, "01_a")
    folder = project.folder("01_a", "smoke")
    thread = threading.Timer(0.1, write_notebook, (project.root, "01_a", "x = 1"))
    thread.start()

    def fresh(*given: Any) -> None:
        pretend.run(*given)
        project.__dict__.pop("notebooks")

    with pytest.raises(RunError, match="01_a: its sources changed while it ran; run the command again"):
        ensure(project, "01_a", "smoke", type("Changing", (), {"run": staticmethod(fresh)})())
    assert read_record(folder)["status"] == "outdated"


def test_a_real_notebook_runs_and_leaves_its_record(project: Project) -> None:
    write_notebook(project.root, "01_a")
    ensure_all(project, "smoke")
    folder = project.folder("01_a", "smoke")
    record = read_record(folder)
    assert record["status"] == "finished"
    assert record["parameters"] == {"preset": "smoke", "seed": 0, "n": 2}
    assert record["key_numbers"]["slope"]["value"] == pytest.approx(1 / 3)
    assert [entry["cell"] for entry in record["cells"]] == [2, 3, 4, 5]
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) == [
        *("01_a.ipynb", "figures", "log.txt", "record.json")
    ]
    text = (folder / "01_a.ipynb").read_text("utf8")
    assert '"name": "01_a_line"' in text
    assert '"injected-parameters"' in text


def test_a_failing_cell_is_named_and_what_it_showed_is_kept(project: Project) -> None:
    path = write_notebook(project.root, "01_a", f"{FIGURE.format(name='01_a')}\n\n# %%\n\nvalues = [1]\nvalues[7]")
    write_notebook(project.root, "02_b")
    line = path.read_text("utf8").splitlines().index("values = [1]") - 1
    where = rf"01_a failed in cell 5 \(notebooks/01_a.py:{line}\), which begins: values = \[1\]"
    with pytest.raises(
        RunError, match=rf"{where}\n  IndexError: list index out of range\n  outputs so far: .*failed.ipynb"
    ):
        ensure_all(project, "smoke")
    folder = project.folder("01_a", "smoke")
    kept = json.loads((folder / "01_a.failed.ipynb").read_text("utf8"))
    assert any("symlab" in output.get("metadata", {}) for cell in kept["cells"] for output in cell.get("outputs", ()))
    assert not (folder / "01_a.ipynb").exists()
    assert read_record(folder)["status"] == "failed"
    assert project.is_finished("02_b", "smoke")


def test_a_kernel_that_dies_is_reported_with_its_cell(project: Project) -> None:
    write_notebook(project.root, "01_a", "import os, signal\n\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(RunError, match=r"01_a failed in cell 4 .*which begins: import os, signal\n  DeadKernelError"):
        ensure(project, "01_a", "smoke", Processes())


def test_a_notebook_that_never_finishes_its_run_is_refused(project: Project) -> None:
    path = write_notebook(project.root, "01_a")
    edit(path, "run.finish()", "pass")
    with pytest.raises(
        RunError, match=r"01_a failed in cell 5 .*: pass\n  RunError: its last cell must call run.finish\(\)"
    ):
        ensure(project, "01_a", "smoke", Processes())


def test_a_killed_run_is_taken_up_again(project: Project, tmp_path: Path) -> None:
    """The first process is killed in the second notebook; the next one runs only that, and finds its artifact begun."""
    going_on = (
        "import time\n\nfrom symlab.artifacts import Recipe\n\n\n"
        "def make(folder):\n    step = folder / 'step'\n    if not step.exists():\n"
        "        step.write_text('begun')\n        time.sleep(600)\n\n\n"
        "run.store.get_or_make(Recipe('steps', {}), make)"
    )
    write_notebook(project.root, "01_a")
    write_notebook(project.root, "02_b", going_on, needs="01_a")
    store = tmp_path / "artifacts"
    code = "import sys; from symlab.cli import app; app(['figures', '--preset', 'smoke'])"
    environment = {**os.environ, "SYMLAB_ARTIFACTS": str(store), "SYMLAB_RUNS": str(project.runs)}
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=project.root,
        env=environment,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        for _ in range(1200):
            if list(store.glob("steps/*.part/step")) or process.poll() is not None:
                break
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
    assert project.is_finished("01_a", "smoke")
    assert not project.is_finished("02_b", "smoke")
    first = (project.folder("01_a", "smoke") / "record.json").stat().st_mtime_ns
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project.root, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert project.is_finished("02_b", "smoke")
    assert (project.folder("01_a", "smoke") / "record.json").stat().st_mtime_ns == first
    assert [path.read_text("utf8") for path in store.glob("steps/*/step")] == ["begun"]
