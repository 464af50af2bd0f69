"""Worker processes of one thread each, which keep their memory and end with their parent."""

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from typing import TypeVar

Key = TypeVar("Key")
Result = TypeVar("Result")

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

    Small matrices are slower on several threads, and forking a process that runs threads can hang. So workers are
    forked from a server, started with the first pool, that runs none and has imported what of symlab was imported by
    then; where there is no fork they are spawned, and import it anew, some seconds for each pool. What is changed
    after the first pool, in environment variables or in the source of symlab, a worker does not see. It dies when its
    parent is killed, and so leaves an unfinished artifact alone.

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
        pool = ProcessPoolExecutor(n_workers, _context(), _die_with_parent)
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def as_finished(
    function: Callable[..., Result], calls: Mapping[Key, tuple[object, ...]], n_workers: int, work: str
) -> Iterator[tuple[Key, Result]]:
    """Make calls side by side and yield ``(key, result)`` of each as it finishes; one worker is this process itself.

    Args:
        function: can be imported by a worker.
        calls: by key, the arguments of each call.
        n_workers: processes, at least 1; no more are started than there are calls.
        work: what a process does, for the error: "labels crystals".

    Raises:
        ValueError: fewer than one process.
        RuntimeError: a worker died.
    """
    n_workers = min(n_workers, max(1, len(calls)))
    if n_workers == 1:
        for key, arguments in calls.items():
            yield key, function(*arguments)
        return
    with worker_pool(n_workers) as pool:
        keys = {pool.submit(function, *arguments): key for key, arguments in calls.items()}
        try:
            for future in as_completed(keys):
                yield keys[future], future.result()
        except BrokenProcessPool as error:
            raise RuntimeError(
                f"a process that {work} died: out of memory, or a script without the guard "
                '`if __name__ == "__main__":` (see above). Run again: finished chunks are kept'
            ) from error


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


def _context() -> BaseContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([name for name in sys.modules if name.partition(".")[0] == "symlab"])
    return context


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
