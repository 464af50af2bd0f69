"""From a table in the store to a Dataset."""

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from symlab.artifacts import Recipe, Store
from symlab.data._arguments import check_counts
from symlab.data._dataset import Dataset
from symlab.data._generate import generate
from symlab.data._tables import Row, TablePlan, join_rows, label_rows
from symlab.groups import Structure
from symlab.workers import require_main_guard


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it lies in the store: arrays by name, those of atoms joined end to end, and notes."""

    arrays: dict[str, Tensor]
    notes: dict[str, Any]
    digest: str

    def dataset(self, labels: Callable[[dict[str, Tensor]], dict[str, Tensor]], units: Mapping[str, str]) -> Dataset:
        """Make the data set; `labels` turns arrays into labels, one row for each molecule or for each atom."""
        sizes = self.arrays["n_atoms"].tolist()
        atoms = sum(sizes)
        molecules = zip(self.arrays["positions"].split(sizes), self.arrays["species"].split(sizes), strict=True)
        return Dataset(
            structures=[Structure(positions=r.clone(), species=z.clone()) for r, z in molecules],
            labels={
                # Cloned: a view would carry the labels of all molecules along wherever it is sent.
                name: [part.clone() for part in value.split(sizes)] if len(value) == atoms else value
                for name, value in labels(self.arrays).items()
            },
            units={"positions": "A"} | dict(units),
            columns=self.notes["columns"],
            splits=self.notes["splits"],
            n_failed=len(self.notes["failures"]),
            engine=self.notes["engine"],
            digest=self.digest,
        )


def load_table(
    store: Store,
    plan: TablePlan,
    label: Callable[[TablePlan, int], Row],
    *,
    engine: dict[str, str],
    packages: Sequence[str],
    n_workers: int | None,
) -> Table:
    """Make a table once, chunk by chunk on several processes, then read it from the store.

    Args:
        store: where the table is kept.
        plan: what to make.
        label: makes one row, from plan and row number; its module and all that it imports decide the table's address.
        engine: what is noted about the methods; the versions of `packages` are added.
        packages: distributions whose versions count.
        n_workers: processes; default: the number of cores.

    Raises:
        ValueError: a whole number of the plan is out of range.
        ArtifactError: the store cannot be written, or the stored file is corrupt.
        ScfError: no row has labels.
    """
    check_counts(n=plan.n, seed=plan.seed, max_iterations=plan.max_iterations, n_workers=n_workers)
    require_main_guard()
    chunk = functools.partial(label_rows, label)
    join = functools.partial(join_rows, engine=engine, packages=packages)

    def make(folder: Path) -> None:
        generate(plan, folder, n_workers, label=chunk, join=join)

    recipe = Recipe(
        plan.sampler, plan.description() | {"engine": engine}, code=(label.__module__,), packages=tuple(packages)
    )
    folder = store.get_or_make(recipe, make)
    return Table(
        load_file(folder / "dataset.safetensors"),
        json.loads((folder / "dataset.json").read_text(encoding="utf-8")),
        recipe.key,
    )
