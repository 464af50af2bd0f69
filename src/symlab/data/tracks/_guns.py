"""What an event begins with: a vertex with several particles, and particles that rain in on their own.

After the "multi-particle vertex" and "rain" generators of PILArNet-M, whose exact settings are not published; the
weights of the kinds are those of the same generator in SBNSoftware/icaruscode (multipartvertex_icarus.fcl). Energies,
numbers of particles and the rain are chosen by hand, lower than there so that events are small. No
neutrino interactions.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from symlab.data.tracks._sampling import isotropic


class Primary(NamedTuple):
    """A particle at the beginning of an event.

    Attributes:
        name: e-, e+, mu-, mu+, pi-, pi+, p, gamma or pi0.
        energy: kinetic, MeV.
        position: cm, from the centre of the detector.
        direction: any length but zero.
    """

    name: str
    energy: float
    position: Sequence[float]
    direction: Sequence[float]


FAMILIES = (("e-", "e+", "mu-", "mu+"), ("gamma",), ("pi-", "pi+"), ("p",))
WEIGHTS = (3, 2, 3, 3)
MOST = (1, 2, 2, 2)  # of each family at one vertex
ENERGIES = {"e-": (40, 500), "e+": (40, 500), "mu-": (40, 1000), "mu+": (40, 1000), "gamma": (40, 500)}
ENERGIES |= {"pi-": (40, 400), "pi+": (40, 400), "p": (50, 350)}  # MeV, kinetic, flat
AT_VERTEX = (1, 4)  # particles, both ends included
RAIN = (0, 3)
RAINING = ("mu-", "mu+", "e-", "gamma")  # half of them muons
MARGIN = 0.8  # vertices lie in the middle of the detector, in this share of its width


def draw_primaries(half_width: float, rng: np.random.Generator) -> list[Primary]:
    """Draw one event: a vertex with 1 to 4 particles, and 0 to 3 that rain, all in directions without preference."""
    event = []
    vertex = rng.uniform(-MARGIN * half_width, MARGIN * half_width, 3)
    counts = [0] * len(FAMILIES)
    for _ in range(rng.integers(*AT_VERTEX, endpoint=True)):
        weights = np.array([w if count < most else 0 for w, count, most in zip(WEIGHTS, counts, MOST, strict=True)])
        family = rng.choice(len(FAMILIES), p=weights / weights.sum())
        counts[family] += 1
        event.append(_draw(str(rng.choice(FAMILIES[family])), vertex, rng))
    for _ in range(rng.integers(*RAIN, endpoint=True)):
        place = rng.uniform(-MARGIN * half_width, MARGIN * half_width, 3)
        event.append(_draw(str(rng.choice(RAINING)), place, rng))
    return event


def _draw(name: str, position: np.ndarray, rng: np.random.Generator) -> Primary:
    direction = isotropic(1, rng)[0]
    return Primary(name, float(rng.uniform(*ENERGIES[name])), tuple(position.tolist()), tuple(direction.tolist()))
