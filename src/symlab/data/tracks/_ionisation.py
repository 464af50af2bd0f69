"""Energy lost to the electrons of the medium: a smooth part below a cut, knocked-out electrons (deltas) above it."""

import numpy as np
from jaxtyping import Float

from symlab.data.tracks._argon import ELECTRON_MASS, IONISATION, MEAN_EXCITATION, STERNHEIMER
from symlab.data.tracks._sampling import rejection

Values = Float[np.ndarray, "..."]
CUT = 0.1  # MeV; deltas above it are followed one by one


def density_effect(beta_gamma: Values) -> Values:
    """Density correction delta: Sternheimer's parametrization (argon is no conductor)."""
    x = np.log10(beta_gamma)
    p = STERNHEIMER
    tail = 2 * np.log(10) * x - p["C"]
    middle = tail + p["a"] * np.maximum(p["x1"] - x, 0) ** p["k"]
    return np.where(x >= p["x1"], tail, np.where(x >= p["x0"], middle, 0.0))


def largest_transfer(energy: Values, mass: float) -> Values:
    """Largest kinetic energy that one electron can get from a heavy particle, W_max of the PDG, MeV."""
    gamma = 1 + energy / mass
    ratio = ELECTRON_MASS / mass
    return 2 * ELECTRON_MASS * (gamma**2 - 1) / (1 + 2 * gamma * ratio + ratio**2)


def heavy_loss(energy: Values, mass: float, cut: float = np.inf) -> Values:
    """Mean loss of a heavy particle of unit charge to transfers below `cut`: restricted Bethe formula, MeV/cm.

    ``dE/dx = (K/2)(Z/A)(rho/beta^2) [ln(2 m beta^2 gamma^2 T / I^2) - beta^2 (1 + T / T_max) - delta]``, T the smaller
    of cut and T_max: PDG, Passage of particles through matter, the restricted Bethe equation. No shell, Barkas or
    radiative terms: 1 % below 10 MeV for protons.

    Args:
        energy: kinetic, MeV.
        mass: MeV.
        cut: MeV; infinite for the whole loss.
    """
    gamma = 1 + energy / mass
    momentum2 = gamma**2 - 1  # (beta gamma)^2
    beta2 = momentum2 / gamma**2
    highest = largest_transfer(energy, mass)
    below = np.minimum(cut, highest)
    bracket = np.log(2 * ELECTRON_MASS * momentum2 * below / MEAN_EXCITATION**2)
    bracket -= beta2 * (1 + below / highest) + density_effect(np.sqrt(momentum2))
    return np.maximum(IONISATION / beta2 * bracket, 0.0)


def electron_loss(energy: Values, cut: float = np.inf) -> Values:
    """Mean collision loss of an electron to transfers below `cut`: restricted Berger-Seltzer formula, MeV/cm.

    ``dE/dx = (K/2)(Z/A)(rho/beta^2) [ln(2 (tau + 2) / (I/m)^2) + F(tau, Delta) - delta]``: ICRU 37 (1984); Geant4
    Physics Reference Manual, Ionisation of electrons. It is used for positrons too, whose own
    formula differs by a few per cent.
    """
    tau = energy / ELECTRON_MASS
    gamma = tau + 1
    beta2 = tau * (tau + 2) / gamma**2
    below = np.minimum(cut / ELECTRON_MASS, tau / 2)
    f = -1 - beta2 + np.log((tau - below) * below) + tau / (tau - below)
    f += (below**2 / 2 + (2 * tau + 1) * np.log1p(-below / tau)) / gamma**2
    bracket = np.log(2 * (tau + 2) * (ELECTRON_MASS / MEAN_EXCITATION) ** 2) + f
    return IONISATION / beta2 * (bracket - density_effect(np.sqrt(tau * (tau + 2))))


def heavy_delta_rate(energy: Values, mass: float) -> Values:
    """Deltas above `CUT` per cm from a heavy particle.

    The integral of ``(K/2)(Z/A) rho (1 - beta^2 T / T_max) / (beta T)^2``: PDG, Energetic knock-on electrons, for spin
    0; the term of spin 1/2 is below 1 % here.
    """
    highest = np.maximum(largest_transfer(energy, mass), CUT)
    gamma = 1 + energy / mass
    beta2 = 1 - 1 / gamma**2
    return IONISATION / beta2 * (1 / CUT - 1 / highest - beta2 / highest * np.log(highest / CUT))


def electron_delta_rate(energy: Values) -> Values:
    """Deltas above `CUT` per cm from an electron: Moller's cross-section; the slower of two electrons is the delta.

    Geant4 Physics Reference Manual, Ionisation of electrons, eq. for the total cross-section.
    """
    x = np.minimum(CUT / energy, 0.5)
    tau = energy / ELECTRON_MASS
    gamma = tau + 1
    beta2 = tau * (tau + 2) / gamma**2
    inner = (tau / gamma) ** 2 * (0.5 - x) + 1 / x - 1 / (1 - x)
    inner -= (2 * gamma - 1) / gamma**2 * np.log((1 - x) / x)
    return IONISATION / (beta2 * energy) * inner


def sample_heavy_delta(energy: Values, mass: Values, rng: np.random.Generator) -> Values:
    """Draw kinetic energies of deltas, MeV: ``1/T^2`` thinned by ``1 - beta^2 T / T_max``."""
    gamma = 1 + energy / mass
    beta2 = 1 - 1 / gamma**2
    ratio = ELECTRON_MASS / mass
    highest = np.maximum(2 * ELECTRON_MASS * (gamma**2 - 1) / (1 + 2 * gamma * ratio + ratio**2), CUT)

    def propose(rows: np.ndarray) -> tuple[Values, Values]:
        u = rng.random(len(rows))
        transfer = CUT / (1 - u * (1 - CUT / highest[rows]))
        return transfer, 1 - beta2[rows] * transfer / highest[rows]

    return rejection(len(energy), propose, rng)


def sample_electron_delta(energy: Values, rng: np.random.Generator) -> Values:
    """Draw kinetic energies of deltas of electrons, MeV, between `CUT` and half the energy (Moller)."""
    gamma = 1 + energy / ELECTRON_MASS
    lowest = CUT / energy

    def propose(rows: np.ndarray) -> tuple[Values, Values]:
        g, low = gamma[rows], lowest[rows]
        x = low / (1 - rng.random(len(rows)) * (1 - 2 * low))
        weight = (g - 1) ** 2 * x**2 - (2 * g**2 + 2 * g - 1) * x / (1 - x) + g**2 / (1 - x) ** 2
        return x, 4 * weight / (9 * g**2 - 10 * g + 5)

    return energy * rejection(len(energy), propose, rng)
