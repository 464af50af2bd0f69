"""The training loop: from a task to a folder of checkpoints, resumable at any step."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast

import torch
from torch import Tensor, nn

from symlab.progress import progress_bar
from symlab.training._batches import draw_matrices, epoch_rows
from symlab.training._checkpoints import RESUME, checkpoint_path, load_resume, save_resume, write_weights
from symlab.training._config import TrainingConfig
from symlab.training._optimizers import make_optimizers


class Task(Protocol):
    """What is learned: a network, its samples, a loss, and how well it does on other samples.

    Attributes:
        methods: of the network, besides ``forward``, that the loss calls.
    """

    methods: ClassVar[tuple[str, ...]]

    @property
    def name(self) -> str:
        """Of the network, for the bar."""

    @property
    def network(self) -> nn.Module:
        """The network, which has its initial weights when the training begins."""

    @property
    def hidden(self) -> Sequence[nn.Parameter]:
        """Weights that Muon may take."""

    @property
    def widths(self) -> Sequence[int]:
        """For each sample a number by which samples of like size find together."""

    def loss(
        self, network: Any, rows: Sequence[int], matrices: Tensor | None, generator: torch.Generator, device: Any
    ) -> Tensor:
        """Loss of some samples, each turned by its matrix; the generator is for what else is random."""

    def validate(self) -> Mapping[str, float]:
        """Measure the network, as it is now, on samples that it does not learn."""


def fit(folder: Path, task: Task, config: TrainingConfig, progress: bool = True) -> list[dict[str, Any]]:
    """Train and write the checkpoints into a folder; pick up where an earlier, killed call stopped.

    Every random number follows from ``(seed, epoch)`` or ``(seed, step)``, so that a resumed training gives the same
    weights, bit by bit on one device and the same number of threads.

    Args:
        folder: exists; holds nothing, or what the killed call left.
        task: what is learned.
        config: settings of the training.
        progress: whether to show a bar.

    Returns:
        The history, one row per validation: step, seconds, learning_rate, train_loss, and what ``task.validate`` gives.
    """
    from lightning_fabric import Fabric  # here, for it imports torch's compiler: two seconds for who only measures

    fabric = Fabric(
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.num_nodes,
        precision=cast(Any, config.precision),
    )
    fabric.launch()
    bare = task.network
    model, *optimizers = fabric.setup(bare, *make_optimizers(bare.parameters(), task.hidden, config))
    for method in task.methods:
        model.mark_forward_method(method)
    state = _restore(folder, bare, optimizers)
    history, records, kept = state["history"], config.validation_steps(), config.checkpoint_steps()
    start, losses = time.perf_counter() - state["seconds"], state["losses"]

    def record(step: int) -> None:
        if step in kept and fabric.is_global_zero:
            write_weights(checkpoint_path(folder, step), bare.state_dict())
        if step in records:
            row: dict[str, Any] = {"step": step, "seconds": time.perf_counter() - start}
            row |= {"learning_rate": config.rate(step), "train_loss": sum(losses) / len(losses) if losses else None}
            history.append(row | dict(task.validate()))
            losses.clear()

    if state["step"] == 0 and not history:
        record(0)
    bar = progress_bar(progress, total=config.n_steps, initial=state["step"], desc=f"{task.name}, seed {config.seed}")
    for step, (rows, matrices) in enumerate(_plan(task.widths, config, state["step"]), start=state["step"]):
        share = slice(fabric.global_rank, None, fabric.world_size)
        chance = torch.Generator().manual_seed((config.seed + 1) * 1_000_003 + step)
        turns = None if matrices is None else matrices[share]
        loss = task.loss(model, rows[share], turns, chance, fabric.device)
        fabric.backward(loss)
        # Not fabric.clip_gradients, which clips the weights of one optimizer and would leave those of the other alone.
        nn.utils.clip_grad_norm_(bare.parameters(), max_norm=config.clip)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = config.rate(step)
            optimizer.step()
            optimizer.zero_grad()
        losses.append(float(loss.detach()))
        bar.update()
        done = step + 1
        record(done)
        if done % config.resume_interval == 0 and done < config.n_steps and fabric.is_global_zero:
            seconds = time.perf_counter() - start
            reached = {"step": done, "history": history, "losses": losses, "seconds": seconds}
            save_resume(folder, bare.state_dict(), optimizers, reached)
    bar.close()
    (folder / RESUME).unlink(missing_ok=True)
    return history


def _plan(widths: Sequence[int], config: TrainingConfig, first_step: int) -> Iterator[tuple[list[int], Tensor | None]]:
    """Yield rows and rotations of every step from `first_step` to the end."""
    per_epoch = max(1, len(widths) // config.batch_size)
    for epoch in range(first_step // per_epoch, -(-config.n_steps // per_epoch)):
        generator = torch.Generator().manual_seed((config.seed + 1) * 1_000_003 + epoch)
        for index, rows in enumerate(epoch_rows(widths, config.batch_size, generator)):
            matrices = draw_matrices(config.augmentation, len(rows), generator)
            if first_step <= epoch * per_epoch + index < config.n_steps:
                yield rows, matrices


def _restore(folder: Path, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, Any]:
    """Read the last save into model and optimizers, or return the state of a new training."""
    state = load_resume(folder, optimizers)
    if state is None:
        return {"step": 0, "history": [], "losses": [], "seconds": 0.0}
    model.load_state_dict(state.pop("weights"))
    return state
