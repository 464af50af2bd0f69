"""From a data set to batches: structures of similar width together, each turned at each visit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.data import Dataset
from symlab.groups import Representation, random_rotations
from symlab.models import PET, PETBatch
from symlab.training._euler import euler_rotations
from symlab.training._targets import label_list, normalize


@dataclass(frozen=True)
class Samples:
    """Structures ready to be batched, with normalized labels.

    Attributes:
        batches: one ``PETBatch`` for each structure.
        labels: for each target, one normalized label for each structure.
        targets: for each target its representation, and whether it is per atom.
    """

    batches: list[PETBatch]
    labels: dict[str, list[Tensor]]
    targets: dict[str, tuple[Representation, bool]]

    @classmethod
    def prepare(cls, model: PET, dataset: Dataset, dtype: torch.dtype) -> "Samples":
        """Compute neighbour lists and normalized labels once; rows of the edges keep their order under rotation."""
        labels = {
            name: [
                value.to(dtype)
                for value in normalize(model, name, dataset.structures, label_list(dataset, name, model))
            ]
            for name in model.config.targets
        }
        targets = {name: (t.representation, t.per == "atom") for name, t in model.config.targets.items()}
        return cls([model.batch([s]).to(dtype=dtype) for s in dataset.structures], labels, targets)

    def __len__(self) -> int:
        return len(self.batches)

    def collate(
        self, rows: Sequence[int], matrices: Float[Tensor, "s 3 3"] | None = None
    ) -> tuple[PETBatch, dict[str, Tensor]]:
        """Join rows into one batch with its labels, structure i turned by matrix i."""
        batch = PETBatch.concatenate([self.batches[row] for row in rows])
        labels = {}
        for name, (representation, per_atom) in self.targets.items():
            values = [self.labels[name][row] for row in rows]
            joined = torch.cat(values) if per_atom else torch.stack(values)
            if matrices is not None:
                joined = representation.apply(matrices[batch.structure] if per_atom else matrices, joined)
            labels[name] = joined
        return (batch if matrices is None else batch.rotated(matrices)), labels


def epoch_rows(widths: Sequence[int], batch_size: int, generator: torch.Generator) -> Iterator[list[int]]:
    """Visit every row once in random order, in batches of similar width to keep the padding small.

    Rows are shuffled, cut into pools of eight batches, and sorted by width within a pool; the batches then come in
    random order. A last, smaller batch is dropped, so different rows sit out each epoch.
    """
    n = len(widths)
    batch_size = min(batch_size, n)
    order = torch.randperm(n, generator=generator)[: n - n % batch_size].tolist()
    pool = 8 * batch_size
    batches = []
    for start in range(0, len(order), pool):
        rows = sorted(order[start : start + pool], key=lambda row: widths[row])
        batches += [rows[k : k + batch_size] for k in range(0, len(rows), batch_size)]
    for index in torch.randperm(len(batches), generator=generator).tolist():
        yield batches[index]


def draw_matrices(augmentation: str, n: int, generator: torch.Generator) -> Tensor | None:
    """Draw one element of the group for each of n structures; None without augmentation."""
    if augmentation == "none":
        return None
    if augmentation == "Euler":
        return euler_rotations(n, generator)
    return random_rotations(n, generator, improper=augmentation == "O(3)")


def rmse(model: PET, samples: Samples, seed: int, batch_size: int = 32) -> Mapping[str, float]:
    """Root mean square error of each target on structures turned at random in O(3), in the unit of the target.

    The rotations depend on the seed only. For structure targets the error is that of the whole structure. The
    model is left in the mode it was in.
    """
    generator = torch.Generator().manual_seed(seed)
    matrices = random_rotations(len(samples), generator, improper=True)
    order = sorted(range(len(samples)), key=lambda row: samples.batches[row].mask.shape[1])
    totals: dict[str, list[Tensor]] = {name: [] for name in samples.targets}
    with torch.no_grad():
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch, labels = samples.collate(rows, matrices[torch.tensor(rows)])
            device = next(model.parameters()).device
            batch = batch.to(device=device)
            for name, value in model.normalized(batch).items():
                error = value.double() - labels[name].to(value.device, torch.float64)
                head, target = model.head(name), model.config.targets[name]
                if target.per == "structure":
                    factor = batch.n_atoms.double() / (batch.volume.double() if target.density else 1)
                    error = error * factor.reshape(-1, *[1] * (error.ndim - 1))
                totals[name].append((error * head.scale.double()).square().flatten())
    return {name: float(torch.cat(values).mean().sqrt()) for name, values in totals.items()}
