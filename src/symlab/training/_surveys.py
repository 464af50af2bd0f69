"""Surveys of many networks, side by side."""

import pickle
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from torch import nn

from symlab.artifacts import Store
from symlab.data import Dataset
from symlab.progress import progress_bar
from symlab.training._survey import Survey, survey
from symlab.workers import as_finished, n_cores

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, eq=False)
class Patient:
    """A network to be surveyed.

    Attributes:
        network: as for `survey`.
        targets: name of each target and how it transforms.
        layers: whose characters are measured.
    """

    network: nn.Module
    targets: Mapping[str, str]
    layers: Sequence[str] = ()


def surveys(
    patients: Mapping[Key, Patient],
    dataset: Dataset,
    store: Store,
    *,
    l_max: int = 4,
    degree: int | None = None,
    batch_size: int = 128,
    converge: bool = False,
    n_workers: int | None = None,
    progress: bool = True,
) -> dict[Key, Survey]:
    """Diagnose many networks on the same structures, each read from the store if it was done before; see `survey`.

    Args:
        patients: by any key.
        dataset: structures with labels for each target.
        store: where surveys are kept.
        l_max: highest degree of the characters.
        degree: of the grid.
        batch_size: copies per forward pass.
        converge: check the harness, and measure the first structure on a finer grid as well.
        n_workers: processes; None for one per core. Changes the time, not the result.
        progress: show a bar.

    Returns:
        The survey of each, by its key.
    """
    options = {"l_max": l_max, "degree": degree, "batch_size": batch_size, "converge": converge}
    shared = pickle.dumps((dataset, store.root, options))
    calls = {key: (pickle.dumps(patient), shared) for key, patient in patients.items()}
    found: dict[Key, Survey] = {}
    with progress_bar(progress, total=len(calls), desc="surveys", unit="network") as bar:
        for key, result in as_finished(_one, calls, n_workers or n_cores(), "measures"):
            found[key] = pickle.loads(result)
            bar.update()
    return {key: found[key] for key in patients}


def _one(patient: bytes, shared: bytes) -> bytes:
    """Survey one network; bytes go in and out, because tensors would each hold a file descriptor open."""
    one: Patient = pickle.loads(patient)
    dataset, root, options = pickle.loads(shared)
    found = survey(one.network, dataset, Store(root), one.targets, one.layers, n_workers=1, progress=False, **options)
    return pickle.dumps(found)
