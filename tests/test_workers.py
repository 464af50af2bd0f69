import os

import pytest

from symlab.workers import n_cores, worker_pool


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


def test_a_pool_needs_a_worker():
    with pytest.raises(ValueError, match="n_workers must be at least 1; got 0"), worker_pool(0):
        pass


def test_cores_are_counted():
    assert 1 <= n_cores() <= (os.cpu_count() or 1)
