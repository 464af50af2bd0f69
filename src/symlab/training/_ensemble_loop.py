"""The loop of ensembles: networks of one shape, or laid into one, trained step by step together."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symlab.data import Dataset
from symlab.groups import random_rotations
from symlab.models import PET, PETConfig, build
from symlab.progress import progress_bar
from symlab.training._checkpoints import RESUME, checkpoint_path, load_resume, save_resume, write_weights
from symlab.training._config import TrainingConfig
from symlab.training._muon import StackedMuon
from symlab.training._optimizers import make_optimizers
from symlab.training._stacked import StackedPET
from symlab.training._targets import fit_scales
from symlab.training._uniform import UniformSamples, stacked_steps


def member(folder: Path, k: int) -> Path:
    """Folder of member k, laid out as that of a lone training."""
    return folder / f"member_{k:02d}"


@dataclass(frozen=True, eq=False)
class Ensemble:
    """A job, and the folder where its members are written."""

    folder: Path
    model: PETConfig
    configs: list[TrainingConfig]
    training: Dataset
    validation: Dataset


def fit_ensembles(ensembles: Sequence[Ensemble], progress: bool = True) -> list[list[list[dict[str, Any]]]]:
    """Train all members in one loop, and write the checkpoints of member k of each into its ``member_<k>``.

    A killed call is picked up where it stopped, by the same ensembles; its state lies in the folder of the first.

    Args:
        ensembles: of one ``shape_key``, on the same structures, with settings that differ in ``OWN`` only.
        progress: whether to show a bar.

    Returns:
        For each ensemble and member its history: step, seconds (of all together), learning_rate, train_loss,
        rmse_<target>.

    Raises:
        ValueError: labels and targets do not fit, there is no structure to learn, or no common shape.
    """
    common, folder = ensembles[0].configs[0], ensembles[0].folder
    dtype = torch.float64 if common.precision.startswith("64") else torch.float32
    parts = [_Prepared.of(one, dtype) for one in ensembles]
    configs = [config for one in ensembles for config in one.configs]
    stack = StackedPET([one.model for one in ensembles for _ in one.configs], [c.seed for c in configs]).to(dtype)
    batch = parts[0].learned.batch(min(common.batch_size, len(parts[0].learned)))
    importance = {
        slot: torch.tensor(
            [c.loss_weights.get(list(one.model.targets)[j], 1.0) for one in ensembles for c in one.configs], dtype=dtype
        )
        for j, slot in enumerate(stack.common.targets)
    }
    largest = {stack.weights[name]: sizes for name, sizes in stack.largest.items()}
    optimizers = make_optimizers(stack.weights.values(), list(largest), common, StackedMuon, largest=largest)
    together = [one.folder.name for one in ensembles]
    state = _restore(folder, stack, optimizers, together)
    histories, losses = state["histories"] or [[] for _ in configs], state["losses"]
    start = time.perf_counter() - state["seconds"]

    def record(step: int) -> None:
        if step in kept:
            owners = [(one, place) for one in parts for place in one.places()]
            for k, (one, place) in enumerate(owners):
                write_weights(checkpoint_path(place, step), one.template.state_dict() | stack.state(k))
        if step in records:
            row = {"step": step, "seconds": time.perf_counter() - start, "learning_rate": common.rate(step)}
            mean = torch.stack(losses).double().mean(0).tolist() if losses else [None] * len(configs)
            for history, loss, found in zip(histories, mean, _errors(stack, parts), strict=True):
                history.append(row | {"train_loss": loss} | found)
            losses.clear()

    records, kept = common.validation_steps(), common.checkpoint_steps()
    if state["step"] == 0:
        record(0)
    bar = progress_bar(progress, total=common.n_steps, initial=state["step"], desc=f"{len(configs)} PETs")
    steps = zip(*(stacked_steps(p.learned, p.ensemble.configs, state["step"]) for p in parts), strict=True)
    for done, drawn in enumerate(steps, start=state["step"] + 1):
        labels = _by_slot([labels for _, labels in drawn])
        loss = torch.zeros(len(configs), dtype=dtype)
        for (slot, value), label in zip(
            stack.normalized(batch, torch.cat([e for e, _ in drawn])).items(), labels, strict=True
        ):
            loss = loss + importance[slot] * (value - label).square().flatten(1).mean(1)
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
            reached = {"step": done, "histories": histories, "losses": losses, "seconds": seconds, "together": together}
            save_resume(folder, weights, optimizers, reached)
    bar.close()
    for one in ensembles:  # also what a killed training of fewer of them has left
        (one.folder / RESUME).unlink(missing_ok=True)
    members = iter(histories)
    return [[next(members) for _ in one.configs] for one in ensembles]


@dataclass(frozen=True, eq=False)
class _Prepared:
    """An ensemble ready to be trained: a network with its scales, what is learned, and what is measured."""

    ensemble: Ensemble
    template: PET
    learned: UniformSamples
    measured: UniformSamples
    edges: Tensor
    labels: dict[str, Tensor]

    @classmethod
    def of(cls, one: Ensemble, dtype: torch.dtype) -> "_Prepared":
        if len(one.training) == 0 or len(one.validation) == 0:
            raise ValueError(
                f"training and validation need structures; got {len(one.training)} and {len(one.validation)}"
            )
        template = build(one.model)
        fit_scales(template, one.training)
        learned = UniformSamples.prepare(template, one.training, dtype)
        measured = UniformSamples.prepare(template, one.validation, dtype)
        return cls(one, template.to(dtype), learned, measured, *_turned_for_validation(measured, one.configs))

    def places(self) -> list[Path]:
        """Folders of the members."""
        return [member(self.ensemble.folder, k) for k in range(len(self.ensemble.configs))]


def _by_slot(labels: Sequence[Mapping[str, Tensor]]) -> list[Tensor]:
    """Join the labels of ensembles target by target, in their order, whatever they are called."""
    return [torch.cat(values) for values in zip(*(one.values() for one in labels), strict=True)]


def _turned_for_validation(
    samples: UniformSamples, configs: Sequence[TrainingConfig]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Turn the validation structures for each member as ``rmse`` would, by rotations that depend on its seed."""
    edges, labels = [], []
    for config in configs:
        generator = torch.Generator().manual_seed(config.seed)
        turned = samples.turned(torch.arange(len(samples)), random_rotations(len(samples), generator, improper=True))
        edges.append(turned[0].flatten(0, 1))
        labels.append({name: v.flatten(0, 1) if samples.targets[name][1] else v for name, v in turned[1].items()})
    return torch.stack(edges), {name: torch.stack([one[name] for one in labels]) for name in samples.targets}


