"""What a training step costs: networks timed side by side, in turns, so that the machine's moods hit all alike."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.data import Dataset
from symlab.models import PETConfig
from symlab.training._config import TrainingConfig
from symlab.training._ensemble_loop import Ensemble, fit_ensembles

Key = TypeVar("Key", bound=Hashable)


def step_seconds(
    networks: Mapping[Key, PETConfig],
    configs: Sequence[TrainingConfig],
    dataset: Dataset,
    *,
    n_steps: int = 20,
    n_rounds: int = 5,
) -> dict[Key, Float[Tensor, " rounds"]]:
    """Time a training step of several ensembles, one after the other in each round, on this process.

    Args:
        networks: by any key.
        configs: one for each member of an ensemble, as for `train_ensemble`; their numbers of steps are replaced.
        dataset: with splits "train" and "validation"; a few dozen structures are enough.
        n_steps: in each round.
        n_rounds: rounds; the first also warms up, so it is made once more and dropped.

    Returns:
        Seconds of one step of all members together, in each round. Only ratios within a round travel between machines.

    Cost: ``(n_rounds + 1) n_steps`` steps for each network; no artifact is made.
    """
    short = [replace(one, n_steps=n_steps, n_checkpoints=1, n_validations=1) for one in configs]
    training, validation = dataset.split("train"), dataset.split("validation")
    rounds = []
    for _ in range(n_rounds + 1):
        taken = []
        for network in networks.values():
            with TemporaryDirectory() as folder:
                one = Ensemble(Path(folder), network, short, training, validation)
                rows = fit_ensembles([one], progress=False)[0][0]
            taken.append((rows[-1]["seconds"] - rows[0]["seconds"]) / (rows[-1]["step"] - rows[0]["step"]))
        rounds.append(taken)
    table = torch.tensor(rounds[1:], dtype=torch.float64)
    return dict(zip(networks, table.T, strict=True))
