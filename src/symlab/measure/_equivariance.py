"""A: how much an output fails to be equivariant, by Haar integration of back-rotated responses."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from symlab.groups import HaarGrid, Representation, Rotatable, haar_grid, parse_output
from symlab.measure._combine import StructureResult, combine, pool
from symlab.measure._errors import ResponseError, UnderResolvedError
from symlab.measure._fronts import as_list, next_degree
from symlab.measure._noise import N_ORIENTATIONS, N_REPEATS, identity_repeats, round_off
from symlab.measure._preflight import preflight
from symlab.measure._report import EquivarianceReport
from symlab.measure._responses import BackRotated
from symlab.measure._stream import OUTPUT, Consume, Listener, RotationBatch, stream

Model = Callable[[Any], Any]
Output = str | Representation
Targets = Tensor | Sequence[Tensor]


def equivariance(
    f: Model,
    x: Rotatable | Sequence[Rotatable],
    output: Output | Mapping[str, Output],
    degree: int = 9,
    *,
    group: str = "O(3)",
    grid: HaarGrid | None = None,
    batch_size: int = 128,
    generator: torch.Generator | None = None,
    n_turns: int = 8,
    target: Targets | Mapping[str, Targets] | None = None,
    n_converge: int = 1,
    tolerance: float | None = None,
    check: bool = True,
    progress: bool = True,
    listener: Listener | None = None,
) -> EquivarianceReport | dict[str, EquivarianceReport]:
    """Measure A, ``v = (1/d) mean_g |z(g) - Pi|^2`` with ``z(g) = rho(g)^-1 f(g x)`` and ``Pi = mean_g z(g)``.

    Definitions: book page "Conventions"; arXiv:2603.24638, Sec. II.

    Args:
        f: maps one stacked structure of b copies (``x.stacked(matrices)``) to a tensor ``(b, ..., *shape)`` or a dict
            of them; a function, a torch.nn.Module, or a method of one.
        x: one structure, or a list of them, which may differ in size.
        output: how the response transforms, as for ``parse_output``: "1x1o", "0e+2e", "ij=ji", "scalar"; or a dict
            of such declarations by name if f returns a dict. Names that are not declared are not measured.
        degree: of the grid. 9 resolves responses of band limit 4 exactly.
        group: "O(3)", or "SO(3)" for a model that is not meant to know the inversion.
        grid: use these elements instead, a finite group or a Monte Carlo grid.
        batch_size: copies per call.
        generator: turn the whole rule at random, ``n_turns`` times: an unbiased variance with an error bar.
        n_turns: how many independent turns, >= 3; used with generator only.
        target: the true value for each structure (a list for a list, a dict for a dict): adds the error split.
        n_converge: how many structures (the first ones) are measured again on a finer grid, of degree + 2 (+ 4 where
            that rule has negative weights); 0 for none.
        tolerance: largest convergence that is accepted; None accepts all and leaves the judgement to the reader.
        check: run ``preflight`` on the first structure.
        progress: show a bar if the work takes more than 5 s.
        listener: takes the responses of the same passes as well; see `diagnose`.

    Returns:
        A report, or a dict of them if ``output`` is a dict. Units: those of the response.

    Raises:
        UnderResolvedError: a variance that is negative beyond round-off (signed weights), or a convergence above the
            tolerance.
        HarnessError, ResponseError: see ``preflight``; NaN; a shape that changes between orientations.
        ValueError: a response that does not fit its declaration; a target of the wrong shape.

    Cost: ``2 M (degree + 1)`` copies per structure with M Lebedev points (760 at degree 9, 1200 at 11), once more on
    the finer grid for each of n_converge, and about 40 for the checks. Memory: that of one batch.
    """
    structures, single = as_list(x), isinstance(x, Rotatable)
    declared = output if isinstance(output, Mapping) else {OUTPUT: output}
    representations = {name: parse_output(text) for name, text in declared.items()}
    targets = _targets(target, representations, len(structures), single, isinstance(output, Mapping))
    grids = _grids(degree, group, grid, generator, n_turns)
    spent = 0
    if check:
        spent += preflight(f, structures[0], output)

    def measure(on: Sequence[HaarGrid], label: str, n: int) -> tuple[list[_Results], list[dict[str, Tensor]]]:
        nonlocal spent
        results, scatters = [], []
        for index, structure in enumerate(structures[:n]):
            alone, scatter = identity_repeats(f, structure)
            _require(representations, alone)
            sums = {
                name: [BackRotated(name, kind, alone[name], targets[name][index]) for _ in on]
                for name, kind in representations.items()
            }
            for turn, one in enumerate(on):
                spent += stream(
                    f,
                    structure,
                    one,
                    _into(
                        {name: turns[turn] for name, turns in sums.items()}, listener.start(one) if listener else None
                    ),
                    batch_size=batch_size,
                    module=listener.module if listener else None,
                    layers=listener.layers if listener else (),
                    description=f"{label}, structure {index + 1}/{n}",
                    progress=progress,
                )
                if listener:
                    listener.stop()
            spent += 1 + N_REPEATS
            results.append({name: combine(turns) for name, turns in sums.items()})
            scatters.append(scatter)
        return results, scatters

    measured, scatters = measure(grids, "A", len(structures))
    finer: list[_Results] = []
    finer_degree = next_degree(grids[0]) if n_converge > 0 else None
    if finer_degree is not None:
        finer_grids = _grids(finer_degree, grids[0].group, None, generator, n_turns)
        finer, _ = measure(finer_grids, f"A at degree {finer_degree}", min(n_converge, len(structures)))
    arithmetic = round_off(f, structures[0], grids[0], representations)
    spent += 2 * N_ORIENTATIONS if arithmetic else 0
    reports = {}
    for name in representations:
        repeated = math.sqrt(sum(float(scatter[name]) ** 2 for scatter in scatters) / len(scatters))
        noise = {"identity repeated": repeated}
        if name in arithmetic:
            noise["float32 against float64"] = arithmetic[name]
        reports[name] = pool(
            name,
            [result[name] for result in measured],
            single=single,
            noise=noise,
            finer=[result[name] for result in finer],
            finer_degree=finer_degree,
            grid=grids[0],
            n_evaluations=spent,
        )
        _accept(reports[name], tolerance)
    return reports if isinstance(output, Mapping) else reports[OUTPUT]


_Results = dict[str, StructureResult]


def _into(sums: Mapping[str, BackRotated], also: Consume | None) -> Consume:
    """Hand each declared response to its sums, and every response to the listener."""

    def consume(batch: RotationBatch, name: str, response: Tensor) -> None:
        if name in sums:
            sums[name].update(batch, response)
        if also:
            also(batch, name, response)

    return consume


def _require(representations: Mapping[str, Representation], responses: Mapping[str, Tensor]) -> None:
    """Refuse a declared output that the model does not give."""
    missing = [name for name in representations if name not in responses]
    if missing:
        given = ", ".join(repr(name) for name in responses)
        raise ResponseError(
            f"f does not return {missing[0]!r}; it returns {given}. Declare a dict of outputs by these names, such as "
            f'output={{{next(iter(responses))!r}: "1x1o"}}, or one declaration for a bare tensor'
        )


def _targets(
    target: Targets | Mapping[str, Targets] | None, names: Iterable[str], n: int, single: bool, by_name: bool
) -> dict[str, list[Tensor | None]]:
    """Bring the targets into the form name -> one per structure."""
    if target is None:
        return {name: [None] * n for name in names}
    if by_name != isinstance(target, Mapping):
        raise TypeError("target must be a dict by output name exactly when output is; got " + type(target).__name__)
    chosen = target if isinstance(target, Mapping) else {OUTPUT: target}
    found: dict[str, list[Tensor | None]] = {}
    for name in names:
        values = chosen.get(name)
        if values is None:
            found[name] = [None] * n
            continue
        found[name] = [values] if isinstance(values, Tensor) and single else list(values)
        if len(found[name]) != n:
            raise ValueError(
                f"target of output {name!r} must have one entry per structure, {n}; got {len(found[name])}"
            )
    return found


def _grids(
    degree: int, group: str, grid: HaarGrid | None, generator: torch.Generator | None, n_turns: int
) -> list[HaarGrid]:
    """One fixed grid, or ``n_turns`` independently turned ones."""
    if grid is not None:
        if generator is not None:
            raise ValueError("give either grid or generator, not both: a generator turns haar_grid(degree)")
        return [grid]
    if generator is None:
        return [haar_grid(degree, group)]
    if n_turns < 3:
        raise ValueError(f"n_turns must be >= 3 for an error bar; got {n_turns}")
    return [haar_grid(degree, group, generator) for _ in range(n_turns)]


def _accept(report: EquivarianceReport, tolerance: float | None) -> None:
    """Refuse a result that a finer grid changes by more than the tolerance."""
    if tolerance is not None and not report.at_noise_floor and not report.convergence <= tolerance:
        raise UnderResolvedError(
            f"the rmse of output {report.output!r} changes by {report.convergence:.2%} from degree {report.degree} "
            f"to {report.convergence_degree} (allowed: {tolerance:.2%}). Use degree={report.convergence_degree} or "
            "higher, or tolerance=None to accept it"
        )
