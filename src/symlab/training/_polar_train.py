"""Pre-train and fine-tune PoLAr-MAE through the store; finished trainings are read, killed ones resumed."""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch

from symlab.artifacts import Recipe, Store
from symlab.models import PolarMAE, PolarMAEConfig, weights_digest
from symlab.training._config import TrainingConfig
from symlab.training._events import Events, events_fingerprint, group_events
from symlab.training._loop import fit
from symlab.training._polar_tasks import HEAD, Reconstruct, Segment
from symlab.training._segmentation_config import SegmentationConfig
from symlab.training._trained import Trained
from symlab.workers import as_finished

Key = TypeVar("Key")


class TrainedPolarMAE(Trained[PolarMAEConfig, PolarMAE]):
    """A finished training of PoLAr-MAE.

    The history of a pre-training holds chamfer, energy, and what trivial answers give; that of a segmentation
    f1_<class> and f1_macro.
    """

    @classmethod
    def read_model(cls, values: Mapping[str, Any]) -> PolarMAEConfig:
        """Make the configuration from what its ``to_dict`` gave."""
        return PolarMAEConfig.from_dict(values)

    @classmethod
    def read_training(cls, values: Mapping[str, Any]) -> TrainingConfig:
        """Make the settings, of a pre-training or a segmentation, from what their ``to_dict`` gave."""
        return (SegmentationConfig if "gamma" in values else TrainingConfig).from_dict(values)

    def build(self) -> PolarMAE:
        """Make the network, with any weights."""
        return PolarMAE(self.model_config)


def pretrain(
    model: PolarMAEConfig, config: TrainingConfig, events: Events, store: Store, *, progress: bool = True
) -> TrainedPolarMAE:
    """Pre-train by reconstructing hidden groups, or read the training from the store; classes are not used.

    Args:
        model: sizes, and the share of groups that are hidden.
        config: settings; ``loss_weights`` may name "chamfer" and "energy".
        events: with splits "train" and "validation".
        store: where trainings are kept. One that was killed resumes.
        progress: whether to show a bar.

    Raises:
        ValueError: an event that cannot be grouped, or nothing to learn.
        ArtifactError: the store cannot be written, or a file in it is corrupt.
    """
    training, validation = events.split("train"), events.split("validation")

    def task() -> Reconstruct:
        grouped = (group_events(part, model, store, progress=progress) for part in (training, validation))
        network = PolarMAE(model, torch.Generator().manual_seed(config.seed))
        return Reconstruct(network, config, *grouped)

    return _trained("polar-masked", model, config, (training, validation), (), task, store, progress)


def segment(
    model: PolarMAEConfig,
    config: SegmentationConfig,
    events: Events,
    store: Store,
    *,
    start: TrainedPolarMAE | TrainingConfig | None = None,
    progress: bool = True,
) -> TrainedPolarMAE:
    """Learn the classes of points, from scratch or from a pre-trained network; or read the training from the store.

    Args:
        model: sizes.
        config: settings.
        events: with splits "train" and "validation".
        store: where trainings are kept. One that was killed resumes.
        start: pre-training whose last weights are the first ones here, or its settings, and it is made first, or read;
            None draws new weights from the seed. The head is drawn from the seed in any case.
        progress: whether to show a bar.

    Raises:
        ValueError: an event that cannot be grouped, nothing to learn, a start of other sizes, or the settings of a
            segmentation as start.
        ArtifactError: the store cannot be written, or a file in it is corrupt.
    """
    if isinstance(start, SegmentationConfig):
        raise ValueError("start must be the settings of a pre-training, a TrainingConfig; got a SegmentationConfig")
    if isinstance(start, TrainingConfig):
        start = pretrain(model, start, events, store, progress=progress)
    if start is not None and start.model_config != model:
        raise ValueError(f"start must have the sizes of model, {model}; got {start.model_config}")
    training, validation = events.split("train"), events.split("validation")

    def task() -> Segment:
        learned, measured = (group_events(part, model, store, progress=progress) for part in (training, validation))
        network = PolarMAE(model, torch.Generator().manual_seed(config.seed))
        if start is not None:
            known = start.model.state_dict()
            head = {name: value for name, value in network.state_dict().items() if name.startswith(HEAD)}
            network.load_state_dict(known | head)
        return Segment(network, config, learned, training.semantic, measured, validation.semantic)

    inputs = () if start is None else (weights_digest(start.model),)
    return _trained("polar-segment", model, config, (training, validation), inputs, task, store, progress)


def segment_all(
    jobs: Mapping[Key, tuple[PolarMAEConfig, SegmentationConfig, Events, TrainedPolarMAE | TrainingConfig | None]],
    store: Store,
    *,
    n_workers: int = 2,
    progress: bool = True,
) -> dict[Key, TrainedPolarMAE]:
    """Train several segmentations, side by side in processes of one thread each; otherwise as `segment`.

    A pre-training that is given by its settings is made once, and beside it those that do not wait for it.

    Args:
        jobs: by any key: sizes, settings, events, and where to start or None.
        store: where trainings are kept.
        n_workers: processes; changes the time, not the result.
        progress: whether to show bars.

    Returns:
        The trainings, by key, in the order of the jobs.
    """
    for model, _, events, _ in jobs.values():  # once, before workers would do the same side by side
        for part in ("train", "validation"):
            group_events(events.split(part), model, store, n_workers=n_workers, progress=progress)
    # Pickled here: sent as tensors, every one would hold a file descriptor open.
    calls = {key: (pickle.dumps((jobs[key], store.root, progress)),) for key in _waiting_last(jobs)}
    found = dict(as_finished(_segment_pickled, calls, n_workers, "trains"))
    return {key: TrainedPolarMAE.read(found[key]) for key in jobs}


def _waiting_last(jobs: Mapping[Key, tuple[Any, Any, Any, object]]) -> list[Key]:
    """Order the jobs: those that make a pre-training, those that need none, those that wait for one."""
    rank, makers = {}, set()
    for key, (*_, start) in jobs.items():
        if isinstance(start, TrainingConfig):
            rank[key] = 2 if repr(start) in makers else 0
            makers.add(repr(start))
        else:
            rank[key] = 1
    return sorted(jobs, key=rank.__getitem__)


def _segment_pickled(job: bytes) -> Path:
    (model, config, events, start), root, progress = pickle.loads(job)
    return segment(model, config, events, Store(root), start=start, progress=progress).folder


def _trained(
    kind: str,
    model: PolarMAEConfig,
    config: TrainingConfig,
    parts: tuple[Events, Events],
    inputs: tuple[str, ...],
    task: Callable[[], Reconstruct | Segment],
    store: Store,
    progress: bool,
) -> TrainedPolarMAE:
    recipe = Recipe(
        kind,
        {"model": model.to_dict(), "training": config.to_dict()},
        code=(__name__,),
        packages=("torch", "scipy"),
        inputs=(*(events_fingerprint(part) for part in parts), *inputs),
    )

    def make(folder: Path) -> None:
        TrainedPolarMAE.write(folder, model, config, fit(folder, task(), config, progress))

    return TrainedPolarMAE.read(store.get_or_make(recipe, make))
