"""Optical rotation, polarizability and dipole of a closed-shell molecule, from the random-phase approximation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symlab.data._engine import ScfError
from symlab.data._hartree_fock import hartree_fock, import_pyscf

Array = NDArray[Any]

LEVI_CIVITA = np.array([[[(i - j) * (j - k) * (k - i) / 2 for k in range(3)] for j in range(3)] for i in range(3)])


def linear_response(
    numbers: Array, positions: Array, basis: str, wavelength: float, max_iterations: int
) -> dict[str, Array]:
    """Compute dipole, polarizability and the optical-rotation tensor of one molecule (RHF and dense RPA).

    With the orbital Hessians A + B and A - B of the singlet RPA, the static polarizability is
    ``alpha_ij = 4 r_i (A + B)^-1 r_j``. The rotation tensor is, in the modified velocity gauge (Pedersen et al., Chem.
    Phys. Lett. 393, 319 (2004)), with ``q_jk = (r_j d_k + d_k r_j) / 2`` and the frequency w,

        ``Gamma_jm = - eps_mik S_ijk,  S_ijk = sum_n <0|d_i|n> <0|q_jk|n> / (w_n (w_n^2 - w^2))
        = 2 d_i [(A - B)(A + B)(A - B) - w^2 (A - B)]^-1 q_jk``,

    where dividing by w^2 after the static limit is removed has given the factor ``1 / w_n``. Light along the unit
    vector k is turned in proportion to ``k Gamma k``, and ``beta = tr Gamma / 3`` is the average over k, Rosenfeld's
    parameter. A shift s of the origin adds ``eps_mik s_j <d_i; d_k> = 0``: the whole tensor stays, not only its trace.

    Args:
        numbers: ``(n_atoms,)``, atomic numbers, with an even sum.
        positions: ``(n_atoms, 3)``, Angstrom.
        basis: a basis set known to pyscf.
        wavelength: of the light, nm.
        max_iterations: SCF cycles allowed.

    Returns:
        float64 arrays: dipole ``(3,)`` e*A, polarizability ``(3, 3)`` A^3, rotation ``(3, 3)`` bohr^4 (Gamma, not
        symmetric).

    Raises:
        ImportError: pyscf is not installed.
        ScfError: the SCF does not converge, the ground state is unstable, or the light is absorbed.

    Cost: 0.06 s for H2O2 in 6-31G (117 excitations) on one core; cubic in their number.
    """
    nist = import_pyscf("data.nist")
    field = hartree_fock(numbers, positions, basis, max_iterations)
    molecule = field.mol
    plus, minus = _hessians(field)
    frequency = 1e7 / wavelength / nist.HARTREE2WAVENUMBER
    kernel = minus @ plus @ minus - frequency**2 * minus
    position = _excitations(field, molecule.intor("int1e_r"))
    gradient = _excitations(field, _antisymmetric(-molecule.intor("int1e_ipovlp")))
    shear = _excitations(field, _antisymmetric(molecule.intor("int1e_irp")))
    polarizability = 4 * position @ _solve(plus, position.T, basis, wavelength)
    s = 2 * (gradient @ _solve(kernel, shear.T, basis, wavelength)).reshape(3, 3, 3)
    return {
        "dipole": field.dip_moment(unit="AU", verbose=0) * nist.BOHR,
        "polarizability": (polarizability + polarizability.T) / 2 * nist.BOHR**3,
        "rotation": -np.einsum("mik,ijk->jm", LEVI_CIVITA, s),
    }


def _hessians(field: Any) -> tuple[Array, Array]:
    """Build A + B and A - B of the singlet RPA over the occupied-virtual pairs."""
    ao2mo = import_pyscf("ao2mo")
    orbitals, energies = field.mo_coeff, field.mo_energy
    n, o = len(energies), int((field.mo_occ > 0).sum())
    repulsion = ao2mo.restore(1, ao2mo.full(field._eri, orbitals), n)
    gaps = np.diag((energies[o:] - energies[:o, None]).ravel())
    pairs = gaps.shape
    direct = repulsion[:o, o:, :o, o:].reshape(pairs)  # (ia|jb)
    exchange = repulsion[:o, :o, o:, o:].transpose(0, 2, 1, 3).reshape(pairs)  # (ij|ab)
    crossed = repulsion[:o, o:, :o, o:].transpose(0, 3, 2, 1).reshape(pairs)  # (ib|ja)
    return gaps + 4 * direct - exchange - crossed, gaps - exchange + crossed


def _excitations(field: Any, operators: Array) -> Array:
    """Occupied-virtual block of one-electron operators ``(k, n_ao, n_ao)``, as ``(k, n_pairs)``."""
    occupied, virtual = field.mo_coeff[:, field.mo_occ > 0], field.mo_coeff[:, field.mo_occ == 0]
    return np.einsum("kpq,pi,qa->kia", operators, occupied, virtual, optimize=True).reshape(len(operators), -1)


def _antisymmetric(operators: Array) -> Array:
    return (operators - operators.transpose(0, 2, 1)) / 2


def _solve(matrix: Array, right: Array, basis: str, wavelength: float) -> Array:
    """Solve with a matrix that is positive definite where the ground state is stable and the light passes."""
    try:
        half = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as error:
        raise ScfError(
            f"RPA/{basis}: the ground state is unstable, or {wavelength:g} nm lies beyond the first absorption"
        ) from error
    return np.asarray(np.linalg.solve(half.T, np.linalg.solve(half, right)))
