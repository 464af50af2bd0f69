from pathlib import Path

import pytest
import torch

from symlab.artifacts import Store
from symlab.data import Dataset
from symlab.groups import Structure, solid_harmonics
from symlab.models import build, count_parameters
from symlab.training import (
    Combination,
    Patient,
    combinations,
    spectral_network,
    spectral_training,
    step_seconds,
    survey,
    surveys,
)

SMALL = {"d_pet": 8, "n_parameters": 6000}


@pytest.fixture
def molecules() -> Dataset:
    """Eight molecules of four atoms, with the sum of the harmonics of degree 2 over the other atoms."""
    generator = torch.Generator().manual_seed(0)
    positions = 0.6 * torch.randn(8, 4, 3, dtype=torch.float64, generator=generator)
    arms = positions[:, None] - positions[:, :, None]
    label = solid_harmonics(arms, 2)[..., 4:].sum(2)
    return Dataset(
        [Structure(one, torch.tensor([1, 8, 8, 1])) for one in positions],
        {"density_2": list(label)},
        {"density_2": "1"},
        {},
        {"train": list(range(6)), "validation": [6, 7]},
    )


def test_a_sweep_holds_every_pair_once() -> None:
    cells = combinations([0, 6], [None, 2, 8])
    assert [str(cell) for cell in cells] == ["l0_mnone", "l0_m2", "l0_m8", "l6_mnone", "l6_m2", "l6_m8"]
    assert [cell.given for cell in cells[:3]] == [1, 2, 8]
    assert str(Combination(3, None, gain=8.0)) == "l3_mnone_g8"
    assert combinations(3, None) == [Combination(3, None)]


def test_networks_of_a_sweep_are_of_equal_size_and_differ_where_they_must() -> None:
    networks = {cell: spectral_network(cell, "x") for cell in combinations(range(7), [None, 2, 4, 8])}
    sizes = {cell: count_parameters(network) for cell, network in networks.items()}
    assert max(sizes.values()) <= 1.01 * min(sizes.values())
    for cell, network in networks.items():
        model = build(network)
        assert model.head("x").representation.dim == 2 * cell.target_l + 1
        assert model.rounds[0].edge_embedder.in_features == (cell.given + 1) ** 2
        assert list(model.head("x").representation.sectors()) == [(cell.target_l, 1)]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (([], [2]), "target_l must hold distinct values, at least one"),
        (([1, 1], [2]), "target_l must hold distinct"),
        (([-1], [2]), "target_l must hold whole numbers, at least 0; got -1"),
        (([1], "all"), "l_max must hold whole numbers, at least 1; got 'all'"),
        (([1], [0]), "l_max must hold whole numbers, at least 1; got 0"),
    ],
)
def test_a_sweep_that_makes_no_sense_is_refused(values, message) -> None:
    with pytest.raises(ValueError, match=message):
        combinations(*values)


def test_surveys_of_many_networks_are_those_of_each(molecules: Dataset, tmp_path: Path) -> None:
    cells = combinations([2], [None, 4])
    patients = {}
    for cell in cells:
        network = build(spectral_network(cell, "density_2", **SMALL), torch.Generator().manual_seed(1)).double().eval()
        patients[cell] = Patient(network, {"density_2": "1x2e"}, ["rounds.0.edge_embedding"])
    few, store, options = molecules.split("validation"), Store(tmp_path), {"l_max": 2, "degree": 5}
    found = surveys(patients, few, store, **options, n_workers=2, progress=False)
    assert list(found) == cells
    for cell, patient in patients.items():
        alone = survey(
            patient.network,
            few,
            Store(tmp_path / "other"),
            patient.targets,
            patient.layers,
            **options,
            converge=False,
            n_workers=1,
            progress=False,
        )
        assert torch.allclose(found[cell].equivariance["density_2"], alone.equivariance["density_2"], rtol=1e-12)
        for layer in alone.fraction:
            assert torch.allclose(found[cell].fraction[layer], alone.fraction[layer], atol=1e-12)


@pytest.mark.parametrize(("l_max", "degree", "held"), [(None, 2, 0.0), (2, 2, 1 / 3), (2, 3, 0.0), (4, 4, 1 / 5)])
def test_an_embedding_holds_what_it_was_given_and_nothing_above(
    molecules: Dataset, tmp_path: Path, l_max: int | None, degree: int, held: float
) -> None:
    """A linear map cannot make a degree; and the degrees that are given share the power about evenly."""
    cell = Combination(2, l_max)
    network = build(spectral_network(cell, "density_2", d_pet=32), torch.Generator().manual_seed(0)).double().eval()
    with torch.no_grad():
        network.rounds[0].edge_embedder.bias.zero_()
    patient = Patient(network, {"density_2": "1x2e"}, ["rounds.0.edge_embedding"])
    options = {"l_max": 4, "degree": 9, "n_workers": 1, "progress": False}
    found = surveys({0: patient}, molecules.subset([0]), Store(tmp_path), **options)[0]
    share = float(found.fraction["rounds.0.edge_embedding"][0, found.sectors.index((degree, 1))])
    assert share == pytest.approx(held, abs=0.06 if held else 1e-12)


def test_time_is_taken_of_every_network_in_every_round(molecules: Dataset) -> None:
    networks = {cell: spectral_network(cell, "density_2", **SMALL) for cell in combinations([2], [None, 8])}
    configs = [spectral_training(seed, 100, batch_size=3) for seed in (0, 1)]
    found = step_seconds(networks, configs, molecules, n_steps=2, n_rounds=3)
    assert list(found) == list(networks)
    assert all(times.shape == (3,) and bool((times > 0).all()) for times in found.values())
