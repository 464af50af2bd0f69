"""Labelled points as arrays: label a chunk of rows, write it, join the chunks, deal the rows into splits.

What is sampled and labelled is a function of plan and row number; the rest is the same for every set.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from symlab.data._engine import ScfError

Array = NDArray[Any]
CHUNK_SIZE = 20
SPLITS = {"train": 0.8, "validation": 0.1, "test": 0.1}


@dataclass(frozen=True)
class Row:
    """One molecule, labelled.

    Attributes:
        molecule: arrays of the molecule as a whole.
        atoms: arrays with one entry for each atom; species and positions (Angstrom) among them.
        columns: what the molecule is, in words and numbers.
    """

    molecule: dict[str, Array]
    atoms: dict[str, Array]
    columns: dict[str, Any]


@dataclass(frozen=True)
class TablePlan:
    """What to make: `n` rows of one kind with these parameters; `family` consecutive rows stay in one split."""

    sampler: str
    n: int
    seed: int
    parameters: dict[str, Any]
    max_iterations: int
    family: int = 1

    def chunks(self) -> list[range]:
        """Cut the rows ``0 ... n-1`` into the pieces that are labelled and written at once."""
        size = max(1, min(CHUNK_SIZE, self.n // 20))
        return [range(start, min(start + size, self.n)) for start in range(0, self.n, size)]

    def description(self) -> dict[str, Any]:
        """Give the plan as JSON values."""
        return asdict(self)


def label_rows(label: Callable[[TablePlan, int], Row], plan: TablePlan, indices: Sequence[int], path: Path) -> int:
    """Label the rows `indices`, and write them to `path` (atomically); return how many failed."""
    rows: dict[int, Row] = {}
    failures: dict[int, str] = {}
    for index in indices:
        try:
            rows[index] = label(plan, index)
        except ScfError as error:
            failures[index] = str(error)
    arrays = {}
    if rows:
        done = list(rows.values())
        arrays = {name: np.stack([row.molecule[name] for row in done]) for name in done[0].molecule}
        arrays |= {name: np.concatenate([row.atoms[name] for row in done]) for name in done[0].atoms}
        arrays |= {"index": np.array(list(rows)), "n_atoms": np.array([len(row.atoms["species"]) for row in done])}
    notes = {"columns": [row.columns for row in rows.values()], "failures": failures}
    partial = path.with_suffix(".tmp")
    save_file(arrays, partial, metadata={name: json.dumps(value) for name, value in notes.items()})
    os.replace(partial, path)
    return len(failures)


def join_rows(
    plan: TablePlan, paths: Sequence[Path], folder: Path, *, engine: dict[str, str], packages: Sequence[str]
) -> None:
    """Join chunk files, in the order of `paths`, into ``dataset.safetensors`` and ``dataset.json``, then remove them.

    Raises:
        ScfError: no row has labels.
    """
    parts: dict[str, list[Array]] = {}
    columns: list[dict[str, Any]] = []
    failures: dict[str, str] = {}
    for path in paths:
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118 (a safetensors handle is no mapping)
                parts.setdefault(name, []).append(file.get_tensor(name))
            notes = file.metadata()
        columns += json.loads(notes["columns"])
        failures |= json.loads(notes["failures"])
    if not columns:
        reason = next(iter(failures.values()), "no rows")
        raise ScfError(f"none of the {plan.n} molecules has labels; the first says: {reason}. Use a smaller rattle")
    arrays = {name: np.concatenate(values) for name, values in parts.items()}
    save_file(arrays, folder / "dataset.safetensors")
    description = {
        "plan": plan.description(),
        "engine": engine | {name: metadata.version(name) for name in packages},
        "columns": {name: [row[name] for row in columns] for name in columns[0]},
        "splits": _splits(plan, arrays["index"]),
        "failures": failures,
    }
    (folder / "dataset.json").write_text(json.dumps(description, indent=1), encoding="utf-8")
    for path in paths:
        path.unlink()


def _splits(plan: TablePlan, survivors: Array) -> dict[str, list[int]]:
    """Deal whole families by a shuffle of all of them, so that a failed row moves no other one."""
    n = -(-plan.n // plan.family)
    order = np.random.default_rng([plan.seed, 0]).permutation(n)
    bounds = np.round(np.cumsum(list(SPLITS.values())) * n).astype(int)
    name_of = np.empty(n, dtype=object)
    for name, start, stop in zip(SPLITS, [0, *bounds[:-1]], bounds, strict=True):
        name_of[order[start:stop]] = name
    families = survivors // plan.family
    return {name: [row for row, family in enumerate(families) if name_of[family] == name] for name in SPLITS}
