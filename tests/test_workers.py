import multiprocessing
import os
import sys

import pytest

from symlab.workers import as_finished, n_cores, worker_pool


def threads(_: int) -> str | None:
    return os.environ.get("OMP_NUM_THREADS")


def test_workers_get_one_thread_and_the_environment_comes_back(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with worker_pool(1) as pool:
        assert os.environ["MKL_NUM_THREADS"] == "1"
        assert list(pool.map(threads, range(2))) == ["1", "1"]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def origin(module: str) -> tuple[int, bool]:
    return os.getppid(), module in sys.modules


@pytest.mark.skipif("forkserver" not in multiprocessing.get_all_start_methods(), reason="workers are spawned here")
def test_all_pools_fork_from_one_server_which_has_imported_symlab_already():
    calls = {number: ("symlab.workers",) for number in range(2)}
    found = [pair for _ in range(2) for pair in dict(as_finished(origin, calls, 2, "looks")).values()]
    assert len({parent for parent, _ in found} - {os.getpid()}) == 1
    assert all(there for _, there in found)


def test_a_pool_needs_a_worker():
    with pytest.raises(ValueError, match="n_workers must be at least 1; got 0"), worker_pool(0):
        pass


def test_cores_are_counted():
    assert 1 <= n_cores() <= (os.cpu_count() or 1)


def end(status: int) -> None:
    os._exit(status)


@pytest.mark.parametrize("n_workers", [1, 2])
def test_each_call_comes_back_under_its_key(n_workers):
    assert dict(as_finished(pow, {"a": (2, 3), "b": (3, 2)}, n_workers, "multiplies")) == {"a": 8, "b": 9}


def test_one_call_needs_no_other_process():
    assert dict(as_finished(os.getpid, {"only": ()}, 3, "looks")) == {"only": os.getpid()}
    assert dict(as_finished(os.getpid, {}, 3, "looks")) == {}


def test_a_dead_worker_is_named_by_its_work():
    with pytest.raises(RuntimeError, match=r"a process that measures died: .* Run again: finished chunks are kept"):
        list(as_finished(end, {0: (1,), 1: (1,)}, 2, "measures"))


def test_calls_need_a_worker():
    with pytest.raises(ValueError, match="n_workers must be at least 1; got 0"):
        list(as_finished(pow, {0: (2, 3)}, 0, "multiplies"))
