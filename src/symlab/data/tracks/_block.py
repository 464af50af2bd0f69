"""One block of events from its primary particles to arrays, one after the other for each event."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symlab.data.tracks._branching import Branching, find_branching
from symlab.data.tracks._fragments import LOW_ENERGY
from symlab.data.tracks._guns import Primary
from symlab.data.tracks._particles import NAMES, PDG
from symlab.data.tracks._register import Process, Register
from symlab.data.tracks._transport import transport
from symlab.data.tracks._voxels import Image, voxelize

HALF_WIDTH = 115.2  # cm; 768 voxels a side, as in PILArNet
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Settings:
    """How a block is simulated and read out.

    Attributes:
        magnetic_field: along z, tesla.
        drift_smearing: standard deviation of displacements along z, voxels.
        threshold: least energy of a voxel, MeV.
        keep_low_energy: whether voxels of the class "low energy" are kept.
    """

    magnetic_field: float = 0.0
    drift_smearing: float = 0.0
    threshold: float = 0.05
    keep_low_energy: bool = False


@dataclass(frozen=True, eq=False)
class Event:
    """One simulated event as arrays, and a few numbers about it.

    Attributes:
        voxels: arrays of the voxels: voxel, energy, semantic, fragment.
        fragments: arrays of the fragments: parent (a row of these, -1 for none), pdg.
        points: arrays of the branching points: point (voxels), branch.
        columns: energies in MeV, names of the primaries, voxels of the class that is dropped.
    """

    voxels: Arrays
    fragments: Arrays
    points: Arrays
    columns: dict[str, object]


def simulate_block(events: Sequence[Sequence[Primary]], settings: Settings, rng: np.random.Generator) -> list[Event]:
    """Simulate events together, and take them apart.

    Args:
        events: primary particles of each; checked by the caller.
        settings: fields, smearing, threshold.
        rng: of all draws.
    """
    register = Register(len(events))
    primaries = [(number, primary) for number, event in enumerate(events) for primary in event]
    direction = np.array([primary.direction for _, primary in primaries], dtype=float).reshape(-1, 3)
    beam = register.add(
        np.array([number for number, _ in primaries], dtype=np.int64),
        np.array([NAMES.index(primary.name) for _, primary in primaries], dtype=np.int64),
        Process.PRIMARY,
        np.full(len(primaries), -1),
        np.array([primary.position for _, primary in primaries], dtype=float).reshape(-1, 3),
        direction / np.linalg.norm(direction, axis=1, keepdims=True),
        np.array([primary.energy for _, primary in primaries], dtype=float),
    )
    transport(beam, register, rng, half_width=HALF_WIDTH, magnetic_field=settings.magnetic_field)
    image, fragments, tracks = voxelize(
        register,
        half_width=HALF_WIDTH,
        threshold=settings.threshold,
        drift_smearing=settings.drift_smearing,
        rng=rng,
    )
    low = np.bincount(image.event[image.semantic == LOW_ENERGY], minlength=len(events))
    if not settings.keep_low_energy:
        image = _kept(image, image.semantic != LOW_ENERGY)
    branching = find_branching(image, fragments, tracks, HALF_WIDTH)
    pdg = np.array(list(PDG.values()))[tracks["kind"]]
    result = []
    for number, event in enumerate(events):
        part = _part(image, branching, pdg, number)
        part.columns.update(
            energy=round(sum(primary.energy for primary in event), 3),
            escaped=round(float(register.escaped[number]), 3),
            deposited=round(float(part.voxels["energy"].sum()), 3),
            primaries=" ".join(primary.name for primary in event),
            n_low_energy=int(low[number]),
        )
        result.append(part)
    return result


def _kept(image: Image, rows: np.ndarray) -> Image:
    return Image(image.event[rows], image.voxel[rows], image.energy[rows], image.semantic[rows], image.fragment[rows])


def _part(image: Image, branching: Branching, pdg: np.ndarray, number: int) -> Event:
    """Take one event out of the block; its fragments are renumbered from 0."""
    rows = slice(*np.searchsorted(image.event, [number, number + 1]))
    heads, fragment = np.unique(image.fragment[rows], return_inverse=True)
    above = branching.parent[np.searchsorted(branching.fragment, heads)]
    parent = np.where(np.isin(above, heads), np.searchsorted(heads, above), -1)
    points = branching.event == number
    return Event(
        {
            "voxel": image.voxel[rows].astype(np.int16),
            "energy": image.energy[rows].astype(np.float32),
            "semantic": image.semantic[rows].astype(np.int8),
            "fragment": fragment.astype(np.int32),
        },
        {"parent": parent.astype(np.int32), "pdg": pdg[heads].astype(np.int32)},
        {"point": branching.point[points].astype(np.float32), "branch": branching.kind[points].astype(np.int8)},
        {},
    )
