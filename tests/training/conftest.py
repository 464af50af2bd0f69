import pytest
import torch

from symlab.data import Dataset
from symlab.groups import Structure
from symlab.models import PETConfig, force_field_targets
from symlab.training import TrainingConfig


def _structure(generator: torch.Generator) -> Structure:
    """Four atoms in a skewed cell, displaced."""
    cell = 3.4 * torch.eye(3, dtype=torch.float64)
    cell[1, 0] = 0.4
    places = torch.tensor([[0.0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]], dtype=torch.float64)
    noise = 0.1 * torch.randn(4, 3, dtype=torch.float64, generator=generator)
    return Structure(places @ cell + noise, torch.tensor([6, 14, 6, 14]), cell)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def dataset() -> Dataset:
    """Thirteen crystals with an equivariant, invented law: a Gaussian repulsion of all pairs."""
    generator = torch.Generator().manual_seed(0)
    structures = [_structure(generator) for _ in range(13)]
    energies, forces, stresses = [], [], []
    for structure in structures:
        r = structure.positions[:, None] - structure.positions[None]
        pair = torch.exp(-r.square().sum(-1)) * (1 - torch.eye(4, dtype=torch.float64))
        energies.append(pair.sum() / 2 - 3.0 * int((structure.species == 6).sum()))
        forces.append((2 * pair[..., None] * r).sum(1))
        volume = torch.linalg.det(structure.cell).abs()
        stresses.append(-(pair[..., None, None] * r[..., :, None] * r[..., None, :]).sum((0, 1)) / volume)
    return Dataset(
        structures,
        {"energy": torch.stack(energies), "forces": forces, "stress": torch.stack(stresses)},
        {"energy": "eV", "forces": "eV/A", "stress": "eV/A^3"},
        {},
        {"train": list(range(10)), "validation": [10, 11, 12]},
        digest="invented",
    )


@pytest.fixture
def small_model() -> PETConfig:
    sizes = {"cutoff": 3.0, "d_pet": 8, "d_node": 12, "d_head": 8, "d_feedforward": 8, "n_heads": 2}
    return PETConfig((6, 14), force_field_targets(), n_gnn_layers=1, n_attention_layers=1, **sizes)


@pytest.fixture
def short() -> TrainingConfig:
    return TrainingConfig(n_steps=12, batch_size=4, n_checkpoints=4, n_validations=2, resume_interval=4)
