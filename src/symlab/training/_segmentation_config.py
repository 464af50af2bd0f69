"""How a segmentation of points is trained."""

from dataclasses import dataclass

from symlab.training._config import TrainingConfig


@dataclass(frozen=True)
class SegmentationConfig(TrainingConfig):
    """Settings of a segmentation; the rest as ``TrainingConfig``.

    Attributes:
        gamma: exponent of the focal loss.
        balance: classes weigh their inverse frequency to this power. 1, the choice of the original, calls rare classes
            far too often; 0 weighs points alike.
        frozen: train the head only and leave tokenizer and encoder as they are: a probe of what they know.

    Raises:
        ValueError: as ``TrainingConfig``, or a negative exponent.
    """

    gamma: float = 2.0
    balance: float = 0.5
    frozen: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("gamma", "balance"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative; got {getattr(self, name)}")
