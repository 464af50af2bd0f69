"""From the sums of one structure to its A, and from the A of many structures to one report."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from symlab.groups import HaarGrid
from symlab.measure._moments import Moments, non_negative, squared_mean
from symlab.measure._report import EquivarianceReport, ErrorSplit, WorstOrientation
from symlab.measure._responses import BackRotated


@dataclass(frozen=True)
class StructureResult:
    """A of one structure and output, over one fixed grid or several turned ones.

    Attributes:
        mean: Pi, ``(..., *shape)``.
        variance: v, ``(...)``.
        cosets: per-sample variances within the proper and the improper elements, or None where there are none.
        gap: ``|Pi_+ - Pi_-|^2 / (4 d)`` per sample, or None.
        jackknife: mean variance without one turn, for each turn; empty for a fixed grid.
        mean_square: ``|z|^2 / d`` averaged over group and samples.
        averaged_square_error: orientation-averaged MSE per sample, or None.
        symmetrized_square_error: MSE of Pi per sample, or None.
        worst_rms: how far the worst orientation strays from the reference.
        worst_matrix: the worst orientation.
        epsilon: machine epsilon of the type of the response.
    """

    mean: Tensor
    variance: Tensor
    cosets: tuple[Tensor | None, Tensor | None]
    gap: Tensor | None
    jackknife: tuple[float, ...]
    mean_square: float
    averaged_square_error: Tensor | None
    symmetrized_square_error: Tensor | None
    worst_rms: float
    worst_matrix: Tensor
    epsilon: float


def combine(turns: Sequence[BackRotated]) -> StructureResult:
    """Turn the sums of one structure, over one fixed grid or T turned ones, into A.

    Raises:
        UnderResolvedError: a variance that is negative beyond round-off.
    """
    first = turns[0]
    d, shape = first.representation.dim, first.representation.shape
    assert first.sample_shape is not None
    sample_shape = first.sample_shape
    totals = [turn.total for turn in turns]
    remedy = (
        "Ask for a higher degree, or one whose rule has positive weights (3 ... 11, 15 ... 23)"
        if len(turns) == 1
        else "Ask for a higher degree or more turns"
    )

    def variance_of(parts: list[Moments], what: str) -> Tensor:
        allowance = torch.stack([part.allowance(first.epsilon) for part in parts]).amax(dim=0)
        second = torch.stack([part.mean_square for part in parts]).mean(dim=0)
        raw = second - squared_mean(torch.stack([part.mean for part in parts]))
        return (non_negative(raw, allowance, f"{what} of output {first.name!r}", remedy) / d).reshape(sample_shape)

    variance = variance_of(totals, "the variance")
    cosets: list[Tensor | None] = []
    for coset, what in ((0, "the variance among rotations"), (1, "the variance among improper elements")):
        parts = [turn.cosets[coset] for turn in turns]
        cosets.append(variance_of(parts, what) if all(part.n for part in parts) else None)
    gap = None
    if cosets[0] is not None and cosets[1] is not None:
        differences = torch.stack([turn.cosets[0].mean - turn.cosets[1].mean for turn in turns])
        gap = (squared_mean(differences) / (4 * d)).reshape(sample_shape)
    mean = totals[0].reference + torch.stack([total.mean for total in totals]).mean(dim=0)
    averaged = symmetrized = None
    if first.target is not None:
        squares = [turn.mean_target_square for turn in turns]
        averaged = torch.stack(squares).mean(dim=0).reshape(sample_shape) / d
        offsets = torch.stack([total.reference + total.mean - first.target for total in totals])
        symmetrized = (squared_mean(offsets) / d).reshape(sample_shape)
    worst = max(turns, key=lambda turn: turn.worst_square)
    return StructureResult(
        mean=mean.reshape((*sample_shape, *shape)),
        variance=variance,
        cosets=(cosets[0], cosets[1]),
        gap=gap,
        jackknife=_jackknife(totals, d),
        mean_square=float(variance.mean() + mean.square().mean()),
        averaged_square_error=averaged,
        symmetrized_square_error=symmetrized,
        worst_rms=math.sqrt(max(0.0, worst.worst_square) / d),
        worst_matrix=worst.worst_matrix,
        epsilon=first.epsilon,
    )


def _jackknife(totals: list[Moments], d: int) -> tuple[float, ...]:
    """Mean variance of the samples with each turn left out in its turn."""
    if len(totals) < 3:
        return ()
    values = []
    for left_out in range(len(totals)):
        kept = [total for index, total in enumerate(totals) if index != left_out]
        second = torch.stack([total.mean_square for total in kept]).mean(dim=0)
        values.append(float((second - squared_mean(torch.stack([t.mean for t in kept]))).mean()) / d)
    return tuple(values)


def pool(
    output: str,
    results: Sequence[StructureResult],
    *,
    single: bool,
    noise: dict[str, float],
    finer: Sequence[StructureResult],
    finer_degree: int | None,
    grid: HaarGrid,
    n_evaluations: int,
) -> EquivarianceReport:
    """Pool the structures: variances are averaged over all samples of all structures, and the root is taken last.

    Args:
        output: name.
        results: one per structure.
        single: whether the user gave one structure, not a list.
        noise: measured contributions to the noise floor, unit of the output; machine epsilon is added here.
        finer: the first structures again, on a finer grid; may be empty.
        finer_degree: of that grid.
        grid: of the main measurement.
        n_evaluations: copies evaluated in all.
    """
    squares = {
        "variance": pooled([r.variance for r in results]),
        "proper": pooled([r.cosets[0] for r in results]),
        "improper": pooled([r.cosets[1] for r in results]),
        "gap": pooled([r.gap for r in results]),
        "averaged": pooled([r.averaged_square_error for r in results]),
        "symmetrized": pooled([r.symmetrized_square_error for r in results]),
    }
    roots = {name: None if value is None else math.sqrt(max(0.0, value)) for name, value in squares.items()}
    rmse = roots["variance"] or 0.0
    samples = torch.tensor([max(1, r.variance.numel()) for r in results], dtype=torch.float64)
    mean_square = torch.tensor([r.mean_square for r in results], dtype=torch.float64)
    structure_rmse = torch.stack([r.variance.mean() for r in results]).sqrt()
    rms_output = float(((samples * mean_square).sum() / samples.sum()).sqrt())
    noise = {**noise, "machine epsilon": results[0].epsilon * rms_output}
    split = None
    if roots["averaged"] is not None and roots["symmetrized"] is not None:
        split = ErrorSplit(roots["averaged"], roots["symmetrized"], rmse)
    worst = max(range(len(results)), key=lambda index: results[index].worst_rms)
    return EquivarianceReport(
        output=output,
        mean=results[0].mean if single else [r.mean for r in results],
        variance=results[0].variance if single else [r.variance for r in results],
        rmse=rmse,
        standard_error=_standard_error(results, samples, rmse),
        noise_floor=max(noise.values()),
        noise=noise,
        convergence=_relative_change(results, finer),
        convergence_degree=finer_degree if finer else None,
        rms_output=rms_output,
        proper_rmse=roots["proper"],
        improper_rmse=roots["improper"],
        inversion_rmse=roots["gap"],
        structure_rmse=structure_rmse,
        worst=WorstOrientation(results[worst].worst_matrix, results[worst].worst_rms, worst),
        split=split,
        degree=grid.degree,
        group=grid.group,
        grid_size=len(grid),
        n_evaluations=n_evaluations,
    )


def pooled(values: Sequence[Tensor | None]) -> float | None:
    """Mean over all samples of all structures; None if a structure has none."""
    present = [value.reshape(-1) for value in values if value is not None]
    return float(torch.cat(present).mean()) if len(present) == len(values) else None


def _relative_change(results: Sequence[StructureResult], finer: Sequence[StructureResult]) -> float:
    """``|q' - q| / q'`` for the rmse of the structures that were measured twice; NaN if none was."""
    if not finer:
        return math.nan
    coarse = math.sqrt(pooled([r.variance for r in results[: len(finer)]]) or 0.0)
    fine = math.sqrt(pooled([r.variance for r in finer]) or 0.0)
    if fine == 0.0:
        return 0.0 if coarse == 0.0 else math.inf
    return abs(fine - coarse) / fine


def _standard_error(results: Sequence[StructureResult], samples: Tensor, rmse: float) -> float | None:
    """Jackknife error of the rmse over independent turns: ``se(v) / (2 rmse)``."""
    if not results[0].jackknife:
        return None
    by_structure = torch.tensor([r.jackknife for r in results], dtype=torch.float64)
    left_out = (samples[:, None] * by_structure).sum(dim=0) / samples.sum()
    turns = len(left_out)
    error = float(((turns - 1) / turns * (left_out - left_out.mean()).square().sum()).sqrt())
    return error / (2 * rmse) if rmse > 0 else math.sqrt(error)
