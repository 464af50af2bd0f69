"""Worker processes of one thread each, which keep their memory and end with their parent."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait

WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # glibc would hand every large tensor back to the system and fetch it again, page by page: a quarter of the time.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 33),
}


@contextmanager
def worker_pool(n_workers: int) -> Iterator[ProcessPoolExecutor]:
    """Open a pool of fresh processes with one thread each; what has not begun is cancelled when the block ends.

    Small matrices are slower on several threads, and forking a process that runs threads can hang, so workers are
    spawned. A worker dies when its parent is killed, and so leaves an unfinished artifact alone.

    Args:
        n_workers: processes, at least 1.

    Raises:
        ValueError: fewer than one process.
        RuntimeError: a worker process is importing the script that started it.
    """
    if n_workers < 1:
        raise ValueError(f"n_workers must be at least 1; got {n_workers}")
    require_main_guard()
    with _environment(WORKER_ENVIRONMENT):
        pool = ProcessPoolExecutor(n_workers, multiprocessing.get_context("spawn"), _die_with_parent)
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def n_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def require_main_guard() -> None:
    """Refuse to start work while a worker process imports the script that started it.

    Raises:
        RuntimeError: the script is not guarded; without this check its workers would wait for their own parent's lock.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise RuntimeError(
            "this script starts worker processes when it is imported, and its worker processes import it; put the "
            'work under `if __name__ == "__main__":`, or give n_workers=1'
        )


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
