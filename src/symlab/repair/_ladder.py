"""The repair ladder: what averaging over larger and larger groups removes, predicted and measured."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups import HaarGrid, Sector, retention, sectors


@dataclass(frozen=True, eq=False)
class Rungs:
    """What each group of a ladder is expected to leave of each sector.

    Attributes:
        names: of the groups, in order.
        sizes: evaluations of each.
        sectors: columns of `retention`.
        retention: ``(n_rungs, n_sectors)``, see `symlab.groups.retention`.
        tail: ``(n_rungs,)``, its limit at high l, ``sum w^2``.
    """

    names: list[str]
    sizes: list[int]
    sectors: list[Sector]
    retention: Float[Tensor, "rungs sectors"]
    tail: Float[Tensor, " rungs"]

    @classmethod
    def of(cls, grids: Mapping[str, HaarGrid], l_max: int) -> "Rungs":
        """Count by characters, up to l_max; no model is needed."""
        chosen = sectors(l_max)[1:]
        rows = [[retention(grid, sector) for sector in chosen] for grid in grids.values()]
        return cls(
            list(grids),
            [len(grid) for grid in grids.values()],
            chosen,
            torch.tensor(rows, dtype=torch.float64),
            torch.stack([grid.weights.square().sum() for grid in grids.values()]),
        )


@dataclass(frozen=True, eq=False)
class Ladder:
    """One output on the ladder. Variances v are per component, mean over atoms, in the squared unit of the output.

    Attributes:
        sectors: columns of `power`.
        variance: ``(n_structures,)``, v of the plain model.
        power: ``(n_structures, n_sectors)``, the part of v in each sector; the rest of v lies above l_max.
        symmetrized: ``(n_structures,)``, squared error of the prediction averaged over the whole group; v adds to it.
        left: by rung ``(n_structures,)``, v measured after averaging over randomly turned copies of the group.
        error: by rung ``(n_structures,)``, squared error measured in the same evaluations.
        n_evaluations: of the whole measurement, shared by all outputs.
    """

    sectors: list[Sector]
    variance: Float[Tensor, " structures"]
    power: Float[Tensor, "structures sectors"]
    symmetrized: Float[Tensor, " structures"]
    left: dict[str, Float[Tensor, " structures"]]
    error: dict[str, Float[Tensor, " structures"]]
    n_evaluations: int

    @property
    def spectrum(self) -> Float[Tensor, " sectors"]:
        """Share of each sector in v, pooled over structures."""
        return self.power.mean(dim=0) / self.variance.mean()

    def predicted(self, rungs: Rungs) -> Float[Tensor, " rungs"]:
        """Share of the equivariance RMSE that each group should leave: sectors times their retention, pooled.

        ``sqrt(sum_beta v_beta r_beta + v_rest sum w^2) / sqrt(v)``.

        Raises:
            ValueError: rungs that were counted for other sectors.
        """
        return self._predicted(rungs, torch.arange(len(self.variance))[None])[0]

    def predicted_interval(
        self, rungs: Rungs, n: int = 1000, level: float = 0.9, seed: int = 0
    ) -> Float[Tensor, "2 rungs"]:
        """Bootstrap interval of `predicted` over structures."""
        return _interval(self._predicted(rungs, _resampled(len(self.variance), n, seed)), level)

    def remaining(self, rung: str) -> float:
        """Share of the equivariance RMSE measured after averaging, pooled over structures."""
        return float((self.left[rung].mean() / self.variance.mean()).sqrt())

    def remaining_interval(self, rung: str, n: int = 1000, level: float = 0.9, seed: int = 0) -> tuple[float, float]:
        """Bootstrap interval of `remaining` over structures, which were averaged in independent orientations."""
        rows = _resampled(len(self.variance), n, seed)
        low, high = _interval((self.left[rung][rows].mean(1) / self.variance[rows].mean(1)).sqrt(), level).tolist()
        return low, high

    def _predicted(self, rungs: Rungs, rows: Tensor) -> Tensor:
        if rungs.sectors != self.sectors:
            raise ValueError(
                f"rungs must be counted up to l_max = {self.sectors[-1].l} of this ladder; got {rungs.sectors[-1].l}"
            )
        power, variance = self.power[rows].mean(dim=1), self.variance[rows].mean(dim=1)
        rest = (variance - power.sum(dim=1)).clamp(min=0)
        return ((power @ rungs.retention.T + rest[:, None] * rungs.tail) / variance[:, None]).sqrt()


def _resampled(n_structures: int, n: int, seed: int) -> Tensor:
    """Draw structures with replacement, n times: ``(n, n_structures)``."""
    return torch.randint(n_structures, (n, n_structures), generator=torch.Generator().manual_seed(seed))


def _interval(values: Tensor, level: float) -> Tensor:
    """Lower and upper quantile over the first axis, ``(2, ...)``."""
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=values.dtype)
    return torch.quantile(values, ends, dim=0)
