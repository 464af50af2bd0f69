"""Single muons in a magnetic field along z, seen through a sphere: only rotations about z leave their charge alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from safetensors.torch import load_file, save_file
from torch import Tensor

from symlab.artifacts import Recipe, Store
from symlab.data._arguments import check_counts, checked_number
from symlab.data._splits import Divided
from symlab.data.tracks._argon import VOXEL
from symlab.data.tracks._block import HALF_WIDTH, Settings, simulate_block
from symlab.data.tracks._fragments import TRACK
from symlab.data.tracks._guns import Primary
from symlab.data.tracks._sampling import isotropic
from symlab.groups import PointCloud, rotation_z

MUONS = ("mu+", "mu-")
BLOCK = 50  # muons that share a stream of random numbers
MARGIN = 5  # voxels that a muon must come beyond the sphere
SPLITS = {"train": 0.6, "validation": 0.1, "test": 0.3}


@dataclass(frozen=True, eq=False)
class MuonSet(Divided):
    """Muons, one in each event; entry i of each list belongs to ``clouds[i]``.

    Attributes:
        clouds: voxels of the track, from where the muon starts and ordered by the distance from there, float32;
            feature ``energy``, MeV.
        charge: ``(n,)`` int64, an index into `MUONS`: 0 for mu+, 1 for mu-.
        splits: name to row numbers: "train", "validation", "test".
    """

    clouds: list[PointCloud]
    charge: Int[Tensor, " n"]
    splits: dict[str, list[int]]

    def __len__(self) -> int:
        return len(self.clouds)

    @property
    def semantic(self) -> list[Tensor]:
        """Class of each voxel: the charge of its muon."""
        pairs = zip(self.clouds, self.charge, strict=True)
        return [charge.expand(len(cloud.positions)).contiguous() for cloud, charge in pairs]

    def subset(self, rows: Sequence[int]) -> "MuonSet":
        """Take rows in the order given; the splits are renumbered."""
        return MuonSet([self.clouds[row] for row in rows], self.charge[list(rows)], self.splits_of(rows))

    def turned_about_field(self, n_copies: int, generator: torch.Generator) -> "MuonSet":
        """Put in place of each training muon n copies, turned about z by angles of their own; the others stay.

        Args:
            n_copies: of each training muon, >= 1.
            generator: of the angles, uniform.

        Raises:
            ValueError: no copy.
        """
        if n_copies < 1:
            raise ValueError(f"n_copies must be at least 1; got {n_copies}")
        learned = np.repeat(self.splits["train"], n_copies).tolist()
        angles = 2 * torch.pi * torch.rand(len(learned), dtype=torch.float64, generator=generator)
        others = sorted(set(range(len(self))) - set(learned))
        all_rows = self.subset(others)
        turned = [self.clouds[row].rotated(one) for row, one in zip(learned, rotation_z(angles), strict=True)]
        rows = range(len(others), len(others) + len(learned))
        return MuonSet(
            [*all_rows.clouds, *turned],
            torch.cat([all_rows.charge, self.charge[learned]]),
            all_rows.splits | {"train": list(rows)},
        )


def load_muons(
    store: Store,
    n: int = 700,
    seed: int = 0,
    *,
    energy: float = 130.0,
    magnetic_field: float = 3.0,
    radius: float = 75.0,
) -> MuonSet:
    """Simulate muons of both charges that start at the centre of a sphere in all directions alike, in a field along z.

    Positive muons curl clockwise about z, negative ones anticlockwise. That is all there is to tell them apart: the
    sphere is so small that they leave it before they stop, for at its end a mu+ always decays and most mu- do not; and
    of an event only the track is kept, for knock-on electrons have the same charge in every event and curl about
    the field like a compass. So a mu- is a mu+ turned by half a turn about an axis across the field.

    Args:
        store: where the set is kept.
        n: muons, half of each charge: mu+ and mu- in turn. Three fifths learn, a tenth validates, the rest tests.
        seed: of all random numbers.
        energy: kinetic, at the start, MeV.
        magnetic_field: along z, tesla.
        radius: of the sphere, voxels of 3 mm; the muon must have the range to leave it.

    Raises:
        ValueError: a parameter out of range, or a muon that does not leave the sphere.
        ArtifactError: the store cannot be written, or the stored file is corrupt.

    Cost: 7 ms per muon the first time.
    """
    check_counts(n=n, seed=seed, n_workers=None)
    if n < 10:
        raise ValueError(f"n must be at least 10, so that every split holds a muon; got {n}")
    settings = {
        "energy": checked_number("energy", energy, 20.0, 2000.0, "MeV"),
        "magnetic_field": checked_number("magnetic_field", magnetic_field, -10.0, 10.0, "tesla"),
        "radius": checked_number("radius", radius, 10.0, HALF_WIDTH / VOXEL, "voxels, to the walls of the detector"),
    }
    recipe = Recipe(
        "muons", settings | {"n": n, "seed": seed}, code=(__name__,), packages=("numpy", "scipy", "particle", "torch")
    )

    def make(folder: Path) -> None:
        clouds = [cloud for start in range(0, n, BLOCK) for cloud in _block(seed, start, **settings)][:n]
        arrays = {
            "positions": torch.cat([cloud.positions for cloud in clouds]),
            "energy": torch.cat([cloud.features["energy"] for cloud in clouds]),
            "n_voxels": torch.tensor([len(cloud.positions) for cloud in clouds]),
        }
        save_file(arrays, folder / "muons.safetensors")

    arrays = load_file(store.get_or_make(recipe, make) / "muons.safetensors")
    counts = arrays["n_voxels"].tolist()
    # Copies, for a piece of a tensor is pickled with the whole of it when a worker is handed a muon.
    pieces = ([part.clone() for part in arrays[name].split(counts)] for name in ("positions", "energy"))
    parts = zip(*pieces, strict=True)
    bounds = [0, *(round(share * n) for share in np.cumsum(list(SPLITS.values())))]
    splits = {name: list(range(bounds[k], bounds[k + 1])) for k, name in enumerate(SPLITS)}
    return MuonSet([PointCloud(r, {"energy": e}) for r, e in parts], torch.arange(n) % len(MUONS), splits)


def _block(seed: int, start: int, energy: float, magnetic_field: float, radius: float) -> list[PointCloud]:
    """Simulate one block of muons."""
    rng = np.random.default_rng([seed, 13, start])
    centre = (0.0, 0.0, 0.0)
    guns = [
        [Primary(MUONS[k % len(MUONS)], energy, centre, direction)] for k, direction in enumerate(isotropic(BLOCK, rng))
    ]
    return [
        _seen(event.voxels, radius, start + k)
        for k, event in enumerate(simulate_block(guns, Settings(magnetic_field=magnetic_field), rng))
    ]


def _seen(voxels: dict[str, np.ndarray], radius: float, number: int) -> PointCloud:
    """Keep the track inside of the sphere, ordered from its start."""
    position = torch.from_numpy(voxels["voxel"]).double() + 0.5 - HALF_WIDTH / VOXEL
    away = position.norm(dim=1)
    track = torch.from_numpy(voxels["semantic"] == TRACK)
    if not bool((track & (away > radius + MARGIN)).any()):
        raise ValueError(
            f"muon {number} comes no further than {float(away[track].max()):.0f} voxels and so may stop inside the "
            f"sphere of radius = {radius:g}; lower radius or magnetic_field, or raise energy"
        )
    inside = track & (away <= radius)
    rows = inside.nonzero()[:, 0]
    rows = rows[away[rows].argsort(stable=True)]
    return PointCloud(position[rows].float(), {"energy": torch.from_numpy(voxels["energy"])[rows]})
