"""Follow all particles of a block of events to their ends."""

import numpy as np

from symlab.data.tracks._beam import Beam
from symlab.data.tracks._charged import step
from symlab.data.tracks._decays import decay_in_flight
from symlab.data.tracks._flight import fly
from symlab.data.tracks._particles import N_CHARGED, PHOTON, PION_ZERO
from symlab.data.tracks._register import Register, inside

PATIENCE = 100  # steps that charged particles make before waiting photons fly


def transport(
    beam: Beam, register: Register, rng: np.random.Generator, *, half_width: float, magnetic_field: float = 0.0
) -> None:
    """Follow particles and all that they make until they stop, leave the detector, or are below the cuts.

    All random numbers come from `rng` in the order of the work, so what happens in one event depends on the others of
    its block, though its distribution does not.

    Args:
        beam: the primary particles, entered in `register`.
        register: takes up deposits, new particles and balances.
        rng: of all draws.
        half_width: of the detector, a cube about the origin, cm.
        magnetic_field: along z, tesla.
    """
    charged, waiting = _sort([beam], register, rng)
    steps = 0
    while len(charged) or waiting:
        if len(charged):
            charged, photons = _sort(step(charged, magnetic_field, register, rng), register, rng)
            waiting += photons
            stays = inside(charged.position, half_width)
            if not stays.all():
                gone = charged.take(~stays)
                register.tally(register.escaped, gone, gone.energy)
                charged = charged.take(stays)
            steps += 1
        if waiting and (steps % PATIENCE == 0 or not len(charged)):
            flying, waiting = Beam.join(waiting), []
            born = [charged]
            while len(flying):
                flying, electrons = fly(flying, half_width, register, rng)
                born += electrons
            charged = Beam.join(born)


def _sort(beams: list[Beam], register: Register, rng: np.random.Generator) -> tuple[Beam, list[Beam]]:
    """Part charged particles and photons; neutral pions become photons."""
    if len(beams) > 1 or (beams[0].kind >= N_CHARGED).any():
        together = Beam.join(beams)
        charged = together.take(together.kind < N_CHARGED)
        photons = [together.take(together.kind == PHOTON)]
        pions = together.take(together.kind == PION_ZERO)
        if len(pions):
            photons.append(decay_in_flight(pions, register, rng))
        return charged, [some for some in photons if len(some)]
    return beams[0], []
