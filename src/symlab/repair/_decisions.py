"""Decisions of a segmentation network under rotation: spread and flips of every point, with a repair or without."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from symlab.artifacts import Recipe, Store
from symlab.data import EventSet
from symlab.groups import HaarGrid, Rotatable, finite_group, monte_carlo_grid
from symlab.measure import ClassVotes, class_votes, equivariance
from symlab.models import weights_digest
from symlab.repair._frames import framed
from symlab.repair._symmetrize import symmetrize
from symlab.training import events_fingerprint, in_chunks

CHUNK = 5
FRAME = "frame"


@dataclass(frozen=True, eq=False)
class Decisions:
    """What became of every point of some events; points of all events end to end.

    Attributes:
        event: ``(n,)``, the event of each point.
        upright: ``(n, K)``, probabilities of the classes in the orientation in which the event came.
        mean: ``(n, K)``, probabilities averaged over the first set of orientations.
        variance: ``(n,)``, v of the probabilities over the first set, per class, without bias.
        votes: of the second set of orientations, ``share`` being ``(n, K)``.
        n_evaluations: of the bare network, all points of an event counting as one.
    """

    event: Int[Tensor, " n"]
    upright: Float[Tensor, "n classes"]
    mean: Float[Tensor, "n classes"]
    variance: Float[Tensor, " n"]
    votes: ClassVotes
    n_evaluations: int

    @property
    def flips(self) -> Int[Tensor, " n"]:
        """How many orientations are outvoted: a whole number, because all have the same weight."""
        return (self.votes.flip_rate * self.votes.n_orientations).round().long()


def survey_decisions(
    network: nn.Module,
    events: EventSet,
    store: Store,
    *,
    repair: str | None = None,
    group: str = "SO(3)",
    n_orientations: int = 24,
    seed: int = 0,
    batch_size: int = 32,
    n_workers: int | None = None,
    progress: bool = True,
) -> Decisions:
    """Turn every event, and keep how far the class probabilities spread and how often the decision flips.

    Spread and flips come from two independent sets of orientations, the same ones for all events, so that one can be
    tried as a predictor of the other. The orientations of the measurement are random, those of a repair fixed: what is
    measured is the repaired network as a whole.

    Args:
        network: with ``group(cloud)`` and ``evaluate(stack)``, which gives ``logits`` (copies, points, classes).
        events: the events.
        store: where the results are kept; a killed survey resumes.
        repair: None for the bare network; the name of a finite group ("Ci", "T", ...), over whose elements the
            probabilities are averaged; or "frame", for an event in its principal axes.
        group: "SO(3)" or "O(3)", from which the orientations are drawn.
        n_orientations: in each of the two sets, at least 2.
        seed: of the orientations.
        batch_size: copies in one call.
        n_workers: processes; None for one per core. Changes the time, not the result.
        progress: show a bar.

    Returns:
        The decisions.

    Raises:
        ValueError: no event, fewer than two orientations, or an unknown repair.
        HarnessError, ResponseError: see `symlab.measure.preflight`, which looks at the first event of the bare network.

    Cost: ``2 n_orientations + 5`` evaluations per event, times the elements of the group, and some 40 for every five.
    """
    if len(events) == 0:
        raise ValueError("events holds no event; choose a larger split")
    if n_orientations < 2:
        raise ValueError(f"n_orientations must be at least 2, for a variance; got {n_orientations}")
    if repair not in (None, FRAME):
        finite_group(cast(str, repair))  # raises for an unknown name
    job = _Job(network, repair, group, n_orientations, seed, batch_size)
    recipe = Recipe(
        "decisions",
        {"repair": repair, "group": group, "orientations": n_orientations, "seed": seed},
        code=(__name__, type(network).__module__),
        packages=("torch",),
        inputs=(weights_digest(network), events_fingerprint(events)),
    )
    return in_chunks(job, recipe, events, store, size=CHUNK, n_workers=n_workers, progress=progress)


class Softmax:
    """The class probabilities of a network, for all turned copies of an event: the ``f`` of `symlab.measure`."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def __call__(self, stack: Rotatable) -> Float[Tensor, "copies n classes"]:
        """Evaluate all copies."""
        with torch.no_grad():
            return cast(Any, self.network).evaluate(stack)["logits"].softmax(-1)


def repaired(
    network: nn.Module, repair: str | None, n_classes: int, *, batch_size: int = 32
) -> Callable[[Any], Tensor]:
    """Give the class probabilities of a network after a repair, named as in `survey_decisions`."""
    f = Softmax(network)
    if repair is None:
        return f
    if repair == FRAME:
        return framed(f, f"{n_classes}x0e")
    return symmetrize(f, f"{n_classes}x0e", finite_group(repair), batch_size=batch_size)


@dataclass(frozen=True, eq=False)
class _Job:
    """What a worker needs to know besides its events."""

    network: nn.Module
    repair: str | None
    group: str
    n_orientations: int
    seed: int
    batch_size: int

    def grids(self) -> tuple[HaarGrid, HaarGrid]:
        """Two independent sets of orientations."""
        generator = torch.Generator().manual_seed(self.seed)
        first, second = (monte_carlo_grid(self.n_orientations, self.group, generator) for _ in range(2))
        return first, second

    def run(self, events: EventSet) -> dict[str, Tensor]:
        """Turn the events of one chunk."""
        (first, second), dtype = self.grids(), next(self.network.parameters()).dtype
        grouped = [cast(Any, self.network).group(cloud).to(dtype=dtype) for cloud in events.clouds]
        identity, correction = torch.eye(3)[None], self.n_orientations / (self.n_orientations - 1)
        n_classes = Softmax(self.network)(grouped[0].stacked(identity)).shape[-1]
        f = repaired(self.network, self.repair, n_classes, batch_size=self.batch_size)
        options: dict[str, Any] = {"batch_size": self.batch_size, "progress": False}
        bare = self.repair is None
        report = equivariance(f, grouped, f"{n_classes}x0e", grid=first, n_converge=0, check=bare, **options)
        votes = class_votes(f, grouped, second, **options)
        assert not isinstance(report, dict)
        assert isinstance(votes, list)
        each = 1 if self.repair in (None, FRAME) else len(finite_group(cast(str, self.repair)))
        return {
            "points": torch.tensor([len(one.share) for one in votes]),
            "upright": torch.cat([f(x.stacked(identity))[0] for x in grouped]).double(),
            "mean": torch.cat(list(report.mean)),
            "variance": correction * torch.cat(list(report.variance)),
            "share": torch.cat([one.share for one in votes]),
            "evaluations": torch.tensor([each * (report.n_evaluations + len(grouped) * len(second))]),
        }

    def read(self, arrays: dict[str, Tensor]) -> Decisions:
        """Read the finished survey."""
        return Decisions(
            torch.repeat_interleave(arrays["points"]),
            arrays["upright"],
            arrays["mean"],
            arrays["variance"],
            ClassVotes(arrays["share"], self.n_orientations),
            int(arrays["evaluations"].sum()),
        )
