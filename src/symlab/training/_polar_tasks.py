"""PoLAr-MAE on particle tracks, as the training loop sees it: reconstruct hidden groups, or segment points."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from symlab.measure import f1_scores
from symlab.models import GroupedCloud, PolarMAE
from symlab.training._config import TrainingConfig
from symlab.training._focal import class_weights, focal_loss
from symlab.training._passes import join_turned, turned_passes, turned_predictions
from symlab.training._segmentation_config import SegmentationConfig

CLASSES = ("shower", "track", "michel", "delta")
HEAD = ("read_", "hidden.", "classify.")
"""How the names of the weights of the segmentation head begin."""


class Reconstruct:
    """Masked pre-training: Chamfer distance of the hidden groups, and mean squared error of their energies.

    The two terms are weighted by ``loss_weights["chamfer"]`` and ``["energy"]``. Validation gives both, and what
    answers without any learning would give: ``chamfer_trivial`` for another hidden group in place of each, and
    ``energy_trivial`` for the mean energy of the points of all events.

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
        batch = join_turned([self.learned[row] for row in rows], matrices, self.network).to(device=device)
        found = network.reconstruct(batch, generator)
        weights = self.config.loss_weights
        return weights.get("chamfer", 1.0) * found.chamfer() + weights.get("energy", 1.0) * found.energy_error()

    @torch.no_grad()
    def validate(self) -> Mapping[str, float]:
        """Mean over hidden groups, and over their points."""
        chance = torch.Generator().manual_seed(self.config.seed)
        totals, groups, points = torch.zeros(4, dtype=torch.float64), 0, 0
        mean = torch.cat([cloud.energy for cloud in self.measured]).mean()
        for _, batch in turned_passes(self.measured, self.config.seed, self.network):
            found = self.network.reconstruct(batch, chance)
            n_groups, n_points = len(found.mask), int(found.mask.sum())
            trivial = (found.true[..., 3][found.mask] - mean.to(found.true)).square().mean()
            of_groups = [found.chamfer() * n_groups, found.chamfer_trivial() * n_groups]
            totals += torch.stack([*of_groups, found.energy_error() * n_points, trivial * n_points]).double().cpu()
            groups, points = groups + n_groups, points + n_points
        means = (totals / torch.tensor([groups, groups, points, points])).tolist()
        return dict(zip(("chamfer", "chamfer_trivial", "energy", "energy_trivial"), means, strict=True))


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
        batch = join_turned([self.learned[row] for row in rows], matrices, self.network).to(device=device)
        truth = torch.cat([self.learned_classes[row] for row in rows]).to(device)
        return focal_loss(network(batch), truth, self.weights.to(device), self.config.gamma)

    @torch.no_grad()
    def validate(self) -> Mapping[str, float]:
        """F1 over the points of all events."""
        predicted = torch.cat(turned_predictions(self.network, self.measured, self.config.seed))
        truth = torch.cat(list(self.measured_classes))
        scores = f1_scores(predicted, truth, self.network.config.n_classes)
        named = zip(CLASSES, scores.tolist(), strict=False)
        return {f"f1_{name}": value for name, value in named} | {"f1_macro": float(scores.nanmean())}


def _refuse_empty(training: Sequence[GroupedCloud], validation: Sequence[GroupedCloud]) -> None:
    if len(training) == 0 or len(validation) == 0:
        raise ValueError(f"training and validation need events; got {len(training)} and {len(validation)}")
