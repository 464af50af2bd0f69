"""Work through a data set in chunks, side by side; a killed work keeps its finished chunks."""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from symlab.data import Dataset
from symlab.progress import progress_bar
from symlab.workers import as_finished, n_cores


def in_chunks(
    work: Callable[[Dataset, Path], None],
    dataset: Dataset,
    folder: Path,
    name: str,
    *,
    size: int,
    n_workers: int | None,
    doing: str,
    progress: bool = True,
) -> None:
    """Call ``work(chunk, path)`` for each chunk and join what it writes into ``folder/<name>.safetensors``.

    Args:
        work: can be sent to another process; writes its tensors by `write_chunk`, the first axis of each counting
            structures (or one entry for the chunk).
        dataset: structures in order.
        folder: where chunks wait; those that are there already are kept.
        name: of the joined file.
        size: structures in a chunk.
        n_workers: processes; None for one per core.
        doing: what a process does, for the error: "measures".
        progress: show a bar.

    Raises:
        RuntimeError: a worker died.
    """
    paths = {
        folder / f"chunk_{low:05d}.safetensors": range(low, min(low + size, len(dataset)))
        for low in range(0, len(dataset), size)
    }
    left = {path: dataset.subset(rows) for path, rows in paths.items() if not path.exists()}
    workers = min(n_workers or n_cores(), max(1, len(left)))
    with progress_bar(progress, total=len(paths), initial=len(paths) - len(left), desc=name, unit="chunk") as bar:
        for _ in as_finished(work, {path: (part, path) for path, part in left.items()}, workers, doing):
            bar.update()
    parts = [load_file(path) for path in paths]
    save_file({key: torch.cat([part[key] for part in parts]) for key in parts[0]}, folder / f"{name}.safetensors")
    for path in paths:
        path.unlink()


def write_chunk(arrays: dict[str, Tensor], path: Path) -> None:
    """Write the tensors of one chunk at once: a file that is there is whole."""
    scratch = path.with_suffix(".tmp")
    save_file({key: value.contiguous() for key, value in arrays.items()}, scratch)
    scratch.rename(path)
