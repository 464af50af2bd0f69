"""Canonical frames: exact under rotations, blind to nothing but mirrors, and not continuous."""

import pytest
import torch
from torch import Tensor

from symlab.groups import PointCloud, random_rotations
from symlab.measure import equivariance
from symlab.repair import framed, principal_frames

IDENTITY = torch.eye(3, dtype=torch.float64)[None]


def cloud(seed: int = 0) -> PointCloud:
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(20, 3, dtype=torch.float64, generator=generator)
    return PointCloud(points * torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64))


def crooked(stack: PointCloud) -> Tensor:
    """A vector that no rotation would respect."""
    return (stack.positions.pow(2) * torch.tensor([1.0, 2.0, -1.0]) + stack.positions[..., [1, 2, 0]]).mean(1)


def test_any_model_in_its_inputs_frame_is_equivariant_under_rotations() -> None:
    options = {"degree": 5, "group": "SO(3)", "n_converge": 0, "progress": False}
    plain = equivariance(crooked, cloud(), "1x1o", **options)
    mended = equivariance(framed(crooked, "1x1o"), cloud(), "1x1o", **options)
    assert plain.rmse > 0.1
    assert mended.rmse < 1e-12


def test_a_mirror_image_is_another_cloud() -> None:
    mended = equivariance(framed(crooked, "1x1o"), cloud(), "1x1o", degree=5, n_converge=0, progress=False)
    assert mended.proper_rmse < 1e-12
    assert mended.inversion_rmse > 0.05


def test_the_frame_turns_with_the_cloud() -> None:
    turns = random_rotations(6, torch.Generator().manual_seed(1))
    found = principal_frames(cloud().stacked(turns).positions)
    (upright,) = principal_frames(cloud().positions[None])
    assert torch.allclose(found @ turns, upright.expand(6, 3, 3), atol=1e-12)
    assert torch.allclose(torch.linalg.det(found), torch.ones(6, dtype=torch.float64))


def test_the_frame_jumps_where_two_axes_are_equally_long() -> None:
    """Two clouds that differ by a millionth, and their frames by a right angle."""
    a, b = torch.eye(3, dtype=torch.float64)[0], torch.eye(3, dtype=torch.float64)[1]
    frames = []
    for excess in (1e-6, -1e-6):
        points = torch.stack([(1 + excess) * a, -0.5 * (1 + excess) * a, b, -0.5 * b, 0.1 * (a + b)])
        points = torch.cat([points, 0.1 * IDENTITY[0]])
        frames.append(principal_frames(points[None])[0])
    angle = torch.arccos(((frames[0] @ frames[1].T).trace() - 1) / 2)
    assert float(angle) > 1.5


def test_errors_say_what_is_wrong() -> None:
    line = torch.arange(5.0, dtype=torch.float64)[:, None] * torch.ones(3, dtype=torch.float64)
    with pytest.raises(ValueError, match="three different lengths"):
        principal_frames(line[None])
    with pytest.raises(ValueError, match="takes one stacked structure"):
        framed(crooked, "1x1o")(cloud())
