"""Labels as the loss sees them: composition removed, per atom, and of unit size."""

from collections.abc import Sequence

import torch
from torch import Tensor

from symlab.data import CompositionBaseline, Dataset
from symlab.groups import Sector, Structure
from symlab.models import PET


def label_list(dataset: Dataset, name: str, model: PET) -> list[Tensor]:
    """Take the labels of one target, float64, each with the trailing shape of the target.

    Raises:
        ValueError: the data set has no such label, or a label has another shape or is not finite.
    """
    if name not in dataset.labels:
        raise ValueError(f"the model predicts {name!r}, but the data set has labels {', '.join(dataset.labels)} only")
    target = model.config.targets[name]
    labels = []
    for structure, value in zip(dataset.structures, dataset.labels[name], strict=True):
        lead = (structure.n_atoms,) if target.per == "atom" else ()
        shape = (*lead, *target.representation.shape)
        label = torch.as_tensor(value, dtype=torch.float64)
        if label.numel() != torch.Size(shape).numel() or not bool(torch.isfinite(label).all()):
            raise ValueError(f"labels[{name!r}] must be finite and of shape {shape}; got shape {tuple(label.shape)}")
        labels.append(label.reshape(shape))
    return labels


def fit_scales(model: PET, dataset: Dataset) -> None:
    """Set baseline and scale of each head from training data; the scale is not centred, which would break O(3).

    ``baseline`` is the composition fit of an invariant, ``scale = sqrt(mean |label - baseline|^2)`` per component, for
    structure targets after division by the number of atoms (and multiplication by the volume of a density).
    """
    for name, target in model.config.targets.items():
        head = model.head(name)
        labels = label_list(dataset, name, model)
        if target.per == "structure" and target.representation.sectors() == [Sector(0, 1)] and not target.density:
            fit = CompositionBaseline.fit(dataset.structures, torch.stack(labels).flatten())
            head.baseline.zero_()
            for z, value in fit.energies.items():
                head.baseline[z] = value
        head.scale.fill_(1.0)
        residual = torch.cat([value.flatten() for value in normalize(model, name, dataset.structures, labels)])
        head.scale.fill_(float(residual.square().mean().sqrt()) or 1.0)


def normalize(model: PET, name: str, structures: Sequence[Structure], labels: Sequence[Tensor]) -> list[Tensor]:
    """Undo ``Head.physical``: the normalized labels, float64."""
    head, target = model.head(name), model.config.targets[name]
    scale, baseline = head.scale.double(), head.baseline.double()
    result = []
    for structure, label in zip(structures, labels, strict=True):
        if target.per == "structure":
            label = (label - baseline[structure.species].sum()) / structure.n_atoms
            if target.density:
                if structure.cell is None:
                    raise ValueError(f"target {name!r} is a density, and a structure of the data set has no cell")
                label = label * torch.linalg.det(structure.cell.double()).abs()
        result.append(label / scale)
    return result
