"""A training that is killed in the middle, for tests of what it resumes from."""

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

WORKER = """
import pickle, sys, torch
from symlab import training
from symlab.artifacts import Store
torch.set_num_threads(1)
if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        job = pickle.load(file)
    getattr(training, sys.argv[3])(*job, Store(sys.argv[2]), progress=False)
"""


def train_and_kill(function: str, job: tuple[Any, ...], folder: Path) -> tuple[Path, int]:
    """Call ``symlab.training.<function>(*job, store)`` in a process that gets SIGKILL after its first save.

    Returns:
        Root of its store, and the step of the last save.
    """
    pickled, script, root = folder / "job.pkl", folder / "worker.py", folder / "killed"
    pickled.write_bytes(pickle.dumps(job))
    script.write_text(WORKER)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, script, pickled, root, function], env=environment)
    deadline = time.monotonic() + 120
    while not (saves := list(root.glob("*/*.part/resume.pt"))):
        assert process.poll() is None, "the training ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    return root, torch.load(saves[0], weights_only=True)["step"]
