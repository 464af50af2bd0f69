"""Labels from an electronic-structure engine: one structure in, energy, forces, stress or dipole out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

UNITS = {"energy": "eV", "forces": "eV/A", "stress": "eV/A^3", "dipole": "e*A"}
ACCURACY = (
    0.01  # tblite's factor on its SCF thresholds: forces good to 1e-6 of their spread, for 5 % more time than 1.0
)


class ScfError(RuntimeError):
    """The self-consistent field did not converge, or the geometry is one that the engine refuses."""


def single_point(
    numbers: Array, positions: Array, cell: Array | None, method: str, max_iterations: int = 250
) -> dict[str, Array]:
    """Label one structure with tblite, through its ASE calculator, from a fresh guess (no memory of other structures).

    Energy ``E``; forces ``F = -dE/dr``; stress ``S_ij = (1/V) dE/d(strain_ij)`` (positive when the crystal pulls
    inwards), full 3 x 3 and symmetric; dipole of the charge density, independent of the origin because the molecules
    used here are neutral. tblite's molecular quadrupole is never used: it does not turn with the molecule.

    A periodic cell is sampled at the Gamma point only: labels of a small cell are smooth, consistent and exactly
    covariant, but they are not the physics of the bulk crystal.

    Args:
        numbers: ``(n_atoms,)``, atomic numbers.
        positions: ``(n_atoms, 3)``, Angstrom.
        cell: ``(3, 3)``, Angstrom, rows are lattice vectors; None for a free molecule.
        method: "GFN1-xTB" or "GFN2-xTB".
        max_iterations: SCF cycles allowed.

    Returns:
        float64 arrays: energy ``()`` eV, forces ``(n_atoms, 3)`` eV/A, and with a cell stress ``(3, 3)`` eV/A^3,
        without one dipole ``(3,)`` e*A.

    Raises:
        ScfError: no convergence, atoms too close, or a label that is not finite.

    Cost: 1-2 ms for a molecule of 9 atoms; 0.12 s (C) to 0.33 s (SiC, Si) for a crystal of 8, on one core.
    """
    from ase import Atoms
    from ase.calculators.calculator import CalculationFailed, InputError
    from tblite.ase import TBLite

    calculator = TBLite(method=method, accuracy=ACCURACY, max_iterations=max_iterations, verbosity=0)
    atoms = Atoms(numbers=numbers, positions=positions, cell=cell, pbc=cell is not None, calculator=calculator)
    try:
        labels = {"energy": np.asarray(atoms.get_potential_energy()), "forces": atoms.get_forces()}
        if cell is not None:
            labels["stress"] = atoms.get_stress(voigt=False)
        else:
            labels["dipole"] = atoms.get_dipole_moment()
    except (CalculationFailed, InputError) as error:
        raise ScfError(f"{method} gave no label: {error}") from error
    for name, value in labels.items():
        if not np.isfinite(value).all():
            raise ScfError(f"{method} gave a {name} that is not finite")
    return labels
