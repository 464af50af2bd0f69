"""B: character decomposition of any response, output or hidden layer."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from symlab.groups import HaarGrid, Rotatable, haar_grid, sectors
from symlab.measure._capture import module_of
from symlab.measure._meter import CharacterMeter, check_grid
from symlab.measure._spectrum import LayerPower, Spectrum, change, spectrum
from symlab.measure._stream import OUTPUT, stream


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
        n_converge: how many structures (the first ones) are measured again at degree + 2; 0 for none.
        per_sample: keep B of each atom or token.
        progress: show a bar if the work takes more than 5 s.

    Returns:
        A Spectrum; or a dict of them by name, if layers are given or f returns a dict. A bare tensor is "output".

    Raises:
        UnderResolvedError: degree below 2 l_max, or a result that changes at degree + 2 by more than the tolerance.
        ValueError: unknown layer, a response that is zero or not finite, or a shape that varies between rotations.

    Cost: ``2 M (degree + 1)`` forward passes per structure with M Lebedev points (684 at l_max = 4, 1924 at 6), and a
    few per cent of their time; ``(degree + 2)`` passes for each structure of n_converge. Memory: about
    ``6 (l_max + 1)^3`` numbers per feature of each layer at most. See arXiv:2603.24638, Sec. II.
    """
    structures = as_list(x)
    grid = resolve_grid(grid, degree, 2 * l_max, generator)
    check_grid(grid, l_max)
    layers = list(layers or ())
    module = module or module_of(f)
    options = {"batch_size": batch_size, "module": module, "layers": layers, "progress": progress}

    def measure(on: HaarGrid, chosen: Sequence[Rotatable], label: str) -> tuple[list[dict[str, LayerPower]], int]:
        meter, powers, spent = CharacterMeter(on, l_max), [], 0
        for i, structure in enumerate(chosen):
            text = f"{label}, structure {i + 1}/{len(chosen)}"
            spent += stream(f, structure, on, meter.update, description=text, **options)  # type: ignore[arg-type]
            powers.append(meter.take())
        return powers, spent

    powers, spent = measure(grid, structures, "B")
    finer_powers: list[dict[str, LayerPower]] = []
    finer = finer_grid(grid, generator) if n_converge else None
    if finer is not None:
        finer_powers, extra = measure(finer, structures[:n_converge], "B at degree + 2")
        spent += extra
    found = spectra(powers, finer_powers, l_max, grid.degree, spent, tolerance, per_sample)
    return found[OUTPUT] if list(found) == [OUTPUT] and not layers else found


def spectra(
    powers: Sequence[dict[str, LayerPower]],
    finer: Sequence[dict[str, LayerPower]],
    l_max: int,
    degree: int | None,
    n_evaluations: int,
    tolerance: float | None,
    per_sample: bool,
) -> dict[str, Spectrum]:
    """Make the Spectrum of each name from the powers of all structures, at one degree and at the next."""
    return {
        name: spectrum(
            name,
            [power[name] for power in powers],
            sectors(l_max),
            degree=degree,
            convergence=max((change(a[name], b[name]) for a, b in zip(powers, finer, strict=False)), default=None),
            n_evaluations=n_evaluations,
            tolerance=tolerance,
            per_sample=per_sample,
        )
        for name in powers[0]
    }


def as_list(x: Rotatable | Sequence[Rotatable]) -> list[Rotatable]:
    """Give one structure or many as a list.

    Raises:
        ValueError: an empty list.
        TypeError: anything that cannot be rotated.
    """
    structures = [x] if isinstance(x, Rotatable) else list(x)
    if not structures:
        raise ValueError("x must hold at least one structure; got an empty list")
    for structure in structures:
        if not isinstance(structure, Rotatable):
            raise TypeError(
                f"x must be a Structure, a PointCloud or another Rotatable, or a list of them; "
                f"got {type(structure).__name__}"
            )
    return structures


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


def finer_grid(grid: HaarGrid, generator: torch.Generator | None) -> HaarGrid | None:
    """Build the product grid of degree + 2 that tells whether ``grid`` has converged; None where there is none."""
    if grid.product is None or grid.degree is None:
        return None
    return haar_grid(grid.degree + 2, grid.group, generator)
