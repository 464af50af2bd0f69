"""A finished training: its checkpoints, its history, its settings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from symlab.models import PET, PETConfig, build, read_config
from symlab.training._checkpoints import checkpoint_path
from symlab.training._config import TrainingConfig
from symlab.training._ramp import read_settings

SUMMARY = "training.json"


@dataclass(frozen=True)
class TrainedModel:
    """A training that has ended, read from its artifact.

    Attributes:
        folder: the artifact.
        model_config: sizes and targets of the network.
        config: settings of the training.
        history: one row per validation: step, seconds, learning_rate, train_loss, and rmse_<target> on validation
            structures turned at random, in the unit of the target.
        steps: steps whose weights were kept, step 0 and the last among them.
    """

    folder: Path
    model_config: PETConfig
    config: TrainingConfig
    history: list[dict[str, Any]]
    steps: list[int]

    @staticmethod
    def write(
        folder: Path, model_config: PETConfig, config: TrainingConfig, history: Sequence[Mapping[str, Any]]
    ) -> None:
        """Note beside the checkpoints what ``read`` needs."""
        summary: dict[str, Any] = {"model": model_config.to_dict(), "training": config.to_dict(), "history": history}
        summary["steps"] = config.checkpoint_steps()
        (folder / SUMMARY).write_text(json.dumps(summary, indent=1), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "TrainedModel":
        """Read the folder of an artifact."""
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        return cls(
            folder,
            read_config(summary["model"]),
            read_settings(summary["training"]),
            summary["history"],
            summary["steps"],
        )

    @cached_property
    def model(self) -> PET:
        """The network after the last step, in evaluation mode."""
        return self.load_checkpoint(self.steps[-1])

    def load_checkpoint(self, step: int) -> PET:
        """Load the network as it was after `step` steps, in evaluation mode.

        Raises:
            ValueError: the weights of that step were not kept; the message lists those that were.
        """
        if step not in self.steps:
            raise ValueError(f"step {step} was not kept; this training has steps {self.steps}")
        model = build(self.model_config)
        weights = load_file(checkpoint_path(self.folder, step))
        model.to(next(value.dtype for value in weights.values() if value.is_floating_point()))
        model.load_state_dict(weights)
        return model.eval()
