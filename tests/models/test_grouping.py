from collections.abc import Callable
from dataclasses import fields, replace

import pytest
import torch

from symlab.groups import PointCloud, random_rotations
from symlab.models import GroupedCloud, PolarMAEConfig, changed_groups, energy_scale, group_points, local_shape

CONFIG = PolarMAEConfig()
Tracks = Callable[..., PointCloud]


def test_a_radius_on_the_lattice_changes_groups_by_round_off_and_one_beside_it_does_not(
    invented_tracks: Tracks,
) -> None:
    cloud = invented_tracks(0, n_tracks=6)
    matrices = random_rotations(6, torch.Generator().manual_seed(1), improper=True)
    assert changed_groups(cloud, replace(CONFIG, group_radius=5.0), matrices) > 0.005
    assert changed_groups(cloud, CONFIG, matrices) == 0
    assert changed_groups(cloud, replace(CONFIG, overlap=0.5), matrices) == 0


def test_turned_copies_share_groups_and_nothing_else_turns(invented_tracks: Tracks) -> None:
    grouped = group_points(invented_tracks(1), CONFIG)
    matrices = random_rotations(3, torch.Generator().manual_seed(2))
    stack = grouped.stacked(matrices)
    assert stack.positions.shape == (3, grouped.n_points, 3)
    torch.testing.assert_close(stack.positions[1], grouped.positions @ matrices[1].float().T, atol=1e-5, rtol=0)
    assert set(grouped.rotating_tensors()) == {"positions"}
    fresh = group_points(invented_tracks(1).rotated(matrices[1]), CONFIG)
    for entry in fields(GroupedCloud):
        mine, theirs = getattr(stack, entry.name), getattr(fresh, entry.name)
        if entry.name != "positions":
            torch.testing.assert_close(mine, theirs, atol=2e-5, rtol=1e-4, msg=lambda m, n=entry.name: f"{n}: {m}")


def test_groups_are_the_balls_about_centres_that_keep_their_distance(invented_tracks: Tracks) -> None:
    cloud = invented_tracks(2, n_tracks=4)
    config = replace(CONFIG, group_size=64)
    grouped = group_points(cloud, config)
    r = cloud.positions.double()
    apart = torch.cdist(r[grouped.centres], r[grouped.centres]) + 1e9 * torch.eye(grouped.n_tokens)
    assert float(apart.min()) > 2 * config.group_radius * config.overlap
    inside = torch.cdist(r[grouped.centres], r) <= config.group_radius
    found = torch.zeros_like(inside)
    for row, (members, mask) in enumerate(zip(grouped.members, grouped.mask, strict=True)):
        found[row, members[mask]] = True
        assert members[0] == grouped.centres[row]
    assert torch.equal(found, inside)
    assert torch.equal(grouped.mask.sum(1), inside.sum(1))


def test_an_overlap_of_one_half_leaves_no_point_out(invented_tracks: Tracks) -> None:
    config = replace(CONFIG, overlap=0.5, group_size=64)
    assert group_points(invented_tracks(2), config).coverage == 1.0
    assert group_points(invented_tracks(2), replace(config, overlap=0.72)).coverage < 1.0


def test_farthest_points_of_a_line() -> None:
    """Nine voxels in a row, three kept: the centre of the row first, then its two ends."""
    x = torch.arange(9.0)
    cloud = PointCloud(torch.stack([x, 0 * x, 0 * x], 1), {"energy": torch.ones(9)})
    grouped = group_points(cloud, replace(CONFIG, group_size=3))
    assert grouped.centres.tolist() == [1]  # rows 1 to 7 see all nine within 7.3 voxels; the first of them wins
    assert grouped.members.tolist() == [[1, 6, 3]]  # within 5.1 voxels of row 1: rows 0 to 6


def test_interpolation_reads_the_nearest_tokens(invented_tracks: Tracks) -> None:
    grouped = group_points(invented_tracks(3), CONFIG)
    distance = torch.cdist(grouped.positions.double(), grouped.positions[grouped.centres].double())
    nearest = distance.gather(1, grouped.nearest)
    torch.testing.assert_close(nearest, distance.sort(1).values[:, :5], atol=1e-2, rtol=0)
    weights = 1 / (1 + nearest.square())
    torch.testing.assert_close(grouped.weights.double(), weights / weights.sum(1, keepdim=True), atol=1e-4, rtol=0)