@torch.no_grad()
def _errors(stack: StackedPET, parts: Sequence[_Prepared]) -> list[dict[str, float]]:
    """Root mean square error of each member for each target, in the unit of the target, of the whole structure."""
    batch = parts[0].measured.batch(len(parts[0].measured))
    values = list(stack.normalized(batch, torch.cat([part.edges for part in parts])).values())
    found: list[dict[str, float]] = []
    for part in parts:
        n = len(part.edges)
        rows: list[dict[str, float]] = [{} for _ in range(n)]
        for (name, truth), value in zip(part.labels.items(), values, strict=True):
            head, target = part.template.head(name), part.template.config.targets[name]
            error = (value[len(found) : len(found) + n] - truth).double()
            if target.per == "structure":
                error = error * batch.n_atoms.double().reshape(-1, *[1] * (error.ndim - 2))
            for row, one in zip(rows, (error * head.scale.double()).square().flatten(1).mean(1).sqrt(), strict=True):
                row[f"rmse_{name}"] = float(one)
        found += rows
    return found


def _restore(
    folder: Path, stack: StackedPET, optimizers: Sequence[torch.optim.Optimizer], together: Sequence[str]
) -> dict[str, Any]:
    """Read the last save into the stack and the optimizers, or return the state of a new training."""
    state = load_resume(folder, optimizers, together)
    if state is None:
        return {"step": 0, "histories": [], "losses": [], "seconds": 0.0}
    with torch.no_grad():
        for name, value in state.pop("weights").items():
            stack.weights[name].copy_(value)
    return state
