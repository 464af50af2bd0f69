from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from symlab.artifacts import Store
from symlab.data import Dataset, fingerprint
from symlab.measure import diagnose
from symlab.models import PET, PETConfig, force_field_targets
from symlab.training import survey

TARGETS = {"energy": "0e", "forces": "1x1o", "stress": "ij=ji"}
LAYERS = ["rounds.0.blocks.0.edge"]


@pytest.fixture(scope="module")
def dataset(invented_crystals: Callable[[int], Dataset]) -> Dataset:
    crystals = invented_crystals(17)
    return replace(crystals, labels=crystals.labels | {"stress": torch.eye(3, dtype=torch.float64).repeat(17, 1, 1)})


@pytest.fixture(scope="module")
def network() -> PET:
    config = PETConfig((6, 14), force_field_targets(), cutoff=3.5, d_pet=8, d_node=8, d_head=8, d_feedforward=8)
    return PET(config, torch.Generator().manual_seed(0)).double().eval()


@pytest.fixture(scope="module")
def measured(dataset, network, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    return survey(network, dataset, store, TARGETS, LAYERS, l_max=2, degree=5, n_workers=1, progress=False), store


def test_a_survey_is_what_diagnose_finds_structure_by_structure(dataset, network, measured):
    found, _ = measured
    for row in (0, 16):
        labels = {name: torch.atleast_1d(torch.as_tensor(dataset.labels[name][row])) for name in TARGETS}
        alone = diagnose(
            network.evaluate, dataset.structures[row], TARGETS, LAYERS, 2, 5, target=labels, tolerance=None
        )
        for name in TARGETS:
            report = alone.equivariance[name]
            assert found.equivariance[name][row] == pytest.approx(report.rmse, rel=1e-9)
            assert found.rms_output[name][row] == pytest.approx(report.rms_output, rel=1e-9)
            assert report.split is not None
            assert found.absolute[name][row] == pytest.approx(report.split.averaged_rmse, rel=1e-9)
            assert found.symmetrized[name][row] == pytest.approx(report.split.symmetrized_rmse, rel=1e-9)
        for name in (*LAYERS, *TARGETS):
            torch.testing.assert_close(
                found.fraction[name][row], alone.characters[name].fraction, rtol=1e-9, atol=1e-12
            )


def test_layers_come_first_and_sectors_are_named(measured):
    found, _ = measured
    assert list(found.fraction) == [*LAYERS, *TARGETS]
    assert found.fraction["forces"].shape == (17, len(found.sectors)) == (17, 6)


def test_a_second_survey_reads_the_first(dataset, network, measured, monkeypatch):
    found, store = measured
    monkeypatch.setattr("symlab.training._survey.diagnose", None)
    again = survey(network, dataset, store, TARGETS, LAYERS, l_max=2, degree=5, progress=False)
    assert torch.equal(again.equivariance["forces"], found.equivariance["forces"])


def test_a_killed_survey_keeps_its_finished_chunks(dataset, network, tmp_path, monkeypatch):
    calls = []

    def stops(*arguments, **options):
        if calls:
            raise KeyboardInterrupt
        calls.append(1)
        return diagnose(*arguments, **options)

    monkeypatch.setattr("symlab.training._survey.diagnose", stops)
    options = {"l_max": 1, "degree": 3, "n_workers": 1, "progress": False}
    with pytest.raises(KeyboardInterrupt):
        survey(network, dataset, Store(tmp_path), TARGETS, **options)
    calls.clear()
    found = survey(network, dataset, Store(tmp_path), TARGETS, **options)
    assert len(calls) == 1
    assert len(found.equivariance["energy"]) == 17


def test_other_weights_or_structures_are_another_survey(dataset, network):
    assert fingerprint(dataset, TARGETS) != fingerprint(dataset.subset(range(16)), TARGETS)
    assert fingerprint(dataset, ["forces"]) != fingerprint(dataset, TARGETS)


def test_bad_input_is_refused(dataset, network, tmp_path):
    with pytest.raises(ValueError, match="dataset holds no structure; choose a larger split"):
        survey(network, dataset.subset([]), Store(tmp_path), TARGETS)
    with pytest.raises(ValueError, match="labels energy, forces, stress; targets ask for dipole"):
        survey(network, dataset, Store(tmp_path), {"dipole": "1x1o"})
