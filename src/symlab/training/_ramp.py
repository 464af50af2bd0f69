"""Augmentation that grows: small turns at first, the whole group later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from scipy.spatial.transform import Rotation
from torch import Tensor

from symlab.groups import determinant_signs
from symlab.training._config import TrainingConfig


@dataclass(frozen=True)
class RampedConfig(TrainingConfig):
    """Settings of a training whose augmentation is ramped up; the rest as ``TrainingConfig``.

    Attributes:
        ramp: share of the steps during which angles and inversions grow from nothing to the whole group; 0 for the
            whole group from the first step. It needs structures that all come in one frame.

    Raises:
        ValueError: as ``TrainingConfig``, or a ramp outside [0, 1].
    """

    ramp: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.ramp <= 1:
            raise ValueError(f"ramp must lie in [0, 1]; got {self.ramp}")

    def share(self, step: int) -> float:
        """Share of the group that step 0, 1, ... sees: 0 is the identity alone, 1 the whole group."""
        return min(1.0, step / (self.ramp * self.n_steps)) if self.ramp else 1.0


def read_settings(values: Mapping[str, Any]) -> TrainingConfig:
    """Make settings of either kind from what ``to_dict`` gave."""
    return (RampedConfig if "ramp" in values else TrainingConfig).from_dict(values)


def shrink(
    matrices: Float[Tensor, "n 3 3"], share: Float[Tensor, " n"], generator: torch.Generator
) -> Float[Tensor, "n 3 3"]:
    """Shorten each rotation to a share of its angle, and keep each inversion with that probability.

    Args:
        matrices: random elements of O(3) or SO(3).
        share: of each, in [0, 1]; 1 leaves an element alone and 0 makes it the identity.
        generator: decides which inversions are kept.

    Returns:
        The same shape and type.
    """
    signs = determinant_signs(matrices)
    angles = Rotation.from_matrix((matrices * signs[:, None, None]).numpy()).as_rotvec()
    shorter = torch.from_numpy(Rotation.from_rotvec(angles * share.numpy()[:, None]).as_matrix()).to(matrices)
    kept = torch.rand(len(matrices), generator=generator, dtype=torch.float64) < share
    turned = shorter * torch.where(kept, signs, torch.ones_like(signs))[:, None, None]
    return torch.where((share >= 1)[:, None, None], matrices, turned)
