"""Muons in a magnetic field: where they start, which way they bend, and what must not tell their charge."""

import pickle

import pytest
import torch

from symlab.artifacts import Store
from symlab.data import MUONS, MuonSet, load_muons
from symlab.groups import PointCloud

RADIUS = 75.0


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return Store(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="module")
def muons(store) -> MuonSet:
    return load_muons(store, 40, radius=RADIUS)


def bend(cloud: PointCloud) -> float:
    """Component along z of early times late."""
    third = len(cloud.positions) // 3
    early, late = cloud.positions[:third].mean(0), cloud.positions[-third:].mean(0)
    return float(torch.linalg.cross(early, late)[2])


def test_a_track_runs_from_the_centre_to_the_sphere(muons):
    assert [MUONS[charge] for charge in muons.charge[:3]] == ["mu+", "mu-", "mu+"]
    for cloud in muons.clouds:
        away = cloud.positions.norm(dim=1)
        assert (away.diff() >= 0).all()
        assert away[0] < 2
        assert RADIUS - 2 < away[-1] <= RADIUS
        corners = cloud.positions - 0.5  # the muon starts where eight voxels meet
        assert torch.equal(corners, corners.round())
        assert (cloud.features["energy"] > 0).all()


def n_clockwise_if_positive(muons: MuonSet) -> int:
    """Muons that bend as their charge says in a field along z."""
    pairs = zip(muons.clouds, muons.charge, strict=True)
    return sum((bend(cloud) < 0) == (MUONS[charge] == "mu+") for cloud, charge in pairs)


def test_positive_muons_curl_clockwise_about_the_field(store, muons):
    assert n_clockwise_if_positive(muons) >= 38
    assert n_clockwise_if_positive(load_muons(store, 40, radius=RADIUS, magnetic_field=-3.0)) <= 2


def test_without_a_field_the_bend_says_nothing(store):
    assert 15 <= n_clockwise_if_positive(load_muons(store, 60, radius=RADIUS, magnetic_field=0.0)) <= 45


def test_energy_and_length_do_not_tell_the_charge(store):
    many = load_muons(store, 200, radius=RADIUS)
    for quantity in (lambda cloud: cloud.features["energy"].sum(), lambda cloud: torch.tensor(len(cloud.positions))):
        values = torch.stack([quantity(cloud).double() for cloud in many.clouds])
        plus, minus = values[many.charge == 0], values[many.charge == 1]
        error = (plus.var() / len(plus) + minus.var() / len(minus)).sqrt()
        assert abs(plus.mean() - minus.mean()) < 4 * error


def test_the_splits_are_disjoint_and_every_voxel_has_the_charge_of_its_muon(muons):
    assert {name: len(rows) for name, rows in muons.splits.items()} == {"train": 24, "validation": 4, "test": 12}
    assert sorted(row for rows in muons.splits.values() for row in rows) == list(range(40))
    test = muons.split("test")
    for cloud, charge, classes in zip(test.clouds, test.charge, test.semantic, strict=True):
        assert torch.equal(classes, charge.repeat(len(cloud.positions)))
    with pytest.raises(ValueError, match="split 'all' does not exist; this data set has train, validation, test"):
        muons.split("all")


def test_training_muons_are_turned_about_the_field_and_the_others_stay(muons):
    turned = muons.turned_about_field(3, torch.Generator().manual_seed(0))
    assert {name: len(rows) for name, rows in turned.splits.items()} == {"train": 72, "validation": 4, "test": 12}
    for name in ("validation", "test"):
        for ours, theirs in zip(turned.split(name).clouds, muons.split(name).clouds, strict=True):
            assert torch.equal(ours.positions, theirs.positions)
    before, after = muons.split("train"), turned.split("train")
    assert torch.equal(after.charge, before.charge.repeat_interleave(3))
    for row, cloud in enumerate(after.clouds):
        source = before.clouds[row // 3].positions
        torch.testing.assert_close(cloud.positions[:, 2], source[:, 2])
        torch.testing.assert_close(cloud.positions.norm(dim=1), source.norm(dim=1))
        assert not torch.allclose(cloud.positions, source, atol=1e-2)
        assert bend(cloud) == pytest.approx(bend(before.clouds[row // 3]), abs=1e-2)
    with pytest.raises(ValueError, match="n_copies must be at least 1; got 0"):
        muons.turned_about_field(0, torch.Generator())


def test_a_muon_is_pickled_without_the_others(muons):
    assert len(pickle.dumps(muons.subset([0]))) < 3 * len(pickle.dumps(muons)) / len(muons)


def test_the_first_muons_of_a_larger_set_are_those_of_a_smaller_one(store, muons):
    larger = load_muons(store, 60, radius=RADIUS)
    for ours, theirs in zip(muons.clouds, larger.clouds, strict=False):
        assert torch.equal(ours.positions, theirs.positions)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 9}, "n must be at least 10"),
        ({"energy": 5.0}, r"energy must lie in \[20, 2000\] MeV; got 5.0"),
        ({"magnetic_field": 11.0}, r"magnetic_field must lie in \[-10, 10\] tesla"),
        ({"radius": 400.0}, r"radius must lie in \[10, 384\] voxels"),
        ({"n": 10, "energy": 60.0}, "may stop inside the sphere of radius = 75; lower radius"),
    ],
)
def test_what_cannot_be_simulated_is_refused(store, options, message):
    with pytest.raises(ValueError, match=message):
        load_muons(store, **options)
