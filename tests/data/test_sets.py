import json

import pytest
import torch

from symlab.artifacts import ArtifactError, Store
from symlab.data import Dataset, ScfError, load_crystals, load_deformed_crystals, load_molecules


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="module")
def molecules(store) -> Dataset:
    return load_molecules(store, n=60, seed=5, n_workers=1)


@pytest.fixture(scope="module")
def crystals(store) -> Dataset:
    return load_crystals(store, n=6, seed=5, n_workers=1)


def file_of(store: Store, dataset: Dataset) -> bytes:
    (path,) = store.root.glob(f"*/{dataset.digest}/dataset.safetensors")
    return path.read_bytes()


def test_molecules_have_every_label_with_unit_and_shape(molecules):
    assert len(molecules) == 60
    assert molecules.n_failed == 0
    assert molecules.units == {"positions": "A", "energy": "eV", "forces": "eV/A", "dipole": "e*A"}
    assert molecules.engine["method"] == "GFN2-xTB"
    assert molecules.labels["energy"].shape == (60,)
    assert molecules.labels["dipole"].shape == (60, 3)
    assert [len(forces) for forces in molecules.labels["forces"]] == [9, 6, 6] * 20
    assert molecules.columns["molecule"][:3] == ["ethanol", "methanol", "formamide"]
    for structure, forces in zip(molecules.structures, molecules.labels["forces"], strict=True):
        assert structure.cell is None
        assert structure.positions.dtype == forces.dtype == torch.float64
        assert structure.positions.shape == forces.shape
        assert forces.sum(dim=0).abs().max() < 1e-6  # nothing pulls on the whole molecule


def test_crystals_have_every_label_with_unit_and_shape(crystals):
    assert crystals.units == {"positions": "A", "cell": "A", "energy": "eV", "forces": "eV/A", "stress": "eV/A^3"}
    assert crystals.engine["sampling"] == "Gamma point"
    assert crystals.columns["material"] == ["C", "SiC", "Si"] * 2
    stress = crystals.labels["stress"]
    assert stress.shape == (6, 3, 3)
    torch.testing.assert_close(stress, stress.mT)
    for structure, forces in zip(crystals.structures, crystals.labels["forces"], strict=True):
        assert structure.cell.shape == (3, 3)
        assert forces.shape == (8, 3)
        assert forces.sum(dim=0).abs().max() < 1e-6


def test_splits_cover_the_set_and_share_no_geometry(molecules):
    rows = [row for split in molecules.splits.values() for row in split]
    assert sorted(rows) == list(range(60))
    assert {name: len(split) for name, split in molecules.splits.items()} == {"train": 48, "validation": 6, "test": 6}
    others = molecules.subset(molecules.splits["train"] + molecules.splits["validation"])
    for structure in molecules.split("test").structures:
        distances = torch.pdist(structure.positions)  # the same under rotation, inversion and translation
        for other in others.structures:
            if torch.equal(other.species, structure.species):
                assert (torch.pdist(other.positions) - distances).abs().max() > 1e-3


def test_a_second_read_comes_from_the_store(store, molecules, monkeypatch):
    monkeypatch.setattr("symlab.data._sets.generate", lambda *_: pytest.fail("made twice"))
    again = load_molecules(store, n=60, seed=5)
    assert again.digest == molecules.digest
    assert torch.equal(again.labels["energy"], molecules.labels["energy"])


def test_number_of_workers_does_not_change_a_bit(tmp_path, store, molecules):
    other = Store(tmp_path)
    parallel = load_molecules(other, n=60, seed=5, n_workers=2)
    assert parallel.digest == molecules.digest
    assert file_of(other, parallel) == file_of(store, molecules)


def test_the_seed_decides(store, molecules):
    other = load_molecules(store, n=6, seed=6, n_workers=1)
    same = load_molecules(store, n=6, seed=5, n_workers=1)
    assert not torch.equal(other.structures[0].positions, molecules.structures[0].positions)
    assert torch.equal(same.labels["energy"], molecules.labels["energy"][:6])  # a smaller n is a part of a larger one


