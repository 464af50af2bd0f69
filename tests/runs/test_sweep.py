"""Sweeps for real: workers, kernels, and kills."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tiny import make_project, write_notebook
from typer.testing import CliRunner, Result

from symlab.cli import app
from symlab.runs import _cluster, _sweep, read_sweep
from symlab.runs._cluster import connected
from symlab.runs._project import Project
from symlab.runs._record import read_record

PATIENCE = 120  # seconds; a busy machine is slow, and a test that hangs is worse
NOTE = """\
import os
from pathlib import Path

with Path("ran").open("a") as ran:
    ran.write(f"{p.seed} {os.getpid()}\\n")
"""
WAIT = """\
import time

while p.seed and not Path("go").exists():
    time.sleep(0.05)
"""
NUMBER = "run.key('double', 2 * p.n + p.seed)"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("SYMLAB_RUNS", str(project.runs))
    return project


def sweep(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["sweep", "01_a", "--preset", "smoke", *arguments])


def ran(project: Project) -> list[tuple[int, int]]:
    """Seed and process of each kernel that has begun."""
    path = project.root / "ran"
    return [tuple(map(int, line.split())) for line in path.read_text("utf8").splitlines()] if path.is_file() else []


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def test_a_killed_worker_and_a_killed_sweep_lose_no_finished_run(project: Project) -> None:
    write_notebook(project.root, "01_a", NOTE + WAIT + NUMBER)
    arguments = ["sweep", "01_a", "--preset", "smoke", "--seeds", "3"]
    code = f"from symlab.cli import app; app({[*arguments, '--workers', '2']})"
    main = ["-c", f"if __name__ == '__main__':\n    {code}"]
    with subprocess.Popen([sys.executable, *main], cwd=project.root, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: Counter(seed for seed, _ in ran(project)) == {0: 1, 1: 1, 2: 1})
            first = project.folder("01_a", "smoke") / "record.json"
            assert read_record(first.parent)["status"] == "finished"
            written = first.stat().st_mtime_ns

            kernel = psutil.Process(dict(ran(project))[1])
            worker = kernel.parents()[1]
            assert worker.ppid() == process.pid
            worker.kill()
            wait_until(lambda: [seed for seed, _ in ran(project)].count(1) == 2)
            assert psutil.wait_procs([kernel], timeout=PATIENCE)[1] == [], "a run ends with its worker"
        finally:
            started = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGKILL)
        assert psutil.wait_procs(started, timeout=PATIENCE)[1] == [], "and everything ends with the sweep"

    (project.root / "go").touch()
    result = sweep("--seeds", "3", "--workers", "2")
    assert result.exit_code == 0, result.output
    assert "3/3 runs done; last: seed=" in result.stderr
    assert Counter(seed for seed, _ in ran(project)) == {0: 1, 1: 3, 2: 2}
    assert first.stat().st_mtime_ns == written
    assert list(read_sweep(result.stdout.strip())["double"]) == [4, 5, 6]


def test_a_scheduler_that_exists_runs_what_is_needed_first_and_all_but_the_failing(project: Project) -> None:
    write_notebook(project.root, "00_base", "x = 1")
    write_notebook(project.root, "01_a", f"{NUMBER}\nassert p.n == 4, 'not four'", needs="00_base")
    with connected(None, 2) as client:
        result = sweep("--grid", "n=none,4", "--scheduler", client.scheduler.address)
    assert result.exit_code == 1
    told = result.stderr.splitlines()
    place = told.index("error: 1 of 2 runs of 01_a failed; the others are kept")
    assert told[place + 1].startswith("n=none: 01_a failed in cell 4 (notebooks/01_a.py:")
    assert told[place + 2] == "  AssertionError: not four"
    assert project.is_finished("00_base", "smoke")
    table = read_sweep(result.stdout.strip())
    assert list(table["status"]) == ["failed", "finished"]
    assert (table["n"][1], table["double"][1]) == (4, 8)
    ends = [pid for pid in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(pid.cmdline())]
    assert ends == [], "no worker is left"


def test_a_need_that_fails_is_named_and_nothing_else_runs(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    write_notebook(project.root, "00_base")
    write_notebook(project.root, "01_a", needs="00_base")
    asked: list[str] = []

    def fail(_: object, task: object, calls: dict, tick: object) -> list:
        asked.extend(calls)
        return [(key, f"{key} failed in cell 3") for key in calls]

    monkeypatch.setattr(_sweep, "connected", lambda *_: os.scandir(project.root))  # any context
    monkeypatch.setattr(_sweep, "as_told", fail)
    result = sweep("--seeds", "2")
    assert "error: 01_a was not run, because of what it needs\n00_base failed in cell 3" in result.stderr
    assert asked == ["00_base"]


def test_an_interrupt_says_how_to_go_on(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    write_notebook(project.root, "01_a")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_sweep, "connected", interrupted)
    result = sweep("--seeds", "2")
    assert result.exit_code == 130
    assert "interrupted; finished runs are kept, and the same command goes on from here" in result.stderr
    assert list(read_sweep(result.stdout.strip())["status"]) == ["unfinished"] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--grid", "m=0..2"), "error: 01_a: unknown parameter 'm'"),
        (("--grid", "n=1", "seed=one"), "error: parameter seed must be of type int, got 'one' of type str"),
        (("--grid", "n=3..1"), "error: the grid gives n the empty range 3..1"),
        ((), "error: nothing to sweep: give --grid name=values or --seeds"),
        (("--seeds", "2", "--preset", "fast"), "error: parameter preset must be one of 'smoke', 'book', 'full'"),
        (("--seeds", "2", "--scheduler", "tcp://a:1", "--workers", "2"), "uses those that it has; give one"),
    ],
)
def test_what_cannot_be_swept_is_refused_before_any_work(
    project: Project, arguments: tuple[str, ...], message: str
) -> None:
    write_notebook(project.root, "01_a")
    result = sweep(*arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert not project.runs.exists()


def test_without_dask_the_line_that_installs_it_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    write_notebook(project.root, "01_a")
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "pip install 'symlab[sweep]'" in sweep("--seeds", "2").stderr


def test_a_scheduler_that_does_not_answer_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    write_notebook(project.root, "01_a")
    monkeypatch.setattr(_cluster, "CONNECT", 0.5)
    result = sweep("--seeds", "2", "--scheduler", "tcp://127.0.0.1:1")
    assert "error: no scheduler answers at 'tcp://127.0.0.1:1' (" in result.stderr
    assert "or leave out --scheduler" in result.stderr


def test_other_sources_on_a_worker_are_noticed(project: Project) -> None:
    write_notebook(project.root, "01_a")
    planned = project.folder("01_a", "smoke")
    write_notebook(project.root, "01_a", "x = 1")
    there = Project(project.root, project.runs)
    told = _sweep.run_point(there, "01_a", "smoke", {}, planned)
    assert told is not None
    assert told.startswith("01_a: its sources are not those that the sweep began with")
