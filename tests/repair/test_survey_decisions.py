"""Decisions of a toy network under rotation: planted symmetries, planted flips, repairs, and the store."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from symlab.artifacts import Store
from symlab.groups import PointCloud
from symlab.repair import survey_decisions


@dataclass
class Toys:
    """Clouds of different size, all of one class."""

    clouds: list[PointCloud]

    @property
    def semantic(self) -> list[Tensor]:
        return [torch.zeros(len(cloud.positions), dtype=torch.int64) for cloud in self.clouds]

    def __len__(self) -> int:
        return len(self.clouds)

    def subset(self, rows: list[int]) -> "Toys":
        return replace(self, clouds=[self.clouds[row] for row in rows])


class Toy(nn.Module):
    """Class 1 beyond a radius, and, with a slope, the further up the likelier."""

    __module__ = "symlab.models._polar"  # the store asks where the code of a network is

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope, dtype=torch.float64))

    @staticmethod
    def group(cloud: PointCloud) -> PointCloud:
        return cloud

    def evaluate(self, stack: PointCloud) -> dict[str, Tensor]:
        score = stack.positions.norm(dim=-1) - 2 + self.slope * stack.positions[..., 2]
        return {"logits": torch.stack([-score, score], dim=-1)}


@pytest.fixture(scope="module")
def events() -> Toys:
    generator = torch.Generator().manual_seed(0)
    places = [1.5 * torch.randn(n, 3, dtype=torch.float64, generator=generator) for n in (7, 9, 30)]
    return Toys([PointCloud(place, {"energy": torch.ones(len(place))}) for place in places])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def survey(slope: float, events: Toys, store: Store, **options: object):
    return survey_decisions(Toy(slope).eval(), events, store, n_workers=1, progress=False, **options)


def test_an_invariant_network_is_as_sure_of_itself_as_can_be(events: Toys, store: Store) -> None:
    found = survey(0.0, events, store, group="O(3)")
    assert found.event.bincount().tolist() == [7, 9, 30]
    assert float(found.variance.max()) < 1e-20
    assert int(found.flips.max()) == 0
    assert torch.equal(found.votes.majority, found.upright.argmax(-1))
    assert torch.allclose(found.mean, found.upright)


def test_spread_and_flips_are_those_of_the_planted_slope(events: Toys, store: Store) -> None:
    """Decisions flip where a turn can carry the score over zero: ``|r - 2| < slope r``."""
    found = survey(0.3, events, store, n_orientations=200)
    r = torch.cat([cloud.positions for cloud in events.clouds]).norm(dim=1)
    may = (r - 2).abs() < 0.3 * r
    assert bool((found.votes.flip_rate[~may] == 0).all())
    assert bool((found.votes.flip_rate[may & ((r - 2).abs() < 0.2 * r)] > 0).all())
    z = torch.linspace(-1, 1, 4001, dtype=torch.float64)
    p = torch.sigmoid(2 * (r[:, None] - 2 + 0.3 * r[:, None] * z))
    assert torch.allclose(found.variance, p.var(1), rtol=0.35, atol=1e-6)
    assert torch.allclose(found.votes.flip_rate, (p > 0.5).double().mean(1).sub(0.5).abs().mul(-1).add(0.5), atol=0.12)


def test_the_two_sets_of_orientations_are_not_the_same(events: Toys, store: Store) -> None:
    found = survey(0.3, events, store)
    again = survey(0.3, events, store, seed=1)
    assert not torch.equal(found.votes.share, again.votes.share)
    assert found.votes.n_orientations == 24
    assert found.n_evaluations == 3 * (24 + 24 + 4) + 16 + 18  # repeats of every event; checks of the first one


def test_averaging_leaves_less_and_a_frame_nothing(events: Toys, store: Store) -> None:
    bare, inverted, cube, frame = (survey(0.3, events, store, repair=name) for name in (None, "Ci", "O", "frame"))
    errors = [float(one.variance.mean().sqrt()) for one in (bare, inverted, cube, frame)]
    assert errors[1] < 0.5 * errors[0]
    assert errors[2] < 0.1 * errors[0]
    assert errors[3] < 1e-12
    assert int(frame.flips.max()) == 0
    assert cube.n_evaluations == 24 * (3 * (24 + 24 + 4) + 16)
    assert torch.allclose(cube.upright, cube.mean, atol=0.02)
    assert not torch.allclose(bare.upright, bare.mean, atol=0.02)


def test_neighbours_and_workers_change_nothing(events: Toys, store: Store, tmp_path: Path) -> None:
    whole, alone = survey(0.3, events, store), survey(0.3, events.subset([2]), store)
    assert torch.equal(whole.votes.share[whole.event == 2], alone.votes.share)
    assert torch.equal(whole.variance[whole.event == 2], alone.variance)


def test_errors_say_what_is_wrong(events: Toys, store: Store) -> None:
    with pytest.raises(ValueError, match="events holds no event"):
        survey(0.3, events.subset([]), store)
    with pytest.raises(ValueError, match="at least 2, for a variance; got 1"):
        survey(0.3, events, store, n_orientations=1)
    with pytest.raises(ValueError, match="name must be one of C1, Ci"):
        survey(0.3, events, store, repair="mirror")
