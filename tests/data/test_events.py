"""Sets of events: what is in them, where the truth lies, and what is refused."""

import dataclasses

import numpy as np
import pytest
import torch

from symlab.artifacts import Store
from symlab.data import (
    BRANCHES,
    SEMANTIC,
    EventError,
    EventSet,
    Primary,
    draw_events,
    load_events,
    pilarnet_comparison,
    simulate_events,
)
from symlab.groups import PointCloud

SHOWER, TRACK, MICHEL, DELTA = range(4)
CENTRE = (0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return Store(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="module")
def events(store) -> EventSet:
    return load_events(store, n=40, seed=0, n_workers=1)


@pytest.fixture(scope="module")
def stopped_muons() -> EventSet:
    """Twelve mu+ of 150 MeV along x; each decays."""
    return simulate_events([[Primary("mu+", 150.0, (-50.0, 0.0, 0.0), (1.0, 0.0, 0.0))]] * 12, seed=1)


def branches(events: EventSet, row: int) -> list[str]:
    return [BRANCHES[kind] for kind in events.branches[row].tolist()]


def test_an_event_is_a_cloud_of_voxels_with_labels(events):
    assert 30 < len(events) <= 40
    assert len(events) + events.n_failed == 40
    assert events.units == {"positions": "voxel", "energy": "MeV", "branching_points": "voxel"}
    assert SEMANTIC == ("shower", "track", "Michel", "delta")
    for row, cloud in enumerate(events.clouds):
        n = len(cloud.positions)
        assert 256 <= n <= 4000
        assert cloud.positions.dtype == torch.float32
        assert cloud.positions.mean(dim=0).abs().max() < 1e-3
        steps = cloud.positions - cloud.positions[0]
        torch.testing.assert_close(steps, steps.round(), atol=1e-4, rtol=0)
        assert cloud.features["energy"].min() >= 0.05
        assert events.semantic[row].dtype == events.fragment[row].dtype == torch.int64
        assert set(events.semantic[row].tolist()) <= {SHOWER, TRACK, MICHEL, DELTA}
        n_fragments = int(events.fragment[row].max()) + 1
        assert events.parents[row].shape == events.particles[row].shape == (n_fragments,)
        assert events.branching_points[row].shape == (len(events.branches[row]), 3)
        assert float(cloud.features["energy"].sum()) == pytest.approx(events.columns["deposited"][row], rel=1e-4)


def test_a_fragment_has_one_class_and_a_particle_that_makes_it(events):
    allowed = {SHOWER: {11, -11}, MICHEL: {11, -11}, DELTA: {11}, TRACK: {13, -13, 211, -211, 2212}}
    for semantic, fragment, particles, parents in zip(
        events.semantic, events.fragment, events.particles, events.parents, strict=True
    ):
        for number, code in enumerate(particles.tolist()):
            (kind,) = semantic[fragment == number].unique().tolist()
            assert code in allowed[kind]
            assert -1 <= int(parents[number]) < number, "a parent begins before its child"


def test_branching_points_lie_on_two_fragments(events):
    found = 0
    for cloud, fragment, points in zip(events.clouds, events.fragment, events.branching_points, strict=True):
        for point in points:
            near = (cloud.positions - point).norm(dim=1) <= 2.0 + 1e-3
            assert len(fragment[near].unique()) >= 2
            found += 1
    assert found > len(events)
    kinds = {name for row in range(len(events)) for name in branches(events, row)}
    assert {"vertex", "decay", "delta", "star"} <= kinds <= set(BRANCHES)


def test_a_stopped_muon_has_a_michel_electron_at_its_end(stopped_muons):
    for row, cloud in enumerate(stopped_muons.clouds):
        (at,) = [i for i, name in enumerate(branches(stopped_muons, row)) if name == "decay"]
        point = stopped_muons.branching_points[row][at]
        track = cloud.positions[stopped_muons.semantic[row] == TRACK]
        assert float(point[0]) == pytest.approx(float(track[:, 0].max()), abs=3), "at the far end of the track"
        michel = stopped_muons.semantic[row] == MICHEL
        assert float((cloud.positions[michel] - point).norm(dim=1).min()) < 2
        assert cloud.features["energy"][michel].sum() < 53
        child = stopped_muons.fragment[row][michel][0]
        parent = stopped_muons.parents[row][child]
        assert int(stopped_muons.particles[row][child]) == -11
        assert int(stopped_muons.particles[row][parent]) == -13
        assert stopped_muons.columns["primaries"][row] == "mu+"


def test_particles_that_begin_together_make_a_vertex_and_one_alone_does_not():
    pair = [Primary("p", 200.0, CENTRE, (0, 0, 1)), Primary("mu-", 200.0, CENTRE, (0, 1, 0))]
    apart = [pair[0], Primary("mu-", 200.0, (30.0, 0, 0), (0, 1, 0))]
    events = simulate_events([pair, apart, [Primary("e-", 300.0, CENTRE, (1, 0, 0))]])
    assert "vertex" in branches(events, 0)
    assert "vertex" not in branches(events, 1) + branches(events, 2)
    at = branches(events, 0).index("vertex")
    first = events.clouds[0].positions[events.fragment[0] == 0]
    assert float((first - events.branching_points[0][at]).norm(dim=1).min()) < 1
    assert (events.semantic[2] == SHOWER).all()


def test_fast_muons_knock_out_deltas_and_protons_of_the_same_range_do_not():
    fast = simulate_events([[Primary("mu-", 1000.0, (-100.0, 0, 0), (1, 0, 0))]] * 6)
    slow = simulate_events([[Primary("p", 250.0, CENTRE, (1, 0, 0))]] * 6)
    count = [sum(branches(some, row).count("delta") for row in range(6)) for some in (fast, slow)]
    assert count[0] >= 6
    assert count[1] <= 2
    for row in range(6):
        is_delta = fast.semantic[row] == DELTA
        assert (fast.parents[row][fast.fragment[row][is_delta]] >= 0).all()


def test_one_event_depends_on_seed_and_number_alone(store, events, tmp_path):
    fewer = load_events(store, n=7, seed=0, n_workers=1)
    other = load_events(Store(tmp_path), n=40, seed=0, n_workers=2)
    assert other.digest == events.digest
    for some in (fewer, other):
        for row in range(len(some)):
            assert torch.equal(some.clouds[row].positions, events.clouds[row].positions)
            assert torch.equal(some.clouds[row].features["energy"], events.clouds[row].features["energy"])
            assert torch.equal(some.semantic[row], events.semantic[row])
            assert torch.equal(some.branching_points[row], events.branching_points[row])
    assert events.splits == other.splits
    changed = load_events(store, n=7, seed=1, n_workers=1)
    assert len(changed.clouds[0].positions) != len(events.clouds[0].positions)


def test_a_second_read_comes_from_the_store(store, events, monkeypatch):
    monkeypatch.setattr("symlab.data._events.generate", lambda *_, **__: pytest.fail("made twice"))
    again = load_events(store, n=40, seed=0)
    assert again.digest == events.digest
    assert again.columns == events.columns


def test_the_few_and_the_many_are_drawn_alike(events):
    drawn = draw_events(30, seed=0)
    names = [" ".join(primary.name for primary in event) for event in drawn]
    assert len(drawn) == 30
    kept = [name for name in events.columns["primaries"] if name in names]
    assert len(kept) >= 25
    assert draw_events(5, seed=0) == drawn[:5]


def test_splits_and_subsets_keep_rows_together(events):
    assert sorted(row for rows in events.splits.values() for row in rows) == list(range(len(events)))
    test = events.split("test")
    assert len(test) == len(events.splits["test"])
    assert test.splits["test"] == list(range(len(test)))
    assert test.columns["energy"] == [events.columns["energy"][row] for row in events.splits["test"]]
    two = events.subset([3, 1])
    assert torch.equal(two.semantic[1], events.semantic[1])
    assert two.digest == events.digest
    with pytest.raises(ValueError, match="split 'all' does not exist; this data set has train, validation, test"):
        events.split("all")


def test_classes_are_about_as_common_as_in_pilarnet(events):
    """Printed side by side in the book; here a bound on how far apart they may be."""
    shares = pilarnet_comparison(events)
    assert list(shares) == [*SEMANTIC, "low energy"]
    assert sum(here for here, _ in shares.values()) == pytest.approx(1)
    assert sum(there for _, there in shares.values()) == pytest.approx(1)
    assert shares["shower"][1] == pytest.approx(0.368, abs=5e-4)
    for name, limit in {"shower": 0.12, "track": 0.12, "Michel": 0.015, "delta": 0.015, "low energy": 0.12}.items():
        here, there = shares[name]
        assert abs(here - there) < limit, name


def test_low_energy_voxels_are_kept_on_demand():
    event = [[Primary("e-", 300.0, CENTRE, (1, 0, 0))]] * 3
    dropped, kept = simulate_events(event), simulate_events(event, keep_low_energy=True)
    for row in range(3):
        low = kept.semantic[row] == 4
        assert int(low.sum()) == dropped.columns["n_low_energy"][row] > 0
        assert int((~low).sum()) == len(dropped.semantic[row])


def test_drift_smearing_widens_along_z_only():
    event = [[Primary("p", 200.0, CENTRE, (1, 0, 0))]] * 4
    sharp, smeared = simulate_events(event, drift_smearing=0.0), simulate_events(event, drift_smearing=3.0)

    def widths(events: EventSet) -> np.ndarray:
        values = []
        for cloud, semantic in zip(events.clouds, events.semantic, strict=True):
            rows = semantic == TRACK
            energy = cloud.features["energy"][rows, None]
            r = cloud.positions[rows] - (energy * cloud.positions[rows]).sum(dim=0) / energy.sum()
            values.append(((energy * r**2).sum(dim=0) / energy.sum()).sqrt().numpy())
        return np.mean(values, axis=0)

    before, after = widths(sharp), widths(smeared)
    assert after[1] == pytest.approx(before[1], abs=0.2)
    assert np.sqrt(after[2] ** 2 - before[2] ** 2) == pytest.approx(3.0, rel=0.1)


def test_a_field_turns_opposite_charges_to_opposite_sides():
    start = (-60.0, 0.0, 0.0)
    event = [[Primary(name, 300.0, start, (1, 0, 0))] for name in ("mu+", "mu-") for _ in range(4)]
    events = simulate_events(event, magnetic_field=2.0)
    sagitta = []
    for cloud, semantic in zip(events.clouds, events.semantic, strict=True):
        track = cloud.positions[semantic == TRACK]
        order = track[:, 0].argsort()
        sagitta.append(float(track[order[-40:], 1].mean() - track[order[:40], 1].mean()))
    assert max(sagitta[:4]) < 0 < min(sagitta[4:]), "q v x B points to -y for a positive charge along x, with B along z"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be a whole number >= 1, got 0"),
        ({"seed": -1}, "seed must be a whole number >= 0, got -1"),
        ({"magnetic_field": 20.0}, r"magnetic_field must lie in \[-10, 10\] tesla; got 20.0"),
        ({"drift_smearing": -1.0}, r"drift_smearing must lie in \[0, 10\] voxels; got -1.0"),
        ({"drift_smearing": float("nan")}, r"drift_smearing must lie in \[0, 10\] voxels; got nan"),
        ({"threshold": 0.0}, r"threshold must lie in \[0.01, 1\] MeV; got 0.0"),
        ({"sizes": (0, 10)}, r"sizes must be \(least, largest\) with 1 <= least <= largest voxels, got \(0, 10\)"),
    ],
)
def test_bad_parameters_are_refused_before_any_work(store, arguments, message):
    with pytest.raises(ValueError, match=message):
        load_events(store, **arguments)


