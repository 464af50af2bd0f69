"""Hadrons that meet a nucleus. **This is a toy**: right in where and how often, crude in what comes out.

The distance is exponential with the nuclear interaction length of the PDG, which is for nucleons; the PDG's length for
pions is longer, and is not used. A star has a few protons with exponential energies; some pions survive, turned; some
become neutral. Neutrons are not followed: their energy is counted as invisible. No cascade, no resonances, no angular
distributions beyond these. The numbers of this file other than the length are chosen by hand: they have no source.
"""

import numpy as np

from symlab.data.tracks._argon import INTERACTION_LENGTH
from symlab.data.tracks._beam import Beam
from symlab.data.tracks._particles import MASS, PION_MINUS, PION_PLUS, PION_ZERO, PROTON
from symlab.data.tracks._register import Process, Register
from symlab.data.tracks._sampling import deflect, isotropic

INTERACTION_RATE = 1 / INTERACTION_LENGTH  # 1/cm, for pions and protons alike
MEAN_PROTON = 40.0  # MeV, of the exponential energies of star protons
N_PROTONS = (0.3, 0.4, 0.3)  # chances of 1, 2, 3
CHARGE_EXCHANGE, SURVIVAL = 0.15, 0.45  # of an incoming pion; otherwise it is absorbed
LOWEST = 5.0  # MeV, least energy of a star proton; less is invisible


def interact(hadrons: Beam, register: Register, rng: np.random.Generator) -> list[Beam]:
    """Make stars of hadrons in flight; return what comes out. The energy is balanced, the momentum is not."""
    pion = (hadrons.kind == PION_MINUS) | (hadrons.kind == PION_PLUS)
    fate = rng.random(len(hadrons))
    neutral = pion & (fate < CHARGE_EXCHANGE)
    survives = (pion & (fate >= CHARGE_EXCHANGE) & (fate < CHARGE_EXCHANGE + SURVIVAL)) | ~pion
    absorbed = pion & ~neutral & ~survives
    born = []
    budget = hadrons.energy.copy()
    for rows in (neutral, survives):
        some = hadrons.take(rows)
        if not len(some):
            continue
        energy = some.energy * rng.uniform(0.3, 0.9, len(some))
        budget[rows] -= energy
        kind = np.where(neutral[rows], PION_ZERO, some.kind)
        direction = deflect(some.direction, 1 - rng.exponential(0.4, len(some)).clip(max=2), rng)
        born.append(register.add(some.event, kind, Process.HADRONIC, some.track, some.position, direction, energy))
    mass = np.where(absorbed, MASS[PION_PLUS], 0.0)
    register.tally(register.released, hadrons, mass)
    return [*born, *_star(hadrons, budget + mass, register, rng)]


def absorb(pions: Beam, register: Register, rng: np.random.Generator) -> list[Beam]:
    """Absorb negative pions at rest: their mass goes to a few protons, and mostly to neutrons."""
    mass = np.full(len(pions), MASS[PION_MINUS])
    register.tally(register.released, pions, mass)
    return _star(pions, mass, register, rng)


def _star(parents: Beam, budget: np.ndarray, register: Register, rng: np.random.Generator) -> list[Beam]:
    """Share at most half of a budget among isotropic protons; the rest is invisible."""
    count = rng.choice([1, 2, 3], size=len(parents), p=N_PROTONS)
    energies = rng.exponential(MEAN_PROTON, (len(parents), 3))
    energies[np.arange(3) >= count[:, None]] = 0.0
    total = energies.sum(axis=1)
    energies *= np.minimum(1, budget / 2 / np.maximum(total, 1e-9))[:, None]
    energies[energies < LOWEST] = 0.0
    register.tally(register.invisible, parents, budget - energies.sum(axis=1))
    row, column = np.nonzero(energies)
    stars = parents.take(row)
    if not len(stars):
        return []
    directions = isotropic(len(stars), rng)
    return [
        register.add(
            stars.event, PROTON, Process.HADRONIC, stars.track, stars.position, directions, energies[row, column]
        )
    ]
