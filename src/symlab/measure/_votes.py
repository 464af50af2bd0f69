"""Decisions under rotation: which class each sample gets in each orientation, and how often it is outvoted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from symlab.groups import HaarGrid, Rotatable
from symlab.measure._errors import ResponseError
from symlab.measure._fronts import as_list
from symlab.measure._stream import OUTPUT, RotationBatch, stream


@dataclass(frozen=True, eq=False)
class ClassVotes:
    """How the orientations of one structure vote on the class of each sample.

    Attributes:
        share: ``(..., n_classes)``, the share q_k of orientations that decide for class k, by weight.
        n_orientations: how many there were.
    """

    share: Float[Tensor, "... classes"]
    n_orientations: int

    @property
    def majority(self) -> Int[Tensor, "..."]:
        """The class with most votes; the first one among equals."""
        return self.share.argmax(-1)

    @property
    def flip_rate(self) -> Float[Tensor, "..."]:
        """Share of orientations that decide for another class than the majority, ``1 - max_k q_k``."""
        return (1 - self.share.amax(-1)).clamp(min=0)

    def all_decisions(self) -> tuple[Int[Tensor, " nK"], Float[Tensor, " nK"]]:
        """Give the classes 0 ... K - 1 of each sample, and the share that is for each, end to end: for `f1_scores`."""
        k = self.share.shape[-1]
        return torch.arange(k).repeat(self.share.numel() // k), self.share.flatten()


def class_votes(
    f: Callable[[Any], Any],
    x: Rotatable | Sequence[Rotatable],
    grid: HaarGrid,
    *,
    output: str = OUTPUT,
    batch_size: int = 128,
    progress: bool = True,
) -> ClassVotes | list[ClassVotes]:
    """Let every orientation of a grid vote: the class of a sample is that of its largest logit or probability.

    Definitions: book page "Conventions". With n orientations the rate of a sample is a multiple of 1/n and, since the
    majority is found from the same votes, a little too low.

    Args:
        f: maps a stacked structure of b copies to a tensor ``(b, ..., n_classes)``, or a dict of them.
        x: one structure, or a list of them.
        grid: the orientations, with positive weights; independent ones from ``monte_carlo_grid``.
        output: which tensor of a dict holds the scores of the classes.
        batch_size: copies per call.
        progress: show a bar if the work takes more than 5 s.

    Returns:
        The votes; a list for a list.

    Raises:
        ValueError: a grid with negative weights, or an f that does not return ``output``.
        ResponseError: NaN, or a response without an axis of at least two classes.

    Cost: ``len(grid)`` copies per structure.
    """
    if grid.has_negative_weights:
        raise ValueError(
            "grid must have positive weights, as votes have; take monte_carlo_grid, a finite group, or another degree"
        )
    structures = as_list(x)
    found = []
    for number, structure in enumerate(structures):
        count = _Count(output)
        stream(
            f,
            structure,
            grid,
            count.update,
            batch_size=batch_size,
            description=f"votes, structure {number + 1}/{len(structures)}",
            progress=progress,
        )
        if count.share is None:
            raise ValueError(f"f must return {output!r}; it returns {', '.join(map(repr, count.others))}")
        found.append(ClassVotes(count.share, len(grid)))
    return found[0] if isinstance(x, Rotatable) else found


class _Count:
    """Adds up the votes of the batches."""

    def __init__(self, output: str) -> None:
        self.output = output
        self.share: Tensor | None = None
        self.others: list[str] = []

    def update(self, batch: RotationBatch, name: str, response: Tensor) -> None:
        if name != self.output:
            self.others.append(name)
            return
        if response.ndim < 2 or response.shape[-1] < 2 or not bool(response.isfinite().all()):
            raise ResponseError(
                f"output {name!r} must hold a finite score for each of two classes or more in its last axis; got shape "
                f"{tuple(response.shape)}"
            )
        votes = torch.nn.functional.one_hot(response.argmax(-1).cpu(), response.shape[-1]).double()
        added = torch.tensordot(batch.weights, votes, dims=1)
        self.share = added if self.share is None else self.share + added
