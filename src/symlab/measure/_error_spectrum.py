"""The equivariance error by sector: which sectors of the group the back-rotated response varies in."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups import HaarGrid, Representation, Rotatable, Sector, haar_grid, parse_output, sectors
from symlab.measure._fronts import as_list, next_degree
from symlab.measure._meter import CharacterMeter
from symlab.measure._moments import Moments, non_negative, squared_mean
from symlab.measure._responses import refuse_not_finite
from symlab.measure._stream import OUTPUT, RotationBatch, stream

REMEDY = "Ask for a higher degree, or one whose rule has positive weights (3 ... 11, 15 ... 23)"


@dataclass(frozen=True, eq=False)
class ErrorSpectrum:
    """The variance v of one output, split by the sectors in which the back-rotated response varies.

    Averaging over a group H removes from each sector what is not invariant under H, so this says in advance what
    averaging will do. It is no B: B splits the direct response, and tells a perfect model's sectors too.

    Attributes:
        output: name.
        sectors: (l, sigma) up to l_max, without (0,+), which holds the symmetrized prediction and no error.
        variance: ``(n_structures,)``, ``v = A^2 / d`` of each structure, mean over its samples; squared unit of the
            output.
        power: ``(n_structures, n_sectors)``, the part of v in each sector.
        mean: the symmetrized prediction Pi of each structure, ``(..., *shape)`` float64.
        convergence: largest change of a sector's power or of v on a finer grid, as a share of v; NaN if not measured.
        degree: of the grid.
        n_evaluations: copies evaluated in all, shared by all outputs of a call.
    """

    output: str
    sectors: list[Sector]
    variance: Float[Tensor, " structures"]
    power: Float[Tensor, "structures sectors"]
    mean: list[Tensor]
    convergence: float
    degree: int
    n_evaluations: int

    @property
    def remainder(self) -> Float[Tensor, " structures"]:
        """The part of v above l_max, for each structure."""
        return self.variance - self.power.sum(dim=1)

    @property
    def fraction(self) -> Float[Tensor, " sectors"]:
        """Share of each sector in the pooled v (the mean over structures); NaN where there is no error at all."""
        return self.power.mean(dim=0) / self.variance.mean()


def error_spectrum(
    f: Callable[[Any], Any],
    x: Rotatable | Sequence[Rotatable],
    output: str | Representation | Mapping[str, str | Representation],
    l_max: int = 7,
    degree: int | None = None,
    *,
    batch_size: int = 128,
    n_converge: int = 0,
    progress: bool = True,
) -> ErrorSpectrum | dict[str, ErrorSpectrum]:
    """Split the equivariance error into sectors: ``z(g) = rho(g)^-1 f(g x)``, ``z(g) = sum_beta D^beta(g) . c_beta``.

    ``v = (1/d) sum over beta != (0,+) of |c_beta|^2 / (2 l + 1)``; the left index of D is the one that averaging over
    ``h g`` acts on. Definitions: book page "Conventions".

    Args:
        f: maps one stacked structure of b copies to a tensor ``(b, ..., *shape)`` or a dict of them.
        x: one structure, or a list of them.
        output: how the response transforms, as for ``parse_output``; a dict by name if f returns a dict.
        l_max: highest l to resolve.
        degree: of the grid; None takes the smallest with positive weights from 2 l_max on.
        batch_size: copies per call.
        n_converge: how many structures (the first ones) are measured again on a finer grid.
        progress: show a bar if the work takes more than 5 s.

    Returns:
        An ErrorSpectrum, or a dict of them if ``output`` is a dict.

    Raises:
        UnderResolvedError: degree below 2 l_max, or a variance that is negative beyond round-off.
        ResponseError: NaN or infinite values.
        ValueError: a declared output that f does not return, or one of another shape.

    Cost: ``2 M (degree + 1)`` copies per structure with M Lebedev points: 684 at l_max 4, 2580 at 6 and 7.
    """
    structures = as_list(x)
    declared = output if isinstance(output, Mapping) else {OUTPUT: output}
    representations = {name: parse_output(text) for name, text in declared.items()}
    grid = haar_grid(_positive_degree(2 * l_max) if degree is None else degree)
    runs = [(grid, structures)]
    finer = next_degree(grid) if n_converge else None
    if finer is not None:
        runs.append((haar_grid(finer), structures[:n_converge]))
    found: list[list[dict[str, _Split]]] = []
    spent = 0
    for on, chosen in runs:
        meter = CharacterMeter(on, l_max)
        found.append([])
        for number, structure in enumerate(chosen):
            one = _OneStructure(representations, meter)
            label = f"error by sector, degree {on.degree}, structure {number + 1}/{len(chosen)}"
            spent += stream(f, structure, on, one.update, batch_size=batch_size, description=label, progress=progress)
            found[-1].append(one.take())
    changes = found[1] if len(found) > 1 else []
    spectra = {
        name: _collect(name, [one[name] for one in found[0]], [one[name] for one in changes], grid, l_max, spent)
        for name in representations
    }
    return spectra if isinstance(output, Mapping) else spectra[OUTPUT]


@dataclass(frozen=True)
class _Split:
    """v and its sectors for one structure and output."""

    variance: Tensor
    power: Tensor
    mean: Tensor


class _OneStructure:
    """Turns the responses of one structure back and hands them to moments and meter."""

    def __init__(self, representations: Mapping[str, Representation], meter: CharacterMeter) -> None:
        self._representations, self._meter = representations, meter
        self._moments: dict[str, Moments] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._epsilon: dict[str, float] = {}

    def update(self, batch: RotationBatch, name: str, response: Tensor) -> None:
        if name not in self._representations:
            return
        representation = self._representations[name]
        representation.check(response, f"output {name!r}")
        values = response.to("cpu", torch.float64)
        refuse_not_finite(values, batch.matrices, name)
        z = representation.inverse_apply(batch.matrices, values)
        flat = z.reshape(len(z), -1, representation.dim)
        if name not in self._moments:
            self._moments[name], self._shapes[name] = Moments(flat[0]), tuple(z.shape[1:])
            self._epsilon[name] = torch.finfo(response.dtype).eps
        self._moments[name].add(batch.weights, flat)
        # A constant has no sector but (0,+): without the reference a large offset would cost digits.
        self._meter.update(batch, name, flat - self._moments[name].reference)

    def take(self) -> dict[str, _Split]:
        if missing := [name for name in self._representations if name not in self._moments]:
            raise ValueError(f"output declares {missing[0]!r}, which f does not return")
        powers = self._meter.take()
        found = {}
        for name, moments in self._moments.items():
            raw = moments.mean_square - squared_mean(moments.mean[None])
            allowance = moments.allowance(self._epsilon[name])
            n, d = moments.reference.shape
            found[name] = _Split(
                non_negative(raw, allowance, f"the variance of output {name!r}", REMEDY).mean() / d,
                powers[name].power[1:] / (n * d),
                (moments.reference + moments.mean).reshape(self._shapes[name]),
            )
        return found


def _collect(
    name: str, first: list[_Split], finer: list[_Split], grid: HaarGrid, l_max: int, n_evaluations: int
) -> ErrorSpectrum:
    changes = [
        float(torch.cat([b.power - a.power, (b.variance - a.variance)[None]]).abs().max() / b.variance)
        for a, b in zip(first, finer, strict=False)
        if b.variance > 0
    ]
    assert grid.degree is not None
    return ErrorSpectrum(
        name,
        sectors(l_max)[1:],
        torch.stack([one.variance for one in first]),
        torch.stack([one.power for one in first]),
        [one.mean for one in first],
        max(changes, default=math.nan),
        grid.degree,
        n_evaluations,
    )


def _positive_degree(degree: int) -> int:
    """Give the smallest degree from this one on whose rule has no negative weight."""
    while haar_grid(degree).has_negative_weights:
        degree += 1
    return degree
