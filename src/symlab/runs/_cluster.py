"""Workers of a sweep: an embedded Dask cluster on this machine, or a scheduler that runs already."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from symlab.runs._errors import RunError
from symlab.runs._execute import TICK
from symlab.workers import require_main_guard

if TYPE_CHECKING:
    from distributed import Client

Key = TypeVar("Key")

LOOPBACK = "127.0.0.1"
SILENT = {"logging": {"distributed": "critical", "distributed.client": "critical"}}  # we tell what matters
CONNECT = 20  # seconds to wait for a scheduler's answer
SETTINGS = {
    "distributed.worker.multiprocessing-method": "spawn",
    "distributed.scheduler.worker-saturation": 1.0,  # a run waits at the scheduler, not behind a run of hours
    "distributed.scheduler.work-stealing": False,
    "distributed.nanny.pre-spawn-environ": {},  # would be set in this process too, and stay
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
IGNORE_INTERRUPT = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"  # Ctrl-C is for the sweep itself


@contextmanager
def connected(scheduler: str | None, n_workers: int) -> Iterator["Client"]:
    """Connect to a scheduler, or start one on the loopback interface with processes of one thread each.

    A worker that dies is replaced, and its run is begun again. Workers die with this process.

    Args:
        scheduler: address (`tcp://...`) of one that runs; None starts one.
        n_workers: processes to start; not used with `scheduler`.

    Raises:
        RunError: dask.distributed is not installed, or no scheduler answers.
        RuntimeError: a worker process is importing the script that started it.
    """
    try:
        import dask

        with dask.config.set(SILENT):  # read when distributed is imported
            from distributed import Client, LocalCluster
    except ImportError as error:
        raise RunError(f"a sweep needs dask.distributed ({error}); install it: pip install 'symlab[sweep]'") from error
    require_main_guard()
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise RunError(
                f"no scheduler answers at {scheduler!r} ({error}); give the address that `dask scheduler` printed, "
                "such as tcp://node:8786, or leave out --scheduler"
            ) from error
        with client:
            yield client
        return
    with (
        dask.config.set(SETTINGS),
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            host=LOOPBACK,
            scheduler_kwargs={"dashboard": False, "dashboard_address": f"{LOOPBACK}:0"},
            worker_dashboard_address=f"{LOOPBACK}:0",
            memory_limit=0,  # the notebooks' kernels hold the memory, and Dask does not see those
            silence_logs=logging.CRITICAL,
            preload=IGNORE_INTERRUPT,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


def as_told(
    client: "Client",
    task: Callable[..., str | None],
    calls: Mapping[Key, tuple[Any, ...]],
    tick: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Key, str | None]]:
    """Make calls on the workers and yield each key with what its call returned, as it does.

    Args:
        client: connected.
        task: can be imported by a worker; returns what went wrong, or None.
        calls: by key, the arguments of each call.
        tick: called about twice a second while nothing ends.

    Raises:
        RunError: the scheduler is lost.
    """
    from concurrent.futures import CancelledError

    from distributed import KilledWorker, as_completed

    keys = {client.submit(task, *arguments, pure=False): key for key, arguments in calls.items()}
    ended = as_completed(list(keys), loop=client.loop)
    while not ended.is_empty():
        if not ended.has_ready():
            tick()
            time.sleep(TICK)
            continue
        future = next(ended)
        try:
            told = future.result()
        except KilledWorker as error:
            told = f"its worker died {error.allowed_failures + 1} times; out of memory?"
        except CancelledError as error:
            raise RunError(
                "the scheduler is lost; finished runs are kept, and the same command goes on from here"
            ) from error
        except Exception as error:  # whatever else goes wrong on a worker is no reason to stop the others
            told = f"{type(error).__name__}: {error}"
        yield keys[future], told