def test_a_set_without_any_event_says_why(store):
    with pytest.raises(
        EventError, match=r"all 2 events are rejected; the first has \d+ voxels, not 3999 to 4000\. Widen the sizes$"
    ):
        load_events(store, n=2, seed=0, sizes=(3999, 4000), n_workers=1)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ([], r"events\[0\] has no particle; give at least one Primary"),
        ([Primary("nu", 1.0, CENTRE, (1, 0, 0))], r"events\[0\]: particle 'nu' is unknown; choose among e-, e\+, mu-"),
        ([Primary("e-", float("nan"), CENTRE, (1, 0, 0))], r"kinetic energy must lie in \(0, 5000\] MeV, got nan"),
        ([Primary("e-", 6000.0, CENTRE, (1, 0, 0))], r"kinetic energy must lie in \(0, 5000\] MeV, got 6000.0"),
        ([Primary("e-", 50.0, (0, 0, 116.0), (1, 0, 0))], r"position must lie inside the detector, .* below 115.2 cm"),
        ([Primary("e-", 50.0, (0, 0, float("nan")), (1, 0, 0))], r"position must lie inside the detector"),
        ([Primary("e-", 50.0, CENTRE, (0, 0, 0))], r"direction must be a vector of finite length, not zero"),
        ([Primary("gamma", 0.01, CENTRE, (1, 0, 0))], r"events\[0\] leaves no voxel above 0.05 MeV"),
    ],
)
def test_events_that_cannot_be_simulated_are_refused(event, message):
    with pytest.raises(ValueError, match=message):
        simulate_events([event])


