import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch

from symlab.data import ScfError, compute_response, dihedral_angle, peroxide
from symlab.data._engine import single_point
from symlab.data._hartree_fock import hartree_fock
from symlab.data._molecules import PEROXIDE, signed_volume
from symlab.data._polar_tensors import atomic_polar_tensors
from symlab.data._response import linear_response
from symlab.groups import Structure, parse_output, random_rotations

OUTPUTS = {
    "optical_rotation": "1x0o",
    "optical_rotation_tensor": "1x2o",
    "dipole": "1x1o",
    "polarizability": "0e+2e",
    "energy": "scalar",
    "forces": "1x1o",
    "axial_polar_tensor": "1x1e",
}


def rattled(dihedral: float = 115.0) -> np.ndarray:
    return peroxide(dihedral) + 0.03 * np.random.default_rng(1).normal(size=(4, 3))


def structure(positions: np.ndarray, numbers: np.ndarray = PEROXIDE) -> Structure:
    return Structure(torch.from_numpy(positions), torch.from_numpy(numbers))


@pytest.fixture(scope="module")
def labels() -> dict[str, torch.Tensor]:
    return compute_response(structure(rattled()))


@pytest.mark.parametrize("sign", [1, -1], ids=["proper", "improper"])
def test_every_label_turns_with_the_molecule_and_does_not_depend_on_the_origin(labels, sign):
    matrix = sign * random_rotations(1, torch.Generator().manual_seed(3), improper=False)[0]
    shift = torch.tensor([3.0, -2.0, 5.0], dtype=torch.float64)
    turned = compute_response(structure((torch.from_numpy(rattled()) @ matrix.T + shift).numpy()))
    assert set(turned) == set(OUTPUTS)
    for name, output in OUTPUTS.items():
        representation = parse_output(output)
        lead = 4 if name in ("forces", "axial_polar_tensor") else 1
        value = labels[name].reshape(lead, *representation.shape)
        expected = representation.apply(matrix.expand(lead, 3, 3), value).reshape(labels[name].shape)
        torch.testing.assert_close(turned[name], expected, atol=2e-8 if name != "energy" else 1e-7, rtol=0, msg=name)
        if representation.sectors()[0].l and sign == -1:  # the test can fail: the other parity
            assert (turned[name] + expected).abs().max() > 1e-3


def test_the_rotation_alone_does_not_depend_on_the_origin_to_round_off():
    here, there = (linear_response(PEROXIDE, rattled() + shift, "sto-3g", 589.3, 100) for shift in (0.0, 7.0))
    np.testing.assert_allclose(there["rotation"], here["rotation"], atol=1e-10 * np.abs(here["rotation"]).max())


def test_mirror_images_have_opposite_pseudoscalars_and_the_same_scalars(labels):
    image = compute_response(structure(rattled() * [1, -1, 1]))
    torch.testing.assert_close(image["optical_rotation"], -labels["optical_rotation"], atol=1e-11, rtol=0)
    torch.testing.assert_close(image["energy"], labels["energy"], atol=1e-9, rtol=0)
    assert labels["optical_rotation"].abs() > 1e-2
    assert signed_volume(rattled() * [1, -1, 1]) == pytest.approx(-signed_volume(rattled()), rel=1e-14)


@pytest.mark.parametrize(("dihedral", "plane"), [(0.0, [1, 0, 1]), (180.0, [0, 1, 1])], ids=["cis", "trans"])
def test_planar_molecules_do_not_turn_light(dihedral, plane):
    positions = (peroxide(dihedral) + 0.03 * np.random.default_rng(2).normal(size=(4, 3))) * plane
    planar = compute_response(structure(positions))
    assert planar["optical_rotation"].abs().max() < 1e-9
    assert abs(signed_volume(positions)) < 1e-12
    assert planar["optical_rotation_tensor"].abs().max() > 1e-2  # but light along some directions is turned


def test_a_sum_over_the_roots_of_another_program_agrees():
    """The dense solve against pyscf's iterative TDHF, all of its roots, and its own transition moments."""
    from pyscf import tdscf
    from pyscf.data import nist

    got = linear_response(PEROXIDE, rattled(), "sto-3g", 589.3, 100)
    field = hartree_fock(PEROXIDE, rattled(), "sto-3g", 100)
    excited = tdscf.TDHF(field)
    excited.set(nstates=27, conv_tol=1e-11, verbose=0).kernel()
    w, frequency = excited.e, 1e7 / 589.3 / nist.HARTREE2WAVENUMBER
    assert len(w) == 27
    gradient, angular = excited.transition_velocity_dipole(), -excited.transition_magnetic_dipole()
    weights = 1 / (w * (w**2 - frequency**2))
    beta = np.einsum("n,ni,ni->", weights, gradient, angular) / 3  # about pyscf's own origin
    assert np.trace(got["rotation"]) / 3 == pytest.approx(beta, abs=1e-8)

    occupied, virtual = np.split(field.mo_coeff, [9], axis=1)
    operators = field.mol.intor("int1e_irp")
    operators = occupied.T @ (operators - operators.transpose(0, 2, 1)) / 2 @ virtual
    shear = np.array([2 * np.einsum("kia,ia->k", operators, x - y) for x, y in excited.xy]).reshape(-1, 3, 3)
    s = np.einsum("n,ni,njk->ijk", weights, gradient, shear)
    for j, m in itertools.product(range(3), range(3)):  # Gamma_jm = -eps_mik S_ijk, written out
        i, k = (m + 1) % 3, (m + 2) % 3
        assert got["rotation"][j, m] == pytest.approx(s[k, j, i] - s[i, j, k], abs=1e-7)

    dipoles = excited.transition_dipole()
    polarizability = 2 * np.einsum("n,ni,nj->ij", 1 / w, dipoles, dipoles) * nist.BOHR**3
    np.testing.assert_allclose(got["polarizability"], polarizability, atol=1e-7)


