"""One table for all charged particles: loss, deltas, photons and scattering per cm, against the energy."""

from functools import cache

import numpy as np
from jaxtyping import Float, Int

from symlab.data.tracks import _bremsstrahlung as bremsstrahlung
from symlab.data.tracks import _ionisation as ionisation
from symlab.data.tracks import _scattering as scattering
from symlab.data.tracks._particles import MASS, N_CHARGED, POSITRON

LOWEST, HIGHEST, N_ENERGIES = 0.05, 2e4, 600  # MeV; nodes are 2 % apart
STOPPED = np.array([0.2] * 2 + [1.0] * 5)  # MeV; an electron of 0.2 MeV goes 0.4 mm, a proton of 1 MeV 0.02 mm
LOSS, DELTAS, PHOTONS, SCATTERING = range(4)


@cache
def _table() -> Float[np.ndarray, "kind node quantity"]:
    energy = np.geomspace(LOWEST, HIGHEST, N_ENERGIES)
    rows = []
    for kind in range(N_CHARGED):
        if kind <= POSITRON:
            loss = ionisation.electron_loss(energy, ionisation.CUT)
            loss += bremsstrahlung.radiative_loss(energy, bremsstrahlung.CUT)
            deltas, photons = ionisation.electron_delta_rate(energy), bremsstrahlung.photon_rate(energy)
        else:
            loss = ionisation.heavy_loss(energy, MASS[kind], ionisation.CUT)
            deltas, photons = ionisation.heavy_delta_rate(energy, MASS[kind]), np.zeros_like(energy)
        angles = scattering.scattering_power(energy, MASS[kind])
        rows.append(np.stack([loss, deltas, photons, angles], axis=1))
    return np.stack(rows)


def rates(kind: Int[np.ndarray, " n"], energy: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 4"]:
    """Interpolate: restricted loss (MeV/cm), deltas and photons above their cuts (1/cm), scattering (rad^2/cm).

    Args:
        kind: of a charged particle.
        energy: kinetic, MeV; clamped to [0.05 MeV, 20 GeV].
    """
    place = np.log(energy / LOWEST) * ((N_ENERGIES - 1) / np.log(HIGHEST / LOWEST))
    place = np.clip(place, 0, N_ENERGIES - 1.001)
    node = place.astype(np.int64)
    share = (place - node)[:, None]
    table = _table()
    return table[kind, node] * (1 - share) + table[kind, node + 1] * share


@cache
def _ranges(kind: int) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    energy = np.geomspace(STOPPED[kind], HIGHEST, 4 * N_ENERGIES)
    if kind <= POSITRON:
        loss = ionisation.electron_loss(energy) + bremsstrahlung.radiative_loss(energy)
    else:
        loss = ionisation.heavy_loss(energy, MASS[kind])
    slices = np.diff(energy) * (1 / loss[1:] + 1 / loss[:-1]) / 2
    return energy, np.concatenate([[0.0], np.cumsum(slices)])


def csda_range(kind: int, energy: Float[np.ndarray, " n"] | float) -> Float[np.ndarray, "..."]:
    """Range of a particle that slows down continuously, ``int dT / (dE/dx)``, cm.

    Args:
        kind: of a charged particle.
        energy: kinetic, MeV. The path below `STOPPED` is left out.
    """
    return np.interp(np.log(energy), np.log(_ranges(kind)[0]), _ranges(kind)[1])
