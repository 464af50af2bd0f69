"""Run notebooks in processes of their own: one, or all that are out of date, side by side."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from symlab.runs._errors import ParameterError, RunError
from symlab.runs._notebook import Notebook
from symlab.runs._papermill import NOTEBOOK_VARIABLE
from symlab.runs._project import NOTHING, Project
from symlab.runs._record import RECORD, is_complete, make_folder, read_record, write_json
from symlab.runs._run import FOLDER_VARIABLE
from symlab.workers import WORKER_ENVIRONMENT

LOG = "log.txt"
TICK = 0.5  # seconds between two looks at the running notebooks


class Processes:
    """The notebooks that run now, so that an interrupt can end them."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []
        self._stopped = False

    def run(self, project: Project, notebook: Notebook, folder: Path, given: Mapping[str, Any]) -> None:
        """Execute a notebook into `folder`; what it prints goes to `log.txt`.

        Raises:
            RunError: it failed; the message names the notebook, the cell, and what was kept.
        """
        if self._stopped:
            raise RunError(f"{notebook.name} was not started")
        make_folder(folder)
        named = {NOTEBOOK_VARIABLE: notebook.name, FOLDER_VARIABLE: str(folder), "TQDM_DISABLE": "1"}
        environment = {**os.environ, **WORKER_ENVIRONMENT, **named}
        environment.pop("MPLBACKEND", None)  # "agg" would make figures vanish from the notebook without a word
        command = [
            sys.executable,
            "-m",
            "symlab.runs._worker",
            str(notebook.path),
            str(folder),
            json.dumps(dict(given)),
        ]
        with (
            (folder / LOG).open("wb") as log,
            subprocess.Popen(
                command, cwd=project.root, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log
            ) as process,  # it ends when its standard input does, and so never outlives this process
        ):
            self._running.append(process)
            code = process.wait()
            self._running.remove(process)
        if code:
            raise RunError(_explain(notebook, folder, code))

    def stop(self) -> None:
        """End what runs, and start nothing more."""
        self._stopped = True
        for process in list(self._running):
            process.terminate()


def _explain(notebook: Notebook, folder: Path, code: int) -> str:
    failure = read_record(folder).get("failure")
    kept = f"outputs so far: {folder / f'{notebook.name}.failed.ipynb'}"
    if failure:
        return f"{notebook.name} failed{failure['where']}\n  {failure['error']}\n  {kept}"
    tail = (folder / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
    return "\n  ".join([f"{notebook.name} was ended (exit status {code}); the log's last lines:", *tail])


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run's folder, so that two processes never run the same notebook at once."""
    make_folder(folder)
    with (folder / ".lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ensure(project: Project, name: str, preset: str, processes: Processes, given: Mapping[str, Any] = NOTHING) -> None:
    """Run a notebook with a preset unless its run is finished, after those it needs.

    Args:
        project: where the notebooks are.
        name: of the notebook.
        preset: which defaults, also for the notebooks it needs.
        processes: what runs now.
        given: parameters of this notebook that differ from their defaults.

    Raises:
        RunError: the notebook, or one that it needs, failed; or its sources changed meanwhile.
    """
    notebook = project.notebooks[name]
    for need in notebook.needs:
        ensure(project, need, preset, processes)
    folder = project.folder(name, preset, given)
    if is_complete(folder, name):
        return
    with locked(folder):
        if not is_complete(folder, name):
            default = next(parameter.default for parameter in notebook.parameters if parameter.name == "preset")
            processes.run(project, notebook, folder, {**given, **({} if default == preset else {"preset": preset})})
            if project.folder(name, preset, given) != folder:
                write_json(folder / RECORD, read_record(folder) | {"status": "outdated"})
                raise RunError(f"{name}: its sources changed while it ran; run the command again")


def ensure_all(
    project: Project,
    preset: str,
    *,
    workers: int = 2,
    names: Sequence[str] | None = None,
    show: Callable[[Sequence[str], int, int], None] = lambda running, done, total: None,
    failed: Callable[[str], None] = lambda message: None,
) -> list[str]:
    """Run every notebook that is out of date: independent ones side by side, each after those it needs.

    A notebook that starts processes itself (`workers` in its header) takes as many places. If one fails, those that do
    not need it still run, and stay finished.

    Args:
        project: where the notebooks are.
        preset: which defaults.
        workers: places.
        names: notebooks to run; default: all.
        show: called about twice a second with the running names, the number done, and the number to do.
        failed: called with the message as soon as a notebook fails, for the others may run for long.

    Returns:
        Names of the notebooks that were run.

    Raises:
        RunError: one or more failed; the message names each with its cell.
    """
    wanted = list(project.notebooks if names is None else names)
    stale = [name for name in wanted if not project.is_finished(name, preset)]
    waiting = sorted(stale, key=lambda name: (-project.depth(name), name))
    places = {name: min(project.notebooks[name].workers, workers) for name in waiting}
    running: dict[Future[None], str] = {}
    errors: dict[str, str] = {}
    processes = Processes()
    with ThreadPoolExecutor(max_workers=max(workers, 1)) as pool:
        try:
            while waiting or running:
                for name in list(waiting):
                    needs = project.notebooks[name].needs
                    broken = [need for need in needs if need in errors]
                    if broken:
                        errors[name] = f"{name} was not run, because it needs {broken[0]}"
                        waiting.remove(name)
                        continue
                    ready = not any(need in waiting or need in running.values() for need in needs)
                    taken = sum(places[other] for other in running.values())
                    if ready and taken + places[name] <= workers:
                        running[pool.submit(ensure, project, name, preset, processes)] = name
                        waiting.remove(name)
                show(list(running.values()), len(stale) - len(waiting) - len(running) - len(errors), len(stale))
                for future in wait(running, timeout=TICK, return_when=FIRST_COMPLETED).done:
                    name, error = running.pop(future), future.exception()
                    if isinstance(error, RunError | ParameterError):
                        errors[name] = str(error)
                        failed(errors[name])
                    elif error is not None:
                        raise error
        except BaseException:
            processes.stop()
            raise
    if errors:
        raise RunError("\n".join(errors.values()))
    return stale
