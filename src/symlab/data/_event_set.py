"""A set of events: clouds of voxels with a class for each, fragments, and true branching points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from symlab.data._splits import Divided
from symlab.groups import PointCloud

SEMANTIC = ("shower", "track", "Michel", "delta")
PER_EVENT = ("clouds", "semantic", "fragment", "parents", "particles", "branching_points", "branches")
UNITS = {"positions": "voxel", "energy": "MeV", "branching_points": "voxel"}


@dataclass(frozen=True, eq=False)
class EventSet(Divided):
    """Events in liquid argon; entry i of each list belongs to ``clouds[i]``.

    Attributes:
        clouds: centres of voxels of 3 mm, from the unweighted centroid of the event, float32; feature ``energy``, MeV.
        semantic: class of each voxel, int64: 0 shower, 1 track, 2 Michel, 3 delta (4 low energy, where it is kept).
        fragment: int64, which object a voxel belongs to, from 0.
        parents: for each fragment of an event, the fragment that it comes from, or -1.
        particles: for each fragment of an event, the PDG code of the particle that begins it.
        branching_points: ``(k, 3)``, in the frame of the cloud, float32; may be empty.
        branches: kind of each branching point, an index into `BRANCHES`: vertex, decay, delta, star, conversion.
        columns: one value per event: energy, deposited and escaped (MeV), primaries, n_low_energy (voxels).
        splits: name to row numbers: "train", "validation", "test".
        n_failed: events that were asked for and rejected, because they are too small or too large.
        units: of positions, energies and branching points.
        engine: method and versions.
        digest: address of the artifact that it was read from; a subset keeps it.

    Raises:
        ValueError: lists or labels of another length than the clouds, an energy that is not finite and above 0, or a
            voxel that occurs twice. A cloud of one voxel is allowed.
    """

    clouds: list[PointCloud]
    semantic: list[Tensor]
    fragment: list[Tensor]
    parents: list[Tensor]
    particles: list[Tensor]
    branching_points: list[Tensor]
    branches: list[Tensor]
    columns: dict[str, list[Any]]
    splits: dict[str, list[int]]
    n_failed: int = 0
    units: dict[str, str] = field(default_factory=lambda: dict(UNITS))
    engine: dict[str, str] = field(default_factory=dict)
    digest: str = ""

    def __post_init__(self) -> None:
        lists = {name: getattr(self, name) for name in PER_EVENT} | self.columns
        for name, values in lists.items():
            if len(values) != len(self.clouds):
                raise ValueError(f"{name} must have one entry per event ({len(self.clouds)}), got {len(values)}")
        for event, cloud in enumerate(self.clouds):
            for name in ("semantic", "fragment"):
                if len(values := getattr(self, name)[event]) != len(cloud.positions):
                    raise ValueError(
                        f"{name}[{event}] must have one entry per voxel ({len(cloud.positions)}), got {len(values)}"
                    )
            energy = cloud.features.get("energy")
            if energy is None or not (torch.isfinite(energy) & (energy > 0)).all():
                raise ValueError(f"clouds[{event}] must have a feature 'energy', finite and above 0 MeV in every voxel")
            if (twice := len(cloud.positions) - _n_voxels(cloud.positions)) > 0:
                raise ValueError(
                    f"clouds[{event}] has {twice} voxels twice; add their energies, so that each voxel is one point"
                )

    def __len__(self) -> int:
        return len(self.clouds)

    def subset(self, rows: Sequence[int]) -> "EventSet":
        """Take rows in the order given; the splits are renumbered, `n_failed` stays that of the whole set."""
        rows = [int(row) for row in rows]
        return EventSet(
            **{name: [getattr(self, name)[row] for row in rows] for name in PER_EVENT},
            columns={name: [values[row] for row in rows] for name, values in self.columns.items()},
            splits=self.splits_of(rows),
            n_failed=self.n_failed,
            units=self.units,
            engine=self.engine,
            digest=self.digest,
        )


def _n_voxels(positions: Tensor) -> int:
    """Count different voxels: points of one lattice, wherever its origin is."""
    index = (positions - positions[0]).round().to(torch.int64)
    index -= index.amin(dim=0)
    x, y, z = index.unbind(dim=1)
    width = int(index.max()) + 1
    return len(torch.unique((x * width + y) * width + z))


def unpack(
    arrays: Mapping[str, Tensor],
    columns: dict[str, list[Any]],
    splits: dict[str, list[int]],
    **about: Any,
) -> EventSet:
    """Take joined arrays apart into events, each in the frame of its centroid."""

    def parts(name: str, count: str) -> list[Tensor]:
        return list(arrays[name].split(arrays[count].tolist()))

    voxels = [voxel.to(torch.float64) for voxel in parts("voxel", "n_voxels")]
    centres = [voxel.mean(dim=0) for voxel in voxels]
    return EventSet(
        clouds=[
            PointCloud((voxel - centre).to(torch.float32), {"energy": energy.clone()})
            for voxel, centre, energy in zip(voxels, centres, parts("energy", "n_voxels"), strict=True)
        ],
        semantic=[value.to(torch.int64) for value in parts("semantic", "n_voxels")],
        fragment=[value.to(torch.int64) for value in parts("fragment", "n_voxels")],
        parents=[value.to(torch.int64) for value in parts("parent", "n_fragments")],
        particles=[value.to(torch.int64) for value in parts("pdg", "n_fragments")],
        branching_points=[
            (point - centre).to(torch.float32)
            for point, centre in zip(parts("point", "n_points"), centres, strict=True)
        ],
        branches=[value.to(torch.int64) for value in parts("branch", "n_points")],
        columns=columns,
        splits=splits,
        **about,
    )
