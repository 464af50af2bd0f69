"""The training loop: from two data sets to a folder of checkpoints, resumable at any step."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from symlab.data import Dataset
from symlab.models import PET, PETConfig
from symlab.progress import progress_bar
from symlab.training._batches import Samples, draw_matrices, epoch_rows, rmse
from symlab.training._checkpoints import RESUME, checkpoint_path, load_resume, save_resume, write_weights
from symlab.training._config import TrainingConfig
from symlab.training._optimizers import make_optimizers
from symlab.training._targets import fit_scales


def fit(
    folder: Path,
    model_config: PETConfig,
    config: TrainingConfig,
    training: Dataset,
    validation: Dataset,
    progress: bool = True,
) -> list[dict[str, Any]]:
    """Train a PET and write its checkpoints into a folder; pick up where an earlier, killed call stopped.

    Every random number follows from ``(seed, epoch)``, so that a resumed training gives the same weights, bit by bit
    on one device and the same number of threads.

    Args:
        folder: exists; holds nothing, or what the killed call left.
        model_config: sizes and targets of the network.
        config: settings of the training.
        training: structures that are learned.
        validation: structures that are measured, each turned by a fixed random element of O(3).
        progress: whether to show a bar.

    Returns:
        The history, one row per validation: step, seconds, learning_rate, train_loss, rmse_<target>.

    Raises:
        ValueError: labels and targets do not fit, or there is no structure to learn.
    """
    if len(training) == 0 or len(validation) == 0:
        raise ValueError(f"training and validation need structures; got {len(training)} and {len(validation)}")
    fabric = Fabric(
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.num_nodes,
        precision=cast(Any, config.precision),
    )
    fabric.launch()
    bare = PET(model_config, torch.Generator().manual_seed(config.seed))
    fit_scales(bare, training)
    dtype = torch.float64 if config.precision.startswith("64") else torch.float32
    learned, measured = Samples.prepare(bare, training, dtype), Samples.prepare(bare, validation, dtype)
    model, *optimizers = fabric.setup(bare, *make_optimizers(bare.parameters(), bare.hidden_matrices(), config))
    model.mark_forward_method("normalized")
    state = _restore(folder, bare, optimizers)
    history, records, kept = state["history"], config.validation_steps(), config.checkpoint_steps()
    start, losses = time.perf_counter() - state["seconds"], state["losses"]

    def record(step: int) -> None:
        if step in kept and fabric.is_global_zero:
            write_weights(checkpoint_path(folder, step), bare.state_dict())
        if step in records:
            row: dict[str, Any] = {"step": step, "seconds": time.perf_counter() - start}
            row |= {"learning_rate": config.rate(step), "train_loss": sum(losses) / len(losses) if losses else None}
            errors = rmse(bare, measured, seed=config.seed)
            history.append(row | {f"rmse_{name}": value for name, value in errors.items()})
            losses.clear()

    if state["step"] == 0 and not history:
        record(0)
    bar = progress_bar(progress, total=config.n_steps, initial=state["step"], desc=f"PET, seed {config.seed}")
    for step, (rows, matrices) in enumerate(_plan(learned, config, state["step"]), start=state["step"]):
        share = slice(fabric.global_rank, None, fabric.world_size)
        batch, labels = learned.collate(rows[share], None if matrices is None else matrices[share])
        batch = batch.to(device=fabric.device)
        predictions = model.normalized(batch)
        loss = torch.stack(
            [
                config.loss_weights.get(name, 1.0) * nn.functional.mse_loss(value, labels[name].to(value))
                for name, value in predictions.items()
            ]
        ).sum()
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


def _plan(samples: Samples, config: TrainingConfig, first_step: int) -> Iterator[tuple[list[int], Tensor | None]]:
    """Yield rows and rotations of every step from `first_step` to the end."""
    widths = [batch.mask.shape[1] for batch in samples.batches]
    per_epoch = max(1, len(widths) // config.batch_size)
    for epoch in range(first_step // per_epoch, -(-config.n_steps // per_epoch)):
        generator = torch.Generator().manual_seed((config.seed + 1) * 1_000_003 + epoch)
        for index, rows in enumerate(epoch_rows(widths, config.batch_size, generator)):
            matrices = draw_matrices(config.augmentation, len(rows), generator)
            if first_step <= epoch * per_epoch + index < config.n_steps:
                yield rows, matrices


def _restore(folder: Path, model: PET, optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, Any]:
    """Read the last save into model and optimizers, or return the state of a new training."""
    state = load_resume(folder, optimizers)
    if state is None:
        return {"step": 0, "history": [], "losses": [], "seconds": 0.0}
    model.load_state_dict(state.pop("weights"))
    return state
