"""Simulated events in liquid argon: a set from the store, or a few at once."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from symlab.artifacts import Recipe, Store
from symlab.data._arguments import check_counts, checked_number
from symlab.data._event_rows import EventPlan, draw_block, join_events, label_events, pack
from symlab.data._event_set import EventSet, unpack
from symlab.data._generate import generate
from symlab.data.tracks._block import Settings, simulate_block
from symlab.data.tracks._guns import Primary
from symlab.workers import require_main_guard


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
    """Simulate particle events in liquid argon, with a class for each voxel and the true branching points."""
    check_counts(n=n, seed=seed, max_iterations=1, n_workers=n_workers)
    require_main_guard()
    settings = _settings(magnetic_field, drift_smearing, threshold, keep_low_energy)
    plan = EventPlan(n, seed, settings, sizes)

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
    """Draw the primary particles of events as `load_events` does."""
    return draw_block(seed, 0)[0][:n]


def simulate_events(
    events: Sequence[Sequence[Primary]],
    seed: int = 0,
    *,
    magnetic_field: float = 0.0,
    drift_smearing: float = 0.0,
    threshold: float = 0.05,
    keep_low_energy: bool = False,
) -> EventSet:
    """Simulate events with these primary particles, here and now."""
    settings = _settings(magnetic_field, drift_smearing, threshold, keep_low_energy)
    done = simulate_block(events, settings, np.random.default_rng(seed))
    arrays = {name: torch.from_numpy(value) for name, value in pack(done).items()}
    columns = {name: [event.columns[name] for event in done] for name in done[0].columns}
    return unpack(arrays, columns, {"test": list(range(len(done)))})


def _settings(magnetic_field: float, drift_smearing: float, threshold: float, keep_low_energy: bool) -> Settings:
    return Settings(
        checked_number("magnetic_field", magnetic_field, -10.0, 10.0, "tesla"),
        checked_number("drift_smearing", drift_smearing, 0.0, 10.0, "voxels"),
        checked_number("threshold", threshold, 0.0, 1.0, "MeV"),
        bool(keep_low_energy),
    )
