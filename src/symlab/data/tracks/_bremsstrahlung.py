"""Photons from electrons in the fields of nuclei: Bethe-Heitler with screening and Coulomb correction."""

import numpy as np
from jaxtyping import Float

from symlab.data.tracks._argon import ATOMS, CLASSICAL_RADIUS, ELECTRON_MASS, FINE_STRUCTURE, Z
from symlab.data.tracks._sampling import rejection

Values = Float[np.ndarray, "..."]
CUT = 0.1  # MeV; softer photons are absorbed where they arise
_az2 = (FINE_STRUCTURE * Z) ** 2
COULOMB = _az2 * (1 / (1 + _az2) + 0.20206 - 0.0369 * _az2 + 0.0083 * _az2**2)  # Davies, Bethe and Maximon
ELASTIC = np.log(184.15 * Z ** (-1 / 3))  # Tsai's radiation logarithms; PDG, Radiation length
INELASTIC = np.log(1194 * Z ** (-2 / 3))
FIELD_OF_ELECTRONS = INELASTIC / (ELASTIC - COULOMB)  # xi: Z^2 becomes Z (Z + xi)


def spectrum(energy: Values, photon: Values) -> Values:
    """Photons per cm and per unit of ln k, from an electron of this kinetic energy.

    ``k dN/dk = alpha r_e^2 Z (Z + xi) n {[1 + (E'/E)^2] (phi_1 - (4/3) ln Z - 4 f_c) - (2/3)(E'/E)(phi_2 - ...)}``
    with the screening functions of Butcher and Messel, Nucl. Phys. 20, 15 (1960), as EGS4 and Geant4 use them; f_c is
    the Coulomb correction, taken above 50 MeV only. Where the bracket would be negative it is 0.

    Args:
        energy: kinetic, MeV.
        photon: k, MeV.
    """
    before = energy + ELECTRON_MASS
    after = before - photon
    y = after / before
    delta = 136 * Z ** (-1 / 3) * photon * ELECTRON_MASS / (before * np.maximum(after, ELECTRON_MASS))
    low = np.minimum(delta, 1)
    far = 21.12 - 4.184 * np.log(delta + 0.952)
    phi1 = np.where(delta <= 1, 20.867 - 3.242 * low + 0.625 * low**2, far)
    phi2 = np.where(delta <= 1, 20.209 - 1.930 * low - 0.086 * low**2, far)
    common = 4 / 3 * np.log(Z) + np.where(before > 50, 4 * COULOMB, 0)
    bracket = (1 + y**2) * np.maximum(phi1 - common, 0) - 2 / 3 * y * np.maximum(phi2 - common, 0)
    factor = FINE_STRUCTURE * CLASSICAL_RADIUS**2 * Z * (Z + FIELD_OF_ELECTRONS) * ATOMS
    return np.where(photon < energy, np.maximum(factor * bracket, 0), 0)


def _integral(energy: Values, low: Values, power: int) -> Values:
    """Integral of ``k^power spectrum d ln k`` from `low` to the energy, by Gauss-Legendre in ln k."""
    nodes, weights = np.polynomial.legendre.leggauss(48)
    span = np.log(np.maximum(energy / low, 1))
    k = np.exp(np.log(low)[..., None] + span[..., None] * (nodes + 1) / 2)
    return span / 2 * (weights * k**power * spectrum(energy[..., None], k)).sum(-1)


def photon_rate(energy: Values) -> Values:
    """Photons above `CUT` per cm."""
    return _integral(energy, np.full_like(energy, CUT), 0)


def radiative_loss(energy: Values, cut: float = np.inf) -> Values:
    """Mean loss to photons softer than `cut`, MeV/cm; infinite for the whole radiative loss."""
    lowest = np.full_like(energy, 1e-6)
    soft = _integral(energy, lowest, 1)
    return soft if np.isinf(cut) else soft - _integral(energy, np.full_like(energy, cut), 1)


def sample_photon(energy: Values, rng: np.random.Generator) -> Values:
    """Draw energies of photons above `CUT`, MeV: uniform in ln k, thinned by the spectrum over its value at `CUT`."""
    largest = 1.1 * spectrum(energy, np.full_like(energy, CUT))

    def propose(rows: np.ndarray) -> tuple[Values, Values]:
        k = CUT * (energy[rows] / CUT) ** rng.random(len(rows))
        return k, spectrum(energy[rows], k) / largest[rows]

    return rejection(len(energy), propose, rng)
