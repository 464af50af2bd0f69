from collections.abc import Callable

import pytest
import torch

from symlab.data import Dataset
from symlab.models import PET, PETConfig, force_field_targets


@pytest.fixture(scope="session")
def dataset(invented_crystals: Callable[[int], Dataset]) -> Dataset:
    """Four crystals of four atoms with invented labels."""
    return invented_crystals(4)


@pytest.fixture(scope="session")
def network() -> PET:
    """An untrained PET whose answers vary with the orientation."""
    targets = force_field_targets(antisymmetric_stress=True)
    config = PETConfig((6, 14), targets, cutoff=3.5, d_pet=8, d_node=8, d_head=8, d_feedforward=8, n_attention_layers=1)
    return PET(config, torch.Generator().manual_seed(0)).double().eval()
