"""The data sets of the book: crystals, deformed crystals, molecules; made once, then read from the store."""

from collections.abc import Sequence

from symlab.artifacts import Recipe, Store
from symlab.data._arguments import check_counts, checked_names
from symlab.data._dataset import Dataset, read_dataset
from symlab.data._generate import generate
from symlab.data._geometry import CRYSTALS, MOLECULES
from symlab.data._records import Plan
from symlab.workers import require_main_guard


def load_crystals(
    store: Store,
    n: int = 600,
    seed: int = 0,
    *,
    materials: Sequence[str] = ("C", "SiC", "Si"),
    rattle: tuple[float, float] = (0.02, 0.06),
    strain: float = 0.03,
    max_iterations: int = 250,
    n_workers: int | None = None,
) -> Dataset:
    """Crystals of 8 atoms, randomly rattled and strained, with energy, forces and stress from GFN1-xTB (tblite).

    ``r' = (1 + e) r + sigma xi``: e a symmetric strain with entries uniform in ``[-strain, strain]``, sigma uniform in
    `rattle`, xi standard normal. The cubic cells start at zero GFN1 stress: 3.639 (C), 4.526 (SiC), 5.695 A (Si).
    GFN1-xTB: Grimme, Bannwarth, Shushkov, J. Chem. Theory Comput. 13, 1989 (2017). The Brillouin zone is sampled at the
    Gamma point only: consistent, exactly covariant labels of a small periodic model, not bulk physics. They are smooth
    for the default `rattle`; near 0.08 Angstrom the ground state of one carbon crystal in a hundred is another one, and
    its forces jump by more than their own size.

    Args:
        store: where the data set is kept.
        n: crystals asked for; those whose SCF fails are dropped and counted in `Dataset.n_failed`.
        seed: of all random numbers; the points of a smaller n are the first points of a larger one.
        materials: taken in turn, among C, SiC, Si.
        rattle: range of sigma, Angstrom.
        strain: largest entry of e.
        max_iterations: SCF cycles allowed.
        n_workers: processes; default: the number of cores. Changes the time, not the result.

    Returns:
        `Dataset` with labels energy (eV), forces (eV/A), stress (eV/A^3) and splits 80/10/10 % train/validation/test.

    Raises:
        ValueError: a parameter out of range.
        ArtifactError: the store cannot be written, or the stored file is corrupt.
        ScfError: no point has labels.

    Cost: 0.12 s (C), 0.33 s (SiC, Si) per crystal and core the first time; milliseconds afterwards.
    """
    chosen = checked_names("materials", materials, CRYSTALS)
    if not 0 <= strain < 0.2:
        raise ValueError(f"strain must lie in [0, 0.2), beyond it the crystal is another one; got {strain}")
    parameters = {"materials": chosen, "rattle": _checked_range("rattle", rattle), "strain": float(strain)}
    return _load(store, Plan("crystals", n, seed, parameters, "GFN1-xTB", max_iterations, split=True), n_workers)


def load_deformed_crystals(
    store: Store,
    n: int = 150,
    seed: int = 1,
    *,
    materials: Sequence[str] = ("C", "SiC", "Si"),
    max_iterations: int = 250,
    n_workers: int | None = None,
) -> Dataset:
    """Held-out crystals on ladders of deformation, labelled as in `load_crystals`; the only split is "test".

    Column ``kind`` names the ladder and ``amplitude`` the rung, evenly spaced: "rattle" 0.02 to 0.10 Angstrom (standard
    deviation of each coordinate); "shear" 0.01 to 0.12 (engineering shear strain, random directions); "compression" and
    "expansion" 0.01 to 0.06 (linear strain). All but "rattle" carry a rattle of 0.02 Angstrom. The upper rungs lie
    beyond the training set of `load_crystals`.

    Args:
        store: where the data set is kept.
        n: crystals asked for; sets the number of rungs.
        seed: of all random numbers; the stream differs from that of `load_crystals` at every seed.
        materials: taken in turn, among C, SiC, Si.
        max_iterations: SCF cycles allowed.
        n_workers: processes; default: the number of cores.

    Returns, Raises, Cost: as `load_crystals`.
    """
    parameters = {"materials": checked_names("materials", materials, CRYSTALS)}
    plan = Plan("deformed-crystals", n, seed, parameters, "GFN1-xTB", max_iterations, split=False)
    return _load(store, plan, n_workers)


def load_molecules(
    store: Store,
    n: int = 1500,
    seed: int = 0,
    *,
    names: Sequence[str] = ("ethanol", "methanol", "formamide"),
    rattle: tuple[float, float] = (0.02, 0.06),
    max_iterations: int = 250,
    n_workers: int | None = None,
) -> Dataset:
    """Displaced small molecules with energy, forces and dipole from GFN2-xTB (tblite).

    Each coordinate of ASE's geometry (g2; S22 for formamide) is displaced by sigma xi, sigma uniform in `rattle`, xi
    standard normal. GFN2-xTB: Bannwarth, Ehlert, Grimme, J. Chem. Theory Comput. 15, 1652 (2019). tblite's quadrupole
    is not used: it is not covariant.

    Args:
        store: where the data set is kept.
        n: molecules asked for.
        seed: of all random numbers.
        names: taken in turn, among ethanol (9 atoms), methanol (6), formamide (6).
        rattle: range of sigma, Angstrom.
        max_iterations: SCF cycles allowed.
        n_workers: processes; default: the number of cores.

    Returns:
        `Dataset` with labels energy (eV), forces (eV/A), dipole (e*A) and splits 80/10/10 % train/validation/test.

    Raises: as `load_crystals`.
    Cost: 2 ms per molecule and core.
    """
    parameters = {"names": checked_names("names", names, MOLECULES), "rattle": _checked_range("rattle", rattle)}
    return _load(store, Plan("molecules", n, seed, parameters, "GFN2-xTB", max_iterations, split=True), n_workers)


def _load(store: Store, plan: Plan, n_workers: int | None) -> Dataset:
    check_counts(n=plan.n, seed=plan.seed, max_iterations=plan.max_iterations, n_workers=n_workers)
    require_main_guard()
    recipe = Recipe(plan.sampler, plan.description(), code=("symlab.data._records",), packages=("ase", "tblite"))
    folder = store.get_or_make(recipe, lambda part: generate(plan, part, n_workers))
    return read_dataset(folder, digest=recipe.key)


def _checked_range(argument: str, values: Sequence[float]) -> list[float]:
    if len(values) != 2 or not 0 <= values[0] <= values[1] <= 0.5:
        raise ValueError(f"{argument} must be (low, high) with 0 <= low <= high <= 0.5 Angstrom, got {values!r}")
    return [float(value) for value in values]
