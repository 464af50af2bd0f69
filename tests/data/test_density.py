import numpy as np
import pytest
import torch

from symlab.artifacts import Store
from symlab.data import ScfError, compute_density, load_densities
from symlab.data._density import fit_density
from symlab.data._density_rows import BASIS
from symlab.data._hartree_fock import hartree_fock
from symlab.data._molecules import PEROXIDE, WATER, peroxide, water
from symlab.groups import Structure, parse_output, random_rotations


def molecule(name: str) -> Structure:
    numbers, positions = (WATER, water()) if name == "water" else (PEROXIDE, peroxide(100.0))
    positions = positions + 0.03 * np.random.default_rng(4).normal(size=positions.shape)
    return Structure(torch.from_numpy(positions), torch.from_numpy(numbers))


def turned_by(matrix: torch.Tensor, l: int, label: torch.Tensor) -> torch.Tensor:
    output = parse_output(f"1x{l}{'oe'[l % 2 == 0]}")
    return output.apply(matrix.expand(len(label), 3, 3), label)


@pytest.mark.parametrize("name", ["water", "peroxide"])
def test_each_degree_turns_as_its_representation_says(name):
    structure = molecule(name)
    matrix = -random_rotations(1, torch.Generator().manual_seed(3))[0]
    labels = compute_density(structure)
    turned = compute_density(Structure((structure.positions + 2.0) @ matrix.T, structure.species))
    assert list(labels) == [f"density_{l}" for l in range(7)]
    for l, (label, found) in enumerate(zip(labels.values(), turned.values(), strict=True)):
        assert label.shape == (structure.n_atoms, 2 * l + 1)
        assert (label.norm(dim=1) > 1e-5).all(), "every atom has every degree"
        torch.testing.assert_close(found, turned_by(matrix, l, label), atol=1e-8 * float(label.abs().max()), rtol=0)
        if l:  # the test can fail: the inverse rotation, and for l = 1 the order (y, z, x) of m about z
            assert (found - turned_by(matrix.T, l, label)).abs().max() > 0.1 * label.abs().max()
        if l == 1:
            wrong = turned_by(matrix, l, label[:, [1, 2, 0]])
            assert (found[:, [1, 2, 0]] - wrong).abs().max() > 0.1 * label.abs().max()


def test_the_fit_holds_all_electrons_and_their_repulsion():
    structure = molecule("peroxide")
    field = hartree_fock(structure.species.numpy(), structure.positions.numpy(), BASIS, 100)
    auxiliary, coefficients = fit_density(field)
    assert auxiliary.nao == 484
    from pyscf.dft import gen_grid

    grid = gen_grid.Grids(field.mol)
    grid.set(level=3, verbose=0).build()
    fitted = auxiliary.eval_gto("GTOval", grid.coords) @ coefficients
    assert grid.weights @ fitted == pytest.approx(18, abs=2e-3)
    exact = np.einsum("pq,qp->", field.get_j(), field.make_rdm1()) / 2
    assert coefficients @ auxiliary.intor("int2c2e") @ coefficients / 2 == pytest.approx(exact, abs=1e-4)


def test_the_set_has_one_tensor_of_unit_size_per_atom_and_degree(tmp_path):
    store = Store(tmp_path)
    dataset = load_densities(store, n=10, n_workers=1)
    raw = load_densities(store, n=10, standardize=False)
    assert dataset.digest == raw.digest
    assert dataset.columns["molecule"][:3] == ["water", "peroxide", "water"]
    assert {len(split) for split in dataset.splits.values()} == {8, 1}
    training = dataset.split("train")
    species = torch.cat([structure.species for structure in training.structures])
    for l in range(7):
        name = f"density_{l}"
        assert (dataset.units[name], raw.units[name]) == ("1", "e/bohr^1.5")
        values = torch.cat(training.labels[name])
        assert values.shape == (len(species), 2 * l + 1)
        for z in (1, 8):
            of_element = values[species == z]
            torch.testing.assert_close(of_element.square().mean(), torch.tensor(1.0, dtype=torch.float64))
            first = next(i for i, s in enumerate(raw.structures) if z in s.species)
            row = raw.structures[first].species == z
            ratio = dataset.labels[name][first][row] / raw.labels[name][first][row]
            if l == 0:
                torch.testing.assert_close(of_element.mean(), torch.tensor(0.0, dtype=torch.float64), atol=1e-9, rtol=0)
            else:  # a multiple of the raw label, which turns as before
                torch.testing.assert_close(ratio, ratio[:1, :1].expand_as(ratio), atol=0, rtol=1e-9)


def test_bad_parameters_are_refused_before_any_work(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(ValueError, match=r"molecules must be a list of names among water, peroxide; got \['ice'\]"):
        load_densities(store, molecules=["ice"])
    with pytest.raises(ValueError, match=r"rattle must lie in \[0, 0.1\] Angstrom; beyond it bonds break; got 1"):
        load_densities(store, rattle=1)
    with pytest.raises(ScfError, match=r"none of the 2 molecules has labels; the first says: RHF/6-31G\*\* not conv"):
        load_densities(store, n=2, max_iterations=2, n_workers=1)
    with pytest.raises(ValueError, match="structure has a cell; the density is that of a free molecule"):
        compute_density(Structure(torch.from_numpy(water()), torch.from_numpy(WATER), 9 * torch.eye(3)))


def test_pyscf_is_asked_for_with_the_line_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setattr("symlab.data._hartree_fock.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"install it with `pip install 'symlab\[pyscf\]'`"):
        load_densities(Store(tmp_path), n=2)
