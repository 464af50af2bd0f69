from collections.abc import Callable

import pytest
import torch

from symlab.data import Dataset
from symlab.groups import Structure


@pytest.fixture(scope="session")
def invented_crystals() -> Callable[[int], Dataset]:
    """Make n crystals of four atoms, all in the split "test", with labels drawn at random."""

    def make(n: int) -> Dataset:
        generator = torch.Generator().manual_seed(0)
        sites = 2.2 * torch.tensor([[0.0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=torch.float64)
        structures = [
            Structure(
                sites + 0.1 * torch.randn(4, 3, generator=generator, dtype=torch.float64),
                torch.tensor([6, 14, 14, 6]),
                cell=4.4 * torch.eye(3, dtype=torch.float64),
            )
            for _ in range(n)
        ]
        labels = {
            "energy": torch.randn(n, generator=generator, dtype=torch.float64),
            "forces": [torch.randn(4, 3, generator=generator, dtype=torch.float64) for _ in structures],
            "stress": torch.randn(n, 3, 3, generator=generator, dtype=torch.float64),
        }
        units = {"energy": "eV", "forces": "eV/A", "stress": "eV/A^3"}
        return Dataset(structures, labels, units, {}, {"test": list(range(n))})

    return make
