"""The engine applied to a Structure: what a reader needs to test its symmetry."""

import torch
from torch import Tensor

from symlab.data._engine import single_point
from symlab.groups import Structure


def compute_labels(structure: Structure, method: str | None = None, max_iterations: int = 250) -> dict[str, Tensor]:
    """Label one structure: ``F = -dE/dr``, ``S = (1/V) dE/d(strain)``, dipole; Gamma point only for crystals.

    Args:
        structure: positions and cell in Angstrom; neutral, closed shell.
        method: "GFN1-xTB" or "GFN2-xTB"; default: GFN1 for a crystal, GFN2 for a molecule, as in the data sets.
        max_iterations: SCF cycles allowed.

    Returns:
        float64: energy ``()`` eV, forces ``(n_atoms, 3)`` eV/A, and stress ``(3, 3)`` eV/A^3 (with a cell) or
        dipole ``(3,)`` e*A.

    Raises:
        ScfError: the SCF does not converge, or atoms are too close.
        ValueError: `method` is not known.

    Cost: 2 ms for a small molecule, 0.1-0.4 s for a crystal of 8 atoms.
    """
    method = method or ("GFN1-xTB" if structure.cell is not None else "GFN2-xTB")
    if method not in ("GFN1-xTB", "GFN2-xTB"):
        raise ValueError(f"method must be 'GFN1-xTB' or 'GFN2-xTB', got {method!r}")
    labels = single_point(
        structure.species.numpy(),
        structure.positions.to(torch.float64).numpy(),
        None if structure.cell is None else structure.cell.to(torch.float64).numpy(),
        method,
        max_iterations,
    )
    return {name: torch.as_tensor(value, dtype=torch.float64) for name, value in labels.items()}
