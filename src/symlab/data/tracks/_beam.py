"""Particles in flight, as arrays: those of all events of a block together."""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(eq=False)
class Beam:
    """Particles in flight; row i of each array belongs to one of them.

    Attributes:
        event: number of the event in its block.
        kind: index into `NAMES`.
        track: row of the register of all particles, see `Register`.
        position: cm, in the frame of the detector.
        direction: unit vectors.
        energy: kinetic, MeV.
    """

    event: Int[np.ndarray, " n"]
    kind: Int[np.ndarray, " n"]
    track: Int[np.ndarray, " n"]
    position: Float[np.ndarray, "n 3"]
    direction: Float[np.ndarray, "n 3"]
    energy: Float[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.event)

    def take(self, rows: Bool[np.ndarray, " n"] | Int[np.ndarray, " m"]) -> "Beam":
        """Take some of the particles."""
        return Beam(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @staticmethod
    def join(beams: "list[Beam]") -> "Beam":
        """Put beams behind each other."""
        return Beam(**{f.name: np.concatenate([getattr(beam, f.name) for beam in beams]) for f in fields(Beam)})
