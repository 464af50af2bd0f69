"""Closed-shell Hartree-Fock with pyscf, an extra that is imported when it is needed."""

from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symlab.data._engine import ScfError

Array = NDArray[Any]


def hartree_fock(numbers: Array, positions: Array, basis: str, max_iterations: int) -> Any:
    """Solve restricted Hartree-Fock for one molecule, from a guess that turns with it.

    The orbital gradient is converged to 1e-8, so that all that follows from the orbitals keeps the symmetries of the
    molecule to 1e-9. Nothing is written to disk.

    Args:
        numbers: ``(n_atoms,)``, atomic numbers, with an even sum.
        positions: ``(n_atoms, 3)``, Angstrom.
        basis: a basis set known to pyscf.
        max_iterations: SCF cycles allowed.

    Returns:
        pyscf's mean-field object, converged.

    Raises:
        ImportError: pyscf is not installed; gives the line that installs it.
        ValueError: an odd number of electrons.
        ScfError: no convergence.
    """
    if sum(map(int, numbers)) % 2:
        raise ValueError(f"species must hold an even number of electrons, for a closed shell; got {numbers.tolist()}")
    scf, gto = (import_pyscf(name) for name in ("scf", "gto"))
    atoms = [(int(z), tuple(r)) for z, r in zip(numbers, positions, strict=True)]
    molecule = gto.M(atom=atoms, basis=_parsed_basis(basis, tuple(sorted(set(map(int, numbers))))), verbose=0)
    field = scf.RHF(molecule)
    field.set(conv_tol=1e-11, conv_tol_grad=1e-8, max_cycle=max_iterations, init_guess="hcore", chkfile=None)
    try:
        field.kernel()
    except (RuntimeError, np.linalg.LinAlgError) as error:
        raise ScfError(f"RHF/{basis} gave no orbitals: {error}") from error
    if not field.converged:
        raise ScfError(f"RHF/{basis} not converged in {max_iterations} cycles")
    return field


def require_pyscf() -> None:
    """Refuse to go on without pyscf, without importing it.

    Raises:
        ImportError: it is not installed; gives the line that installs it.
    """
    if find_spec("pyscf") is None:
        raise ImportError(
            "these labels need pyscf, which is not installed; install it with `pip install 'symlab[pyscf]'`"
        )


def import_pyscf(module: str) -> Any:
    """Import a module of pyscf.

    Raises:
        ImportError: pyscf is not installed; gives the line that installs it.
    """
    require_pyscf()
    return import_module(f"pyscf.{module}")


@lru_cache(maxsize=8)
def _parsed_basis(basis: str, numbers: tuple[int, ...]) -> dict[str, Any]:
    """Read a basis set from pyscf's files once, not for every molecule."""
    gto, elements = import_pyscf("gto"), import_pyscf("data.elements")
    symbols = [elements.ELEMENTS[z] for z in numbers]
    return {symbol: gto.basis.load(basis, symbol) for symbol in symbols}
