# ruff: noqa: RUF009 - the calls make dataclass fields
"""From points to groups: centres by counting and suppression, members by a ball, once for all orientations."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor

from symlab.groups import PointCloud, Rotatable, invariant, rotates
from symlab.models._local_shape import local_shape
from symlab.models._polar_config import PolarMAEConfig

N_NEAREST = 5
"""Tokens that a point reads, weighted by their inverse squared distance."""
E_MIN, E_MAX = 0.13, 20.0
"""MeV; become -1 and 1 on the scale that the network sees."""


@dataclass(frozen=True, eq=False)
class GroupedCloud(Rotatable):
    """A point cloud with its groups. Points turn; who belongs to whom does not, so turned copies share the groups.

    Attributes:
        positions: ``(n, 3)``, voxels; ``(copies, n, 3)`` once stacked.
        energy: ``(n,)``, on the scale of `energy_scale`.
        shape: ``(n, f)``, invariants of each point's neighbourhood, see `local_shape`; f = 0 without them.
        centres: ``(t,)`` int64, the point at the centre of each group.
        members: ``(t, k)`` int64, points of each group, the centre first; empty slots repeat the centre.
        mask: ``(t, k)``, True for a member.
        nearest: ``(n, 5)`` int64, the nearest groups of each point, nearest first.
        weights: ``(n, 5)``, ``1 / (1 + distance^2)`` to their centres, scaled to add to one.
    """

    positions: Tensor = rotates("1x1o")
    energy: Tensor = invariant()
    shape: Tensor = invariant()
    centres: Tensor = invariant()
    members: Tensor = invariant()
    mask: Tensor = invariant()
    nearest: Tensor = invariant()
    weights: Tensor = invariant()

    @property
    def n_points(self) -> int:
        """Points of one copy."""
        return self.positions.shape[-2]

    @property
    def n_tokens(self) -> int:
        """Groups of one copy."""
        return len(self.centres)

    @property
    def coverage(self) -> float:
        """Share of the points that belong to a group."""
        return len(torch.unique(self.members)) / self.n_points


def energy_scale(energy: Tensor) -> Tensor:
    r"""Map MeV to the scale of the network, ``2 log(E / 0.13) / log(20 / 0.13) - 1``."""
    return 2 * torch.log(energy / E_MIN) / float(np.log(E_MAX / E_MIN)) - 1


def group_points(cloud: PointCloud, config: PolarMAEConfig) -> GroupedCloud:
    """Cut a cloud into overlapping balls: centrality-based non-maximum suppression (C-NMS), arXiv:2502.02558.

    Points are candidates in the order of their number of neighbours within ``2 R f``; each kept centre removes those
    neighbours from the list. A group is the ball of radius R about a centre, thinned to ``group_size`` points by
    farthest-point sampling that starts at the centre. All choices rest on distances and, among equals, on the order of
    the points, so a turned cloud has the same groups.

    Args:
        cloud: positions in voxels, on a lattice or not, each place once; ``features["energy"]`` in MeV, positive.
        config: radius, size and overlap of groups, and how many there may be. A cloud of one point has one group.

    Returns:
        The grouped cloud, of the same floating type.

    Raises:
        ValueError: no energy, an energy that is not positive and finite, two points in one place, or more groups than
            ``max_tokens``.

    Cost: about 15 ms for 1500 points.
    """
    energy = _checked_energy(cloud)
    r = cloud.positions.detach().double().numpy()
    tree = cKDTree(r)
    _refuse_duplicates(tree)
    centres = _suppress(tree, r, 2 * config.group_radius * config.overlap)
    if len(centres) > config.max_tokens:
        raise ValueError(
            f"the cloud needs {len(centres)} groups, more than max_tokens = {config.max_tokens}; raise max_tokens, "
            "raise group_radius, or crop the event"
        )
    members, mask = _balls(tree, r, centres, config)
    nearest, weights = _interpolation(r, centres)
    scaled = energy_scale(energy)
    shape = local_shape(cloud.positions, scaled) if config.local_features else scaled.new_zeros(len(r), 0)
    dtype = cloud.positions.dtype
    return GroupedCloud(
        cloud.positions,
        scaled.to(dtype),
        shape.to(dtype),
        torch.from_numpy(centres),
        torch.from_numpy(members),
        torch.from_numpy(mask),
        torch.from_numpy(nearest),
        torch.from_numpy(weights).to(dtype),
    )


def _checked_energy(cloud: PointCloud) -> Tensor:
    if cloud.n_copies is not None:
        raise ValueError(f"cloud holds {cloud.n_copies} copies; group the original, then stack the grouped cloud")
    if "energy" not in cloud.features:
        raise ValueError(f'features must hold "energy" in MeV; got {", ".join(cloud.features) or "none"}')
    energy = cloud.features["energy"].double()
    bad = (~(torch.isfinite(energy) & (energy > 0))).nonzero()
    if len(bad):
        row = int(bad[0])
        raise ValueError(
            f'features["energy"] must be positive and finite, in MeV; got {float(energy[row])} at point {row}. '
            "Drop such points, or give them the threshold of the detector"
        )
    return energy


def _refuse_duplicates(tree: cKDTree) -> None:
    same = tree.query_pairs(1e-6, output_type="ndarray")
    if len(same):
        first, second = (int(i) for i in min(same.tolist()))
        raise ValueError(
            f"points {first} and {second} lie in the same place ({len(same)} such pairs); merge points of one voxel "
            "and add their energies first"
        )


def _suppress(tree: cKDTree, r: NDArray[np.float64], radius: float) -> NDArray[np.int64]:
    """C-NMS; among candidates with as many neighbours the one that comes first in the cloud wins."""
    neighbours = tree.query_ball_point(r, radius)
    order = np.argsort([-len(found) for found in neighbours], kind="stable")
    free = np.ones(len(r), dtype=bool)
    kept = []
    for candidate in order:
        if free[candidate]:
            kept.append(candidate)
            free[neighbours[candidate]] = False
    return np.array(kept, dtype=np.int64)


def _balls(
    tree: cKDTree, r: NDArray[np.float64], centres: NDArray[np.int64], config: PolarMAEConfig
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    members = np.repeat(centres[:, None], config.group_size, axis=1)
    mask = np.zeros(members.shape, dtype=bool)
    balls = tree.query_ball_point(r[centres], config.group_radius, return_sorted=True)
    for row, (centre, ball) in enumerate(zip(centres, balls, strict=True)):
        inside = np.array([centre, *(i for i in ball if i != centre)])
        if len(inside) > config.group_size:
            inside = inside[_farthest(r[inside], config.group_size)]
        members[row, : len(inside)] = inside
        mask[row, : len(inside)] = True
    return members, mask


def _farthest(r: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Farthest-point sampling from the first point; squared distances are rounded, so that equal ones stay equal."""
    squares = ((r[:, None] - r[None]) ** 2).sum(-1).round(1)
    chosen = [0]
    away = squares[0].copy()
    for _ in range(n - 1):
        chosen.append(int(away.argmax()))
        away = np.minimum(away, squares[chosen[-1]])
    return np.array(chosen)


def _interpolation(r: NDArray[np.float64], centres: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Nearest tokens and their weights; equals are ordered by token, and a lone token is repeated."""
    reach = min(2 * N_NEAREST, len(centres))
    distance, token = cKDTree(r[centres]).query(r, k=range(1, reach + 1))
    order = np.lexsort((token, (distance**2).round(1)), axis=1)[:, :N_NEAREST]
    token, distance = np.take_along_axis(token, order, 1), np.take_along_axis(distance, order, 1)
    inverse = 1 / (distance**2 + 1.0)
    missing = N_NEAREST - token.shape[1]
    token = np.pad(token, ((0, 0), (0, missing)), mode="edge")
    inverse = np.pad(inverse, ((0, 0), (0, missing)))
    return token.astype(np.int64), inverse / inverse.sum(1, keepdims=True)
