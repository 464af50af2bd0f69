"""Simulated events in liquid argon: a set from the store, or a few at once."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from symlab.artifacts import Recipe, Store
from symlab.data._arguments import check_counts, checked_number
from symlab.data._event_rows import EventPlan, blocks, draw_block, join_events, label_events, pack
from symlab.data._event_set import EventSet, unpack
from symlab.data._generate import generate
from symlab.data.tracks._block import HALF_WIDTH, Settings, simulate_block
from symlab.data.tracks._guns import Primary
from symlab.data.tracks._particles import NAMES
from symlab.workers import require_main_guard

HIGHEST = 5000.0  # MeV; above it muons radiate, which is not simulated


def load_events(
    store: Store,
    n: int = 600,
    seed: int = 0,
    *,
    magnetic_field: float = 0.0,
    drift_smearing: float = 0.0,
    threshold: float = 0.05,
    keep_low_energy: bool = False,
    sizes: tuple[int, int] = (256, 4000),
    n_workers: int | None = None,
) -> EventSet:
    """Simulate particles in liquid argon: clouds of voxels with a class for each, fragments, and branching points.

    An event is a vertex with 1 to 4 particles and up to 3 more that rain in elsewhere, in a cube of 2.3 m: electrons,
    muons, photons, charged pions and protons of 40 to 1000 MeV, in all directions alike. They lose energy by the
    restricted Bethe and Berger-Seltzer formulas with explicit deltas, scatter, radiate, convert, decay; each file of
    `symlab.data.tracks` names its sources. Interactions of hadrons with nuclei are a toy. Classes follow the rules of
    Supera, the label maker of PILArNet (Adams, Terao and Wongjirad, arXiv:2006.01993), for which these events stand in:
    they are simulated here, not taken from there.

    Nothing in an event prefers a direction, so a correct model of it is equivariant under all of O(3), up to the
    lattice of the voxels and the faces of the cube, where tracks end. Two options break this on purpose. A magnetic
    field along z bends tracks: what remains are the rotations about z and the reflection z to -z. Drift smearing
    displaces every deposit along z, as diffusion over a long drift does: what remains are the rotations about z, the
    reflections of planes that contain z or are normal to it, and their products.

    Args:
        store: where the set is kept.
        n: events asked for; those of other `sizes` are rejected and counted in `EventSet.n_failed`.
        seed: of all random numbers. Events are simulated in blocks of 25 that share a stream: event k depends on seed
            and k alone, so a smaller n gives the first events of a larger one.
        magnetic_field: along z, tesla.
        drift_smearing: standard deviation of displacements along z, voxels.
        threshold: least energy of a voxel, MeV.
        keep_low_energy: keep voxels of the class 4, "low energy", that upstream drops before training.
        sizes: least and largest number of voxels that are not "low energy".
        n_workers: processes; default: the number of cores. Changes the time, not the result.

    Returns:
        `EventSet` with splits 80/10/10 % train/validation/test.

    Raises:
        ValueError: a parameter out of range.
        ArtifactError: the store cannot be written, or the stored file is corrupt.
        EventError: all events are rejected.

    Cost: 30 ms per event and core the first time; 0.1 ms afterwards.
    """
    check_counts(n=n, seed=seed, n_workers=n_workers)
    require_main_guard()
    settings = _settings(magnetic_field, drift_smearing, threshold, keep_low_energy)
    plan = EventPlan(n, seed, settings, _checked_sizes(sizes))

    def make(folder: Path) -> None:
        generate(plan, folder, n_workers, unit="event", label=label_events, join=join_events)

    recipe = Recipe(
        "events", plan.description(), code=("symlab.data._event_rows",), packages=("numpy", "scipy", "particle")
    )
    folder = store.get_or_make(recipe, make)
    notes = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    return unpack(
        load_file(folder / "dataset.safetensors"),
        notes["columns"],
        notes["splits"],
        n_failed=len(notes["failures"]),
        engine=notes["engine"],
        digest=recipe.key,
    )


def draw_events(n: int, seed: int = 0) -> list[list[Primary]]:
    """Draw the primary particles of n events as `load_events` does.

    Raises:
        ValueError: n or seed is no whole number in range.
    """
    check_counts(n=n, seed=seed, n_workers=None)
    return [event for block in blocks(n) for event in draw_block(seed, block[0])[0][: len(block)]]


def simulate_events(
    events: Sequence[Sequence[Primary]],
    seed: int = 0,
    *,
    magnetic_field: float = 0.0,
    drift_smearing: float = 0.0,
    threshold: float = 0.05,
    keep_low_energy: bool = False,
) -> EventSet:
    """Simulate events with these primary particles, here and now; none is rejected.

    Args:
        events: for each, the particles that it begins with; `Primary` has name, energy (MeV), position (cm from the
            centre of the detector, a cube of 230.4 cm) and direction.
        seed: of all random numbers; an event depends on the others given with it.
        magnetic_field: along z, tesla.
        drift_smearing: standard deviation of displacements along z, voxels.
        threshold: least energy of a voxel, MeV.
        keep_low_energy: keep voxels of the class "low energy".

    Returns:
        `EventSet` with the one split "test".

    Raises:
        ValueError: no event, an event without particles, an unknown particle, an energy that is not in (0, 5000] MeV, a
            position outside the detector, a direction of no length; an event that leaves no voxel.

    Cost: 30 ms per event of 1 GeV, 0.3 s at least.
    """
    check_counts(n=len(events), seed=seed, n_workers=None)
    for number, event in enumerate(events):
        if not event:
            raise ValueError(f"events[{number}] has no particle; give at least one Primary")
        for primary in event:
            _check_primary(f"events[{number}]", primary)
    settings = _settings(magnetic_field, drift_smearing, threshold, keep_low_energy)
    done = simulate_block(events, settings, np.random.default_rng(seed))
    for number, simulated in enumerate(done):
        if not len(simulated.voxels["energy"]):
            raise ValueError(
                f"events[{number}] leaves no voxel above {threshold:g} MeV (outside the class that is dropped); give "
                "it more energy, or lower the threshold"
            )
    arrays = {name: torch.from_numpy(value) for name, value in pack(done).items()}
    columns = {name: [event.columns[name] for event in done] for name in done[0].columns}
    return unpack(arrays, columns, {"test": list(range(len(done)))})


def _check_primary(where: str, primary: Primary) -> None:
    """Refuse a particle that cannot be simulated."""
    if primary.name not in NAMES:
        raise ValueError(f"{where}: particle {primary.name!r} is unknown; choose among {', '.join(NAMES)}")
    if not 0 < primary.energy <= HIGHEST:  # NaN too
        raise ValueError(f"{where}: kinetic energy must lie in (0, {HIGHEST:g}] MeV, got {primary.energy!r}")
    position, direction = np.asarray(primary.position, dtype=float), np.asarray(primary.direction, dtype=float)
    if position.shape != (3,) or not (np.abs(position) < HALF_WIDTH).all():
        raise ValueError(
            f"{where}: position must lie inside the detector, three coordinates below {HALF_WIDTH:g} cm from its "
            f"centre, got {primary.position!r}"
        )
    if direction.shape != (3,) or not 0 < np.linalg.norm(direction) < np.inf:
        raise ValueError(f"{where}: direction must be a vector of finite length, not zero, got {primary.direction!r}")


def _checked_sizes(sizes: tuple[int, int]) -> tuple[int, int]:
    if len(sizes) != 2 or not 1 <= sizes[0] <= sizes[1]:
        raise ValueError(f"sizes must be (least, largest) with 1 <= least <= largest voxels, got {sizes!r}")
    return int(sizes[0]), int(sizes[1])


def _settings(magnetic_field: float, drift_smearing: float, threshold: float, keep_low_energy: bool) -> Settings:
    return Settings(
        checked_number("magnetic_field", magnetic_field, -10.0, 10.0, "tesla"),
        checked_number("drift_smearing", drift_smearing, 0.0, 10.0, "voxels"),
        checked_number("threshold", threshold, 0.01, 1.0, "MeV"),
        bool(keep_low_energy),
    )
