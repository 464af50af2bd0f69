"""Train through the store: a finished training is read, a killed one resumed, several seeds run side by side."""

import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from symlab.artifacts import Recipe, Store
from symlab.data import Dataset, fingerprint
from symlab.models import PETConfig
from symlab.training._config import TrainingConfig
from symlab.training._loop import fit
from symlab.training._pet_task import PETTask
from symlab.training._trained import TrainedModel
from symlab.workers import as_finished


def train(
    model: PETConfig, config: TrainingConfig, dataset: Dataset, store: Store, *, progress: bool = True
) -> TrainedModel:
    """Train a PET, or read the training from the store if it was done before.

    Args:
        model: sizes and targets; each target needs the label of the same name.
        config: settings.
        dataset: with splits "train" and "validation".
        store: where trainings are kept. One that was killed resumes.
        progress: whether to show a bar.

    Returns:
        The finished training.

    Raises:
        ValueError: labels and targets do not fit.
        ArtifactError: the store cannot be written, or a file in it is corrupt.
    """
    training, validation = dataset.split("train"), dataset.split("validation")
    recipe = Recipe(
        "pet",
        {"model": model.to_dict(), "training": config.to_dict()},
        code=("symlab.training._loop", "symlab.training._pet_task"),
        packages=("torch",),
        inputs=tuple(fingerprint(part, model.targets) for part in (training, validation)),
    )

    def make(folder: Path) -> None:
        task = PETTask(model, config, training, validation)
        TrainedModel.write(folder, model, config, fit(folder, task, config, progress))

    return TrainedModel.read(store.get_or_make(recipe, make))


def train_seeds(
    model: PETConfig,
    config: TrainingConfig,
    dataset: Dataset,
    store: Store,
    seeds: Sequence[int],
    *,
    n_workers: int = 2,
    progress: bool = True,
) -> list[TrainedModel]:
    """Train one network per seed, side by side in processes of one thread each; otherwise as ``train``.

    Raises:
        ValueError: no seed, a seed twice, or fewer than one worker.
    """
    if not seeds or len(set(seeds)) != len(seeds):
        raise ValueError(f"seeds must be distinct, at least one; got {list(seeds)}")
    configs = [replace(config, seed=seed) for seed in seeds]
    # Pickled here: sent as tensors, every one would hold a file descriptor open.
    job = pickle.dumps((model, dataset, store.root, progress))
    calls = {one.seed: (job, one) for one in configs}
    folders = dict(as_finished(_train_pickled, calls, n_workers, "trains"))
    return [TrainedModel.read(folders[seed]) for seed in seeds]


def _train_pickled(job: bytes, config: TrainingConfig) -> Path:
    model, dataset, root, progress = pickle.loads(job)
    return train(model, config, dataset, Store(root), progress=progress).folder
