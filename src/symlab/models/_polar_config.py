"""What a point-cloud masked autoencoder is made of: its groups and its sizes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class PolarMAEConfig:
    """Sizes of a PoLAr-MAE, arXiv:2502.02558, in small.

    Attributes:
        group_radius: R, radius of a group, voxels. No sum of three squared integers may equal its square, or points
            that lie exactly on the sphere change sides by round-off when a cloud turns.
        group_size: points that a group keeps at most, chosen by farthest-point sampling from the centre.
        overlap: f; two centres are at least ``2 R f`` apart, so f = 0.5 leaves no point outside every group, and a
            larger f makes fewer groups.
        max_tokens: groups that an event may have.
        mask_ratio: share of the groups that pre-training hides.
        position: how a token knows where it is: "absolute" adds an MLP of the coordinates of its centre before every
            block, as the original does; "relative" adds nothing, and biases the attention between two tokens by their
            distance, which no rotation changes.
        length: unit of the absolute coordinates, voxels.
        local_features: whether a segmentation also knows the rotation-invariant shape of the neighbourhood of a point,
            see `local_shape`; the original does not have it. Pre-training never sees it.
        d_point: width of the features of a point.
        d: width of a token.
        n_blocks: blocks of the encoder.
        n_decoder_blocks: blocks of the decoder that reconstructs masked groups.
        n_heads: attention heads; divides d.
        n_classes: classes of a point.

    Raises:
        ValueError: a size out of its range, or heads that do not divide d.
    """

    group_radius: float = 5.1
    group_size: int = 24
    overlap: float = 0.72
    max_tokens: int = 512
    mask_ratio: float = 0.6
    position: Literal["absolute", "relative"] = "absolute"
    length: float = 100.0
    local_features: bool = True
    d_point: int = 64
    d: int = 96
    n_blocks: int = 4
    n_decoder_blocks: int = 2
    n_heads: int = 4
    n_classes: int = 4

    def __post_init__(self) -> None:
        for name in ("group_radius", "overlap", "length"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive; got {getattr(self, name)}")
        sizes = ("group_size", "max_tokens", "d_point", "d", "n_blocks", "n_decoder_blocks", "n_heads", "n_classes")
        for name in sizes:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}")
        if not 0 < self.mask_ratio < 1:
            raise ValueError(f"mask_ratio must lie in (0, 1); got {self.mask_ratio}")
        if self.position not in ("absolute", "relative"):
            raise ValueError(f'position must be "absolute" or "relative"; got {self.position!r}')
        if self.d % self.n_heads:
            raise ValueError(f"n_heads must divide d; got n_heads = {self.n_heads} and d = {self.d}")

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values, read back by ``from_dict``."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PolarMAEConfig":
        """Make a configuration from what ``to_dict`` gave."""
        return cls(**values)
