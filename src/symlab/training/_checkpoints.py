"""Files of a training: weights along the way, and the save that a killed one resumes from; each whole or not at all."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

RESUME = "resume.pt"


def checkpoint_path(folder: Path, step: int) -> Path:
    """File of the weights after `step` optimizer steps."""
    return folder / "checkpoints" / f"step_{step:07d}.safetensors"


def write_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write weights, scales and baselines of one network."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".tmp")
    save_file({name: value.detach().cpu().contiguous() for name, value in state.items()}, scratch)
    os.replace(scratch, path)


def save_resume(
    folder: Path, weights: Mapping[str, Tensor], optimizers: Sequence[torch.optim.Optimizer], state: dict[str, Any]
) -> None:
    """Write all that a killed training resumes from; replaces the last save in one move."""
    scratch = folder / f"{RESUME}.tmp"
    torch.save(state | {"weights": weights, "optimizers": [one.state_dict() for one in optimizers]}, scratch)
    os.replace(scratch, folder / RESUME)


def load_resume(
    folder: Path, optimizers: Sequence[torch.optim.Optimizer], together: Sequence[str] | None = None
) -> dict[str, Any] | None:
    """Read the last save: the optimizers take their part, the rest is returned.

    None if there is no save, or if it is of a training of other networks together: its state has another "together".
    """
    (folder / f"{RESUME}.tmp").unlink(missing_ok=True)
    if not (folder / RESUME).exists():
        return None
    state: dict[str, Any] = torch.load(folder / RESUME, weights_only=True)
    if state.pop("together", None) != together:
        return None
    for optimizer, saved in zip(optimizers, state.pop("optimizers"), strict=True):
        optimizer.load_state_dict(saved)
    return state