def test_failed_points_are_dropped_and_counted_and_move_no_other(store, molecules):
    some = load_molecules(store, n=60, seed=5, n_workers=1, max_iterations=12)
    assert 0 < some.n_failed < 60
    assert len(some) == 60 - some.n_failed
    (notes,) = store.root.glob(f"molecules/{some.digest}/dataset.json")
    failures = json.loads(notes.read_text())["failures"]
    assert len(failures) == some.n_failed
    assert "not converged in 12 cycles" in next(iter(failures.values()))
    kept = [row for row in range(60) if str(row) not in failures]
    assert torch.equal(some.labels["energy"], molecules.labels["energy"][kept])
    for name, rows in some.splits.items():
        assert [kept[row] for row in rows] == [row for row in molecules.splits[name] if row in kept]


def test_a_set_without_any_label_is_an_error(store):
    with pytest.raises(
        ScfError, match=r"none of the 3 points has labels; .*not converged in 1 cycles.*\. Use smaller deformations$"
    ):
        load_molecules(store, n=3, n_workers=1, max_iterations=1)


def test_deformed_crystals_climb_their_ladders(store):
    deformed = load_deformed_crystals(store, n=12, materials=["C"], n_workers=1)
    assert list(deformed.splits) == ["test"]
    assert deformed.columns["kind"] == ["rattle", "shear", "compression", "expansion"] * 3
    for kind in ("rattle", "shear", "compression", "expansion"):
        ladder = deformed.where(kind=kind)
        amplitudes = ladder.columns["amplitude"]
        assert amplitudes == sorted(set(amplitudes))
        volumes = [float(torch.linalg.det(structure.cell)) for structure in ladder.structures]
        if kind == "compression":
            assert volumes == sorted(volumes, reverse=True)
            mean_stress = ladder.labels["stress"].diagonal(dim1=1, dim2=2).mean(dim=1)
            assert (torch.diff(mean_stress) < 0).all()  # it pushes outwards more and more
        elif kind == "expansion":
            assert volumes == sorted(volumes)
        elif kind == "rattle":
            spread = torch.stack([forces.std() for forces in ladder.labels["forces"]])
            assert (torch.diff(spread) > 0).all()


def test_subset_and_where_keep_rows_together(molecules):
    part = molecules.subset([4, 1])
    assert part.columns["molecule"] == ["methanol", "methanol"]
    assert torch.equal(part.labels["energy"], molecules.labels["energy"][[4, 1]])
    assert torch.equal(part.labels["forces"][0], molecules.labels["forces"][4])
    assert sorted(row for rows in part.splits.values() for row in rows) == [0, 1]
    ethanol = molecules.where(molecule="ethanol")
    assert len(ethanol) == 20
    assert all(structure.n_atoms == 9 for structure in ethanol.structures)


def test_a_corrupt_data_set_is_refused(tmp_path):
    store = Store(tmp_path)
    dataset = load_molecules(store, n=3, n_workers=1)
    (path,) = tmp_path.glob(f"molecules/{dataset.digest}/dataset.safetensors")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(
        ArtifactError, match=r"corrupt artifact: .*dataset\.safetensors does not match.*delete the folder"
    ):
        load_molecules(store, n=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be a whole number >= 1, got 0"),
        ({"n": 2.5}, "n must be a whole number >= 1, got 2.5"),
        ({"seed": -1}, "seed must be a whole number >= 0, got -1"),
        ({"n_workers": 0}, "n_workers must be a whole number >= 1, got 0"),
        ({"materials": ["C", "Ge"]}, r"materials must be a list of names among C, SiC, Si; got \['C', 'Ge'\]"),
        ({"materials": "C"}, "materials must be a list of names"),
        ({"rattle": (0.1, 0.05)}, r"rattle must be \(low, high\) with 0 <= low <= high"),
        ({"strain": 0.5}, r"strain must lie in \[0, 0.2\)"),
    ],
)
def test_bad_parameters_are_refused_before_any_work(store, arguments, message):
    with pytest.raises(ValueError, match=message):
        load_crystals(store, **arguments)


def test_unknown_names_are_answered_with_the_known_ones(molecules):
    with pytest.raises(ValueError, match="split 'dev' does not exist; this data set has train, validation, test"):
        molecules.split("dev")
    with pytest.raises(ValueError, match="column 'material' does not exist; this data set has molecule, kind"):
        molecules.where(material="C")


def test_labels_must_match_structures_and_carry_units(molecules):
    with pytest.raises(ValueError, match=r"energy must have one entry per structure \(60\), got 2"):
        Dataset(molecules.structures, {"energy": torch.zeros(2)}, {"energy": "eV"}, {}, {})
    with pytest.raises(ValueError, match="units: give the unit of charge"):
        Dataset(molecules.structures, {"charge": torch.zeros(60)}, {}, {}, {})
