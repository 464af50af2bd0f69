"""The electron density as spherical tensors on the atoms: coefficients of a density fit, degree by degree."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symlab.data._hartree_fock import hartree_fock, import_pyscf

Array = NDArray[Any]

AUXILIARY = "cc-pV5Z-JKFIT"
L_MAX = 6
RADIUS = 1.0  # bohr: of the functions of one degree, that which peaks nearest to here gives the label


def density_coefficients(numbers: Array, positions: Array, basis: str, max_iterations: int) -> list[Array]:
    """Fit the Hartree-Fock density with functions on the atoms, and take one coefficient of each degree.

    ``rho(r) = sum_P c_P chi_P(r)`` with ``sum_Q (P|Q) c_Q = (P|rho)``: the fit whose error has the least Coulomb energy
    (Eichkorn et al., Chem. Phys. Lett. 240, 283 (1995)). Of the functions of one element and degree l, with exponents
    a, the label is the coefficient of the one whose radial maximum ``sqrt((l + 1) / (2 a))`` lies nearest to 1 bohr.

    pyscf orders l = 1 as x, y, z and every other l as m = -l ... l about z. e3nn's order is m = -l ... l about y: the
    molecule goes in with its coordinates as (z, x, y), and l = 1 is put in the order of m.

    Args:
        numbers: ``(n_atoms,)``, atomic numbers, with an even sum.
        positions: ``(n_atoms, 3)``, Angstrom.
        basis: a basis set known to pyscf, for the density itself.
        max_iterations: SCF cycles allowed.

    Returns:
        For l = 0 ... 6, ``(n_atoms, 2 l + 1)`` float64 in e bohr^-3/2, e3nn's order; covariant to 1e-8 of its size.

    Raises:
        ImportError: pyscf is not installed.
        ScfError: the SCF does not converge.

    Cost: 0.1 s for H2O2 in 6-31G** (484 functions) on one core.
    """
    field = hartree_fock(numbers, positions[:, [2, 0, 1]], basis, max_iterations)
    auxiliary, coefficients = fit_density(field)
    labels = [np.zeros((len(numbers), 2 * l + 1)) for l in range(L_MAX + 1)]
    offsets = auxiliary.ao_loc_nr()
    for shell in range(auxiliary.nbas):
        atom, l = auxiliary.bas_atom(shell), auxiliary.bas_angular(shell)
        if auxiliary.bas_exp(shell)[0] == _exponent(int(numbers[atom]), l):
            block = coefficients[offsets[shell] : offsets[shell + 1]]
            labels[l][atom] = block[[1, 2, 0]] if l == 1 else block  # (x, y, z) to (y, z, x), which is m = -1, 0, 1
    return labels


def fit_density(field: Any) -> tuple[Any, Array]:
    """Fit the density of a converged mean field; return the auxiliary molecule and the coefficient of each function."""
    incore = import_pyscf("df.incore")
    molecule = field.mol
    elements = {
        symbol: _functions(int(z)) for symbol, z in zip(molecule.elements, molecule.atom_charges(), strict=True)
    }
    auxiliary = import_pyscf("df.addons").make_auxmol(molecule, elements)
    integrals = incore.aux_e2(molecule, auxiliary, "int3c2e")
    projections = np.einsum("pqk,qp->k", integrals, field.make_rdm1(), optimize=True)
    return auxiliary, np.linalg.solve(auxiliary.intor("int2c2e"), projections)


@lru_cache(maxsize=8)
def _functions(number: int) -> list[Any]:
    """List the auxiliary functions ``[l, [exponent, 1.0]]`` of one element, completed to degree 6.

    A degree that the set lacks gets one function, which peaks where the innermost of the highest degree does.
    """
    elements, gto = import_pyscf("data.elements"), import_pyscf("gto")
    functions = gto.basis.load(AUXILIARY, elements.ELEMENTS[number])
    top = max(l for l, *_ in functions)
    exponent = max(terms[0][0] for l, *terms in functions if l == top)
    return functions + [[l, [exponent * (l + 1) / (top + 1), 1.0]] for l in range(top + 1, L_MAX + 1)]


@lru_cache(maxsize=64)
def _exponent(number: int, l: int) -> float:
    """Pick the exponent of the function whose coefficient is the label."""
    exponents = [terms[0][0] for degree, *terms in _functions(number) if degree == l]
    return float(min(exponents, key=lambda a: abs(np.sqrt((l + 1) / (2 * a)) - RADIUS)))