def test_the_dipole_answers_to_each_atom_as_its_polar_tensor_says():
    positions, step = rattled(), 1e-3
    tensors = atomic_polar_tensors(PEROXIDE, positions, "GFN2-xTB", 250)
    np.testing.assert_allclose(tensors.sum(axis=0), 0, atol=1e-8)
    for atom, axis in [(0, 0), (1, 2), (3, 1)]:
        moved = np.zeros((4, 3))
        moved[atom, axis] = step
        plus, minus = (single_point(PEROXIDE, positions + s * moved, None, "GFN2-xTB")["dipole"] for s in (1, -1))
        np.testing.assert_allclose(tensors[atom][:, axis], (plus - minus) / (2 * step), atol=2e-6)


def test_the_quadrupole_of_tblite_is_not_covariant_and_that_of_pyscf_is():
    """Why the one is never used: it does not turn with the molecule, whatever factor stands off the diagonal."""
    from tblite.interface import Calculator

    matrices = random_rotations(4, torch.Generator().manual_seed(5)).numpy()

    def tblite(r: np.ndarray, factors: np.ndarray) -> np.ndarray:
        calculator = Calculator("GFN2-xTB", PEROXIDE, r / 0.52917721)
        calculator.set("verbosity", 0)
        xx, xy, yy, xz, yz, zz = calculator.singlepoint().get("quadrupole")
        diagonal, rest = np.diag([xx, yy, zz]), np.array([[0, xy, xz], [xy, 0, yz], [xz, yz, 0]])
        return diagonal + factors[:, None, None] * rest

    factors = np.linspace(0.3, 2.0, 341)
    here = tblite(peroxide(100.0), factors)
    errors = [np.abs(tblite(peroxide(100.0) @ r.T, factors) - r @ here @ r.T).max(axis=(1, 2)) for r in matrices]
    assert np.max(errors, axis=0).min() > 0.1  # e bohr^2

    def pyscf(r: np.ndarray) -> np.ndarray:
        return hartree_fock(PEROXIDE, r, "sto-3g", 100).quad_moment(unit="AU", verbose=0)

    for r in matrices:
        np.testing.assert_allclose(pyscf(peroxide(100.0) @ r.T), r @ pyscf(peroxide(100.0)) @ r.T, atol=1e-8)


def test_the_dihedral_angle_is_the_one_asked_for_and_changes_sign_in_the_mirror():
    for angle in (-150.0, -30.0, 60.0, 111.5):
        assert dihedral_angle(peroxide(angle)) == pytest.approx(angle)
        assert dihedral_angle(peroxide(angle) * [1, -1, 1]) == pytest.approx(-angle)
        assert np.sign(signed_volume(peroxide(angle))) == np.sign(angle)
        assert signed_volume(peroxide(angle)[::-1]) == pytest.approx(signed_volume(peroxide(angle)))


def test_refusals_name_the_reason():
    with pytest.raises(ScfError, match="RHF/6-31G not converged in 3 cycles"):
        compute_response(structure(rattled()), max_iterations=3)
    with pytest.raises(ScfError, match="RPA/6-31G: the ground state is unstable, or 60 nm lies beyond the first"):
        compute_response(structure(rattled()), wavelength=60)
    with pytest.raises(
        ValueError, match=r"species must hold an even number of electrons, for a closed shell; got \[1, 8, 8\]"
    ):
        compute_response(structure(rattled()[:3], PEROXIDE[:3]))
    with pytest.raises(ValueError, match="structure has a cell; the response is that of a free molecule"):
        compute_response(Structure(torch.from_numpy(rattled()), torch.from_numpy(PEROXIDE), 9 * torch.eye(3)))


def test_pyscf_is_asked_for_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setattr("symlab.data._hartree_fock.find_spec", lambda name: None)
    with pytest.raises(
        ImportError, match=r"need pyscf, which is not installed; install it with `pip install 'symlab\["
    ):
        compute_response(structure(rattled()))


def test_pyscf_is_imported_when_it_is_needed_and_not_before():
    code = "import sys, symlab.data._peroxide_rows, symlab.data._density_rows; assert 'pyscf' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
