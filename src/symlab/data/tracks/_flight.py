"""One flight of all photons, to where each interacts, and what comes of it."""

import numpy as np

from symlab.data.tracks import _photons as photons
from symlab.data.tracks._argon import ELECTRON_MASS
from symlab.data.tracks._beam import Beam
from symlab.data.tracks._particles import ELECTRON, POSITRON
from symlab.data.tracks._register import Process, Register, inside
from symlab.data.tracks._sampling import deflect, turn

ABSORBED = 0.02  # MeV; a softer photon goes less than 1 mm, and stays where it is


def fly(beam: Beam, half_width: float, register: Register, rng: np.random.Generator) -> tuple[Beam, list[Beam]]:
    """Let every photon fly to its interaction; return those that were scattered, and the particles that are born."""
    coefficients = np.stack(
        [
            photons.compton_coefficient(beam.energy),
            photons.pair_coefficient(beam.energy),
            photons.photoelectric_coefficient(beam.energy),
        ]
    )
    total = coefficients.sum(axis=0)
    distance = rng.exponential(size=len(beam)) / total
    position = beam.position + distance[:, None] * beam.direction
    arrived = inside(position, half_width)
    gone = beam.take(~arrived)
    register.tally(register.escaped, gone, gone.energy)
    fate = (rng.random(len(beam)) * total)[arrived]
    compton, pair = coefficients[0][arrived], coefficients[1][arrived]
    beam = Beam(beam.event, beam.kind, beam.track, position, beam.direction, beam.energy).take(arrived)
    scatters = fate < compton
    converts = (fate >= compton) & (fate < compton + pair)
    scattered, electrons = scatter_compton(beam.take(scatters), register, rng)
    born = [
        electrons,
        *convert(beam.take(converts), register, rng),
        absorb(beam.take(~scatters & ~converts), register),
    ]
    return scattered, born


def scatter_compton(beam: Beam, register: Register, rng: np.random.Generator) -> tuple[Beam, Beam]:
    """Scatter photons on free electrons; return photons and electrons. Photons below `ABSORBED` end here."""
    kept, cosine = photons.sample_compton(beam.energy, rng)
    direction = deflect(beam.direction, cosine, rng)
    momentum = beam.energy[:, None] * beam.direction - kept[:, None] * direction
    size = np.linalg.norm(momentum, axis=1, keepdims=True)
    energy = beam.energy - kept
    soft = kept < ABSORBED
    energy = np.where(soft, beam.energy, energy)
    electrons = register.add(
        beam.event, ELECTRON, Process.COMPTON, beam.track, beam.position, momentum / np.maximum(size, 1e-12), energy
    )
    photon = Beam(beam.event, beam.kind, beam.track, beam.position, direction, kept)
    return photon.take(~soft), electrons


def convert(beam: Beam, register: Register, rng: np.random.Generator) -> list[Beam]:
    """Turn photons into electron and positron, in one plane with the photon, on opposite sides of it."""
    electron = photons.sample_pair(beam.energy, rng)
    positron = np.maximum(beam.energy - 2 * ELECTRON_MASS - electron, 0.0)
    register.tally(register.invisible, beam, np.full(len(beam), 2 * ELECTRON_MASS))  # annihilation gives it back
    azimuth = 2 * np.pi * rng.random(len(beam))
    born = []
    for kind, energy, side in ((ELECTRON, electron, 1), (POSITRON, positron, -1)):
        cosine = photons.sample_opening(energy + ELECTRON_MASS, rng)
        sine = side * np.sqrt(np.maximum(1 - cosine**2, 0))
        direction = turn(beam.direction, cosine, sine * np.cos(azimuth), sine * np.sin(azimuth))
        born.append(register.add(beam.event, kind, Process.PAIR, beam.track, beam.position, direction, energy))
    return born


def absorb(beam: Beam, register: Register) -> Beam:
    """Turn photons into photoelectrons, straight on; the binding energy (3.2 keV, NIST XCOM) stays with them."""
    return register.add(
        beam.event, ELECTRON, Process.PHOTOELECTRIC, beam.track, beam.position, beam.direction, beam.energy
    )
