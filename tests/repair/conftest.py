import pytest
import torch

from symlab.data import Dataset
from symlab.groups import Structure
from symlab.models import PET, PETConfig, force_field_targets


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """Four crystals of four atoms with invented labels."""
    generator = torch.Generator().manual_seed(0)
    sites = 2.2 * torch.tensor([[0.0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=torch.float64)
    structures = [
        Structure(
            sites + 0.1 * torch.randn(4, 3, generator=generator, dtype=torch.float64),
            torch.tensor([6, 14, 14, 6]),
            cell=4.4 * torch.eye(3, dtype=torch.float64),
        )
        for _ in range(4)
    ]
    labels = {
        "energy": torch.randn(4, generator=generator, dtype=torch.float64),
        "forces": [torch.randn(4, 3, generator=generator, dtype=torch.float64) for _ in structures],
        "stress": torch.randn(4, 3, 3, generator=generator, dtype=torch.float64),
    }
    units = {"energy": "eV", "forces": "eV/A", "stress": "eV/A^3"}
    return Dataset(structures, labels, units, {}, {"test": list(range(4))})


@pytest.fixture(scope="session")
def network() -> PET:
    """An untrained PET whose answers vary with the orientation."""
    targets = force_field_targets(antisymmetric_stress=True)
    config = PETConfig((6, 14), targets, cutoff=3.5, d_pet=8, d_node=8, d_head=8, d_feedforward=8, n_attention_layers=1)
    return PET(config, torch.Generator().manual_seed(0)).double().eval()
