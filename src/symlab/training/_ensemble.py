"""Several small networks trained at once in one process: seeds, settings, targets and embeddings."""

import json
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

from symlab.artifacts import Recipe, Store
from symlab.data import Dataset, fingerprint
from symlab.models import PETConfig
from symlab.training._common_shape import shape_key
from symlab.training._config import TrainingConfig
from symlab.training._ensemble_loop import Ensemble, fit_ensembles, member
from symlab.training._trained import TrainedModel
from symlab.workers import as_finished

OWN = ("seed", "loss_weights", "augmentation", "ramp")
"""Settings in which the members of an ensemble may differ."""

Job = tuple[PETConfig, Sequence[TrainingConfig], Dataset]
"""What to train: a network, one configuration for each member, and a data set with splits "train" and "validation"."""


def train_ensemble(
    model: PETConfig, configs: Sequence[TrainingConfig], dataset: Dataset, store: Store, *, progress: bool = True
) -> list[TrainedModel]:
    """Train several networks of one shape at once, or read them from the store.

    Each member sees the structures and rotations that ``train`` would show it alone, and its gradient is clipped by
    itself: it ends where ``train`` would end, but for round-off.

    Args:
        model: sizes and targets of every network; may be a ``HarmonicPETConfig``.
        configs: one for each network; they may differ in seed, loss_weights, augmentation and ramp.
        dataset: with splits "train" and "validation"; molecules of one kind, see ``UniformSamples``.
        store: where trainings are kept. One that was killed resumes.
        progress: whether to show a bar.

    Returns:
        One finished training for each configuration, in their order.

    Raises:
        ValueError: configurations that cannot run side by side, labels that do not fit, or molecules of several kinds.
        ArtifactError: the store cannot be written, or a file in it is corrupt.

    Cost: for four atoms, width 32 and batches of 32, three networks take 1.2 times as long as one, twelve 3 times.
    """
    job = (model, configs, dataset)
    return _train_together([(_recipe(*job), job)], store, progress)[0]


def train_ensembles(
    jobs: Mapping[str, Job], store: Store, *, n_workers: int = 2, progress: bool = True
) -> dict[str, list[TrainedModel]]:
    """Train several ensembles, side by side in processes of one thread each; otherwise as ``train_ensemble``.

    Jobs on the same structures whose networks can be laid into one shape (``shape_key``) share one process and one
    loop, which is much faster. What is trained together changes results by round-off only.

    Args:
        jobs: by name, the first three arguments of ``train_ensemble``.
        store: where trainings are kept.
        n_workers: processes; changes the time, not the result.
        progress: whether to show bars.

    Returns:
        By name, the members of each ensemble.
    """
    with_recipes = {name: (_recipe(*job), job) for name, job in jobs.items()}
    groups: dict[tuple[object, ...], list[tuple[Recipe, Job]]] = {}
    for recipe, job in with_recipes.values():
        if not store.has(recipe):
            model, configs, dataset = job
            # Not the splits but the structures themselves: data sets that differ in labels share them.
            alike = (shape_key(model), _common(configs[0]), id(dataset.structures), str(dataset.splits))
            groups.setdefault(alike, []).append((recipe, job))
    order = sorted(groups.values(), key=lambda group: -sum(len(configs) for _, (_, configs, _) in group))
    # Pickled here: sent as tensors, every one would hold a file descriptor open.
    calls = {number: (pickle.dumps((group, store.root, progress)),) for number, group in enumerate(order)}
    for _ in as_finished(_train_pickled, calls, n_workers, "trains"):
        pass
    return {name: _train_together([one], store, progress)[0] for name, one in with_recipes.items()}


def _train_pickled(data: bytes) -> None:
    group, root, progress = pickle.loads(data)
    _train_together(group, Store(root), progress)


def _recipe(model: PETConfig, configs: Sequence[TrainingConfig], dataset: Dataset) -> Recipe:
    check_alike(configs)
    return Recipe(
        "ensemble",
        {"model": model.to_dict(), "training": [config.to_dict() for config in configs]},
        code=(__name__,),
        packages=("torch",),
        inputs=tuple(fingerprint(dataset.split(part), model.targets) for part in ("train", "validation")),
    )


def _train_together(jobs: Sequence[tuple[Recipe, Job]], store: Store, progress: bool) -> list[list[TrainedModel]]:
    """Train in one loop what is not in the store yet, each job an artifact of its own; read all."""

    def hold(left: Sequence[tuple[Recipe, Job]], held: list[Ensemble]) -> None:
        """Open the folders of all jobs, one within the other, and then train."""
        if not left:
            if held:
                _write_all(held, progress)
            return
        recipe, (model, configs, dataset) = left[0]
        opened = False

        def make(folder: Path) -> None:
            nonlocal opened
            opened = True
            parts = dataset.split("train"), dataset.split("validation")
            hold(left[1:], [*held, Ensemble(folder, model, list(configs), *parts)])

        store.get_or_make(recipe, make)
        if not opened:
            hold(left[1:], held)

    hold(sorted(jobs, key=lambda one: one[0].key), [])  # locks are taken in the same order in every process
    return [
        [TrainedModel.read(member(store.path(recipe), k)) for k in range(len(configs))]
        for recipe, (_, configs, _) in jobs
    ]


def check_alike(configs: Sequence[TrainingConfig]) -> None:
    """Refuse configurations that cannot share one loop.

    Raises:
        ValueError: none, two that are equal, a difference outside ``OWN``, or anything but one process on the CPU.
    """
    if not configs:
        raise ValueError("configs is empty; give one for each network")
    first = configs[0]
    for config in configs:
        if len([other for other in configs if other == config]) > 1:
            raise ValueError(f"configs must differ from each other; two are {config}")
        mine, theirs = config.to_dict(), first.to_dict()
        wrong = [name for name in mine | theirs if name not in OWN and mine.get(name) != theirs.get(name)]
        if wrong:
            raise ValueError(
                f"configs may differ in {', '.join(OWN)} only; two differ in {', '.join(wrong)}. Train them apart"
            )
    if first.accelerator != "cpu" or first.devices * first.num_nodes > 1 or first.precision[2:] != "-true":
        raise ValueError(
            'an ensemble trains in one process on the CPU with precision "32-true" or "64-true"; got '
            f"{first.accelerator!r}, {first.devices} devices, {first.num_nodes} nodes, {first.precision!r}. Use train"
        )


def _common(config: TrainingConfig) -> str:
    return json.dumps({name: value for name, value in config.to_dict().items() if name not in OWN}, sort_keys=True)


def _write_all(ensembles: Sequence[Ensemble], progress: bool) -> None:
    for one, histories in zip(ensembles, fit_ensembles(ensembles, progress), strict=True):
        for k, (config, history) in enumerate(zip(one.configs, histories, strict=True)):
            TrainedModel.write(member(one.folder, k), one.model, config, history)
