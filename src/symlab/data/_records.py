"""The data set as arrays: label a chunk of points, write it, and join the chunks with splits."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from symlab.data._engine import UNITS, ScfError, single_point
from symlab.data._geometry import SAMPLERS

Array = NDArray[Any]
CHUNK_SIZE = 10
SPLITS = {"train": 0.8, "validation": 0.1, "test": 0.1}


@dataclass(frozen=True)
class Plan:
    """What to make: which sampler (`SAMPLERS`) with which parameters, how many points, which engine."""

    sampler: str
    n: int
    seed: int
    parameters: dict[str, Any]
    method: str
    max_iterations: int
    split: bool

    def chunks(self) -> list[range]:
        """Cut the points ``0 ... n-1`` into the pieces that are labelled and written at once."""
        size = max(1, min(CHUNK_SIZE, self.n // 20))  # small enough to share among workers
        return [range(start, min(start + size, self.n)) for start in range(0, self.n, size)]

    def description(self) -> dict[str, Any]:
        """Give the plan as JSON values."""
        return asdict(self)


def label_chunk(plan: Plan, indices: Sequence[int], path: Path) -> int:
    """Sample and label the points `indices`, and write them to `path` (atomically); return how many failed."""
    arrays: dict[str, list[Array]] = {"index": [], "n_atoms": [], "species": [], "positions": []}
    columns: list[dict[str, Any]] = []
    failures: dict[int, str] = {}
    for index in indices:
        geometry = SAMPLERS[plan.sampler](index, plan.n, plan.seed, **plan.parameters)
        try:
            labels = single_point(geometry.numbers, geometry.positions, geometry.cell, plan.method, plan.max_iterations)
        except ScfError as error:
            failures[index] = str(error)
            continue
        row = {
            "index": np.array(index),
            "n_atoms": np.array(len(geometry.numbers)),
            "species": geometry.numbers.astype(np.int64),
            "positions": geometry.positions,
            **({} if geometry.cell is None else {"cell": geometry.cell}),
            **labels,
        }
        for name, value in row.items():
            arrays.setdefault(name, []).append(value)
        columns.append(geometry.columns)
    partial = path.with_suffix(".tmp")
    joined = {name: _join(name, values) for name, values in arrays.items() if values}
    save_file(joined, partial, metadata={"columns": json.dumps(columns), "failures": json.dumps(failures)})
    os.replace(partial, path)
    return len(failures)


def join_chunks(plan: Plan, paths: Sequence[Path], folder: Path) -> None:
    """Join chunk files, in the order of `paths`, into ``dataset.safetensors`` and ``dataset.json``, then remove them.

    Raises:
        ScfError: no point has labels.
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
        reason = next(iter(failures.values()), "no points")
        raise ScfError(f"none of the {plan.n} points has labels; the first says: {reason}. Use smaller deformations")
    arrays = {name: np.concatenate(values) for name, values in parts.items()}
    save_file(arrays, folder / "dataset.safetensors")
    description = {
        "plan": plan.description(),
        "engine": {
            "method": plan.method,
            "tblite": metadata.version("tblite"),
            "ase": metadata.version("ase"),
            "sampling": "Gamma point" if "cell" in arrays else "free molecule",
        },
        "units": {"positions": "A", **({"cell": "A"} if "cell" in arrays else {})}
        | {name: unit for name, unit in UNITS.items() if name in arrays},
        "columns": {name: [row[name] for row in columns] for name in columns[0]},
        "splits": _splits(plan, arrays["index"]),
        "failures": failures,
    }
    (folder / "dataset.json").write_text(json.dumps(description, indent=1), encoding="utf-8")
    for path in paths:
        path.unlink()


def _join(name: str, values: list[Array]) -> Array:
    per_atom = name in ("species", "positions", "forces")
    return np.concatenate(values) if per_atom else np.stack(values)


def _splits(plan: Plan, survivors: Array) -> dict[str, list[int]]:
    """Deal the points into splits by a shuffle of all of them, so that a failed point moves no other one."""
    if not plan.split:
        return {"test": list(range(len(survivors)))}
    order = np.random.default_rng([plan.seed, 0]).permutation(plan.n)
    bounds = np.round(np.cumsum(list(SPLITS.values())) * plan.n).astype(int)
    name_of = np.empty(plan.n, dtype=object)
    for name, start, stop in zip(SPLITS, [0, *bounds[:-1]], bounds, strict=True):
        name_of[order[start:stop]] = name
    return {name: [row for row, index in enumerate(survivors) if name_of[index] == name] for name in SPLITS}
