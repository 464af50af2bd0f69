"""Geometries: rattled and strained crystals, ladders of deformation, displaced molecules; each from its own seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Crystal and cubic lattice constant (Angstrom) at which the Gamma-point GFN1-xTB stress of the 8-atom cell vanishes.
CRYSTALS = {"C": ("diamond", 3.639), "SiC": ("zincblende", 4.526), "Si": ("diamond", 5.695)}
# Collection of ASE, name in it, and how many of its first atoms make the molecule.
MOLECULES = {
    "ethanol": ("g2", "CH3CH2OH", 9),
    "methanol": ("g2", "CH3OH", 6),
    "formamide": ("s22", "Formamide_dimer", 6),
}
LADDERS = {"rattle": (0.02, 0.10), "shear": (0.01, 0.12), "compression": (0.01, 0.06), "expansion": (0.01, 0.06)}
THERMAL_RATTLE = 0.02  # Angstrom, under every shear and volume ladder, so that no atom sits on a special site


@dataclass(frozen=True)
class Geometry:
    """Atoms before they are labelled: numbers, positions, cell (Angstrom), and the columns that say what they are."""

    numbers: Array
    positions: Array
    cell: Array | None
    columns: dict[str, Any] = field(default_factory=dict)


def crystal(
    index: int, n: int, seed: int, *, materials: Sequence[str], rattle: tuple[float, float], strain: float
) -> Geometry:
    """Make crystal number `index`: material in turn, symmetric strain and rattle drawn from ``(seed, index)`` alone.

    ``r' = (1 + e) r + sigma xi``, with the six entries of the strain e uniform in ``[-strain, strain]``, sigma
    uniform in `rattle` (Angstrom) and xi standard normal.
    """
    rng = np.random.default_rng([seed, 1, index])
    material = materials[index % len(materials)]
    sigma = rng.uniform(*rattle)
    entries = rng.uniform(-strain, strain, (3, 3))
    deformation = np.eye(3) + np.triu(entries) + np.triu(entries, 1).T
    return _deformed(material, deformation, sigma, rng, {"material": material, "kind": "random", "amplitude": sigma})


def deformed_crystal(index: int, n: int, seed: int, *, materials: Sequence[str]) -> Geometry:
    """Make rung number `index` of the ladders: material in turn, then kind, then amplitude from small to large.

    Amplitudes: "rattle", standard deviation of the displacements in Angstrom; "shear", the shear strain g of
    ``1 + g (a b^T + b a^T) / 2`` with a and b random orthogonal directions; "compression" and "expansion", the
    linear strain e > 0 of ``1 -+ e``. All but the rattle ladder carry a thermal rattle of 0.02 Angstrom.
    """
    rng = np.random.default_rng([seed, 2, index])
    material = materials[index % len(materials)]
    kinds = list(LADDERS)
    ladder = index // len(materials)  # the how-manieth of its material
    kind, rung = kinds[ladder % len(kinds)], ladder // len(kinds)
    n_rungs = max(1, -(-n // (len(materials) * len(kinds))))
    low, high = LADDERS[kind]
    amplitude = low + (high - low) * (rung / (n_rungs - 1) if n_rungs > 1 else 1.0)
    deformation = np.eye(3)
    if kind == "shear":
        a, b = np.linalg.qr(rng.normal(size=(3, 3)))[0].T[:2]
        deformation += amplitude * (np.outer(a, b) + np.outer(b, a)) / 2
    elif kind != "rattle":
        deformation *= 1 + (amplitude if kind == "expansion" else -amplitude)
    sigma = amplitude if kind == "rattle" else THERMAL_RATTLE
    return _deformed(material, deformation, sigma, rng, {"material": material, "kind": kind, "amplitude": amplitude})


def molecule(index: int, n: int, seed: int, *, names: Sequence[str], rattle: tuple[float, float]) -> Geometry:
    """Make molecule number `index`: name in turn, atoms displaced from a reference geometry by sigma xi (Angstrom)."""
    from ase import collections

    rng = np.random.default_rng([seed, 3, index])
    name = names[index % len(names)]
    sigma = rng.uniform(*rattle)
    collection, entry, n_atoms = MOLECULES[name]
    atoms = getattr(collections, collection)[entry][:n_atoms]
    positions = atoms.positions - atoms.get_center_of_mass()
    positions = positions + sigma * rng.normal(size=positions.shape)
    return Geometry(atoms.numbers, positions, None, {"molecule": name, "kind": "random", "amplitude": sigma})


SAMPLERS: Mapping[str, Callable[..., Geometry]] = {
    "crystals": crystal,
    "deformed-crystals": deformed_crystal,
    "molecules": molecule,
}


def _deformed(
    material: str, deformation: Array, sigma: float, rng: np.random.Generator, columns: dict[str, Any]
) -> Geometry:
    from ase.build import bulk

    structure, lattice_constant = CRYSTALS[material]
    atoms = bulk(material, structure, a=lattice_constant, cubic=True)
    positions = atoms.positions @ deformation.T + sigma * rng.normal(size=atoms.positions.shape)
    return Geometry(atoms.numbers, positions, atoms.cell.array @ deformation.T, columns)
