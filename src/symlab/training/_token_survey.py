"""The tokens of a network on events, decomposed into sectors, and the error of its logits from the same passes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from symlab.artifacts import Recipe, Store
from symlab.data import EventSet
from symlab.groups import Sector, sectors
from symlab.measure import diagnose
from symlab.models import weights_digest
from symlab.training._chunks import in_chunks
from symlab.training._events import events_fingerprint

CHUNK = 2
OUTPUT = "logits"


@dataclass(frozen=True, eq=False)
class TokenSurvey:
    """B of each layer and of the logits, and A of the logits, event by event.

    Attributes:
        sectors: (l, sigma), the last axis of `fraction`.
        fraction: by layer ``(n_events, n_sectors)``, ``B / mean |u|^2`` of all tokens together.
        variance: ``(n_events,)``, v of the logits, per point and class.
        mean_square: ``(n_events,)``, of the logits, per point and class.
        convergence: by layer, largest change of a fraction on a finer grid; None if not measured.
        n_evaluations: copies in all.
    """

    sectors: list[Sector]
    fraction: dict[str, Float[Tensor, "events sectors"]]
    variance: Float[Tensor, " events"]
    mean_square: Float[Tensor, " events"]
    convergence: dict[str, float] | None
    n_evaluations: int


def survey_tokens(
    network: nn.Module,
    events: EventSet,
    store: Store,
    layers: Sequence[str],
    *,
    l_max: int = 4,
    converge: bool = False,
    batch_size: int = 32,
    n_workers: int | None = None,
    progress: bool = True,
) -> TokenSurvey:
    """Decompose the tokens of every event, or read the survey from the store; see `symlab.measure.diagnose`.

    Groups do not change when an event turns, so a token keeps its identity in all copies.

    Args:
        network: with ``group(cloud)`` and ``evaluate(stack)``, which gives ``logits``; in evaluation mode.
        events: the events; memory grows with their tokens.
        store: where surveys are kept; one that was killed resumes.
        layers: names of the layers, of tokens or of points.
        l_max: highest degree.
        converge: measure the first of every two events on a finer grid as well.
        batch_size: copies in one call.
        n_workers: processes; None for one per core. Changes the time, not the result.
        progress: show a bar.

    Returns:
        The survey.

    Raises:
        ValueError: no event, or an unknown layer.

    Cost: 684 copies per event at l_max 4. See arXiv:2603.24638, Sec. II.
    """
    if len(events) == 0:
        raise ValueError("events holds no event; choose a larger split")
    job = _Job(network, list(layers), l_max, converge, batch_size)
    recipe = Recipe(
        "tokens",
        {"layers": job.layers, "l_max": l_max, "converge": converge},
        code=(__name__, type(network).__module__),
        packages=("torch",),
        inputs=(weights_digest(network), events_fingerprint(events)),
    )
    return in_chunks(job, recipe, events, store, size=CHUNK, n_workers=n_workers, progress=progress)


@dataclass(frozen=True, eq=False)
class _Job:
    """What a worker needs to know besides its events."""

    network: nn.Module
    layers: list[str]
    l_max: int
    converge: bool
    batch_size: int

    def run(self, events: EventSet) -> dict[str, Tensor]:
        """Diagnose some events."""
        network, dtype = cast(Any, self.network), next(self.network.parameters()).dtype
        found = diagnose(
            network.evaluate,
            [network.group(cloud).to(dtype=dtype) for cloud in events.clouds],
            {OUTPUT: f"{network.config.n_classes}x0e"},
            self.layers,
            self.l_max,
            2 * self.l_max,
            module=self.network,
            batch_size=self.batch_size,
            n_converge=int(self.converge),
            tolerance=None,
            check=self.converge,
            progress=False,
        )
        report = found.equivariance[OUTPUT]
        means = [mean.square().mean() for mean in report.mean]
        arrays = {"variance": report.structure_rmse.square(), "evaluations": torch.tensor([found.n_evaluations])}
        arrays["mean_square"] = arrays["variance"] + torch.stack(means)
        for name, spectrum in found.characters.items():
            arrays[f"fraction/{name}"] = spectrum.fraction_by_structure
            arrays[f"convergence/{name}"] = torch.tensor([spectrum.convergence or 0.0], dtype=torch.float64)
        return arrays

    def read(self, arrays: dict[str, Tensor]) -> TokenSurvey:
        """Read the finished survey."""
        names = [*self.layers, OUTPUT]
        change = {name: float(arrays[f"convergence/{name}"].max()) for name in names}
        return TokenSurvey(
            sectors(self.l_max),
            {name: arrays[f"fraction/{name}"] for name in names},
            arrays["variance"],
            arrays["mean_square"],
            change if self.converge else None,
            int(arrays["evaluations"].sum()),
        )
