"""One row of the set of peroxides: a molecule or the mirror image of the one before it, with all its labels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symlab.data._engine import single_point
from symlab.data._molecules import MIRROR, PEROXIDE, dihedral_angle, peroxide, signed_volume
from symlab.data._polar_tensors import atomic_polar_tensors
from symlab.data._response import linear_response
from symlab.data._tables import Row, TablePlan

Array = NDArray[Any]

BASIS = "6-31G"
TIGHT_BINDING = "GFN2-xTB"


def peroxide_row(plan: TablePlan, index: int) -> Row:
    """Make and label row number `index`: even rows are drawn from ``(seed, index)``, odd ones mirror the row before.

    Both images go through the engines; no label follows from the other by symmetry.
    """
    pair, mirrored = divmod(index, 2)
    rng = np.random.default_rng([plan.seed, 4, pair])
    positions = peroxide(rng.uniform(-180, 180)) + plan.parameters["rattle"] * rng.normal(size=(4, 3))
    if mirrored:
        positions = positions * MIRROR
    row = label_molecule(PEROXIDE, positions, plan.parameters["wavelength"], plan.max_iterations)
    return Row(
        row.molecule | {"signed_volume": np.array(signed_volume(positions))},
        row.atoms,
        {"pair": pair, "mirrored": bool(mirrored), "dihedral": dihedral_angle(positions)},
    )


def label_molecule(numbers: Array, positions: Array, wavelength: float, max_iterations: int) -> Row:
    """Label one molecule: response from Hartree-Fock; energy, forces and polar tensors from tight binding.

    Raises:
        ImportError: pyscf is not installed.
        ScfError: an SCF does not converge, the ground state is unstable, or the light is absorbed.
    """
    response = linear_response(numbers, positions, BASIS, wavelength, max_iterations)
    mechanics = single_point(numbers, positions, None, TIGHT_BINDING, max_iterations)
    return Row(
        molecule=response | {"energy": mechanics["energy"]},
        atoms={
            "species": numbers.astype(np.int64),
            "positions": positions,
            "forces": mechanics["forces"],
            "polar_tensors": atomic_polar_tensors(numbers, positions, TIGHT_BINDING, max_iterations),
        },
        columns={},
    )
