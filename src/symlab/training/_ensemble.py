"""Several small networks trained at once in one process: seeds, or settings, of one shape."""

import pickle
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symlab.artifacts import Recipe, Store
from symlab.data import Dataset, fingerprint
from symlab.groups import random_rotations
from symlab.models import PETBatch, PETConfig
from symlab.progress import progress_bar
from symlab.training._checkpoints import RESUME, checkpoint_path, load_resume, save_resume, write_weights
from symlab.training._config import TrainingConfig
from symlab.training._muon import StackedMuon
from symlab.training._optimizers import make_optimizers
from symlab.training._stacked import StackedPET
from symlab.training._targets import fit_scales
from symlab.training._trained import TrainedModel
from symlab.training._uniform import UniformSamples, stacked_steps
from symlab.workers import as_finished

OWN = ("seed", "loss_weights", "augmentation", "ramp")
"""Settings in which the members of an ensemble may differ."""


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

    Cost: for four atoms, width 32 and batches of 16, three networks take 1.8 times as long as one, and six 2.1 times.
    """
    check_alike(configs)
    training, validation = dataset.split("train"), dataset.split("validation")
    recipe = Recipe(
        "ensemble",
        {"model": model.to_dict(), "training": [config.to_dict() for config in configs]},
        code=(__name__,),
        packages=("torch",),
        inputs=tuple(fingerprint(part, model.targets) for part in (training, validation)),
    )

    def make(folder: Path) -> None:
        histories = fit_ensemble(folder, model, list(configs), training, validation, progress)
        for k, (config, history) in enumerate(zip(configs, histories, strict=True)):
            TrainedModel.write(member(folder, k), model, config, history)

    folder = store.get_or_make(recipe, make)
    return [TrainedModel.read(member(folder, k)) for k in range(len(configs))]


def train_ensembles(
    jobs: Mapping[str, tuple[PETConfig, Sequence[TrainingConfig], Dataset]],
    store: Store,
    *,
    n_workers: int = 2,
    progress: bool = True,
) -> dict[str, list[TrainedModel]]:
    """Train several ensembles, side by side in processes of one thread each; otherwise as ``train_ensemble``.

    Args:
        jobs: by name, the first three arguments of ``train_ensemble``.
        store: where trainings are kept.
        n_workers: processes; changes the time, not the result.
        progress: whether to show bars.

    Returns:
        By name, the members of each ensemble.
    """
    # Pickled here: sent as tensors, every one would hold a file descriptor open.
    calls = {name: (pickle.dumps((*job, store.root, progress)),) for name, job in jobs.items()}
    found = dict(as_finished(_train_pickled, calls, min(n_workers, max(1, len(calls))), "trains"))
    return {name: [TrainedModel.read(folder) for folder in found[name]] for name in jobs}


def _train_pickled(job: bytes) -> list[Path]:
    model, configs, dataset, root, progress = pickle.loads(job)
    return [one.folder for one in train_ensemble(model, configs, dataset, Store(root), progress=progress)]


def member(folder: Path, k: int) -> Path:
    """Folder of member k, laid out as that of a lone training."""
    return folder / f"member_{k:02d}"


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


def fit_ensemble(
    folder: Path,
    model_config: PETConfig,
    configs: list[TrainingConfig],
    training: Dataset,
    validation: Dataset,
    progress: bool = True,
) -> list[list[dict[str, Any]]]:
    """Train, and write the checkpoints of member k into ``member_<k>``; pick up where a killed call stopped.

    Returns:
        For each member its history: step, seconds (of all together), learning_rate, train_loss, rmse_<target>.

    Raises:
        ValueError: labels and targets do not fit, or there is no structure to learn.
    """
    if len(training) == 0 or len(validation) == 0:
        raise ValueError(f"training and validation need structures; got {len(training)} and {len(validation)}")
    common = configs[0]
    dtype = torch.float64 if common.precision.startswith("64") else torch.float32
    stack = StackedPET(model_config, [config.seed for config in configs])
    fit_scales(stack.template, training)
    learned = UniformSamples.prepare(stack.template, training, dtype)
    measured = _turned_for_validation(UniformSamples.prepare(stack.template, validation, dtype), configs)
    stack.to(dtype)
    batch = learned.batch(min(common.batch_size, len(learned)))
    importance = {
        name: torch.tensor([config.loss_weights.get(name, 1.0) for config in configs], dtype=dtype)
        for name in model_config.targets
    }
    hidden = [weight for name, weight in stack.weights.items() if name in stack.hidden]
    optimizers = make_optimizers(stack.weights.values(), hidden, common, StackedMuon)
    state = _restore(folder, stack, optimizers)
    histories, losses = state["histories"] or [[] for _ in configs], state["losses"]
    start = time.perf_counter() - state["seconds"]

    def record(step: int) -> None:
        if step in kept:
            for k in range(len(configs)):
                write_weights(checkpoint_path(member(folder, k), step), stack.state(k))
        if step in records:
            row = {"step": step, "seconds": time.perf_counter() - start, "learning_rate": common.rate(step)}
            errors = _errors(stack, *measured)
            mean = torch.stack(losses).double().mean(0).tolist() if losses else [None] * len(configs)
            for k, history in enumerate(histories):
                found = {f"rmse_{name}": float(values[k]) for name, values in errors.items()}
                history.append(row | {"train_loss": mean[k]} | found)
            losses.clear()

    records, kept = common.validation_steps(), common.checkpoint_steps()
    if state["step"] == 0:
        record(0)
    bar = progress_bar(progress, total=common.n_steps, initial=state["step"], desc=f"{len(configs)} PETs")
    for done, (edges, labels) in enumerate(stacked_steps(learned, configs, state["step"]), start=state["step"] + 1):
        loss = torch.zeros(len(configs), dtype=dtype)
        for name, value in stack.normalized(batch, edges).items():
            loss = loss + importance[name] * (value - labels[name]).square().flatten(1).mean(1)
        loss.sum().backward()  # type: ignore[no-untyped-call]
        stack.clip(common.clip)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = common.rate(done - 1)
            optimizer.step()
            optimizer.zero_grad()
        losses.append(loss.detach())
        bar.update()
        record(done)
        if done % common.resume_interval == 0 and done < common.n_steps:
            seconds = time.perf_counter() - start
            weights = {name: weight.detach() for name, weight in stack.weights.items()}
            reached = {"step": done, "histories": histories, "losses": losses, "seconds": seconds}
            save_resume(folder, weights, optimizers, reached)
    bar.close()
    (folder / RESUME).unlink(missing_ok=True)
    return histories


def _turned_for_validation(
    samples: UniformSamples, configs: Sequence[TrainingConfig]
) -> tuple[PETBatch, Tensor, dict[str, Tensor]]:
    """Turn the validation structures for each member as ``rmse`` would, by rotations that depend on its seed."""
    edges, labels = [], []
    for config in configs:
        generator = torch.Generator().manual_seed(config.seed)
        turned = samples.turned(torch.arange(len(samples)), random_rotations(len(samples), generator, improper=True))
        edges.append(turned[0].flatten(0, 1))
        labels.append({name: v.flatten(0, 1) if samples.targets[name][1] else v for name, v in turned[1].items()})
    joined = {name: torch.stack([one[name] for one in labels]) for name in samples.targets}
    return samples.batch(len(samples)), torch.stack(edges), joined


@torch.no_grad()
def _errors(stack: StackedPET, batch: PETBatch, edges: Tensor, labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Root mean square error of each target and member, in the unit of the target, of the whole structure."""
    found = {}
    for name, value in stack.normalized(batch, edges).items():
        head, target = stack.template.head(name), stack.template.config.targets[name]
        error = (value - labels[name]).double()
        if target.per == "structure":
            error = error * batch.n_atoms.double().reshape(-1, *[1] * (error.ndim - 2))
        found[name] = (error * head.scale.double()).square().flatten(1).mean(1).sqrt()
    return found


def _restore(folder: Path, stack: StackedPET, optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, Any]:
    """Read the last save into the stack and the optimizers, or return the state of a new training."""
    state = load_resume(folder, optimizers)
    if state is None:
        return {"step": 0, "histories": [], "losses": [], "seconds": 0.0}
    with torch.no_grad():
        for name, value in state.pop("weights").items():
            stack.weights[name].copy_(value)
    return state
