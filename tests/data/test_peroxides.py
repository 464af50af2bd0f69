import functools

import numpy as np
import pytest
import torch

from symlab.artifacts import Store
from symlab.data import Dataset, ScfError, dihedral_angle, load_peroxides
from symlab.data._generate import generate
from symlab.data._peroxide_set import _bonds
from symlab.data._tables import Row, TablePlan, join_rows, label_rows

N = 20


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return Store(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="module")
def peroxides(store) -> Dataset:
    return load_peroxides(store, n=N, seed=5, n_workers=1)


def test_every_label_has_unit_and_shape(peroxides):
    shapes = {
        "optical_rotation": ("bohr^4", (1,)),
        "optical_rotation_tensor": ("bohr^4", (5,)),
        "signed_volume": ("A^3", (1,)),
        "dipole": ("e*A", (3,)),
        "polarizability": ("A^3", (6,)),
        "energy": ("eV", ()),
        "forces": ("eV/A", (4, 3)),
        "axial_polar_tensor": ("e", (4, 3)),
        "bond_vectors": ("A", (4, 9)),
        "bond_products": ("A^2", (4, 9)),
    }
    assert len(peroxides) == N
    assert peroxides.n_failed == 0
    assert peroxides.units == {"positions": "A"} | {name: unit for name, (unit, _) in shapes.items()}
    assert {name: tuple(values[0].shape) for name, values in peroxides.labels.items()} == {
        name: shape for name, (_, shape) in shapes.items()
    }
    assert peroxides.engine["response"] == "RHF/6-31G, singlet RPA"
    assert peroxides.engine["method"] == "GFN2-xTB"
    assert {"pyscf", "tblite"} <= set(peroxides.engine)
    for structure, forces in zip(peroxides.structures, peroxides.labels["forces"], strict=True):
        assert structure.species.tolist() == [1, 8, 8, 1]
        assert forces.sum(dim=0).abs().max() < 1e-6


def test_a_label_that_is_sent_to_a_process_carries_no_other(peroxides):
    for name in ("forces", "bond_products"):
        assert {part.untyped_storage().nbytes() for part in peroxides.labels[name]} == {
            8 * peroxides.labels[name][0].numel()
        }


