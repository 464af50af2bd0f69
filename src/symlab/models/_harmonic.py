"""A PET whose edges begin with more of the angle: solid harmonics, or a triple product, in the edge embedding."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from symlab.groups import solid_harmonics
from symlab.models._config import PETConfig
from symlab.models._pet import PET, Round


@dataclass(frozen=True)
class HarmonicPETConfig(PETConfig):
    """Sizes of a PET with a richer edge embedding; the rest as ``PETConfig``.

    Attributes:
        edge_l_max: the edge embedding is linear in the solid harmonics of ``r_j - r_i`` up to this degree; 1 is the
            plain PET, whose edges begin with ``(|r|, r)``.
        triple_product: whether the pseudoscalar ``r_ij . (a_i x b_i)`` is embedded as well, see ``EdgeEmbedding``.

    Raises:
        ValueError: as ``PETConfig``, or ``edge_l_max`` below 1.
    """

    edge_l_max: int = 1
    triple_product: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.edge_l_max < 1:
            raise ValueError(f"edge_l_max must be at least 1, the plain embedding; got {self.edge_l_max}")


class EdgeEmbedding(nn.Linear):
    """Linear map of the solid harmonics of an edge, all else of the network being as free as before.

    With ``triple_product`` one more number enters, ``r_ij . (a_i x b_i)`` of two vectors of the neighbourhood,
    ``a_i = sum_k exp(-|r_ik|^2) r_ik`` and ``b_i = sum_k exp(-|r_ik|^2 / 4) r_ik`` (Angstrom): it changes sign under
    inversion and not under rotations, so the edge begins with a part in the sector (0, -1).
    """

    def __init__(self, config: HarmonicPETConfig) -> None:
        super().__init__((config.edge_l_max + 1) ** 2 + config.triple_product, config.d_pet)
        self.edge_l_max, self.triple_product = config.edge_l_max, config.triple_product

    def forward(self, geometry: Float[Tensor, "n m 4"]) -> Float[Tensor, "n m d"]:
        """Embed ``(r, |r|)`` of the edges of each neighbourhood."""
        vectors = geometry[..., :3]
        parts = [solid_harmonics(vectors, self.edge_l_max)]
        if self.triple_product:
            square = vectors.square().sum(-1, keepdim=True)
            near, far = (((-square / width).exp() * vectors).sum(-2, keepdim=True) for width in (1.0, 4.0))
            normal = torch.linalg.cross(near, far)
            parts.append((vectors * normal).sum(-1, keepdim=True))
        return super().forward(torch.cat(parts, dim=-1))


class HarmonicPET(PET):
    """PET with ``EdgeEmbedding`` in place of the linear map of ``(r, |r|)``; everything else unchanged.

    The initial size of an embedded edge does not depend on ``edge_l_max``: it is shared evenly among the degrees.
    """

    def __init__(self, config: HarmonicPETConfig, generator: torch.Generator | None = None) -> None:
        super().__init__(config)
        for step in self.rounds:
            cast(Round, step).edge_embedder = EdgeEmbedding(config)
        self.reset_parameters(generator)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw new weights as PET does; those of the harmonics are scaled to the same embedded size at every l_max."""
        super().reset_parameters(generator)
        for step in self.rounds:
            embedding = cast(Round, step).edge_embedder
            if isinstance(embedding, EdgeEmbedding):
                embedding.weight *= (embedding.in_features / (2 * (embedding.edge_l_max + 1))) ** 0.5


def build(config: PETConfig, generator: torch.Generator | None = None) -> PET:
    """Make the network that a configuration describes: ``HarmonicPET`` or ``PET``."""
    return HarmonicPET(config, generator) if isinstance(config, HarmonicPETConfig) else PET(config, generator)


def read_config(values: Mapping[str, Any]) -> PETConfig:
    """Make a configuration of either kind from what ``to_dict`` gave."""
    return (HarmonicPETConfig if "edge_l_max" in values else PETConfig).from_dict(values)


def match_parameters(config: PETConfig, n_parameters: int) -> PETConfig:
    """Choose the width of the edge feed-forward so that the network has about as many weights as asked for.

    Args:
        config: everything but ``d_feedforward`` is kept.
        n_parameters: wanted.

    Returns:
        The configuration; one unit of width is ``3 d_pet + 2`` weights in each attention block.

    Raises:
        ValueError: the network cannot come within 1 %.
    """
    sizes = [count_parameters(replace(config, d_feedforward=width)) for width in (1, 2)]
    width = max(1, 1 + round((n_parameters - sizes[0]) / (sizes[1] - sizes[0])))
    matched = replace(config, d_feedforward=width)
    found = count_parameters(matched)
    if abs(found - n_parameters) > 0.01 * n_parameters:
        raise ValueError(
            f"n_parameters = {n_parameters} cannot be met within 1 % by d_feedforward alone; the closest network has "
            f"{found} weights (d_feedforward = {width}). Change the other sizes, or ask for another number"
        )
    return matched


def count_parameters(config: PETConfig) -> int:
    """Count the weights of the network that a configuration describes."""
    return sum(weight.numel() for weight in build(config).parameters())
