"""The data set as arrays: label a chunk of points, write it, and join the chunks with splits."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symlab.data._chunk_files import join_chunks, pieces, write_chunk
from symlab.data._engine import UNITS, ScfError, single_point
from symlab.data._geometry import SAMPLERS

Array = NDArray[Any]
CHUNK_SIZE = 10


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
        return pieces(self.n, CHUNK_SIZE)

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
    joined = {name: _join(name, values) for name, values in arrays.items() if values}
    write_chunk(path, joined, columns, failures)
    return len(failures)


def join_points(plan: Plan, paths: Sequence[Path], folder: Path) -> None:
    """Join the chunks by `join_chunks`.

    Raises:
        ScfError: no point has labels.
    """

    def notes(arrays: Mapping[str, Array]) -> dict[str, Any]:
        versions = {name: metadata.version(name) for name in ("tblite", "ase")}
        sampling = "Gamma point" if "cell" in arrays else "free molecule"
        units = {"positions": "A", "cell": "A"} | UNITS
        return {
            "engine": {"method": plan.method} | versions | {"sampling": sampling},
            "units": {name: unit for name, unit in units.items() if name in arrays},
        }

    def nothing(reason: str) -> ScfError:
        return ScfError(f"none of the {plan.n} points has labels; the first says: {reason}. Use smaller deformations")

    join_chunks(plan, paths, folder, notes, nothing, 1 if plan.split else None)


def _join(name: str, values: list[Array]) -> Array:
    per_atom = name in ("species", "positions", "forces")
    return np.concatenate(values) if per_atom else np.stack(values)