def test_energies_from_threshold_to_twenty_mev_span_minus_one_to_one() -> None:
    torch.testing.assert_close(energy_scale(torch.tensor([0.13, 20.0])), torch.tensor([-1.0, 1.0]))


def test_local_shape_knows_lines_ends_and_planes() -> None:
    line = torch.stack([torch.arange(41.0), torch.zeros(41), torch.zeros(41)], 1)
    grid = torch.stack(torch.meshgrid(torch.arange(41.0), torch.arange(41.0), indexing="ij"), -1).reshape(-1, 2)
    plane = torch.cat([grid, torch.zeros(41**2, 1)], 1)
    middle, end = local_shape(line, torch.zeros(41))[[20, 0]].reshape(2, 3, 5)
    inside = local_shape(plane, torch.zeros(41**2))[20 * 41 + 20].reshape(3, 5)
    torch.testing.assert_close(
        middle[1],
        torch.tensor([11.0, 1, 1, 1, 1]).log() * torch.tensor([1.0, 0, 0, 0, 0]) + torch.tensor([-2.0, 0, 0, 1, 0]),
    )
    assert end[1, 2] == pytest.approx(2 * 2.5 / 5.1)
    assert inside[1, 3] == pytest.approx(0, abs=1e-6)
    assert inside[1, 4] == pytest.approx(1, abs=1e-6)


def test_one_point_is_one_group() -> None:
    grouped = group_points(PointCloud(torch.zeros(1, 3), {"energy": torch.ones(1)}), CONFIG)
    assert (grouped.n_tokens, grouped.coverage, grouped.nearest.tolist()) == (1, 1.0, [[0] * 5])
    assert grouped.weights.tolist() == [[1, 0, 0, 0, 0]]
    assert grouped.mask.sum() == 1


def test_bad_input_is_refused_by_name(invented_tracks: Tracks) -> None:
    with pytest.raises(ValueError, match=r"positions must have shape \(n, 3\) with n >= 1; got \(0, 3\)"):
        PointCloud(torch.zeros(0, 3), {"energy": torch.zeros(0)})
    cloud = invented_tracks(0)
    twice = PointCloud(cloud.positions[[0, 1, 0]], {"energy": torch.ones(3)})
    with pytest.raises(ValueError, match=r"points 0 and 2 lie in the same place \(1 such pairs\); merge"):
        group_points(twice, CONFIG)
    for value, text in ((float("nan"), "nan"), (0.0, r"0\.0"), (-1.0, r"-1\.0"), (float("inf"), "inf")):
        energy = cloud.features["energy"].clone()
        energy[4] = value
        with pytest.raises(
            ValueError, match=rf'features\["energy"\] must be positive and finite.* got {text} at point 4'
        ):
            group_points(PointCloud(cloud.positions, {"energy": energy}), CONFIG)
    with pytest.raises(ValueError, match='features must hold "energy" in MeV; got charge'):
        group_points(PointCloud(cloud.positions, {"charge": torch.ones(len(cloud.positions))}), CONFIG)
    with pytest.raises(ValueError, match=r"needs \d+ groups, more than max_tokens = 3; raise max_tokens"):
        group_points(cloud, replace(CONFIG, max_tokens=3))
    with pytest.raises(ValueError, match="holds 2 copies; group the original"):
        group_points(cloud.stacked(torch.eye(3).repeat(2, 1, 1)), CONFIG)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"group_radius": 0.0}, "group_radius must be positive; got 0.0"),
        ({"group_size": 0}, "group_size must be at least 1; got 0"),
        ({"mask_ratio": 1.0}, r"mask_ratio must lie in \(0, 1\); got 1.0"),
        ({"position": "polar"}, 'position must be "absolute" or "relative"'),
        ({"n_heads": 5}, "n_heads must divide d; got n_heads = 5 and d = 96"),
    ],
)
def test_sizes_are_checked(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(CONFIG, **change)
    assert PolarMAEConfig.from_dict(CONFIG.to_dict()) == CONFIG