def test_rows_come_in_mirror_images_that_are_labelled_alike(peroxides):
    assert peroxides.columns["pair"] == [row // 2 for row in range(N)]
    assert peroxides.columns["mirrored"] == [False, True] * (N // 2)
    positions = torch.stack([structure.positions for structure in peroxides.structures])
    mirror = torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(positions[1::2], positions[::2] * mirror, atol=0, rtol=0)
    for name in ("optical_rotation", "signed_volume"):
        values = peroxides.labels[name]
        torch.testing.assert_close(values[1::2], -values[::2], atol=1e-10, rtol=0)
        assert values.abs().min() > 1e-6
    torch.testing.assert_close(
        peroxides.labels["dipole"][1::2], peroxides.labels["dipole"][::2] * mirror, atol=1e-9, rtol=0
    )
    angles = [dihedral_angle(structure.positions.numpy()) for structure in peroxides.structures]
    assert peroxides.columns["dihedral"] == pytest.approx(angles)
    assert min(angles) < -90
    assert max(angles) > 90


def test_bonds_and_their_products_are_vectors_and_axial_vectors_and_make_the_signed_volume(peroxides):
    vectors, products = (
        torch.stack(list(peroxides.labels[name])).unflatten(-1, (3, 3)) for name in ("bond_vectors", "bond_products")
    )
    positions = torch.stack([structure.positions for structure in peroxides.structures])
    torch.testing.assert_close(vectors[:, 0], positions[:, 1:] - positions[:, :1])
    torch.testing.assert_close(vectors[:, 1, 1], positions[:, 2] - positions[:, 1])
    # From the first O: a and b are two bonds, c - b the third.
    volume = (-vectors[:, 1, 0] * products[:, 1, 1]).sum(-1, keepdim=True)
    torch.testing.assert_close(volume, peroxides.labels["signed_volume"])
    mirror = torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(vectors[1::2], vectors[::2] * mirror)
    torch.testing.assert_close(products[1::2], -products[::2] * mirror)


def test_the_controls_do_not_care_from_which_end_the_chain_is_read():
    positions = torch.randn(1, 4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for there, back in zip(_bonds(positions), _bonds(positions.flip(1)), strict=True):
        torch.testing.assert_close(there.flip(1), back)


def test_no_split_separates_a_pair(peroxides):
    pairs = {name: {peroxides.columns["pair"][row] for row in rows} for name, rows in peroxides.splits.items()}
    assert {name: len(rows) for name, rows in peroxides.splits.items()} == {"train": 16, "validation": 2, "test": 2}
    assert pairs["train"] & pairs["validation"] == pairs["train"] & pairs["test"] == set()
    assert pairs["validation"] & pairs["test"] == set()
    assert sorted(row for rows in peroxides.splits.values() for row in rows) == list(range(N))


def test_a_second_read_comes_from_the_store_and_a_smaller_set_is_its_beginning(store, peroxides, monkeypatch):
    fewer = load_peroxides(store, n=3, seed=5, n_workers=1)
    torch.testing.assert_close(
        fewer.labels["optical_rotation"], peroxides.labels["optical_rotation"][:3], atol=1e-10, rtol=0
    )
    monkeypatch.setattr("symlab.data._table_set.generate", lambda *_, **__: pytest.fail("made twice"))
    again = load_peroxides(store, n=N, seed=5)
    assert again.digest == peroxides.digest
    assert torch.equal(again.labels["optical_rotation"], peroxides.labels["optical_rotation"])


def test_molecules_whose_scf_fails_are_dropped_and_counted(store, peroxides):
    some = load_peroxides(store, n=N, seed=5, n_workers=1, max_iterations=21)
    assert 0 < some.n_failed < N
    assert len(some) == N - some.n_failed
    whole = {float(energy): row for row, energy in enumerate(peroxides.labels["energy"])}
    kept = [whole[float(energy)] for energy in some.labels["energy"]]
    assert some.columns["pair"] == [row // 2 for row in kept]
    for name, rows in some.splits.items():
        assert {kept[row] for row in rows} <= set(peroxides.splits[name])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be a whole number >= 1, got 0"),
        ({"seed": True}, "seed must be a whole number >= 0, got True"),
        ({"n_workers": 0}, "n_workers must be a whole number >= 1, got 0"),
        ({"rattle": -0.1}, r"rattle must lie in \[0, 0.1\] Angstrom; beyond it bonds break; got -0.1"),
        ({"wavelength": 100}, r"wavelength must lie in \[250, 100000\] nm; below it the light is absorbed; got 100"),
    ],
)
def test_bad_parameters_are_refused_before_any_work(store, arguments, message):
    with pytest.raises(ValueError, match=message):
        load_peroxides(store, **arguments)


def row(plan: TablePlan, index: int) -> Row:
    """Label without an engine."""
    if index == plan.parameters["bad"]:
        raise ScfError("no convergence")
    atoms = {"species": np.arange(1, 3 + index % 2), "positions": np.full((2 + index % 2, 3), float(index))}
    return Row({"energy": np.array(-float(index))}, atoms, {"number": index})


def test_a_table_goes_on_from_the_chunks_that_are_there(tmp_path):
    plan = TablePlan("numbers", 45, 0, {"bad": 7}, 1, family=3)
    join = functools.partial(join_rows, engine={}, packages=("tblite",))
    done = []

    def counting(plan, indices, path):
        done.append(path.name)
        if len(done) == 6:
            raise KeyboardInterrupt
        return label_rows(row, plan, indices, path)

    with pytest.raises(KeyboardInterrupt):
        generate(plan, tmp_path, n_workers=1, label=counting, join=join)
    assert len(list(tmp_path.glob("chunk_*.safetensors"))) == 5
    generate(plan, tmp_path, n_workers=1, label=counting, join=join)
    assert len(done) == len(plan.chunks()) + 1  # the interrupted chunk twice, no other
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset.json", "dataset.safetensors"]

    other = tmp_path / "other"
    other.mkdir()
    generate(plan, other, n_workers=1, label=functools.partial(label_rows, row), join=join)
    for name in ("dataset.json", "dataset.safetensors"):
        assert (other / name).read_bytes() == (tmp_path / name).read_bytes()


def test_a_table_without_any_label_says_why(tmp_path):
    plan = TablePlan("numbers", 1, 0, {"bad": 0}, 1)
    join = functools.partial(join_rows, engine={}, packages=())
    with pytest.raises(
        ScfError, match=r"none of the 1 molecules has labels; .*: no convergence\. Use a smaller rattle$"
    ):
        generate(plan, tmp_path, n_workers=1, label=functools.partial(label_rows, row), join=join)
