"""A and B from one set of forward passes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from symlab.groups import Representation, Rotatable
from symlab.measure._capture import module_of
from symlab.measure._characters import CharacterListener
from symlab.measure._equivariance import equivariance
from symlab.measure._report import EquivarianceReport
from symlab.measure._spectrum import Spectrum
from symlab.measure._stream import OUTPUT


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """A of the outputs, and B of the outputs and of hidden layers.

    Attributes:
        equivariance: by output name; a bare tensor is "output".
        characters: by output or layer name, layers first, in the order in which the model runs them.
        n_evaluations: copies evaluated in all, shared by everything here.
    """

    equivariance: dict[str, EquivarianceReport]
    characters: dict[str, Spectrum]
    n_evaluations: int


def diagnose(
    f: Callable[[Any], Any],
    x: Rotatable | Sequence[Rotatable],
    output: str | Representation | Mapping[str, str | Representation],
    layers: Sequence[str] = (),
    l_max: int = 4,
    degree: int | None = None,
    *,
    module: nn.Module | None = None,
    batch_size: int = 128,
    target: Tensor | Sequence[Tensor] | Mapping[str, Tensor | Sequence[Tensor]] | None = None,
    n_converge: int = 1,
    tolerance: float | None = 0.01,
    per_sample: bool = False,
    check: bool = True,
    progress: bool = True,
) -> Diagnosis:
    """Measure A of the outputs, and B of outputs and hidden layers, in one set of forward passes.

    Definitions: `equivariance`, `characters`; arXiv:2603.24638, Sec. II.

    Args:
        f: maps a stacked structure to a tensor ``(b, ...)`` or a dict of them; a module, a method of one, a function.
        x: one structure, or a list of them.
        output: how the response transforms, as for `equivariance`; a dict by name if f returns a dict.
        layers: submodules whose outputs are decomposed.
        l_max: highest l of B.
        degree: of the grid; None takes the larger of 9 and 2 l_max.
        module: where layers are looked up, if it is not f or the owner of f.
        batch_size: copies per call.
        target: true values, as for `equivariance`: adds the error split.
        n_converge: how many structures (the first ones) are measured again on a finer grid; 0 for none.
        tolerance: largest convergence of B that is accepted; None accepts all.
        per_sample: keep B of each atom or token.
        check: run `preflight` on the first structure.
        progress: show a bar if the work takes more than 5 s.

    Returns:
        A by output and B by output and layer.

    Raises:
        UnderResolvedError, HarnessError, ResponseError, ValueError: see `equivariance` and `characters`.

    Cost: that of `equivariance` at this degree, and for each edge layer of the default PET at l_max = 6 about 0.02 to
    0.03 of the bare forward passes: 1.1 of them with the outputs of all blocks, 1.2 to 1.4 with all 23 layers
    (``benchmarks/measure_overhead.py``). Memory: that of `characters`, for all layers at once.
    """
    listener = CharacterListener(l_max, module or module_of(f), layers, per_sample)
    reports = equivariance(
        f,
        x,
        output,
        max(9, 2 * l_max) if degree is None else degree,
        batch_size=batch_size,
        target=target,
        n_converge=n_converge,
        check=check,
        progress=progress,
        listener=listener,
    )
    by_name = reports if isinstance(reports, dict) else {OUTPUT: reports}
    spent = next(iter(by_name.values())).n_evaluations
    return Diagnosis(by_name, listener.spectra(spent, tolerance), spent)
