"""Forward passes over events, each event in an orientation of its own."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from symlab.groups import random_rotations
from symlab.models import GroupedBatch, GroupedCloud, PolarMAE

PER_PASS = 16


def join_turned(clouds: Sequence[GroupedCloud], matrices: Tensor | None, network: PolarMAE) -> GroupedBatch:
    """Join clouds, in the type of the weights, cloud i turned by matrix i."""
    batch = GroupedBatch.from_clouds(clouds).to(dtype=network.classify.weight.dtype)
    return batch if matrices is None else batch.turned(matrices)


def turned_passes(
    clouds: Sequence[GroupedCloud], seed: int, network: PolarMAE
) -> Iterator[tuple[list[int], GroupedBatch]]:
    """Yield all clouds in batches of like size, each turned by an element of O(3) that depends on the seed only.

    Args:
        clouds: single clouds.
        seed: of the orientations.
        network: gives type and device.

    Returns:
        Row numbers, and the batch of these rows.
    """
    matrices = random_rotations(len(clouds), torch.Generator().manual_seed(seed), improper=True)
    order = sorted(range(len(clouds)), key=lambda row: clouds[row].n_tokens)
    device = network.classify.weight.device
    for start in range(0, len(order), PER_PASS):
        rows = order[start : start + PER_PASS]
        yield rows, join_turned([clouds[row] for row in rows], matrices[rows], network).to(device=device)


@torch.no_grad()
def turned_predictions(network: PolarMAE, clouds: Sequence[GroupedCloud], seed: int) -> list[Tensor]:
    """Predict the class of every point of every cloud, in the order of the clouds, as `turned_passes` turns them."""
    found: dict[int, Tensor] = {}
    for rows, batch in turned_passes(clouds, seed, network):
        classes = network(batch).argmax(-1).cpu()
        found |= zip(rows, classes.split([clouds[row].n_points for row in rows]), strict=True)
    return [found[row] for row in range(len(clouds))]
