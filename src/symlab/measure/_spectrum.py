"""The result of a character decomposition, and how it is formed from the powers of single structures."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups import Sector
from symlab.measure._errors import UnderResolvedError
from symlab.measure._report import CONVERGED


@dataclass(frozen=True, eq=False)
class LayerPower:
    """Power of one layer for one structure: of the whole response, or of each sample.

    Attributes:
        power: ``(n_sectors, ...)`` float64, B of each sector.
        mean_square: ``(...)`` float64, grid mean of ``|u|^2``.
    """

    power: Float[Tensor, "sectors ..."]
    mean_square: Float[Tensor, "..."]

    @property
    def totals(self) -> tuple[Float[Tensor, " sectors"], Float[Tensor, ""]]:
        """B of each sector, and mean square, of the whole response."""
        return self.power.reshape(len(self.power), -1).sum(dim=1).cpu(), self.mean_square.sum().cpu()


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Character decomposition B of one response (book page "Conventions", arXiv:2603.24638, Sec. II).

    Power is in the squared unit of the response and belongs to the whole response of a structure (all atoms or tokens,
    all components). Fractions are formed for each structure and then averaged. A structure whose response is zero in
    every orientation has no fractions (NaN) and is left out of the averages.

    Attributes:
        sectors: (l, sigma), in the order of the tensors below.
        power: ``(n_sectors,)`` float64, ``B``, mean over structures.
        fraction: ``(n_sectors,)`` float64, ``B / mean |u|^2``, mean over structures.
        remainder: ``1 - sum(fraction)``, the share above l_max; below zero only by round-off, by the sampling error
            of a Monte Carlo grid, or, with signed weights, within the quadrature error.
        convergence: largest change, over the sectors, the remainder and the total, on a finer grid, as a share of
            ``mean |u|^2``; None if it was not measured.
        convergence_degree: degree of the finer grid.
        n_evaluations: forward passes (copies) spent, the second measurement included.
        degree: of the grid; None for Monte Carlo.
        l_max: cutoff.
        power_by_structure: ``(n_structures, n_sectors)``.
        mean_square_by_structure: ``(n_structures,)``, ``mean |u|^2``.
        power_by_sample: for each structure ``(n_sectors, ...)``, the samples (atoms, tokens) being all axes of the
            response but the first and the last; None unless it was asked for.
    """

    sectors: list[Sector]
    power: Float[Tensor, " sectors"]
    fraction: Float[Tensor, " sectors"]
    remainder: float
    convergence: float | None
    convergence_degree: int | None
    n_evaluations: int
    degree: int | None
    l_max: int
    power_by_structure: Float[Tensor, "structures sectors"] = field(repr=False)
    mean_square_by_structure: Float[Tensor, " structures"] = field(repr=False)
    power_by_sample: list[Tensor] | None = field(default=None, repr=False)

    @property
    def fraction_by_structure(self) -> Float[Tensor, "structures sectors"]:
        """B / mean |u|^2 of each structure; NaN where the response vanishes."""
        total = self.mean_square_by_structure
        return self.power_by_structure / torch.where(total > 0, total, torch.nan)[:, None]

    @property
    def converged(self) -> bool:
        """Whether a finer grid was tried and changed nothing by as much as one per cent of ``mean |u|^2``."""
        return self.convergence is not None and self.convergence < CONVERGED

    def of(self, l: int, sigma: int) -> float:
        """Fraction in one sector.

        Raises:
            ValueError: a sector above l_max.
        """
        sector = Sector(l, sigma)
        if sector not in self.sectors:
            raise ValueError(f"sector {sector} was not measured: l_max = {self.l_max}. Measure with l_max >= {l}")
        return float(self.fraction[self.sectors.index(sector)])


def change(coarse: LayerPower, fine: LayerPower) -> float:
    """Largest change of a sector, of the remainder or of the total, as a share of the finer mean square."""
    power, total = coarse.totals
    finer_power, finer_total = fine.totals
    if finer_total <= 0:
        return 0.0 if total <= 0 else float("inf")
    rest, finer_rest = total - power.sum(), finer_total - finer_power.sum()
    changes = torch.cat([power - finer_power, (rest - finer_rest)[None], (total - finer_total)[None]])
    return float(changes.abs().max() / finer_total)


def spectrum(
    name: str,
    layers: Sequence[LayerPower],
    sectors: list[Sector],
    *,
    degree: int | None,
    finer_degree: int | None,
    convergence: float | None,
    n_evaluations: int,
    tolerance: float | None,
    per_sample: bool,
) -> Spectrum:
    """Average the powers of several structures into a Spectrum, and refuse what the grid does not resolve.

    Raises:
        ValueError: a response that is not finite, or zero for every structure.
        UnderResolvedError: a mean square that is negative, a sum of sectors above it, or a change on the
            finer grid beyond the tolerance.
    """
    power = torch.stack([layer.totals[0] for layer in layers])
    total = torch.stack([layer.totals[1] for layer in layers])
    if not bool(torch.isfinite(power).all() and torch.isfinite(total).all()):
        raise ValueError(f"{name!r} holds NaN or infinite values in some orientation; check the model and its input")
    if bool((total < 0).any()):
        raise UnderResolvedError(
            f"the mean square of {name!r} came out negative ({float(total.min()):.3g}): the grid of degree {degree} "
            f"has negative weights and does not resolve this response. Use degree={(degree or 0) + 2} or more"
        )
    alive = total > 0
    if not bool(alive.any()):
        raise ValueError(f"{name!r} is zero in every orientation of every structure, so it has no spectrum")
    fraction = (power[alive] / total[alive, None]).mean(dim=0)
    remainder = 1 - float(fraction.sum())
    l_max = sectors[-1].l
    if tolerance is not None and degree is not None:
        if convergence is not None and convergence > tolerance:
            raise UnderResolvedError(
                f"B of {name!r} changes by {convergence:.2g} of the mean square between degree {degree} and "
                f"{finer_degree}, more than tolerance={tolerance}: it has content above l = {degree - l_max}. "
                f"Use degree={finer_degree} or more, or tolerance=None to see the unresolved numbers"
            )
        if remainder < -tolerance:
            raise UnderResolvedError(
                f"the sectors of {name!r} sum to {1 - remainder:.4g} of the mean square at degree {degree}, more than "
                f"1: the grid has negative weights and does not resolve this response. Use degree={degree + 2} or more"
            )
    return Spectrum(
        sectors=list(sectors),
        power=power.mean(dim=0),
        fraction=fraction,
        remainder=remainder,
        convergence=convergence,
        convergence_degree=finer_degree,
        n_evaluations=n_evaluations,
        degree=degree,
        l_max=l_max,
        power_by_structure=power,
        mean_square_by_structure=total,
        power_by_sample=[layer.power for layer in layers] if per_sample else None,
    )
