"""The table of a sweep: parameters and key numbers of each run, as csv and as columns for a notebook."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symlab.runs._errors import RunError
from symlab.runs._record import is_complete, project_root, read_record, runs_root

if TYPE_CHECKING:
    import numpy as np

SWEEP, TABLE = "sweep.json", "table.csv"
TAIL = ("status", "seconds", "folder")


def read_sweep(folder: Path | str) -> "dict[str, np.ndarray]":
    """Read what the runs of a sweep found, as columns of equal length: one entry for each run, in the grid's order.

    Columns: the parameters of the grid; the other parameters; each key number under its name, and its uncertainty
    under `<name>_uncertainty`; `status` ("finished", "failed" or "unfinished"), `seconds` and `folder` of the run.
    `pandas.DataFrame(read_sweep(folder))` is a table, and `table["rmse"][table["l_max"] == 4]` needs no pandas.

    Args:
        folder: of the sweep, or its `table.csv`, as `symlab sweep` printed it; relative to here or to the project.

    Returns:
        An array for each column. A number that a run did not give is NaN; a parameter that is None stays None, in an
        array of objects.

    Raises:
        RunError: there is no sweep; the message lists those beside it.
    """
    rows = sweep_rows(sweep_folder(Path(folder)))
    parameters = {name for row in rows for name in row["parameters"]}
    return {name: _array(values, name in parameters) for name, values in columns(rows).items()}


def sweep_folder(path: Path) -> Path:
    """Find a sweep's folder from its own path or that of its table."""
    for base in (Path(), project_root()):
        for folder in (base / path, (base / path).parent):
            if (folder / SWEEP).is_file():
                return folder
    runs = runs_root()
    found = ", ".join(sorted(str(file.parent) for file in runs.glob(f"*/*/{SWEEP}"))) or "none yet"
    raise RunError(f"no sweep in {path}; `symlab sweep` prints where its table is; in {runs} there are: {found}")


def sweep_rows(folder: Path) -> list[dict[str, Any]]:
    """Read one row for each run of a sweep, whatever has finished so far."""
    sweep = json.loads((folder / SWEEP).read_text(encoding="utf-8"))
    return [sweep_row(sweep["notebook"], folder.parent / run["folder"], run["values"]) for run in sweep["runs"]]


def sweep_row(notebook: str, run: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Read one run: parameters, key numbers, status.

    Args:
        notebook: its name.
        run: its folder.
        values: of the axes of the grid; the record, where there is one, has what they were settled to.
    """
    record = read_record(run)
    done = is_complete(run, notebook)
    parameters = {**values, **record.get("parameters", {})}
    numbers: dict[str, Any] = {}
    for name, entry in (record.get("key_numbers", {}) if done else {}).items():
        column = f"key_{name}" if name in parameters or name in TAIL else name
        numbers[column] = entry["value"]
        if entry["uncertainty"] is not None:
            numbers[f"{column}_uncertainty"] = entry["uncertainty"]
    status = "finished" if done else "failed" if record.get("status") == "failed" else "unfinished"
    tail = dict(zip(TAIL, (status, record.get("seconds") if done else None, run.name), strict=True))
    return {"parameters": parameters, "numbers": numbers, "tail": tail}


def columns(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Turn rows into columns: parameters, then key numbers, then status; None where a run has no value."""
    rows = list(rows)
    return {
        name: [row[part].get(name) for row in rows]
        for part in ("parameters", "numbers", "tail")
        for name in dict.fromkeys(name for row in rows for name in row[part])
    }


def table_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Write rows as csv: None is an empty cell, a list is JSON."""
    found = columns(rows)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(found)
    for row in zip(*found.values(), strict=True):
        writer.writerow([json.dumps(value) if isinstance(value, list) else value for value in row])
    return buffer.getvalue()


def _array(values: list[Any], keep_none: bool) -> "np.ndarray":
    import numpy as np

    if not keep_none and any(isinstance(value, float | int) for value in values):
        values = [np.nan if value is None else value for value in values]
    kinds = {type(value) for value in values}
    if kinds == {float, int} or (len(kinds) == 1 and kinds <= {float, int, bool, str}):
        return np.array(values)
    return np.fromiter(values, dtype=object, count=len(values))
