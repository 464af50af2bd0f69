"""Photons: how far they fly, and what they do there."""

import numpy as np
from jaxtyping import Float

from symlab.data.tracks._argon import ATOMS, CLASSICAL_RADIUS, DENSITY, ELECTRON_MASS, ELECTRONS, Z
from symlab.data.tracks._sampling import rejection

Values = Float[np.ndarray, "..."]
MICROBARN = 1e-30  # cm^2
PAIR = np.array(  # Geant4 Physics Reference Manual, Gamma conversion: a, b, c; powers 0 ... 5 of ln(E / m), microbarn
    [
        [8.7842e2, -1.9625e3, 1.2949e3, -2.0028e2, 1.2575e1, -2.8333e-1],
        [-1.0342e1, 1.7692e1, -8.2381, 1.3063, -9.0815e-2, 2.3586e-3],
        [-4.5263e2, 1.1161e3, -8.6749e2, 2.1773e2, -2.0467e1, 6.5372e-1],
    ]
)
PAIR_LOWEST = 1.5  # MeV; below it the parametrization falls with the square of the distance from threshold
PHOTOELECTRIC = (0.0556, 3.12)  # cm^2/g at 0.1 MeV, and the power with which it falls; NIST XCOM to 3 %, 20 to 300 keV


def compton_coefficient(energy: Values) -> Values:
    """Compton interactions per cm on free electrons: Klein and Nishina, Z. Phys. 52, 853 (1929)."""
    k = energy / ELECTRON_MASS
    log = np.log1p(2 * k)
    first = (1 + k) / k**2 * (2 * (1 + k) / (1 + 2 * k) - log / k)
    per_electron = 2 * np.pi * CLASSICAL_RADIUS**2 * (first + log / (2 * k) - (1 + 3 * k) / (1 + 2 * k) ** 2)
    return ELECTRONS * per_electron


def pair_coefficient(energy: Values) -> Values:
    """Conversions to an electron and a positron per cm, in the fields of nucleus and electrons.

    ``Z (Z + 1) [F_1(X) + F_2(X) Z + F_3(X) / Z]``, X = ln(E / m): the Geant4 parametrization, within 5 % of the data of
    Hubbell, Gimm and Overbo (1980) from 1.5 MeV to 100 GeV.
    """
    x = np.log(np.maximum(energy, PAIR_LOWEST) / ELECTRON_MASS)
    f1, f2, f3 = (np.polynomial.polynomial.polyval(x, row) for row in PAIR)
    threshold = 2 * ELECTRON_MASS
    below = np.clip((energy - threshold) / (PAIR_LOWEST - threshold), 0, 1) ** 2
    return ATOMS * MICROBARN * np.maximum(Z * (Z + 1) * (f1 + f2 * Z + f3 / Z), 0) * below


def photoelectric_coefficient(energy: Values) -> Values:
    """Absorptions per cm, a power law; above 1 MeV, where it no longer matters, it falls too fast."""
    value, power = PHOTOELECTRIC
    return DENSITY * value * (0.1 / energy) ** power


def sample_compton(energy: Values, rng: np.random.Generator) -> tuple[Values, Values]:
    """Draw what the photon keeps, MeV, and the cosine of its deflection.

    Klein-Nishina by composition and rejection: Butcher and Messel, Nucl. Phys. 20, 15 (1960); Geant4 Physics Reference
    Manual, Compton scattering.
    """
    k = energy / ELECTRON_MASS
    lowest = 1 / (1 + 2 * k)
    first, second = -np.log(lowest), (1 - lowest**2) / 2

    def propose(rows: np.ndarray) -> tuple[Values, Values]:
        u, v = rng.random((2, len(rows)))
        low = lowest[rows]
        logarithmic = u * (first[rows] + second[rows]) < first[rows]
        kept = np.where(logarithmic, low**v, np.sqrt(low**2 + (1 - low**2) * v))
        t = (1 - kept) / (k[rows] * kept)
        return kept, 1 - kept * t * (2 - t) / (1 + kept**2)

    kept = rejection(len(energy), propose, rng)
    return energy * kept, 1 - (1 - kept) / (k * kept)


def sample_pair(energy: Values, rng: np.random.Generator) -> Values:
    """Draw the kinetic energy of the electron, MeV; the positron has the rest above two masses.

    ``x^2 + (1 - x)^2 + (2/3) x (1 - x)`` for the share x of the total energy, complete screening: PDG, Energy loss by
    photons. Flat below 2 MeV, by choice.
    """
    lowest = ELECTRON_MASS / energy

    def propose(rows: np.ndarray) -> tuple[Values, Values]:
        x = lowest[rows] + (1 - 2 * lowest[rows]) * rng.random(len(rows))
        return x, np.where(energy[rows] < 2, 1.0, 1 - 4 / 3 * x * (1 - x))

    return np.maximum(energy * rejection(len(energy), propose, rng) - ELECTRON_MASS, 1e-9)


def sample_opening(energy: Values, rng: np.random.Generator) -> Values:
    """Draw the cosine of the angle between a photon and an electron of this total energy that it made, or that made it.

    Density ``1 / (1 + u)^2`` of ``u = (theta E / m)^2``, the leading term of Tsai, Rev. Mod. Phys. 46, 815 (1974):
    half of the angles lie within m/E.
    """
    v = rng.random(len(energy))
    return np.cos(np.minimum(ELECTRON_MASS / energy * np.sqrt(v / np.maximum(1 - v, 1e-12)), np.pi))
