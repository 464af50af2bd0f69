"""Labelled points on their way to the store: pieces of the work, files of chunks, and the whole with its splits."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

Array = NDArray[Any]
SPLITS = {"train": 0.8, "validation": 0.1, "test": 0.1}


class Work(Protocol):
    """What to make: `n` points named `sampler`, cut into the pieces that are made and written at once."""

    @property
    def n(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def sampler(self) -> str: ...
    def chunks(self) -> list[range]: ...
    def description(self) -> dict[str, Any]: ...


def pieces(n: int, largest: int) -> list[range]:
    """Cut the points ``0 ... n-1`` into pieces that are labelled and written at once: small enough to share."""
    size = max(1, min(largest, n // 20))
    return [range(start, min(start + size, n)) for start in range(0, n, size)]


def write_chunk(
    path: Path, arrays: Mapping[str, Array], columns: Sequence[Mapping[str, Any]], failures: Mapping[int, str]
) -> None:
    """Write the arrays and notes of one piece (atomically)."""
    partial = path.with_suffix(".tmp")
    save_file(dict(arrays), partial, metadata={"columns": json.dumps(columns), "failures": json.dumps(failures)})
    os.replace(partial, path)


def join_chunks(
    plan: Work,
    paths: Sequence[Path],
    folder: Path,
    notes: Callable[[Mapping[str, Array]], Mapping[str, Any]],
    nothing: Callable[[str], Exception],
    family: int | None = 1,
) -> None:
    """Join chunk files, in the order of `paths`, into ``dataset.safetensors`` and ``dataset.json``, then remove them.

    Args:
        plan: what was made.
        paths: of the chunks, see `write_chunk`.
        folder: where the two files are written.
        notes: from the joined arrays, one of them ``index``: what is noted about engine and units.
        nothing: from the first reason, the error if no point is left.
        family: see `deal`; None makes all points "test".
    """
    parts: dict[str, list[Array]] = {}
    columns: list[dict[str, Any]] = []
    failures: dict[str, str] = {}
    for path in paths:
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118 (a safetensors handle is no mapping)
                parts.setdefault(name, []).append(file.get_tensor(name))
            metadata = file.metadata()
        columns += json.loads(metadata["columns"])
        failures |= json.loads(metadata["failures"])
    if not columns:
        raise nothing(next(iter(failures.values())))
    arrays = {name: np.concatenate(values) for name, values in parts.items()}
    index = arrays["index"]
    description = {
        "plan": plan.description(),
        **notes(arrays),
        "columns": {name: [row[name] for row in columns] for name in columns[0]},
        "splits": deal(plan.n, plan.seed, index, family) if family else {"test": list(range(len(index)))},
        "failures": failures,
    }
    save_file(arrays, folder / "dataset.safetensors")
    (folder / "dataset.json").write_text(json.dumps(description, indent=1), encoding="utf-8")
    for path in paths:
        path.unlink()


def deal(n: int, seed: int, survivors: Array, family: int = 1) -> dict[str, list[int]]:
    """Deal families of consecutive points into splits by a shuffle of all of them, so that a failed one moves no other.

    Args:
        n: points asked for.
        seed: of the shuffle.
        survivors: numbers of the points that have labels.
        family: consecutive points that stay together.
    """
    n_families = -(-n // family)
    order = np.random.default_rng([seed, 0]).permutation(n_families)
    bounds = np.round(np.cumsum(list(SPLITS.values())) * n_families).astype(int)
    name_of = np.empty(n_families, dtype=object)
    for name, start, stop in zip(SPLITS, [0, *bounds[:-1]], bounds, strict=True):
        name_of[order[start:stop]] = name
    return {name: [row for row, index in enumerate(survivors) if name_of[index // family] == name] for name in SPLITS}
