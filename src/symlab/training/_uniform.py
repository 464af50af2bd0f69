"""Molecules of one kind as plain tensors: the same atoms and edges, only the geometry differs."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from symlab.data import Dataset
from symlab.groups import Representation
from symlab.models import PET, PETBatch
from symlab.training._batches import Samples, draw_matrices, epoch_rows
from symlab.training._config import TrainingConfig
from symlab.training._ramp import RampedConfig, shrink


@dataclass(frozen=True)
class UniformSamples:
    """Structures that share species and neighbour lists, so that a batch is an index into one tensor.

    Attributes:
        edges: ``(s, n_atoms, m, 3)``, edge vectors of every structure, Angstrom.
        labels: for each target ``(s, *shape)`` or ``(s, n_atoms, *shape)``, normalized.
        targets: for each target its representation, and whether it is per atom.
        first: the batch of the first structure, which has the species and neighbours of all.
    """

    edges: Float[Tensor, "s atoms m 3"]
    labels: dict[str, Tensor]
    targets: dict[str, tuple[Representation, bool]]
    first: PETBatch

    @classmethod
    def prepare(cls, model: PET, dataset: Dataset, dtype: torch.dtype) -> "UniformSamples":
        """Compute neighbour lists and normalized labels once.

        Raises:
            ValueError: structures of different species or neighbour lists, or with cells.
        """
        samples = Samples.prepare(model, dataset, dtype)
        first = samples.batches[0]
        for row, batch in enumerate(samples.batches):
            same = all(
                torch.equal(getattr(batch, name), getattr(first, name)) for name in ("species", "mask", "reverse")
            )
            if not same or dataset.structures[row].periodic:
                raise ValueError(
                    "dataset must hold molecules of one kind: the same species in the same order, all atoms within the "
                    f"cutoff of each other; structure {row} differs from the first. Use train, or a larger cutoff"
                )
        edges = torch.stack([batch.edge_vectors for batch in samples.batches])
        return cls(edges, {name: torch.stack(rows) for name, rows in samples.labels.items()}, samples.targets, first)

    def __len__(self) -> int:
        return len(self.edges)

    def batch(self, n: int) -> PETBatch:
        """Give species, neighbours and structure indices of n structures; the edge vectors are those of the first."""
        return PETBatch.concatenate([self.first] * n)

    def turned(
        self, rows: Int[Tensor, " n"], matrices: Float[Tensor, "n 3 3"] | None
    ) -> tuple[Float[Tensor, "n atoms m 3"], dict[str, Tensor]]:
        """Take rows, with edges and labels turned by one matrix each."""
        edges, labels = self.edges[rows], {name: values[rows] for name, values in self.labels.items()}
        if matrices is None:
            return edges, labels
        turned = edges @ matrices.to(edges)[:, None].mT
        return turned, {name: self.targets[name][0].apply(matrices, values) for name, values in labels.items()}


def turned_epochs(
    samples: UniformSamples, config: TrainingConfig, first_step: int
) -> Iterator[tuple[Float[Tensor, "b atoms m 3"], dict[str, Tensor]]]:
    """Yield edges and labels of every step from `first_step` on: the rows and rotations that ``train`` would draw."""
    size = min(config.batch_size, len(samples))
    per_epoch = len(samples) // size
    ramp = config if isinstance(config, RampedConfig) and config.ramp else None
    for epoch in range(first_step // per_epoch, -(-config.n_steps // per_epoch)):
        generator = torch.Generator().manual_seed((config.seed + 1) * 1_000_003 + epoch)
        rows, matrices = [], []
        for index, chosen in enumerate(epoch_rows([1] * len(samples), config.batch_size, generator)):
            drawn = draw_matrices(config.augmentation, size, generator)
            if drawn is not None and ramp is not None:
                share = torch.full((size,), ramp.share(epoch * per_epoch + index), dtype=torch.float64)
                drawn = shrink(drawn, share, generator)
            rows.append(torch.tensor(chosen))
            matrices.append(drawn)
        joined = None if matrices[0] is None else torch.cat([m for m in matrices if m is not None])
        edges, labels = samples.turned(torch.cat(rows), joined)
        for index in range(per_epoch):
            if first_step <= epoch * per_epoch + index < config.n_steps:
                part = slice(index * size, (index + 1) * size)
                yield edges[part], {name: values[part] for name, values in labels.items()}


def stacked_steps(
    samples: UniformSamples, configs: list[TrainingConfig], first_step: int
) -> Iterator[tuple[Float[Tensor, "k n m 3"], dict[str, Tensor]]]:
    """Yield the steps of several trainings side by side: edges ``(k, b * n_atoms, m, 3)`` and labels ``(k, ...)``."""
    for parts in zip(*(turned_epochs(samples, config, first_step) for config in configs), strict=True):
        edges = torch.stack([edges.flatten(0, 1) for edges, _ in parts])
        labels = {}
        for name, (_, per_atom) in samples.targets.items():
            labels[name] = torch.stack(
                [labels[name].flatten(0, 1) if per_atom else labels[name] for _, labels in parts]
            )
        yield edges, labels
