"""Execute one notebook in a process of its own: `python -m symlab.runs._worker NOTEBOOK FOLDER PARAMETERS`.

It ends when its standard input does, that is, when the process that started it has died.
"""

import json
import os
import sys
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symlab.runs._errors import RunError
from symlab.runs._notebook import read_notebook
from symlab.runs._papermill import SCHEME
from symlab.runs._record import RECORD, read_record, write_json

INJECTED = "injected-parameters"
ERROR_MARK = "papermill-error-cell-tag"


def execute(path: Path, folder: Path, given: Mapping[str, Any]) -> None:
    """Run a notebook with papermill into `folder/<name>.ipynb`.

    If it fails, the outputs so far stay in `<name>.failed.ipynb`, and the record says where and why.

    Raises:
        RunError: a cell failed, the kernel died, or `run.finish()` was never called.
    """
    import papermill

    name = path.stem
    part, done, failed = (folder / f"{name}{ending}.ipynb" for ending in (".tmp", "", ".failed"))
    for old in (done, failed, folder / RECORD):
        old.unlink(missing_ok=True)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The specified file", category=UserWarning)
            papermill.execute_notebook(
                f"{SCHEME}{path}", str(part), dict(given), kernel_name="python3", progress_bar=False, start_timeout=300
            )
        if read_record(folder).get("status") != "finished":
            raise RunError("its last cell must call run.finish(); without that there is no record")
    except Exception as error:
        failure = _failure(path, part, error)
        if part.is_file():
            part.replace(failed)
        write_json(folder / RECORD, {"notebook": name, **read_record(folder), "status": "failed", "failure": failure})
        raise RunError(f"{name} failed{failure['where']}\n  {failure['error']}") from error
    write_json(folder / RECORD, read_record(folder) | {"cells": _timings(_cells(part))})
    part.replace(done)


def _cells(path: Path) -> list[dict[str, Any]]:
    """Cells of a possibly half-finished executed notebook, without those that papermill added."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return []
    added = {INJECTED, ERROR_MARK}
    return [cell for cell in cells if not added.intersection(cell["metadata"].get("tags", ()))]


def _timings(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Wall time of each code cell, in seconds, with the first line of its source."""
    return [
        {
            "cell": number + 1,
            "line": _first_line(cell),
            "seconds": round(cell["metadata"]["papermill"]["duration"] or 0, 2),
        }
        for number, cell in enumerate(cells)
        if cell["cell_type"] == "code" and "duration" in cell["metadata"].get("papermill", {})
    ]


def _first_line(cell: Mapping[str, Any]) -> str:
    return next((line for line in "".join(cell["source"]).splitlines() if line.strip()), "")


def _failure(path: Path, part: Path, error: Exception) -> dict[str, Any]:
    """Say where and why: number, first line and place in the file of the cell that failed or was running."""
    ename, evalue = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", str(error))
    failure: dict[str, Any] = {"where": "", "error": f"{ename}: {evalue}"}
    started = [
        (bool(state.get("exception")), number, _first_line(cell))
        for number, cell in enumerate(_cells(part))
        if (state := cell["metadata"].get("papermill", {})).get("start_time")
    ]
    if not started:
        return failure
    _, number, line = max(started)  # the cell that raised, else the last that began: a dead kernel leaves no trace
    cells = read_notebook(path).cells
    place = f"{path.parent.name}/{path.name}:{cells[number].line if number < len(cells) else 1}"
    where = f" in cell {number + 1} ({place}), which begins: {line}"
    return failure | {"cell": number + 1, "line": line, "place": place, "where": where}


def _end_with_starter() -> None:
    """Wait for the end of standard input, then exit at once; the kernel notices that, and follows."""
    while os.read(0, 1):
        pass
    os._exit(1)


def main() -> int:
    """Execute the notebook named on the command line; the error goes to the standard error stream."""
    path, folder, given = sys.argv[1:]
    threading.Thread(target=_end_with_starter, daemon=True).start()
    try:
        execute(Path(path), Path(folder), json.loads(given))
    except RunError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
