"""The local equivariance error: the Lie derivative of a model along the three infinitesimal rotations."""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd import forward_ad

from symlab.groups import Representation, Rotatable, differential, parse_output, turn_about_axes
from symlab.measure._characters import as_list
from symlab.measure._errors import ResponseError
from symlab.measure._preflight import refuse_training_mode

STEP = {torch.float32: 2e-2, torch.float64: 2e-3}
"""Angle of the central differences, radian: the fourth-order error meets the round-off near eps^(1/5)."""
AGREEMENT = 0.02
ROUND_OFF = 100


@dataclass(frozen=True, eq=False)
class LieReport:
    """Local equivariance error, per radian.

    Attributes:
        derivative: ``d/dt rho(exp(-t X_a)) f(exp(t X_a) x)`` at t = 0 about x, y, z: ``(3, ..., *shape)`` float64; a
            list of them if a list was measured.
        rmse: root mean square over axes, samples and components; unit of the output per radian.
        rms_output: root mean square of ``f(x)``.
        method: "jvp" (forward-mode differentiation) or "differences" (central, fourth order).
    """

    derivative: Tensor | list[Tensor]
    rmse: float
    rms_output: float
    method: Literal["jvp", "differences"]


def lie_derivative(
    f: Callable[[Any], Any],
    x: Rotatable | Sequence[Rotatable],
    output: str | Representation,
    *,
    method: Literal["auto", "jvp", "differences"] = "auto",
) -> LieReport:
    """Measure how fast a model leaves equivariance at small angles: ``L_a f = d/dt rho(-t) f(rho(t) x)`` at t = 0.

    Zero for all axes and inputs if and only if the model is equivariant under SO(3). It says nothing about the
    inversion, and nothing about large angles; ``equivariance`` does (arXiv:2210.02984).

    Args:
        f: maps a stacked structure of b copies to a tensor ``(b, ..., *shape)``, each copy by itself.
        x: one structure or a list.
        output: how the response transforms, as for ``parse_output``.
        method: "jvp" differentiates the model; "differences" needs no derivatives; "auto" takes jvp where the model
            allows it and it agrees with the differences to 2 % (a detached tensor inside the model would hide a part).

    Returns:
        The report. For "auto" on a list the method is that of the first structure.

    Raises:
        HarnessError: a module in training mode.
        ValueError: a response that does not fit its declaration; an unknown method.
        ResponseError: a response that is not finite, or no tensor.

    Cost: 12 copies per structure for differences; 3 copies, twice the time each, for jvp.
    """
    if method not in ("auto", "jvp", "differences"):
        raise ValueError(f'method must be "auto", "jvp" or "differences"; got {method!r}')
    refuse_training_mode(f)
    representation = parse_output(output)
    structures = as_list(x)
    chosen = _choose(f, structures[0], representation) if method == "auto" else method
    derive = _by_jvp if chosen == "jvp" else _by_differences
    derivatives, outputs = [], []
    for structure in structures:
        y = _response(f, structure.stacked(torch.eye(3, dtype=torch.float64)[None]), representation)[0]
        outputs.append(y.reshape(-1))
        derivatives.append(derive(f, structure, representation))
        if not bool(torch.isfinite(derivatives[-1]).all()):
            raise ResponseError(f"the Lie derivative by {chosen} is not finite; try method='differences'")
    return LieReport(
        derivative=derivatives[0] if isinstance(x, Rotatable) else derivatives,
        rmse=math.sqrt(float(torch.cat([d.reshape(-1) for d in derivatives]).square().mean())),
        rms_output=math.sqrt(float(torch.cat(outputs).square().mean())),
        method=chosen,
    )


def _choose(f: Callable[[Any], Any], x: Rotatable, representation: Representation) -> Literal["jvp", "differences"]:
    """Take jvp if the model allows it and it agrees with the differences."""
    slow = _by_differences(f, x, representation)
    try:
        fast = _by_jvp(f, x, representation)
    except (RuntimeError, NotImplementedError, TypeError):  # no forward-mode rule for an operation of the model
        return "differences"
    dtype, step = _type_and_step(x)
    output = _response(f, x.stacked(torch.eye(3, dtype=torch.float64)[None]), representation)
    noise = ROUND_OFF * torch.finfo(dtype).eps / step * float(output.abs().max())
    close = float((fast - slow).abs().max()) <= AGREEMENT * float(slow.abs().max()) + noise
    return "jvp" if close else "differences"


def _by_jvp(f: Callable[[Any], Any], x: Rotatable, representation: Representation) -> Tensor:
    """Three equal copies, each with the tangent of one generator, in one forward-mode pass."""
    identity = torch.eye(3, dtype=torch.float64).expand(3, -1, -1)
    copies = x.stacked(identity)
    names = list(copies.rotating_tensors())
    single = x.rotating_tensors()
    primals = tuple(copies.rotating_tensors()[name][0] for name in names)
    tangents = tuple(differential(single[name][1], single[name][0]) for name in names)

    with warnings.catch_warnings(), forward_ad.dual_level():
        # torch 2.13 scripts its own forward-mode rules on first use, and warns about that.
        warnings.filterwarnings("ignore", "`torch.jit.script", DeprecationWarning)
        dual = {
            name: forward_ad.make_dual(primal, tangent)
            for name, primal, tangent in zip(names, primals, tangents, strict=True)
        }
        y, dy = forward_ad.unpack_dual(f(copies.with_tensors(dual)))
    dy = torch.zeros_like(y) if dy is None else dy
    representation.check(y, "output")
    y, dy = y.detach().to("cpu", torch.float64), dy.detach().to("cpu", torch.float64)
    return dy - differential(representation, y[0])


def _by_differences(f: Callable[[Any], Any], x: Rotatable, representation: Representation) -> Tensor:
    """Central differences of fourth order: ``(8 (z(h) - z(-h)) - (z(2h) - z(-2h))) / (12 h)``."""
    step = _type_and_step(x)[1]
    factors = (1.0, -1.0, 2.0, -2.0)
    matrices = torch.cat([turn_about_axes(factor * step) for factor in factors])
    z = representation.inverse_apply(matrices, _response(f, x.stacked(matrices), representation))
    plus, minus, plus2, minus2 = z.reshape(4, 3, *z.shape[1:])
    return (8 * (plus - minus) - (plus2 - minus2)) / (12 * step)


def _type_and_step(x: Rotatable) -> tuple[torch.dtype, float]:
    """Floating-point type of a structure, and the angle of the differences in it."""
    dtype = next((tensor.dtype for tensor, _ in x.rotating_tensors().values()), torch.float64)
    return dtype, STEP.get(dtype, STEP[torch.float32])


def _response(f: Callable[[Any], Any], copies: Any, representation: Representation) -> Tensor:
    """Call the model and check what comes, in float64."""
    with torch.no_grad():
        y = f(copies)
    if not isinstance(y, Tensor):
        raise ResponseError(f"f must return one tensor here; got {type(y).__name__}. Pick the output in a function")
    representation.check(y, "output")
    return y.detach().to("cpu", torch.float64)
