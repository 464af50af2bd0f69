"""One table for all charged particles: loss, deltas and photons per cm against the logarithm of the energy."""

from functools import cache

import numpy as np
from jaxtyping import Float, Int

from symlab.data.tracks import _bremsstrahlung as bremsstrahlung
from symlab.data.tracks import _ionisation as ionisation
from symlab.data.tracks._particles import MASS, N_CHARGED, POSITRON

LOWEST, HIGHEST, N_ENERGIES = 0.05, 2e4, 600  # MeV; nodes are 2 % apart
LOSS, DELTAS, PHOTONS = range(3)


@cache
def _table() -> Float[np.ndarray, "kind node quantity"]:
    energy = np.geomspace(LOWEST, HIGHEST, N_ENERGIES)
    rows = []
    for kind in range(N_CHARGED):
        if kind <= POSITRON:
            loss = ionisation.electron_loss(energy, ionisation.CUT)
            loss += bremsstrahlung.radiative_loss(energy, bremsstrahlung.CUT)
            rates = ionisation.electron_delta_rate(energy), bremsstrahlung.photon_rate(energy)
        else:
            loss = ionisation.heavy_loss(energy, MASS[kind], ionisation.CUT)
            rates = ionisation.heavy_delta_rate(energy, MASS[kind]), np.zeros_like(energy)
        rows.append(np.stack([loss, *rates], axis=1))
    return np.stack(rows)


def rates(kind: Int[np.ndarray, " n"], energy: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 3"]:
    """Interpolate: restricted loss in MeV/cm, deltas and photons above their cuts per cm.

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
    energy = np.geomspace(LOWEST, HIGHEST, 4 * N_ENERGIES)
    if kind <= POSITRON:
        loss = ionisation.electron_loss(energy) + bremsstrahlung.radiative_loss(energy)
    else:
        loss = np.maximum(ionisation.heavy_loss(energy, MASS[kind]), 1e-3)
    slices = np.diff(energy) * (1 / loss[1:] + 1 / loss[:-1]) / 2
    return energy, np.concatenate([[0.0], np.cumsum(slices)])


def csda_range(kind: int, energy: Float[np.ndarray, " n"] | float) -> Float[np.ndarray, "..."]:
    """Range of a particle that slows down continuously, ``int dT / (dE/dx)``, cm.

    Args:
        kind: of a charged particle.
        energy: kinetic, MeV. The path below 0.05 MeV is left out.
    """
    return np.interp(np.log(energy), np.log(_ranges(kind)[0]), _ranges(kind)[1])
