"""Labelled points as arrays: label a chunk of rows, write it, join the chunks, deal the rows into splits.

What is sampled and labelled is a function of plan and row number; the rest is the same for every set.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symlab.data._chunk_files import join_chunks, pieces, write_chunk
from symlab.data._engine import ScfError

Array = NDArray[Any]
CHUNK_SIZE = 20


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
        return pieces(self.n, CHUNK_SIZE)

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
    write_chunk(path, arrays, [row.columns for row in rows.values()], failures)
    return len(failures)


def join_rows(
    plan: TablePlan, paths: Sequence[Path], folder: Path, *, engine: dict[str, str], packages: Sequence[str]
) -> None:
    """Join the chunks by `join_chunks`; the versions of `packages` are noted beside the `engine`.

    Raises:
        ScfError: no row has labels.
    """
    noted = {"engine": engine | {name: metadata.version(name) for name in packages}}

    def nothing(reason: str) -> ScfError:
        return ScfError(f"none of the {plan.n} molecules has labels; the first says: {reason}. Use a smaller rattle")

    join_chunks(plan, paths, folder, lambda _: noted, nothing, plan.family)
