"""Electron densities of water and hydrogen peroxide, degree by degree."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from symlab.artifacts import Store
from symlab.data._arguments import checked_names, checked_number
from symlab.data._dataset import Dataset
from symlab.data._density import AUXILIARY, L_MAX, density_coefficients
from symlab.data._density_rows import BASIS, MOLECULES, density_row
from symlab.data._hartree_fock import require_pyscf
from symlab.data._table_set import load_table
from symlab.data._tables import TablePlan
from symlab.groups import Structure

LABELS = tuple(f"density_{l}" for l in range(L_MAX + 1))
UNIT = "e/bohr^1.5"


def load_densities(
    store: Store,
    n: int = 600,
    seed: int = 0,
    *,
    molecules: Sequence[str] = MOLECULES,
    rattle: float = 0.03,
    standardize: bool = True,
    max_iterations: int = 100,
    n_workers: int | None = None,
) -> Dataset:
    """Water and hydrogen peroxide with their electron density as one spherical tensor for each atom and degree 0 ... 6.

    Label ``density_l`` is a list of ``(n_atoms, 2 l + 1)`` in e3nn's basis, of the sector (l, +1): "1x0e", "1x1o",
    "1x2e", ..., "1x6e". It is the coefficient of one function of degree l on each atom in a density fit (RI) of the
    RHF/6-31G** density in cc-pV5Z-JKFIT, completed to degree 6 on hydrogen. Molecules stand upright; every coordinate
    carries normal noise, and the dihedral angle of peroxide is uniform over the circle. Fit: Eichkorn, Treutler, Oehm,
    Haeser, Ahlrichs, Chem. Phys. Lett. 240, 283 (1995).

    The coefficients fall from 1 at degree 0 to 1e-3 at degree 6. With `standardize` those of each element and degree
    are divided by their root mean square over the training split, per component; at degree 0, and only there, the mean
    of the element is taken off first. So every label has size 1, and remains covariant.

    Args:
        store: where the data set is kept.
        n: molecules asked for; those whose SCF fails are dropped and counted in `Dataset.n_failed`.
        seed: of all random numbers; the molecules of a smaller n are the first ones of a larger one.
        molecules: taken in turn, among water and peroxide.
        rattle: standard deviation of the noise of each coordinate, Angstrom.
        standardize: whether labels have size 1 (unit "1"), or are as fitted (e bohr^-3/2).
        max_iterations: SCF cycles allowed.
        n_workers: processes; default: the number of cores. Changes the time, not the result.

    Returns:
        `Dataset` with column molecule and splits 80/10/10 % train/validation/test.

    Raises:
        ImportError: pyscf is not installed (``pip install 'symlab[pyscf]'``).
        ValueError: a parameter out of range.
        ArtifactError: the store cannot be written, or the stored file is corrupt.
        ScfError: no molecule has labels.

    Cost: 0.1 s per molecule and core the first time; milliseconds afterwards.
    """
    require_pyscf()
    parameters = {
        "molecules": checked_names("molecules", molecules, MOLECULES),
        "rattle": checked_number("rattle", rattle, 0.0, 0.1, "Angstrom; beyond it bonds break"),
    }
    table = load_table(
        store,
        TablePlan("densities", n, seed, parameters, max_iterations),
        density_row,
        engine={"method": f"RHF/{BASIS}", "fit": f"Coulomb metric, {AUXILIARY}", "sampling": "free molecule"},
        packages=("pyscf",),
        n_workers=n_workers,
    )
    raw = table.dataset(lambda arrays: {name: arrays[name] for name in LABELS}, dict.fromkeys(LABELS, UNIT))
    return _standardized(raw) if standardize else raw


def compute_density(structure: Structure, max_iterations: int = 100) -> dict[str, Tensor]:
    """Label one molecule as in `load_densities` with ``standardize=False``.

    Args:
        structure: positions in Angstrom; free, neutral, closed shell.
        max_iterations: SCF cycles allowed.

    Returns:
        ``density_0`` ... ``density_6``: float64 ``(n_atoms, 2 l + 1)``, e bohr^-3/2.

    Raises:
        ImportError: pyscf is not installed.
        ScfError: the SCF does not converge.
        ValueError: the structure has a cell.

    Cost: 0.1 s for a molecule of 4 atoms on one core.
    """
    if structure.cell is not None:
        raise ValueError("structure has a cell; the density is that of a free molecule: give cell=None")
    positions = structure.positions.to(torch.float64).numpy()
    coefficients = density_coefficients(structure.species.numpy(), positions, BASIS, max_iterations)
    return {name: torch.from_numpy(value) for name, value in zip(LABELS, coefficients, strict=True)}


def _standardized(dataset: Dataset) -> Dataset:
    """Scale the coefficients of each element and degree to size 1 on the training split; centre scalars only."""
    species = [structure.species for structure in dataset.structures]
    rows = dataset.splits["train"] or range(len(dataset))
    elements = torch.cat([species[row] for row in rows])
    labels: dict[str, Tensor | list[Tensor]] = {}
    for name, values in dataset.labels.items():
        training = torch.cat([values[row] for row in rows])
        shift, scale = torch.zeros(119, 1, dtype=torch.float64), torch.ones(119, 1, dtype=torch.float64)
        for element in elements.unique():
            part = training[elements == element]
            if part.shape[1] == 1:
                shift[element] = part.mean()
            size = (part - shift[element]).square().mean().sqrt()
            scale[element] = size if size > 0 else 1.0
        labels[name] = [(value - shift[z]) / scale[z] for value, z in zip(values, species, strict=True)]
    return replace(dataset, labels=labels, units=dataset.units | dict.fromkeys(LABELS, "1"))
