"""How a network is trained: every number that decides the result."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a training.

    Attributes:
        seed: of the weights, the order of structures and the rotations.
        n_steps: optimizer steps.
        batch_size: structures in a step.
        optimizer: "muon" (Muon for hidden matrices, AdamW for the rest) or "adamw".
        learning_rate: peak of the schedule: linear warm-up, then half a cosine down to zero.
        warmup_fraction: share of the steps spent on the warm-up.
        weight_decay: of matrices.
        betas: of AdamW.
        clip: largest norm of the gradient.
        loss_weights: by target, on the mean squared error of the normalized target; 1 where not named.
        augmentation: what turns each structure at each visit: "none", elements of "SO(3)" or "O(3)" drawn uniformly,
            or proper rotations by three uniform "Euler" angles, which are not uniform on the group.
        n_checkpoints: weights kept along the training, on a logarithmic scale of steps, step 0 and the last among them.
        n_validations: evenly spaced measurements of the validation error, besides the checkpoints.
        resume_interval: steps between two saves that a killed training resumes from.
        accelerator: "cpu", "cuda", ..., as Lightning Fabric names it.
        devices: devices on each node; a batch is shared among all.
        num_nodes: nodes.
        precision: "32-true", "64-true", "bf16-mixed", ..., as Lightning Fabric names it.

    Raises:
        ValueError: a setting out of its range.
    """

    seed: int = 0
    n_steps: int = 2000
    batch_size: int = 16
    optimizer: Literal["adamw", "muon"] = "muon"
    learning_rate: float = 5e-3
    warmup_fraction: float = 0.05
    weight_decay: float = 1e-2
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0
    loss_weights: Mapping[str, float] = field(default_factory=dict)
    augmentation: Literal["none", "Euler", "SO(3)", "O(3)"] = "O(3)"
    n_checkpoints: int = 10
    n_validations: int = 10
    resume_interval: int = 200
    accelerator: str = "cpu"
    devices: int = 1
    num_nodes: int = 1
    precision: str = "32-true"

    def __post_init__(self) -> None:
        for name in ("n_steps", "batch_size", "n_checkpoints", "resume_interval", "devices", "num_nodes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}")
        for name in ("learning_rate", "clip"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive; got {getattr(self, name)}")
        if not 0 <= self.warmup_fraction < 1:
            raise ValueError(f"warmup_fraction must lie in [0, 1); got {self.warmup_fraction}")
        if self.augmentation not in ("none", "Euler", "SO(3)", "O(3)"):
            raise ValueError(f'augmentation must be "none", "Euler", "SO(3)" or "O(3)"; got {self.augmentation!r}')
        if self.optimizer not in ("adamw", "muon"):
            raise ValueError(f'optimizer must be "adamw" or "muon"; got {self.optimizer!r}')
        if any(weight < 0 for weight in self.loss_weights.values()):
            raise ValueError(f"loss_weights must not be negative; got {dict(self.loss_weights)}")

    def rate(self, step: int) -> float:
        """Learning rate of step 0, 1, ..., ``n_steps - 1``."""
        warmup = max(1, round(self.warmup_fraction * self.n_steps))
        if step < warmup:
            return self.learning_rate * (step + 1) / warmup
        return self.learning_rate * 0.5 * (1 + float(np.cos(np.pi * (step - warmup) / max(1, self.n_steps - warmup))))

    def checkpoint_steps(self) -> list[int]:
        """List the steps after which the weights are kept: 0, then a logarithmic scale up to ``n_steps``."""
        scale = np.geomspace(1, self.n_steps, max(1, self.n_checkpoints - 1))
        return sorted({0, self.n_steps, *(round(step) for step in scale)})

    def validation_steps(self) -> list[int]:
        """List the steps after which the validation error is measured."""
        even = [round(self.n_steps * k / self.n_validations) for k in range(1, self.n_validations + 1)]
        return sorted({*self.checkpoint_steps(), *even})

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values, read back by ``from_dict``."""
        return asdict(self) | {"loss_weights": dict(self.loss_weights), "betas": list(self.betas)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainingConfig":
        """Make a configuration from what ``to_dict`` gave."""
        return cls(**{**values, "betas": tuple(values["betas"])})
