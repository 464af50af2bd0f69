"""Networks that differ in a few widths, laid into one shape: what a network lacks is zero there, and stays zero."""

import json
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from symlab.models import PETConfig

WIDTHS = ("edge_l_max", "triple_product", "d_feedforward")
"""Settings of which the common shape has the largest."""


def shape_key(config: PETConfig) -> str:
    """Describe what two networks must have in common to be laid into one shape: all but widths, gain and names."""
    settings = {
        name: value for name, value in config.to_dict().items() if name not in (*WIDTHS, "edge_gain", "targets")
    }
    outputs = [
        # Irreps of one shape are the same numbers to a network; a Cartesian tensor is projected on its symmetry.
        (one.per, one.density, one.representation.shape, one.output if one.representation.permutations else "")
        for one in config.targets.values()
    ]
    return json.dumps([type(config).__name__, settings, outputs], sort_keys=True)


def common_config(configs: Sequence[PETConfig]) -> PETConfig:
    """Give the smallest shape that holds networks of one ``shape_key``; its targets have the names of the first."""
    first = configs[0]
    if wrong := [one for one in configs if shape_key(one) != shape_key(first)]:
        raise ValueError(f"configs must differ in {', '.join(WIDTHS)} and edge_gain only; got {first} and {wrong[0]}")
    return replace(first, **{name: max(getattr(c, name) for c in configs) for name in WIDTHS if hasattr(first, name)})


def own_name(name: str, config: PETConfig, common: PETConfig) -> str:
    """Give the name that a weight of the common shape has in one network, whose targets are called otherwise."""
    for ours, theirs in zip(config.targets, common.targets, strict=True):
        if name.startswith(f"heads.{theirs}."):
            return f"heads.{ours}.{name.removeprefix(f'heads.{theirs}.')}"
    return name


def places(name: str, own: Sequence[int], whole: Sequence[int], config: PETConfig) -> tuple[Tensor, ...]:
    """Say where the entries of one network's weight lie in the weight of the common shape: an index.

    Args:
        name: of the weight.
        own: its shape in the network.
        whole: its shape in common.
        config: of the network.
    """
    axes = [torch.arange(n) for n in own]
    if name.endswith("edge_embedder.weight") and getattr(config, "triple_product", False):
        axes[1][-1] = whole[1] - 1  # the triple product comes after the harmonics, however many there are
    elif ".w_in." in name and own[0] != whole[0]:
        axes[0] = torch.cat([axes[0][: own[0] // 2], whole[0] // 2 + axes[0][: own[0] // 2]])  # values, then gates
    return torch.meshgrid(*axes, indexing="ij")
