"""Hydrogen peroxide with its optical rotation, and the same labels for any small molecule."""

import torch
from torch import Tensor

from symlab.artifacts import Store
from symlab.data._arguments import checked_number
from symlab.data._dataset import Dataset
from symlab.data._hartree_fock import require_pyscf
from symlab.data._peroxide_rows import BASIS, TIGHT_BINDING, label_molecule, peroxide_row
from symlab.data._table_set import load_table
from symlab.data._tables import TablePlan
from symlab.groups import Sector, Structure, split_matrix

UNITS = {
    "optical_rotation": "bohr^4",
    "optical_rotation_tensor": "bohr^4",
    "signed_volume": "A^3",
    "dipole": "e*A",
    "polarizability": "A^3",
    "energy": "eV",
    "forces": "eV/A",
    "axial_polar_tensor": "e",
    "bond_vectors": "A",
    "bond_products": "A^2",
}
OTHERS = ((1, 2, 3), (0, 2, 3), (3, 1, 0), (2, 1, 0))  # of each atom of H, O, O, H; the same read from either end
SODIUM_D = 589.3  # nm


def load_peroxides(
    store: Store,
    n: int = 2000,
    seed: int = 0,
    *,
    rattle: float = 0.03,
    wavelength: float = SODIUM_D,
    max_iterations: int = 100,
    n_workers: int | None = None,
) -> Dataset:
    """Hydrogen peroxide of both hands, with its optical rotation (a pseudoscalar) and labels of other sectors.

    The dihedral angle is uniform over the circle, and every coordinate carries normal noise. Odd rows are mirror images
    (y to -y) of the row before; both rows of a pair are labelled by the engines, neither by symmetry, and stay on one
    side of the splits. All molecules stand upright (O-O about z); rotating them is left to the training.

    ======================== ======= ==========================================================================
    label                    type    what it is
    ======================== ======= ==========================================================================
    optical_rotation         1x0o    ``beta = tr Gamma / 3``, Rosenfeld's parameter, from a dense singlet RPA on
                                     RHF/6-31G: velocity gauge, static limit removed, independent of the origin
    optical_rotation_tensor  1x2o    traceless symmetric part of Gamma: light along k is turned by ``k Gamma k``
    signed_volume            1x0o    triple product of the three bonds, ``b_1 . (b_2 x b_3)``: a control
    dipole                   1x1o    RHF
    polarizability           0e+2e   static, from the same RPA: ``tr alpha / sqrt 3`` and the anisotropic part
    energy                   scalar  GFN2-xTB
    forces                   1x1o    per atom, GFN2-xTB
    axial_polar_tensor       1x1e    per atom, antisymmetric part of ``d mu_i / d r_j``, GFN2-xTB
    bond_vectors             3x1o    per atom, the vectors a, b, c to the three others along the chain: a control
    bond_products            3x1e    per atom, their cross products ``a x b, b x c, a x c``: a control
    ======================== ======= ==========================================================================

    Parts of tensors are those of `symlab.groups.split_matrix`, orthonormal. The basis is small and has no diffuse
    functions: labels are smooth, exactly covariant, and not a prediction of the experiment. The specific rotation in
    degree cm^3 / (dm g) is ``1.343e-4 beta w^2 / M``, with the wave number w in 1/cm and the molar mass M in g/mol:
    1137 beta at 589.3 nm. Gauge: Pedersen, Koch, Boman, Sanchez de Meras, Chem. Phys. Lett. 393, 319 (2004).

    Args:
        store: where the data set is kept.
        n: molecules asked for, two of each pair; those whose SCF fails are dropped and counted in `Dataset.n_failed`.
        seed: of all random numbers; the rows of a smaller n are the first rows of a larger one.
        rattle: standard deviation of the noise of each coordinate, Angstrom.
        wavelength: of the light that is turned, nm.
        max_iterations: SCF cycles allowed.
        n_workers: processes; default: the number of cores. Changes the time, not the result.

    Returns:
        `Dataset` with columns pair, mirrored and dihedral (degree, of the molecule as it is), and splits 80/10/10 %
        of the pairs: train/validation/test.

    Raises:
        ImportError: pyscf is not installed (``pip install 'symlab[pyscf]'``).
        ValueError: a parameter out of range.
        ArtifactError: the store cannot be written, or the stored file is corrupt.
        ScfError: no molecule has labels.

    Cost: 0.1 s per molecule and core the first time; milliseconds afterwards.
    """
    require_pyscf()
    parameters = {
        "rattle": checked_number("rattle", rattle, 0.0, 0.1, "Angstrom; beyond it bonds break"),
        "wavelength": checked_number("wavelength", wavelength, 250.0, 1e5, "nm; below it the light is absorbed"),
    }
    table = load_table(
        store,
        TablePlan("peroxides", n, seed, parameters, max_iterations, family=2),
        peroxide_row,
        engine={"response": f"RHF/{BASIS}, singlet RPA", "method": TIGHT_BINDING, "sampling": "free molecule"},
        packages=("pyscf", "tblite", "ase"),
        n_workers=n_workers,
    )
    return table.dataset(_irreducible, UNITS)


