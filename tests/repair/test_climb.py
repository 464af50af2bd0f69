"""The ladder as a whole: its parts are those of the instruments, and it is kept, resumed and reproduced."""

import pytest
import torch

from symlab.artifacts import Store
from symlab.groups import finite_group, haar_grid
from symlab.measure import equivariance, error_spectrum
from symlab.repair import Rungs, climb, part_outputs, parts

OUTPUTS = {"energy": "0e", "forces": "1x1o", "stress": "ij"}
PARTS = ["stress (0,+)", "stress (1,-)", "stress (2,+)"]
GRIDS = {"C1": finite_group("C1"), "Ci": finite_group("Ci"), "T": finite_group("T"), "Haar": haar_grid(3)}
OPTIONS = {"split": ("stress",), "l_max": 2, "n_evaluations": 12, "n_workers": 1, "progress": False}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def climbed(network, dataset, store):
    return climb(network, dataset, store, OUTPUTS, GRIDS, **OPTIONS)


def test_it_holds_what_the_instruments_measure(network, dataset, climbed) -> None:
    assert list(climbed) == [*OUTPUTS, *PARTS]
    x = dataset.structures[1]
    spectrum = error_spectrum(network.evaluate, x, OUTPUTS, l_max=2, progress=False)
    for name in OUTPUTS:
        label = dataset.labels[name][1].reshape(spectrum[name].mean[0].shape)
        report = equivariance(
            network.evaluate, x, {name: OUTPUTS[name]}, degree=4, target={name: label}, check=False, n_converge=0
        )[name]
        ladder = climbed[name]
        assert float(ladder.variance[1]) == pytest.approx(report.rmse**2, rel=1e-9)
        torch.testing.assert_close(ladder.power[1], spectrum[name].power[0])
        assert report.split is not None
        assert float(ladder.symmetrized[1]) == pytest.approx(report.split.symmetrized_rmse**2, rel=1e-9)


def test_the_parts_of_the_stress_add_up(climbed) -> None:
    for key in ("variance", "power", "symmetrized"):
        whole = 9 * getattr(climbed["stress"], key)
        split = sum(d * getattr(climbed[name], key) for d, name in zip((1, 3, 5), PARTS, strict=True))
        torch.testing.assert_close(split, whole, rtol=1e-9, atol=1e-15)
    for rung in GRIDS:
        split = sum(d * climbed[name].left[rung] for d, name in zip((1, 3, 5), PARTS, strict=True))
        torch.testing.assert_close(split, 9 * climbed["stress"].left[rung])


@pytest.fixture(scope="module")
def longer(network, dataset, store):
    """More draws on fewer crystals."""
    options = OPTIONS | {"n_evaluations": 150, "l_max": 4}
    return climb(network, dataset.subset([0, 3]), store, OUTPUTS, GRIDS, **options)


def test_measured_and_predicted_agree(longer) -> None:
    rungs = Rungs.of(GRIDS, 4)
    assert rungs.sizes == [1, 2, 12, 48]
    for name in ("forces", "stress"):
        ladder = longer[name]
        predicted = dict(zip(rungs.names, ladder.predicted(rungs).tolist(), strict=True))
        assert predicted["C1"] == pytest.approx(1)
        for rung in ("C1", "Ci", "T"):
            assert ladder.remaining(rung) == pytest.approx(predicted[rung], rel=0.35)
            low, high = ladder.remaining_interval(rung)
            assert low <= ladder.remaining(rung) <= high
        assert ladder.remaining("T") < 0.6 * ladder.remaining("C1")
        assert ladder.remaining("Haar") < 0.1
    low, high = longer["stress"].predicted_interval(rungs)
    assert bool((low <= high).all())
    assert (low.shape, high.shape) == ((4,), (4,))


def test_the_error_splits_in_expectation(longer) -> None:
    for name, ladder in longer.items():
        for rung in ("Ci", "T"):
            split = float((ladder.symmetrized + ladder.left[rung]).mean())
            assert float(ladder.error[rung].mean()) == pytest.approx(split, rel=0.1), name
        assert float(ladder.symmetrized.mean()) <= float((ladder.symmetrized + ladder.variance).mean())


def test_a_structure_has_the_same_draws_whatever_stands_beside_it(network, dataset, climbed, tmp_path) -> None:
    alone = climb(network, dataset.subset([2]), Store(tmp_path), OUTPUTS, GRIDS, **OPTIONS)
    for rung in GRIDS:
        torch.testing.assert_close(alone["stress"].left[rung][0], climbed["stress"].left[rung][2])
    few = {"T": GRIDS["T"]}
    other = climb(network, dataset.subset([2]), Store(tmp_path), OUTPUTS, few, **OPTIONS, seed=1)
    assert float(other["stress"].left["T"]) != float(alone["stress"].left["T"])


def test_a_second_climb_reads_the_first(network, dataset, store, climbed, monkeypatch) -> None:
    monkeypatch.setattr("symlab.repair._climb.error_spectrum", None)
    again = climb(network, dataset, store, OUTPUTS, GRIDS, **OPTIONS)
    assert torch.equal(again["forces"].left["T"], climbed["forces"].left["T"])
    with pytest.raises(TypeError, match="NoneType"):  # other elements, another measurement
        climb(network, dataset, store, OUTPUTS, GRIDS | {"T": finite_group("O")}, **OPTIONS)


def test_a_killed_climb_keeps_its_finished_structures(network, dataset, tmp_path, monkeypatch) -> None:
    calls, most = [], [2]

    def stops(*arguments, **options):
        if len(calls) == most[0]:
            raise KeyboardInterrupt
        calls.append(1)
        return error_spectrum(*arguments, **options)

    monkeypatch.setattr("symlab.repair._climb.error_spectrum", stops)
    few = {"Ci": GRIDS["Ci"]}
    with pytest.raises(KeyboardInterrupt):
        climb(network, dataset, Store(tmp_path), OUTPUTS, few, **OPTIONS)
    most[0] = 4
    assert len(climb(network, dataset, Store(tmp_path), OUTPUTS, few, **OPTIONS)["energy"].variance) == 4
    assert len(calls) == 4


def test_parts_are_named_by_their_sector() -> None:
    tensor = torch.randn(5, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    split = parts("stress", tensor, "ij")
    assert part_outputs("stress", "ij") == {"stress (0,+)": "0e", "stress (1,-)": "1e", "stress (2,+)": "2e"}
    assert [tuple(value.shape) for value in split.values()] == [(5, 1), (5, 3), (5, 5)]
    torch.testing.assert_close(sum(v.square().sum(-1) for v in split.values()), tensor.square().sum((1, 2)))
    assert parts("pair", torch.ones(2, 6, dtype=torch.float64), "2x1o")["pair (1,+)"].shape == (2, 2, 3)


def test_bad_requests_are_refused(network, dataset, store, climbed) -> None:
    with pytest.raises(ValueError, match="dataset holds no structure"):
        climb(network, dataset.subset([]), store, OUTPUTS, GRIDS, **OPTIONS)
    with pytest.raises(ValueError, match="dataset has labels energy, forces, stress; outputs ask for dipole"):
        climb(network, dataset, store, {"dipole": "1x1o"}, GRIDS, **OPTIONS | {"split": ()})
    with pytest.raises(ValueError, match="rungs must be counted up to l_max = 2 of this ladder; got 3"):
        climbed["energy"].predicted(Rungs.of(GRIDS, 3))
