"""B: character decomposition of any response, output or hidden layer."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from symlab.groups import HaarGrid, Rotatable, haar_grid, sectors
from symlab.measure._capture import module_of
from symlab.measure._fronts import as_list, next_degree
from symlab.measure._meter import CharacterMeter
from symlab.measure._spectrum import LayerPower, Spectrum, change, spectrum
from symlab.measure._stream import OUTPUT, Consume, stream


def characters(
    f: Callable[[Any], Any],
    x: Rotatable | Sequence[Rotatable],
    l_max: int = 4,
    degree: int | None = None,
    *,
    layers: Sequence[str] | None = None,
    module: nn.Module | None = None,
    grid: HaarGrid | None = None,
    generator: torch.Generator | None = None,
    batch_size: int = 128,
    tolerance: float | None = 0.01,
    n_converge: int = 1,
    per_sample: bool = False,
    progress: bool = True,
) -> Spectrum | dict[str, Spectrum]:
    """Decompose responses into the sectors of O(3): ``B = (2l+1) |C|^2``, ``C = mean_g D(g)^-1 (x) f(g x)``.

    B says in which sectors a response lives. It never says that a response is equivariant: a vector output with its
    components mixed up has a perfect B and a large A; use `equivariance` beside it.

    Args:
        f: maps a stacked structure (``x.stacked(matrices)``, b copies) to a tensor ``(b, ...)`` or a dict of them;
            a function, a torch.nn.Module, or a method of one.
        x: one structure, or a list of them, which may differ in size.
        l_max: highest l to resolve.
        degree: of the grid; None takes 2 l_max, the smallest that is exact for a response without content above it.
        layers: names of submodules whose outputs are decomposed as well; a layer that gives a tuple or dict of tensors
            appears as ``name[0]``, ``name[key]``. Padded tokens must be zero.
        module: where layers are looked up, if it is not f or the owner of f.
        grid: use these elements instead of ``haar_grid(degree)``: a finite group with inversion, or a Monte Carlo grid
            (unbiased, noisy).
        generator: turn the grid at random: unbiased for responses of any band limit.
        batch_size: copies per call.
        tolerance: largest convergence that is accepted; None accepts all.
        n_converge: how many structures (the first ones) are measured again on a finer grid, of degree + 2 (+ 4 where
            that rule has negative weights); 0 for none.
        per_sample: keep B of each atom or token.
        progress: show a bar if the work takes more than 5 s.

    Returns:
        A Spectrum; or a dict of them by name, if layers are given or f returns a dict. A bare tensor is "output".

    Raises:
        UnderResolvedError: degree below 2 l_max, or a result that a finer grid changes by more than the tolerance.
        ValueError: unknown layer, a response that is zero or not finite, or a shape that varies between rotations.

    Cost: ``2 M (degree + 1)`` forward passes per structure with M Lebedev points (684 at l_max = 4, 1924 at 6), and a
    tenth of their time or less; those of the finer grid for each structure of n_converge. Memory: about
    ``6 (l_max + 1)^3`` numbers per feature of each layer at most. See arXiv:2603.24638, Sec. II.
    """
    structures = as_list(x)
    meter = CharacterListener(l_max, module or module_of(f), layers or (), per_sample)
    grid = resolve_grid(grid, degree, 2 * l_max, generator)
    finer_degree = next_degree(grid) if n_converge else None
    runs = [("B", grid, structures)]
    if finer_degree is not None:
        finer = haar_grid(finer_degree, "O(3)", generator)
        runs.append((f"B at degree {finer_degree}", finer, structures[:n_converge]))
    spent = 0
    for label, on, chosen in runs:
        for i, structure in enumerate(chosen):
            spent += stream(
                f,
                structure,
                on,
                meter.start(on),
                batch_size=batch_size,
                module=meter.module,
                layers=meter.layers,
                description=f"{label}, structure {i + 1}/{len(chosen)}",
                progress=progress,
            )
            meter.stop()
    found = meter.spectra(spent, tolerance)
    return found[OUTPUT] if list(found) == [OUTPUT] and not layers else found


class CharacterListener:
    """Measures B of all outputs and layers on every structure of some passes; the first grid that starts counts.

    Structures on any later grid are the second measurement of the first structures.

    Args:
        l_max: cutoff.
        module: where the layers are looked up.
        layers: names of the layers to capture.
        per_sample: keep B of each sample.
    """

    def __init__(self, l_max: int, module: nn.Module | None, layers: Sequence[str], per_sample: bool) -> None:
        self.module = module
        self.layers = layers
        self._sectors = sectors(l_max)
        self._per_sample = per_sample
        self._grids: list[HaarGrid] = []
        self._meter: CharacterMeter | None = None
        self._powers: list[list[dict[str, LayerPower]]] = []

    def start(self, grid: HaarGrid) -> Consume:
        """Begin a structure; checks the grid."""
        if self._meter is None or self._grids[-1] is not grid:
            self._meter = CharacterMeter(grid, self._sectors[-1].l, per_sample=self._per_sample)
            self._grids.append(grid)
            self._powers.append([])
        return self._meter.update

    def stop(self) -> None:
        """Keep the powers of the structure that has streamed by."""
        assert self._meter is not None
        self._powers[-1].append(self._meter.take())

    def spectra(self, n_evaluations: int, tolerance: float | None) -> dict[str, Spectrum]:
        """Make the Spectrum of each output and layer.

        Raises:
            UnderResolvedError, ValueError: see `characters`.
        """
        first, finer = self._powers[0], self._powers[1] if len(self._powers) > 1 else []
        return {
            name: spectrum(
                name,
                [power[name] for power in first],
                self._sectors,
                degree=self._grids[0].degree,
                finer_degree=self._grids[-1].degree if finer else None,
                convergence=max((change(a[name], b[name]) for a, b in zip(first, finer, strict=False)), default=None),
                n_evaluations=n_evaluations,
                tolerance=tolerance,
                per_sample=self._per_sample,
            )
            for name in first[0]
        }


def resolve_grid(
    grid: HaarGrid | None, degree: int | None, default: int, generator: torch.Generator | None
) -> HaarGrid:
    """Take the grid that was given, or build one of the degree.

    Raises:
        ValueError: both a grid and a degree or generator.
    """
    if grid is None:
        return haar_grid(default if degree is None else degree, "O(3)", generator)
    if degree is not None or generator is not None:
        raise ValueError("give either grid, or degree and generator, not both")
    return grid
