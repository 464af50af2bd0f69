from collections.abc import Callable

import pytest
import torch

from symlab.data import Dataset
from symlab.groups import PointCloud, Structure


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


@pytest.fixture(scope="session")
def invented_tracks() -> Callable[..., PointCloud]:
    """Draw straight tracks on a lattice of voxels, about their centroid, with random energies in MeV."""

    def make(seed: int, n_tracks: int = 2, length: float = 40.0) -> PointCloud:
        generator = torch.Generator().manual_seed(seed)
        start = 12 * torch.randn(n_tracks, 1, 3, generator=generator, dtype=torch.float64)
        direction = torch.randn(n_tracks, 1, 3, generator=generator, dtype=torch.float64)
        along = torch.arange(0, length, 0.7, dtype=torch.float64)[:, None]
        points = start + along * direction / direction.norm(dim=-1, keepdim=True)
        points = points + 0.6 * torch.randn(points.shape, generator=generator, dtype=torch.float64)
        voxels = torch.unique(points.round().flatten(0, 1), dim=0)
        energy = 0.1 + torch.rand(len(voxels), generator=generator)
        return PointCloud((voxels - voxels.mean(0)).float(), {"energy": energy})

    return make
