"""PoLAr-MAE on particle tracks, as the training loop sees it: reconstruct hidden groups, or segment points."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from symlab.groups import random_rotations
from symlab.models import GroupedBatch, GroupedCloud, PolarMAE
from symlab.training._config import TrainingConfig
from symlab.training._focal import class_weights, f1_scores, focal_loss
from symlab.training._segmentation_config import SegmentationConfig

CLASSES = ("shower", "track", "michel", "delta")
HEAD = ("read_", "hidden.", "classify.")
"""How the names of the weights of the segmentation head begin."""
PER_PASS = 16
"""Events in one forward pass of a validation."""


class Reconstruct:
    """Masked pre-training: Chamfer distance of the hidden groups, and mean squared error of their energies.

    The two terms are weighted by ``loss_weights["chamfer"]`` and ``["energy"]``. Validation gives ``chamfer``,
    ``energy``, and ``energy_trivial``, the error of always answering the mean energy of the visible points' event.

    Args:
        network: with its initial weights.
        config: settings of the training.
        training: events that are learned; those of one group are left out.
        validation: events that are measured, each turned by a fixed random element of O(3), hidden groups fixed too.
    """

    methods: ClassVar[tuple[str, ...]] = ("reconstruct",)
    name = "masked PoLAr-MAE"

    def __init__(
        self,
        network: PolarMAE,
        config: TrainingConfig,
        training: Sequence[GroupedCloud],
        validation: Sequence[GroupedCloud],
    ) -> None:
        self.network, self.config = network, config
        self.learned = [cloud for cloud in training if cloud.n_tokens > 1]
        self.measured = [cloud for cloud in validation if cloud.n_tokens > 1]
        _refuse_empty(self.learned, self.measured)
        self.widths = [cloud.n_tokens for cloud in self.learned]
        self.hidden = network.hidden_matrices()

    def loss(
        self, network: Any, rows: Sequence[int], matrices: Tensor | None, generator: torch.Generator, device: Any
    ) -> Tensor:
        """Hide groups by the generator, and compare."""
        batch = _batch([self.learned[row] for row in rows], matrices, self.network).to(device=device)
        found = network.reconstruct(batch, generator)
        weights = self.config.loss_weights
        return weights.get("chamfer", 1.0) * found.chamfer() + weights.get("energy", 1.0) * found.energy_error()

    @torch.no_grad()
    def validate(self) -> Mapping[str, float]:
        """Mean over hidden groups, and over their points."""
        chance = torch.Generator().manual_seed(self.config.seed)
        chamfer, energy, trivial, groups, points = 0.0, 0.0, 0.0, 0, 0
        for _, batch in _passes(self.measured, self.config.seed, self.network):
            found = self.network.reconstruct(batch, chance)
            n_groups, n_points = len(found.mask), int(found.mask.sum())
            true = found.true[..., 3][found.mask]
            chamfer += float(found.chamfer()) * n_groups
            energy += float(found.energy_error()) * n_points
            trivial += float((true - batch.energy.mean()).square().sum())
            groups, points = groups + n_groups, points + n_points
        return {"chamfer": chamfer / groups, "energy": energy / points, "energy_trivial": trivial / points}


class Segment:
    """Focal loss of the class of each point; validation gives ``f1_<class>`` and ``f1_macro``.

    Args:
        network: with its initial weights.
        config: settings of the training.
        training: events that are learned.
        training_classes: of their points.
        validation: events that are measured, each turned by a fixed random element of O(3).
        validation_classes: of their points.
    """

    methods: ClassVar[tuple[str, ...]] = ()
    name = "PoLAr-MAE"

    def __init__(
        self,
        network: PolarMAE,
        config: SegmentationConfig,
        training: Sequence[GroupedCloud],
        training_classes: Sequence[Tensor],
        validation: Sequence[GroupedCloud],
        validation_classes: Sequence[Tensor],
    ) -> None:
        _refuse_empty(training, validation)
        self.network, self.config = network, config
        self.learned, self.learned_classes = training, training_classes
        self.measured, self.measured_classes = validation, validation_classes
        self.weights = class_weights(torch.cat(list(training_classes)), network.config.n_classes, config.balance)
        self.widths = [cloud.n_tokens for cloud in training]
        if config.frozen:
            for name, weight in network.named_parameters():
                weight.requires_grad_(name.startswith(HEAD))
        self.hidden: list[nn.Parameter] = [w for w in network.hidden_matrices() if w.requires_grad]

    def loss(
        self, network: Any, rows: Sequence[int], matrices: Tensor | None, generator: torch.Generator, device: Any
    ) -> Tensor:
        """Compare the logits of all points with their classes; nothing here needs the generator."""
        batch = _batch([self.learned[row] for row in rows], matrices, self.network).to(device=device)
        truth = torch.cat([self.learned_classes[row] for row in rows]).to(device)
        return focal_loss(network(batch), truth, self.weights.to(device), self.config.gamma)

    @torch.no_grad()
    def validate(self) -> Mapping[str, float]:
        """F1 over the points of all events."""
        predicted, truth = [], []
        for rows, batch in _passes(self.measured, self.config.seed, self.network):
            predicted.append(self.network(batch).argmax(-1))
            truth += [self.measured_classes[row] for row in rows]
        scores = f1_scores(torch.cat(predicted).cpu(), torch.cat(truth), self.network.config.n_classes)
        named = zip(CLASSES, scores.tolist(), strict=False)
        return {f"f1_{name}": value for name, value in named} | {"f1_macro": float(scores.nanmean())}


def _refuse_empty(training: Sequence[GroupedCloud], validation: Sequence[GroupedCloud]) -> None:
    if len(training) == 0 or len(validation) == 0:
        raise ValueError(f"training and validation need events; got {len(training)} and {len(validation)}")


def _batch(clouds: Sequence[GroupedCloud], matrices: Tensor | None, network: PolarMAE) -> GroupedBatch:
    """Join clouds, in the type of the weights, cloud i turned by matrix i."""
    batch = GroupedBatch.from_clouds(clouds).to(dtype=network.classify.weight.dtype)
    return batch if matrices is None else batch.turned(matrices)


def _passes(clouds: Sequence[GroupedCloud], seed: int, network: PolarMAE) -> Iterator[tuple[list[int], GroupedBatch]]:
    """Yield all clouds in batches of like size, each turned by an element of O(3) that depends on the seed only."""
    matrices = random_rotations(len(clouds), torch.Generator().manual_seed(seed), improper=True)
    order = sorted(range(len(clouds)), key=lambda row: clouds[row].n_tokens)
    device = network.classify.weight.device
    for start in range(0, len(order), PER_PASS):
        rows = order[start : start + PER_PASS]
        yield rows, _batch([clouds[row] for row in rows], matrices[rows], network).to(device=device)
