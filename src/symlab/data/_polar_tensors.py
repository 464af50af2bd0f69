"""Atomic polar tensors with tblite: how the dipole answers to each atom, read from the forces in a weak field."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symlab.data._engine import ACCURACY, ScfError

Array = NDArray[Any]

FIELD = 5e-5  # hartree / (e bohr): the quadratic error is below 1e-8 e, and so is the noise of the forces


def atomic_polar_tensors(numbers: Array, positions: Array, method: str, max_iterations: int) -> Array:
    """Compute ``P_ij = d mu_i / d r_j`` of each atom, as the change of its force with a uniform field.

    ``d mu_i / d r_j = -d^2 E / (d field_i d r_j) = d F_j / d field_i``, by central differences: six SCFs. The tensors
    of a neutral molecule add up to zero. The part antisymmetric in (i, j) is an axial vector.

    Args:
        numbers: ``(n_atoms,)``, atomic numbers.
        positions: ``(n_atoms, 3)``, Angstrom; a free, neutral molecule.
        method: "GFN1-xTB" or "GFN2-xTB".
        max_iterations: SCF cycles allowed.

    Returns:
        ``(n_atoms, 3, 3)`` float64, in units of the elementary charge; covariant to 1e-8.

    Raises:
        ScfError: no convergence, or atoms too close.

    Cost: 8 ms for a molecule of 4 atoms on one core.
    """
    from ase.units import Bohr
    from tblite.exceptions import TBLiteRuntimeError
    from tblite.interface import Calculator

    def forces(field: list[float]) -> Array:
        calculator = Calculator(method, numbers, positions / Bohr)
        for name, value in {"verbosity": 0, "accuracy": ACCURACY, "max-iter": max_iterations}.items():
            calculator.set(name, value)
        calculator.add("electric-field", field)
        return -np.asarray(calculator.singlepoint().get("gradient"))

    try:
        changes = [forces([FIELD * x for x in axis]) - forces([-FIELD * x for x in axis]) for axis in np.eye(3)]
    except TBLiteRuntimeError as error:
        raise ScfError(f"{method} gave no label in a field: {error}") from error
    return np.stack(changes, axis=1) / (2 * FIELD)
