"""What a data set holds, as one number."""

import hashlib
from collections.abc import Iterable

import torch

from symlab.data._dataset import Dataset


def fingerprint(dataset: Dataset, labels: Iterable[str]) -> str:
    """Hash the structures, and the labels that are named, of a data set; two subsets of one artifact differ.

    Args:
        dataset: any.
        labels: names; those that the data set lacks are passed over.

    Returns:
        sha256, 64 hex digits.
    """
    digest = hashlib.sha256()
    names = [name for name in labels if name in dataset.labels]
    for row, structure in enumerate(dataset.structures):
        parts = [structure.species, structure.positions, *([] if structure.cell is None else [structure.cell])]
        for part in [*parts, *(torch.as_tensor(dataset.labels[name][row]) for name in names)]:
            digest.update(f"{tuple(part.shape)}{part.dtype}".encode() + part.contiguous().numpy().tobytes())
    return digest.hexdigest()