def compute_response(
    structure: Structure, wavelength: float = SODIUM_D, max_iterations: int = 100
) -> dict[str, Tensor]:
    """Label one molecule as in `load_peroxides`, but for the labels of the geometry alone.

    Args:
        structure: positions in Angstrom; free, neutral, closed shell.
        wavelength: of the light that is turned, nm.
        max_iterations: SCF cycles allowed.

    Returns:
        float64, shapes as in `load_peroxides`: ``(1,)``, ``(5,)``, ``(3,)``, ``(6,)``, ``()``, ``(n_atoms, 3)`` twice.

    Raises:
        ImportError: pyscf is not installed.
        ScfError: an SCF does not converge, the ground state is unstable, or the light is absorbed.
        ValueError: the structure has a cell.

    Cost: 0.1 s for a molecule of 4 atoms on one core.
    """
    if structure.cell is not None:
        raise ValueError("structure has a cell; the response is that of a free molecule: give cell=None")
    row = label_molecule(
        structure.species.numpy(), structure.positions.to(torch.float64).numpy(), wavelength, max_iterations
    )
    arrays = {name: torch.as_tensor(value) for name, value in (row.molecule | row.atoms).items()}
    return _irreducible(arrays)


def _irreducible(arrays: dict[str, Tensor]) -> dict[str, Tensor]:
    """Turn Cartesian tensors into irreducible parts in e3nn's basis; leading axes are kept."""
    labels = {name: value for name, value in arrays.items() if name in UNITS}
    labels["optical_rotation"] = arrays["rotation"].diagonal(dim1=-2, dim2=-1).mean(dim=-1, keepdim=True)
    labels["optical_rotation_tensor"] = split_matrix(arrays["rotation"], pseudo=True)[Sector(2, -1)]
    polarizability = split_matrix(arrays["polarizability"])
    labels["polarizability"] = torch.cat([polarizability[Sector(0, 1)], polarizability[Sector(2, 1)]], dim=-1)
    labels["axial_polar_tensor"] = split_matrix(arrays["polar_tensors"])[Sector(1, -1)]
    if "signed_volume" in arrays:
        labels["signed_volume"] = arrays["signed_volume"][..., None]
        vectors, products = _bonds(arrays["positions"].unflatten(0, (-1, len(OTHERS))))
        labels["bond_vectors"], labels["bond_products"] = vectors.flatten(0, 1), products.flatten(0, 1)
    return {name: labels[name] for name in UNITS if name in labels}


def _bonds(positions: Tensor) -> tuple[Tensor, Tensor]:
    """Give the vectors from each atom to the others, and their cross products, ``(n, 4, 9)`` both."""
    vectors = positions[:, torch.tensor(OTHERS)] - positions[:, :, None]
    products = torch.linalg.cross(vectors[..., (0, 1, 0), :], vectors[..., (1, 2, 2), :])
    return vectors.flatten(-2), products.flatten(-2)
