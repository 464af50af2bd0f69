import numpy as np
import pytest
import torch

from symlab.data import ScfError, compute_labels
from symlab.data._geometry import crystal, molecule
from symlab.groups import Structure, parse_output, random_rotations

RATTLE = (0.05, 0.05)


def crystal_structure(material: str, index: int = 0) -> Structure:
    return to_structure(crystal(index, 1, 7, materials=[material], rattle=RATTLE, strain=0.03))


def molecule_structure(name: str) -> Structure:
    return to_structure(molecule(0, 1, 7, names=[name], rattle=RATTLE))


def to_structure(geometry) -> Structure:
    cell = None if geometry.cell is None else torch.as_tensor(geometry.cell)
    return Structure(
        positions=torch.as_tensor(geometry.positions),
        species=torch.as_tensor(geometry.numbers.astype(np.int64)),
        cell=cell,
    )


def improper_rotation() -> torch.Tensor:
    rotation = random_rotations(1, torch.Generator().manual_seed(3))[0]
    return -rotation if torch.linalg.det(rotation) > 0 else rotation


@pytest.fixture(scope="module")
def diamond():
    structure = crystal_structure("C")
    return structure, compute_labels(structure)


@pytest.mark.parametrize("material", ["C", "SiC"])
def test_crystal_labels_turn_with_the_crystal(material):
    structure, matrix = crystal_structure(material), improper_rotation()
    labels, turned = compute_labels(structure), compute_labels(structure.rotated(matrix))
    expected = {
        "energy": labels["energy"],
        "forces": parse_output("i").apply(matrix[None], labels["forces"][None])[0],
        "stress": parse_output("ij=ji").apply(matrix[None], labels["stress"][None])[0],
    }
    assert set(labels) == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(turned[name], value, atol=1e-8, rtol=0)
    wrong = matrix.T @ labels["stress"] @ matrix  # the test can fail: R against its transpose
    assert (turned["stress"] - wrong).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["ethanol", "methanol", "formamide"])
def test_molecule_labels_turn_with_the_molecule(name):
    structure, matrix = molecule_structure(name), improper_rotation()
    labels, turned = compute_labels(structure), compute_labels(structure.rotated(matrix))
    assert set(labels) == {"energy", "forces", "dipole"}
    torch.testing.assert_close(turned["energy"], labels["energy"], atol=1e-8, rtol=0)
    torch.testing.assert_close(turned["forces"], labels["forces"] @ matrix.T, atol=1e-8, rtol=0)
    torch.testing.assert_close(turned["dipole"], labels["dipole"] @ matrix.T, atol=1e-8, rtol=0)
    assert (turned["dipole"] - labels["dipole"] @ matrix).abs().max() > 1e-2


def test_dipole_does_not_depend_on_the_origin():
    structure = molecule_structure("ethanol")
    shifted = Structure(positions=structure.positions + 5.0, species=structure.species)
    torch.testing.assert_close(
        compute_labels(shifted)["dipole"], compute_labels(structure)["dipole"], atol=1e-8, rtol=0
    )


def test_forces_are_minus_the_gradient(diamond):
    for structure, labels, step in [
        (*diamond, 1e-3),
        (molecule := molecule_structure("formamide"), compute_labels(molecule), 1e-3),
    ]:
        direction = torch.randn(structure.positions.shape, generator=torch.Generator().manual_seed(0)).double()
        direction /= direction.norm()
        energy = {
            sign: compute_labels(
                Structure(structure.positions + sign * step * direction, structure.species, structure.cell)
            )["energy"]
            for sign in (1, -1)
        }
        slope = (energy[1] - energy[-1]) / (2 * step)
        torch.testing.assert_close(slope, -(labels["forces"] * direction).sum(), atol=2e-5, rtol=1e-5)


def test_stress_is_the_strain_derivative_per_volume(diamond):
    structure, labels = diamond
    strain = torch.randn(3, 3, generator=torch.Generator().manual_seed(1)).double()
    strain = (strain + strain.T) / 2
    strain /= strain.norm()
    step = 1e-3
    energy = {}
    for sign in (1, -1):
        deformation = torch.eye(3, dtype=torch.float64) + sign * step * strain
        strained = Structure(structure.positions @ deformation, structure.species, structure.cell @ deformation)
        energy[sign] = compute_labels(strained)["energy"]
    volume = torch.linalg.det(structure.cell).abs()
    slope = (energy[1] - energy[-1]) / (2 * step) / volume
    torch.testing.assert_close(slope, (labels["stress"] * strain).sum(), atol=3e-5, rtol=0)


def test_labels_are_converged(diamond, monkeypatch):
    structure, labels = diamond
    monkeypatch.setattr("symlab.data._engine.ACCURACY", 1e-4)
    tighter = compute_labels(structure)
    assert (labels["forces"] - tighter["forces"]).abs().max() < 1e-5 * tighter["forces"].std()
    assert (labels["stress"] - tighter["stress"]).abs().max() < 1e-5 * tighter["stress"].std()


def test_scf_failures_are_named():
    structure = molecule_structure("methanol")
    with pytest.raises(ScfError, match="GFN2-xTB gave no label: SCF not converged in 2 cycles"):
        compute_labels(structure, max_iterations=2)
    collapsed = structure.positions.clone()
    collapsed[0] = collapsed[1]
    with pytest.raises(ScfError, match="GFN2-xTB gave no label: Too close"):
        compute_labels(Structure(collapsed, structure.species))


def test_unknown_method_is_refused():
    with pytest.raises(ValueError, match="method must be 'GFN1-xTB' or 'GFN2-xTB', got 'PM7'"):
        compute_labels(molecule_structure("methanol"), "PM7")
