"""A finished training: its checkpoints, its history, its settings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

from safetensors.torch import load_file
from torch import nn

from symlab.models import PET, PETConfig, build, read_config
from symlab.training._checkpoints import checkpoint_path
from symlab.training._config import TrainingConfig
from symlab.training._ramp import read_settings

SUMMARY = "training.json"


class Sizes(Protocol):
    """The configuration of a network."""

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values."""


Config = TypeVar("Config", bound=Sizes)
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Trained(Generic[Config, Network]):
    """A training that has ended, read from its artifact.

    Attributes:
        folder: the artifact.
        model_config: sizes and targets of the network.
        config: settings of the training.
        history: one row per validation: step, seconds, learning_rate, train_loss, and errors on validation samples.
        steps: steps whose weights were kept, step 0 and the last among them.
    """

    folder: Path
    model_config: Config
    config: TrainingConfig
    history: list[dict[str, Any]]
    steps: list[int]

    @staticmethod
    def write(folder: Path, model_config: Sizes, config: TrainingConfig, history: Sequence[Mapping[str, Any]]) -> None:
        """Note beside the checkpoints what ``read`` needs."""
        summary: dict[str, Any] = {"model": model_config.to_dict(), "training": config.to_dict(), "history": history}
        summary["steps"] = config.checkpoint_steps()
        (folder / SUMMARY).write_text(json.dumps(summary, indent=1), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the folder of an artifact."""
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        return cls(
            folder,
            cls.read_model(summary["model"]),
            cls.read_training(summary["training"]),
            summary["history"],
            summary["steps"],
        )

    @classmethod
    def read_model(cls, values: Mapping[str, Any]) -> Config:
        """Make the configuration of the network from what its ``to_dict`` gave."""
        raise NotImplementedError

    @classmethod
    def read_training(cls, values: Mapping[str, Any]) -> TrainingConfig:
        """Make the settings from what their ``to_dict`` gave."""
        return read_settings(values)

    def build(self) -> Network:
        """Make the network, with any weights."""
        raise NotImplementedError

    @cached_property
    def model(self) -> Network:
        """The network after the last step, in evaluation mode."""
        return self.load_checkpoint(self.steps[-1])

    def load_checkpoint(self, step: int) -> Network:
        """Load the network as it was after `step` steps, in evaluation mode.

        Raises:
            ValueError: the weights of that step were not kept; the message lists those that were.
        """
        if step not in self.steps:
            raise ValueError(f"step {step} was not kept; this training has steps {self.steps}")
        model = self.build()
        weights = load_file(checkpoint_path(self.folder, step))
        model.to(next(value.dtype for value in weights.values() if value.is_floating_point()))
        model.load_state_dict(weights)
        return model.eval()


class TrainedModel(Trained[PETConfig, PET]):
    """A training of a PET that has ended; ``history`` holds rmse_<target> on validation structures turned at random."""

    @classmethod
    def read_model(cls, values: Mapping[str, Any]) -> PETConfig:
        """Make the configuration, of a plain or a harmonic PET, from what its ``to_dict`` gave."""
        return read_config(values)

    def build(self) -> PET:
        """Make the network, with any weights."""
        return build(self.model_config)
