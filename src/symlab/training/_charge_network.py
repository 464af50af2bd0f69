"""The charge of a muon, read by a small PoLAr-MAE: sizes, settings, and the vote of the points."""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.models import GroupedCloud, PolarMAE, PolarMAEConfig
from symlab.training._segmentation_config import SegmentationConfig


def charge_network(
    seed: int = 0, *, n_steps: int = 400, augmentation: Literal["none", "SO(3)", "O(3)"] = "none"
) -> tuple[PolarMAEConfig, SegmentationConfig]:
    """Give the network for the charge of single muons, and the way to train it: what `segment` takes first.

    Every voxel is taught the charge of its muon. Groups are twice as wide as those for whole events, for a track bends
    over the whole of it. The F1 in the history of such a training is that of events turned at random, and says
    nothing: turned out of the field, a muon has no known charge.

    Args:
        seed: of the weights, the order of events, and the rotations.
        n_steps: of the optimizer.
        augmentation: what turns each event at each visit.

    Cost: about 30 ms a step on one core.
    """
    model = PolarMAEConfig(
        group_radius=10.1,
        overlap=0.5,
        local_features=False,
        length=40.0,
        d_point=32,
        d=32,
        n_blocks=3,
        n_decoder_blocks=1,
        n_classes=2,
    )
    config = SegmentationConfig(
        seed=seed,
        n_steps=n_steps,
        batch_size=16,
        augmentation=augmentation,
        n_checkpoints=2,
        n_validations=1,
        gamma=0.0,
        balance=0.0,
    )
    return model, config


def event_probabilities(network: PolarMAE) -> Callable[[GroupedCloud], Float[Tensor, "copies classes"]]:
    """Give the class probabilities of whole events, ``softmax(mean_i logits_i)``: the ``f`` of `symlab.measure`.

    Args:
        network: gives logits to the points; the event has their mean.

    Returns:
        A function of the turned copies of a grouped cloud.
    """

    def probabilities(stack: GroupedCloud) -> Float[Tensor, "copies classes"]:
        with torch.no_grad():
            return network(stack).mean(dim=-2).softmax(-1)

    return probabilities
