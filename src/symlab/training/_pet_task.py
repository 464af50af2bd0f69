"""PET on labelled structures, as the training loop sees it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from symlab.data import Dataset
from symlab.models import PET, PETConfig
from symlab.training._batches import Samples, rmse
from symlab.training._config import TrainingConfig
from symlab.training._targets import fit_scales


class PETTask:
    """Squared error of every normalized target; measured on structures turned by fixed random elements of O(3).

    Args:
        model: sizes and targets of the network.
        config: settings of the training.
        training: structures that are learned.
        validation: structures that are measured: ``rmse_<target>``, in the unit of the target.

    Raises:
        ValueError: labels and targets do not fit, or there is no structure to learn.
    """

    methods: ClassVar[tuple[str, ...]] = ("normalized",)
    name = "PET"

    def __init__(self, model: PETConfig, config: TrainingConfig, training: Dataset, validation: Dataset) -> None:
        if len(training) == 0 or len(validation) == 0:
            raise ValueError(f"training and validation need structures; got {len(training)} and {len(validation)}")
        self.config = config
        self.network = PET(model, torch.Generator().manual_seed(config.seed))
        fit_scales(self.network, training)
        dtype = torch.float64 if config.precision.startswith("64") else torch.float32
        self.learned = Samples.prepare(self.network, training, dtype)
        self.measured = Samples.prepare(self.network, validation, dtype)
        self.hidden = self.network.hidden_matrices()
        self.widths = [batch.mask.shape[1] for batch in self.learned.batches]

    def loss(
        self, network: Any, rows: Sequence[int], matrices: Tensor | None, generator: torch.Generator, device: Any
    ) -> Tensor:
        """Weighted sum of the mean squared errors of the targets; nothing here needs the generator."""
        batch, labels = self.learned.collate(rows, matrices)
        predictions = network.normalized(batch.to(device=device))
        terms = [
            self.config.loss_weights.get(name, 1.0) * nn.functional.mse_loss(value, labels[name].to(value))
            for name, value in predictions.items()
        ]
        return torch.stack(terms).sum()

    def validate(self) -> Mapping[str, float]:
        """Root mean square error of each target."""
        errors = rmse(self.network, self.measured, seed=self.config.seed)
        return {f"rmse_{name}": value for name, value in errors.items()}
