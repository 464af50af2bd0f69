"""One step of all charged particles: loss, scattering, and what they knock out or radiate at its end."""

import numpy as np
from jaxtyping import Float

from symlab.data.tracks import _bremsstrahlung as bremsstrahlung
from symlab.data.tracks import _ionisation as ionisation
from symlab.data.tracks._argon import ELECTRON_MASS, IONISATION
from symlab.data.tracks._beam import Beam
from symlab.data.tracks._decays import annihilate, stop
from symlab.data.tracks._hadrons import INTERACTION_RATE, absorb, interact
from symlab.data.tracks._particles import CHARGE, ELECTRON, MASS, PHOTON, PION_MINUS, POSITRON
from symlab.data.tracks._photons import sample_opening
from symlab.data.tracks._rates import DELTAS, LOSS, PHOTONS, SCATTERING, STOPPED, rates
from symlab.data.tracks._register import Process, Register
from symlab.data.tracks._sampling import deflect
from symlab.data.tracks._scattering import scatter

LARGEST_STEP = np.array([0.1] * 2 + [0.2] * 5)  # cm; by kind
LARGEST_LOSS = 0.15  # share of the energy that a step may take
SMALLEST_STEP = 0.02  # cm


def step(beam: Beam, magnetic_field: float, register: Register, rng: np.random.Generator) -> list[Beam]:
    """Advance all particles by one step; return those that go on and those that are born.

    The step ends early at an interaction, so that the number of interactions does not depend on its length.

    Args:
        beam: charged particles.
        magnetic_field: along z, tesla.
        register: where deposits and new particles are entered.
        rng: of all draws.
    """
    n = len(beam)
    mass = MASS[beam.kind]
    energy = beam.energy
    momentum = np.sqrt(energy * (energy + 2 * mass))
    beta = momentum / (energy + mass)
    table = rates(beam.kind, energy)
    hadronic = np.where(beam.kind >= PION_MINUS, INTERACTION_RATE, 0.0)
    total = table[:, DELTAS] + table[:, PHOTONS] + hadronic
    free = rng.exponential(size=n) / np.maximum(total, 1e-12)
    longest = np.minimum(LARGEST_STEP[beam.kind], LARGEST_LOSS * energy / table[:, LOSS])
    length = np.minimum(free, np.maximum(longest, SMALLEST_STEP))
    happens = length == free

    lost = table[:, LOSS] * length
    spread = np.sqrt(IONISATION / beta**2 * length * np.minimum(ionisation.CUT, energy))
    lost = np.clip(lost + np.minimum(spread, 0.5 * lost) * rng.normal(size=n), 0.0, energy)
    start = beam.direction
    end = scatter(start, table[:, SCATTERING] * length, rng)
    if magnetic_field:
        end = bend(end, CHARGE[beam.kind] * magnetic_field * length / momentum)
    middle = beam.position + 0.5 * length[:, None] * start
    register.deposit(beam, 0.5 * (beam.position + middle), 0.5 * lost)
    position = middle + 0.5 * length[:, None] * end
    register.deposit(beam, 0.5 * (position + middle), 0.5 * lost)
    moved = Beam(beam.event, beam.kind, beam.track, position, end, energy - lost)

    born: list[Beam] = []
    if happens.any():
        which = rng.random(n) * total
        delta = happens & (which < table[:, DELTAS])
        star = happens & (which >= table[:, DELTAS] + table[:, PHOTONS]) & (hadronic > 0)
        photon = happens & ~delta & ~star & (beam.kind <= POSITRON)
        born += knock(moved, delta, register, rng)
        born += radiate(moved, photon, register, rng)
        if star.any():
            born += interact(moved.take(star), register, rng)
            moved = moved.take(~star)
    stopped = moved.energy <= STOPPED[moved.kind]
    if stopped.any():
        born += rest(moved.take(stopped), register, rng)
        moved = moved.take(~stopped)
    return [moved, *born]


def rest(beam: Beam, register: Register, rng: np.random.Generator) -> list[Beam]:
    """Stop particles: what energy they have is left here, and what they are at rest becomes of them."""
    register.deposit(beam, beam.position, beam.energy)
    born = stop(beam, register, rng)
    positrons = beam.take(beam.kind == POSITRON)
    if len(positrons):
        born.append(annihilate(positrons, register, rng))
    pions = beam.take(beam.kind == PION_MINUS)
    if len(pions):
        born += absorb(pions, register, rng)
    return born


def bend(directions: Float[np.ndarray, "n 3"], rate: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 3"]:
    """Turn directions in a magnetic field along z: ``p[GeV] = 0.2998 B[T] R[m]``, the number being the speed of light.

    Args:
        directions: unit vectors.
        rate: charge times field times length over momentum, T cm / MeV.
    """
    angle = -2.99792458 * rate
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y, z = directions.T
    return np.stack([cosine * x - sine * y, sine * x + cosine * y, z], axis=1)


def knock(beam: Beam, rows: np.ndarray, register: Register, rng: np.random.Generator) -> list[Beam]:
    """Knock an electron out at each of these rows; `beam` loses its energy, and is deflected by its momentum."""
    light = rows & (beam.kind <= POSITRON)
    heavy = rows & ~light
    transfer = np.zeros(len(beam))
    light &= beam.energy > 2 * ionisation.CUT
    transfer[light] = ionisation.sample_electron_delta(beam.energy[light], rng)
    heavy &= ionisation.largest_transfer(beam.energy, MASS[beam.kind]) > ionisation.CUT
    transfer[heavy] = ionisation.sample_heavy_delta(beam.energy[heavy], MASS[beam.kind[heavy]], rng)
    rows = light | heavy
    if not rows.any():
        return []
    parents, transfer = beam.take(rows), transfer[rows]
    mass = MASS[parents.kind]
    before = np.sqrt(parents.energy * (parents.energy + 2 * mass))
    momentum = np.sqrt(transfer * (transfer + 2 * ELECTRON_MASS))
    cosine = np.minimum(transfer * (parents.energy + mass + ELECTRON_MASS) / (momentum * before), 1.0)
    direction = deflect(parents.direction, cosine, rng)
    recoil = before[:, None] * parents.direction - momentum[:, None] * direction
    beam.direction[rows] = recoil / np.linalg.norm(recoil, axis=1, keepdims=True)
    beam.energy[rows] -= transfer
    short = transfer <= STOPPED[ELECTRON]
    register.deposit(parents.take(short), parents.position[short], transfer[short])
    born = parents.take(~short)
    return [
        register.add(
            born.event,
            ELECTRON,
            Process.IONISATION,
            born.track,
            born.position,
            direction[~short],
            transfer[~short],
        )
    ]


def radiate(beam: Beam, rows: np.ndarray, register: Register, rng: np.random.Generator) -> list[Beam]:
    """Emit a photon at each of these rows; `beam` loses its energy."""
    rows = rows & (beam.energy > bremsstrahlung.CUT * 1.01)
    if not rows.any():
        return []
    parents = beam.take(rows)
    photon = bremsstrahlung.sample_photon(parents.energy, rng)
    direction = deflect(parents.direction, sample_opening(parents.energy + ELECTRON_MASS, rng), rng)
    beam.energy[rows] -= photon
    return [
        register.add(parents.event, PHOTON, Process.BREMSSTRAHLUNG, parents.track, parents.position, direction, photon)
    ]
