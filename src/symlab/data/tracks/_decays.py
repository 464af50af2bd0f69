"""What stopped particles do: muons decay or are captured, pions decay or are absorbed, positrons annihilate.

A negative muon at rest is bound to an argon nucleus, and ends by decay or by capture: ``1/tau = Q/tau_0 + Lambda``. The
capture rate Lambda = 1.2727 +- 0.0650 per microsecond is that of Geant4 for argon 40 (class G4MuonMinusBoundDecay): the
mean of the two most precise measurements in Suzuki, Measday and Roalsvig, Phys. Rev. C 35, 2212 (1987). The Huff factor
Q is by how much binding slows the decay: ``Q = 1 - 2.5 (alpha Z_eff)^2``, Mukhopadhyay, Phys. Rep. 30, 1 (1977), with
Geant4's Z_eff = 14.89.
"""

import numpy as np
from jaxtyping import Float

from symlab.data.tracks._argon import ELECTRON_MASS, FINE_STRUCTURE
from symlab.data.tracks._beam import Beam
from symlab.data.tracks._particles import (
    ANTIMUON,
    ELECTRON,
    MASS,
    MUON,
    MUON_LIFETIME,
    PHOTON,
    PION_PLUS,
    PION_ZERO,
    POSITRON,
)
from symlab.data.tracks._register import Process, Register
from symlab.data.tracks._sampling import isotropic, rejection

MUON_CAPTURE = 1.2727e-3  # 1/ns, +- 0.065e-3
HUFF_FACTOR = 1 - 2.5 * (FINE_STRUCTURE * 14.89) ** 2  # 0.970
MUON_LIFETIME_IN_ARGON = 1 / (HUFF_FACTOR / MUON_LIFETIME + MUON_CAPTURE)  # ns, mu-; 583 +- 22
DECAY_SHARE = HUFF_FACTOR * MUON_LIFETIME_IN_ARGON / MUON_LIFETIME  # 0.258 +- 0.010 of the mu-; the others are captured
ENDPOINT = (MASS[MUON] ** 2 + ELECTRON_MASS**2) / (2 * MASS[MUON])  # MeV, total energy of the electron; 52.83
PION_TO_MUON = (MASS[PION_PLUS] - MASS[MUON]) ** 2 / (2 * MASS[PION_PLUS])  # MeV, kinetic; 4.12


def sample_michel(n: int, rng: np.random.Generator) -> Float[np.ndarray, " n"]:
    """Draw kinetic energies of electrons from muon decay, MeV: density ``2 x^2 (3 - 2 x)``, x = E / 52.83 MeV.

    Michel, Proc. Phys. Soc. A 63, 514 (1950), with rho = 3/4 and no electron mass; mean 7/10 of the endpoint.
    """

    def propose(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = rng.random(len(rows))
        return x, x**2 * (3 - 2 * x)

    return np.maximum(ENDPOINT * rejection(n, propose, rng) - ELECTRON_MASS, 1e-3)


def stop(beam: Beam, register: Register, rng: np.random.Generator) -> list[Beam]:
    """Let particles at rest decay or be captured; return what comes out."""
    born = []
    decays = (beam.kind == ANTIMUON) | ((beam.kind == MUON) & (rng.random(len(beam)) < DECAY_SHARE))
    if decays.any():
        muons = beam.take(decays)
        energy = sample_michel(len(muons), rng)
        available = MASS[MUON] - ELECTRON_MASS
        register.tally(register.released, muons, np.full(len(muons), available))
        register.tally(register.invisible, muons, available - energy)
        kind = np.where(muons.kind == MUON, ELECTRON, POSITRON)
        born.append(_emit(muons, kind, Process.DECAY, energy, register, rng))
    pions = beam.take(beam.kind == PION_PLUS)
    if len(pions):
        available = MASS[PION_PLUS] - MASS[MUON]
        energy = np.full(len(pions), PION_TO_MUON)
        register.tally(register.released, pions, np.full(len(pions), available))
        register.tally(register.invisible, pions, available - energy)
        born.append(_emit(pions, np.full(len(pions), ANTIMUON), Process.DECAY, energy, register, rng))
    return born


def annihilate(positrons: Beam, register: Register, rng: np.random.Generator) -> Beam:
    """Two photons of one electron mass, back to back, from each positron at rest."""
    direction = isotropic(len(positrons), rng)
    twice = np.repeat(np.arange(len(positrons)), 2)
    sign = np.tile([1.0, -1.0], len(positrons))[:, None]
    pair = positrons.take(twice)
    energy = np.full(len(pair), ELECTRON_MASS)
    register.tally(register.released, pair, energy)
    return register.add(
        pair.event, PHOTON, Process.ANNIHILATION, pair.track, pair.position, direction[twice] * sign, energy
    )


def decay_in_flight(pions: Beam, register: Register, rng: np.random.Generator) -> Beam:
    """Two photons from each neutral pion, isotropic in its rest frame; its c tau of 25 nm (PDG) leaves no trace."""
    mass = MASS[PION_ZERO]
    gamma = 1 + pions.energy / mass
    beta = np.sqrt(1 - 1 / gamma**2)
    axis = isotropic(len(pions), rng)
    cosine = np.einsum("ij,ij->i", axis, pions.direction)
    born = []
    for sign in (1, -1):
        energy = gamma * mass / 2 * (1 + sign * beta * cosine)
        along = gamma * mass / 2 * (sign * cosine + beta)
        across = sign * mass / 2 * (axis - cosine[:, None] * pions.direction)
        momentum = along[:, None] * pions.direction + across
        direction = momentum / np.linalg.norm(momentum, axis=1, keepdims=True)
        born.append(register.add(pions.event, PHOTON, Process.DECAY, pions.track, pions.position, direction, energy))
    register.tally(register.released, pions, np.full(len(pions), mass))
    return Beam.join(born)


def _emit(
    parents: Beam, kind: np.ndarray, process: Process, energy: np.ndarray, register: Register, rng: np.random.Generator
) -> Beam:
    directions = isotropic(len(parents), rng)
    return register.add(parents.event, kind, process, parents.track, parents.position, directions, energy)
