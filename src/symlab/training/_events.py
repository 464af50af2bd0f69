"""Labelled events, grouped once for all orientations and kept in the store."""

import hashlib
import pickle
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Protocol, Self

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from symlab.artifacts import Recipe, Store
from symlab.groups import PointCloud
from symlab.models import GroupedCloud, PolarMAEConfig, group_points
from symlab.progress import progress_bar
from symlab.workers import as_finished

GROUPING = ("group_radius", "group_size", "overlap", "max_tokens", "local_features")
"""Fields of the configuration that decide the groups."""

CHUNK = 16  # events that a worker groups at a time


class Events(Protocol):
    """Point clouds, with a class for each point: what `symlab.data.load_events` gives, or your own."""

    @property
    def clouds(self) -> Sequence[PointCloud]:
        """Positions in voxels, ``features["energy"]`` in MeV."""

    @property
    def semantic(self) -> Sequence[Tensor]:
        """For each cloud ``(n_points,)`` int64, classes from 0."""

    def split(self, name: str) -> Self:
        """Take "train", "validation" or "test"."""


def events_fingerprint(events: Events) -> str:
    """Hash positions, energies and classes of all events: sha256, 64 hex digits."""
    digest = hashlib.sha256()
    for cloud, classes in zip(events.clouds, events.semantic, strict=True):
        for part in (cloud.positions, cloud.features["energy"], classes):
            digest.update(f"{tuple(part.shape)}{part.dtype}".encode() + part.contiguous().numpy().tobytes())
    return digest.hexdigest()


def group_events(
    events: Events, config: PolarMAEConfig, store: Store, *, n_workers: int = 1, progress: bool = True
) -> list[GroupedCloud]:
    """Group every event as the configuration says, or read the groups from the store; see `group_points`.

    Args:
        events: clouds that can be grouped.
        config: what concerns groups matters; two networks that group alike share the artifact.
        store: where groups are kept.
        n_workers: processes; changes the time, not the result.
        progress: whether to show a bar.

    Raises:
        ValueError: an event that cannot be grouped; the message begins with its number.

    Cost: about 20 ms for an event of 1500 points and core.
    """
    settings = {name: value for name, value in config.to_dict().items() if name in GROUPING}
    recipe = Recipe(
        "grouped-events",
        settings,
        code=("symlab.models._grouping",),
        packages=("scipy",),
        inputs=(events_fingerprint(events),),
    )

    def make(folder: Path) -> None:
        n, found = len(events.clouds), {}
        calls = {
            first: (first, pickle.dumps((events.clouds[first : first + CHUNK], config))) for first in range(0, n, CHUNK)
        }
        with progress_bar(progress, total=n, desc="groups", unit="event") as bar:
            for first, chunk in as_finished(_group_chunk, calls, n_workers, "groups events"):
                found[first] = pickle.loads(chunk)
                bar.update(len(found[first]))
        grouped = [one for first in calls for one in found[first]]
        arrays = {
            entry.name: torch.cat([getattr(one, entry.name) for one in grouped]) for entry in fields(GroupedCloud)
        }
        n_tokens = torch.tensor([one.n_tokens for one in grouped])
        save_file(arrays | {"n_tokens": n_tokens}, folder / "groups.safetensors")

    arrays = load_file(store.get_or_make(recipe, make) / "groups.safetensors")
    n_tokens = arrays.pop("n_tokens").tolist()
    n_points = [len(cloud.positions) for cloud in events.clouds]
    parts = {
        name: value.split(n_tokens if name in ("centres", "members", "mask") else n_points)
        for name, value in arrays.items()
    }
    return [GroupedCloud(**{name: part[row] for name, part in parts.items()}) for row in range(len(n_points))]


def _group_chunk(first: int, pickled: bytes) -> bytes:
    """Group some events; bytes go in and out, because tensors would each hold a file descriptor open."""
    clouds, config = pickle.loads(pickled)
    return pickle.dumps([_grouped(number, cloud, config) for number, cloud in enumerate(clouds, start=first)])


def _grouped(number: int, cloud: PointCloud, config: PolarMAEConfig) -> GroupedCloud:
    try:
        return group_points(cloud, config)
    except ValueError as error:
        raise ValueError(f"event {number}: {error}") from error
