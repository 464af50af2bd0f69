"""Run a plan on several processes: chunk by chunk, with a progress bar, resumable after a kill."""

from collections.abc import Callable
from pathlib import Path

from symlab.data._chunk_files import Work
from symlab.data._records import join_points, label_chunk
from symlab.progress import progress_bar
from symlab.workers import as_finished, n_cores


def generate(
    plan: Work,
    folder: Path,
    n_workers: int | None = None,
    *,
    unit: str = "structure",
    label: Callable[..., int] | None = None,
    join: Callable[..., None] | None = None,
) -> None:
    """Label all points of `plan` into `folder`; chunks that are there already are kept.

    The result does not depend on `n_workers`, nor on where a run was cut and resumed: every point has its own random
    stream, and no SCF starts from another one. One worker is this process itself, and if that has several threads
    (``OMP_NUM_THREADS``), they may change the last digits.

    Args:
        plan: what to make.
        folder: where the chunks, and at the end ``dataset.safetensors`` and ``dataset.json``, are written.
        n_workers: processes, one thread each; default: the number of cores this process may use.
        unit: what the progress bar counts.
        label: labels and writes a chunk, called with ``(plan, indices, path)`` in any process; returns how many points
            failed. Default: `symlab.data._records.label_chunk`.
        join: called at the end with ``(plan, paths, folder)``. Default: `symlab.data._records.join_points`.

    Raises:
        ScfError, EventError: no point is left; which of the two, `join` says.
        RuntimeError: a worker process died.
    """
    label = label or label_chunk
    finish: Callable[..., None] = join or join_points
    paths = {folder / f"chunk_{number:05d}.safetensors": indices for number, indices in enumerate(plan.chunks())}
    missing = {path: indices for path, indices in paths.items() if not path.exists()}
    done = plan.n - sum(map(len, missing.values()))
    with progress_bar(total=plan.n, initial=done, desc=plan.sampler, unit=unit, delay=2) as bar:
        n_failed = 0
        calls = {path: (plan, indices, path) for path, indices in missing.items()}
        for path, failed in as_finished(label, calls, n_workers or n_cores(), f"labels {plan.sampler}"):
            n_failed += failed
            bar.set_postfix(failed=n_failed, refresh=False)
            bar.update(len(missing[path]))
    finish(plan, list(paths), folder)
