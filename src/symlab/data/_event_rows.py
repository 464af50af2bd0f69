"""Events in the store: blocks are simulated whole, written as chunks, and joined."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from symlab.data._chunk_files import join_chunks, write_chunk
from symlab.data.tracks._block import HALF_WIDTH, Event, Settings, simulate_block
from symlab.data.tracks._fragments import LOW_ENERGY
from symlab.data.tracks._guns import Primary, draw_primaries

BLOCK = 25  # events that share a stream of random numbers


class EventError(RuntimeError):
    """No event is left: none has a size within the limits."""


@dataclass(frozen=True)
class EventPlan:
    """What to simulate: events ``0 ... n-1`` of this seed; those of other sizes are rejected."""

    n: int
    seed: int
    settings: Settings
    sizes: tuple[int, int]
    sampler: str = "events"

    def chunks(self) -> list[range]:
        """Cut the events into blocks; which events share one does not depend on n."""
        return blocks(self.n)

    def description(self) -> dict[str, Any]:
        """Give the plan as JSON values."""
        return asdict(self)


def blocks(n: int) -> list[range]:
    """Cut the events ``0 ... n-1`` into blocks; all but the last are whole."""
    return [range(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]


def draw_block(seed: int, start: int) -> tuple[list[list[Primary]], np.random.Generator]:
    """Draw the primaries of the block that begins with event `start`, and the stream for the rest of it."""
    rng = np.random.default_rng([seed, 12, start])
    return [draw_primaries(HALF_WIDTH, rng) for _ in range(BLOCK)], rng


def label_events(plan: EventPlan, indices: Sequence[int], path: Path) -> int:
    """Simulate the block of `indices`, and write those events to `path` (atomically); return how many are rejected."""
    primaries, rng = draw_block(plan.seed, indices[0])
    events, failures = {}, {}
    for index, event in zip(indices, simulate_block(primaries, plan.settings, rng), strict=False):
        size = int((event.voxels["semantic"] != LOW_ENERGY).sum())
        if plan.sizes[0] <= size <= plan.sizes[1]:
            events[index] = event
        else:
            failures[index] = f"{size} voxels, not {plan.sizes[0]} to {plan.sizes[1]}"
    arrays = pack(list(events.values())) | {"index": np.array(list(events))} if events else {}
    write_chunk(path, arrays, [event.columns for event in events.values()], failures)
    return len(failures)


def pack(events: Sequence[Event]) -> dict[str, np.ndarray]:
    """Join events end to end, with the number of voxels, fragments and points of each."""
    groups = {"voxels": "n_voxels", "fragments": "n_fragments", "points": "n_points"}
    arrays: dict[str, np.ndarray] = {}
    for group, count in groups.items():
        parts = [getattr(event, group) for event in events]
        arrays |= {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        arrays[count] = np.array([len(next(iter(part.values()))) for part in parts])
    return arrays


def join_events(plan: EventPlan, paths: Sequence[Path], folder: Path) -> None:
    """Join the blocks by `join_chunks`.

    Raises:
        EventError: all events are rejected.
    """
    engine = {"method": "symlab.data.tracks", "numpy": metadata.version("numpy")}

    def nothing(reason: str) -> EventError:
        return EventError(f"all {plan.n} events are rejected; the first has {reason}. Widen the sizes")

    join_chunks(plan, paths, folder, lambda _: {"engine": engine}, nothing)
