"""Measure a data set in chunks, side by side, kept in the store; a killed measurement keeps its finished chunks."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, Self, TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from symlab.artifacts import Recipe, Store
from symlab.progress import progress_bar
from symlab.workers import as_finished, n_cores


class Divisible(Protocol):
    """A data set that can be cut: a `Dataset`, an `EventSet`, or your own."""

    def __len__(self) -> int: ...
    def subset(self, rows: Sequence[int], /) -> Self: ...


Data = TypeVar("Data", bound=Divisible)
DataIn = TypeVar("DataIn", bound=Divisible, contravariant=True)
Result = TypeVar("Result")
ResultOut = TypeVar("ResultOut", covariant=True)


class ChunkJob(Protocol[DataIn, ResultOut]):
    """What to measure; it can be sent to another process."""

    def run(self, part: DataIn, /) -> dict[str, Tensor]:
        """Measure one chunk; the first axis of each tensor counts its items (or one entry for the chunk)."""

    def read(self, arrays: dict[str, Tensor], /) -> ResultOut:
        """Make the result from the tensors of all chunks, joined along their first axis."""


def in_chunks(
    job: ChunkJob[Data, Result],
    recipe: Recipe,
    data: Data,
    store: Store,
    *,
    size: int,
    n_workers: int | None,
    progress: bool = True,
) -> Result:
    """Measure a data set chunk by chunk, or read the measurement from the store.

    Args:
        job: measures a chunk, and reads the whole.
        recipe: all that determines the measurement; its kind names the file and the bar.
        data: items in order, at least one.
        store: where the measurement is kept; a killed one resumes.
        size: items in a chunk.
        n_workers: processes; None for one per core. Changes the time, not the result.
        progress: show a bar.

    Returns:
        What the job reads.

    Raises:
        RuntimeError: a worker died.
    """
    name = f"{recipe.kind}.safetensors"

    def make(folder: Path) -> None:
        paths = {
            folder / f"chunk_{low:05d}.safetensors": range(len(data))[low : low + size]
            for low in range(0, len(data), size)
        }
        left = {path: (job.run, data.subset(rows), path) for path, rows in paths.items() if not path.exists()}
        done = len(paths) - len(left)
        with progress_bar(progress, total=len(paths), initial=done, desc=recipe.kind, unit="chunk") as bar:
            for _ in as_finished(_write, left, n_workers or n_cores(), "measures"):
                bar.update()
        parts = [load_file(path) for path in paths]
        save_file({key: torch.cat([part[key] for part in parts]) for key in parts[0]}, folder / name)
        for path in paths:
            path.unlink()

    return job.read(load_file(store.get_or_make(recipe, make) / name))


def _write(run: Callable[[Data], dict[str, Tensor]], part: Data, path: Path) -> None:
    """Measure one chunk and write it at once: a file that is there is whole."""
    scratch = path.with_suffix(".tmp")
    save_file({key: value.contiguous() for key, value in run(part).items()}, scratch)
    scratch.rename(path)
