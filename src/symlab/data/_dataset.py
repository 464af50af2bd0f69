"""A labelled data set: structures, labels with units, splits, and what each structure is."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from symlab.data._splits import Divided
from symlab.groups import Structure

PER_ATOM = ("forces",)


@dataclass(frozen=True, eq=False)
class Dataset(Divided):
    """Structures with labels; ``labels[name][i]`` belongs to ``structures[i]``.

    Attributes:
        structures: positions and cells in Angstrom, float64.
        labels: energy ``(n,)`` eV; forces, a list of ``(n_atoms, 3)`` eV/A; crystals have stress ``(n, 3, 3)`` eV/A^3,
            molecules dipole ``(n, 3)`` e*A. Signs: ``F = -dE/dr``, ``S = (1/V) dE/d(strain)``.
        units: unit of each label, of positions and of cells.
        columns: one value per structure: ``material`` or ``molecule``, ``kind``, ``amplitude``.
        splits: name to row numbers; "train", "validation", "test", or only "test" for held-out sets.
        n_failed: points that were asked for and dropped because the SCF failed.
        engine: method, versions, sampling of the Brillouin zone.
        digest: address of the artifact it was read from; a subset keeps it.
    """

    structures: list[Structure]
    labels: dict[str, Tensor | list[Tensor]]
    units: dict[str, str]
    columns: dict[str, list[Any]]
    splits: dict[str, list[int]]
    n_failed: int = 0
    engine: dict[str, str] = field(default_factory=dict)
    digest: str = ""

    def __post_init__(self) -> None:
        for group in (self.labels, self.columns):
            for name, values in group.items():
                if len(values) != len(self.structures):
                    raise ValueError(
                        f"{name} must have one entry per structure ({len(self.structures)}), got {len(values)}"
                    )
        if unlabelled := set(self.labels) - set(self.units):
            raise ValueError(f"units: give the unit of {', '.join(sorted(unlabelled))}")

    def __len__(self) -> int:
        return len(self.structures)

    def subset(self, rows: Sequence[int]) -> "Dataset":
        """Take rows in the order given; the splits are renumbered, `n_failed` stays that of the whole set."""
        rows = [int(row) for row in rows]
        index = torch.tensor(rows, dtype=torch.int64)
        return Dataset(
            structures=[self.structures[row] for row in rows],
            labels={
                name: [values[row] for row in rows] if isinstance(values, list) else values[index]
                for name, values in self.labels.items()
            },
            units=self.units,
            columns={name: [values[row] for row in rows] for name, values in self.columns.items()},
            splits=self.splits_of(rows),
            n_failed=self.n_failed,
            engine=self.engine,
            digest=self.digest,
        )

    def where(self, **columns: object) -> "Dataset":
        """Take the rows whose columns have these values: ``where(material="Si", kind="shear")``.

        Raises:
            ValueError: there is no such column.
        """
        for name in columns:
            if name not in self.columns:
                raise ValueError(f"column {name!r} does not exist; this data set has {', '.join(self.columns)}")
        matches = [all(self.columns[name][row] == value for name, value in columns.items()) for row in range(len(self))]
        return self.subset([row for row, match in enumerate(matches) if match])


def read_dataset(folder: Path, digest: str = "") -> Dataset:
    """Read ``dataset.safetensors`` and ``dataset.json`` from the folder of an artifact."""
    arrays = load_file(folder / "dataset.safetensors")
    notes = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    sizes = arrays["n_atoms"].tolist()
    cells = arrays["cell"] if "cell" in arrays else [None] * len(sizes)
    positions, species = arrays["positions"].split(sizes), arrays["species"].split(sizes)
    labels: dict[str, Tensor | list[Tensor]] = {
        name: list(arrays[name].split(sizes)) if name in PER_ATOM else arrays[name]
        for name in notes["units"]
        if name not in ("positions", "cell")
    }
    return Dataset(
        structures=[
            Structure(positions=r.clone(), species=z.clone(), cell=None if cell is None else cell.clone())
            for r, z, cell in zip(positions, species, cells, strict=True)
        ],
        labels=labels,
        units=notes["units"],
        columns=notes["columns"],
        splits=notes["splits"],
        n_failed=len(notes["failures"]),
        engine=notes["engine"],
        digest=digest,
    )