def test_no_event_is_refused():
    with pytest.raises(ValueError, match="n must be a whole number >= 1, got 0"):
        simulate_events([])


def test_clouds_that_make_no_sense_are_refused(events):
    one = events.subset([0])
    cloud, n = one.clouds[0], len(one.clouds[0].positions)

    def replaced(positions, energy, **more):
        return dataclasses.replace(one, clouds=[PointCloud(positions, {"energy": energy})], **more)

    energy = cloud.features["energy"].clone()
    energy[5] = float("nan")
    with pytest.raises(ValueError, match=r"clouds\[0\] must have a feature 'energy', finite and above 0 MeV"):
        replaced(cloud.positions, energy)
    positions = cloud.positions.clone()
    positions[7] = positions[3]
    with pytest.raises(ValueError, match=r"clouds\[0\] has 1 voxels twice; add their energies"):
        replaced(positions, cloud.features["energy"])
    with pytest.raises(ValueError, match=rf"semantic\[0\] must have one entry per voxel \({n}\), got {n - 1}"):
        dataclasses.replace(one, semantic=[one.semantic[0][1:]])
    with pytest.raises(ValueError, match=r"parents must have one entry per event \(1\), got 2"):
        dataclasses.replace(one, parents=one.parents * 2)
    with pytest.raises(ValueError, match=r"positions must have shape \(n, 3\) with n >= 1; got \(0, 3\)"):
        replaced(cloud.positions[:0], cloud.features["energy"][:0])
    zero = torch.zeros(1, dtype=torch.int64)
    single = replaced(cloud.positions[:1], cloud.features["energy"][:1], semantic=[zero], fragment=[zero])
    assert len(single) == 1, "one voxel is an event"
