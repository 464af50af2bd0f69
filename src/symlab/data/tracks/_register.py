"""What is remembered of an event while it is simulated: who made whom and where, and the energy left behind."""

from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float, Int

from symlab.data.tracks._beam import Beam


class Process(IntEnum):
    """How a particle came into being."""

    PRIMARY = 0
    IONISATION = 1
    BREMSSTRAHLUNG = 2
    COMPTON = 3
    PAIR = 4
    PHOTOELECTRIC = 5
    ANNIHILATION = 6
    DECAY = 7
    HADRONIC = 8


class Register:
    """All particles of a block of events, and their deposits of energy.

    Each particle has a row: event, kind, process, parent (row of another particle, -1 for primaries), origin (cm) and
    kinetic energy at birth. `released` counts the mass that became energy (decays, annihilation of hadrons),
    `escaped` what left the detector, `invisible` what went to neutrinos, neutrons and nuclei, MeV for each event:
    primaries + released = deposits + escaped + invisible.
    """

    def __init__(self, n_events: int) -> None:
        self.n_events = n_events
        self.n_tracks = 0
        self._rows: list[tuple[np.ndarray, ...]] = []
        self._deposits: list[tuple[np.ndarray, ...]] = []
        self.released = np.zeros(n_events)
        self.escaped = np.zeros(n_events)
        self.invisible = np.zeros(n_events)

    def add(
        self,
        event: Int[np.ndarray, " n"],
        kind: Int[np.ndarray, " n"] | int,
        process: Process,
        parent: Int[np.ndarray, " n"],
        position: Float[np.ndarray, "n 3"],
        direction: Float[np.ndarray, "n 3"],
        energy: Float[np.ndarray, " n"],
    ) -> Beam:
        """Enter new particles, and return them ready to fly."""
        n = len(event)
        kind = np.broadcast_to(np.asarray(kind, dtype=np.int64), (n,))
        parent = np.broadcast_to(np.asarray(parent, dtype=np.int64), (n,))
        self._rows.append((event, kind, np.full(n, int(process)), parent, position, energy))
        track = np.arange(self.n_tracks, self.n_tracks + n)
        self.n_tracks += n
        return Beam(event, kind, track, position, direction, energy)

    def deposit(self, beam: Beam, position: Float[np.ndarray, "n 3"], energy: Float[np.ndarray, " n"]) -> None:
        """Note energy that each particle leaves at a place, MeV."""
        some = energy > 0
        self._deposits.append((beam.track[some], position[some], energy[some]))

    @staticmethod
    def tally(ledger: Float[np.ndarray, " events"], beam: Beam, energy: Float[np.ndarray, " n"]) -> None:
        """Add an amount for each particle to one of the ledgers."""
        np.add.at(ledger, beam.event, energy)

    def tracks(self) -> dict[str, np.ndarray]:
        """Give the register as arrays: event, kind, process, parent, origin, energy."""
        names = ("event", "kind", "process", "parent", "origin", "energy")
        return {name: np.concatenate([row[i] for row in self._rows]) for i, name in enumerate(names)}

    def deposits(self) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, "m 3"], Float[np.ndarray, " m"]]:
        """Give all deposits: row of the particle, place in cm, energy in MeV."""
        if not self._deposits:
            return np.zeros(0, dtype=np.int64), np.zeros((0, 3)), np.zeros(0)
        track, position, energy = (np.concatenate(values) for values in zip(*self._deposits, strict=True))
        return track, position, energy


def inside(position: Float[np.ndarray, "n 3"], half_width: float) -> Bool[np.ndarray, " n"]:
    """Tell which positions lie in the cube about the origin."""
    return (np.abs(position) < half_width).all(axis=1)
