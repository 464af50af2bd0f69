"""Checks before a measurement: each usual mistake of a test harness gets one clear error."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from symlab.groups import Representation, Rotatable, parse_output, random_rotations
from symlab.measure._errors import HarnessError, ResponseError
from symlab.measure._responses import refuse_not_finite
from symlab.measure._stream import OUTPUT, named_tensors

N_ROTATIONS = 4
SEED = 20260324
"""The orientations of the checks are the same in every run."""
FEW_TIMES_SMALLER = 0.02
LARGEST_ASSIGNMENT = 2000


def preflight(
    f: Callable[[Any], Any], x: Rotatable, output: str | Representation | Mapping[str, str | Representation]
) -> int:
    """Look for the usual mistakes in how a model is called; silence means that none was found.

    Checked: training mode or dropout on; responses that are not finite, do not fit the declaration, or have no row
    per copy; a declared index symmetry that the output lacks; a stochastic output; responses that depend on the other
    copies of a batch; an order of samples that changes with the orientation; an output that turns with the transposed
    matrix; a cell that stays behind.

    Args:
        f: as for ``equivariance``.
        x: one structure.
        output: the declaration, or a dict of them.

    Returns:
        How many copies were evaluated.

    Raises:
        HarnessError: naming the mistake and the remedy.
        ResponseError: NaN or infinite values, an output that is missing, a changing number of samples.
        ValueError: a response that does not fit its declaration.

    Cost: about 30 copies.
    """
    declared = output if isinstance(output, Mapping) else {OUTPUT: output}
    representations = {name: parse_output(text) for name, text in declared.items()}
    refuse_training_mode(f)
    matrices = random_rotations(N_ROTATIONS, torch.Generator().manual_seed(SEED))
    identity = torch.eye(3, dtype=torch.float64)[None]
    probe = Probe(f, x, representations)
    first, again = probe(matrices), probe(matrices)
    alone, still = probe(matrices[:1]), probe(identity)
    backwards = probe(matrices.flip(0))
    distorted = probe.of(_distorted(x).stacked(matrices), matrices)
    for name, representation in representations.items():
        tolerance = torch.finfo(first[name].dtype).eps ** 0.5
        y = {
            key: value[name].to("cpu", torch.float64)
            for key, value in (
                ("first", first),
                ("again", again),
                ("alone", alone),
                ("still", still),
                ("backwards", backwards),
            )
        }
        scale = max(_root_mean_square(first[name]), _root_mean_square(distorted[name]))
        _refuse_wrong_symmetry(name, representation, y["first"], tolerance * scale)
        _refuse_stochastic(name, y["first"], y["again"], tolerance * scale)
        _refuse_batch_mates(name, y["first"], y["alone"], y["backwards"], tolerance * scale)
        z = representation.inverse_apply(matrices, y["first"]).reshape(N_ROTATIONS, -1, representation.dim)
        z0 = y["still"].reshape(1, -1, representation.dim)
        error = float((z - z0).square().mean().sqrt())
        if error > tolerance * scale:
            transposed = representation.apply(matrices, y["first"]).reshape(z.shape)
            _refuse_transposed(name, error, float((transposed - z0).square().mean().sqrt()))
            _refuse_changed_order(name, error, z, z0[0])
    _refuse_cell_left_behind(probe, x, matrices[:1], representations)
    return probe.evaluated


class Probe:
    """Calls the model on a few orientations, and checks that the responses can be compared at all."""

    def __init__(self, f: Callable[[Any], Any], x: Rotatable, representations: Mapping[str, Representation]) -> None:
        self.f, self.x, self.representations = f, x, representations
        self.evaluated = 0
        self.shapes: dict[str, tuple[int, ...]] = {}

    def __call__(self, matrices: Float[Tensor, "b 3 3"]) -> dict[str, Tensor]:
        """Evaluate the structure in these orientations."""
        return self.of(self.x.stacked(matrices), matrices)

    def of(self, copies: Any, matrices: Float[Tensor, "b 3 3"]) -> dict[str, Tensor]:
        """Evaluate copies that are stacked already."""
        with torch.no_grad():
            responses = named_tensors(self.f(copies))
        self.evaluated += len(matrices)
        for name, representation in self.representations.items():
            if name not in responses:
                raise ResponseError(
                    f"f does not return {name!r}; it returns {', '.join(map(repr, responses))}. Declare a dict of "
                    'outputs by these names, such as output={"forces": "1x1o"}, or one declaration for a bare tensor'
                )
            y = responses[name].detach()
            if y.ndim == 0 or len(y) != len(matrices):
                raise ResponseError(
                    f"output {name!r} must have one row per copy, {len(matrices)}; got shape {tuple(y.shape)}. "
                    "Return a batch (copies, ...), not a sum over copies"
                )
            if not y.is_floating_point():
                raise ResponseError(
                    f"output {name!r} has type {y.dtype}; equivariance needs real floating-point values "
                    "(measure logits or probabilities, not class numbers)"
                )
            representation.check(y, f"output {name!r}")
            refuse_not_finite(y, matrices, name)
            shape = self.shapes.setdefault(name, tuple(y.shape[1:]))
            if tuple(y.shape[1:]) != shape:
                raise ResponseError(
                    f"output {name!r} changes its shape from {shape} to {tuple(y.shape[1:])} between orientations. "
                    "Return the same samples, in the same order, for every copy (compute neighbour lists once)"
                )
        return {name: responses[name].detach() for name in self.representations}


def refuse_training_mode(f: Callable[[Any], Any]) -> None:
    """Refuse a module, or the owner of a method, that is in training mode or holds an active dropout.

    Raises:
        HarnessError: naming the submodule.
    """
    while isinstance(f, functools.partial):
        f = f.func
    module = f if isinstance(f, nn.Module) else getattr(f, "__self__", None)
    if not isinstance(module, nn.Module):
        return
    for name, part in module.named_modules():
        if part.training:
            where = f"its submodule {name!r} ({type(part).__name__})" if name else "it"
            raise HarnessError(
                f"{type(module).__name__} cannot be measured: {where} is in training mode, so dropout and batch "
                "statistics would pass for broken symmetry. Call model.eval()"
            )


def _distorted(x: Rotatable, only: str | None = None) -> Rotatable:
    """Shake what turns by 5 %, so that an output that vanishes by symmetry shows its natural size."""
    source = torch.Generator().manual_seed(SEED)
    shaken = {}
    for name, (tensor, _) in x.rotating_tensors().items():
        if only not in (None, name):
            continue
        noise = torch.randn(tensor.shape, generator=source, dtype=torch.float64).to(tensor)
        shaken[name] = tensor + 0.05 * tensor.square().mean().sqrt() * noise
    return x.with_tensors(shaken)


def _root_mean_square(y: Tensor) -> float:
    """Size of a response; never zero, so that it can be divided by."""
    return max(float(y.to("cpu", torch.float64).square().mean().sqrt()), torch.finfo(torch.float64).tiny)


def _refuse_wrong_symmetry(name: str, representation: Representation, y: Tensor, allowed: float) -> None:
    if representation.permutations is None:
        return
    excess = float((y - representation.permutations.project(y)).abs().max())
    if excess > allowed:
        raise HarnessError(
            f"output {name!r} is declared as {representation.name!r}, but misses that index symmetry by {excess:.3g} "
            f"(allowed: {allowed:.3g}). Symmetrize the output, or declare it without the symmetry"
        )


def _refuse_stochastic(name: str, first: Tensor, again: Tensor, allowed: float) -> None:
    change = float((first - again).abs().max())
    if change > allowed:
        raise HarnessError(
            f"output {name!r} is stochastic: two calls with the same input differ by {change:.3g} (allowed: "
            f"{allowed:.3g}). Fix the random numbers inside the model, or measure its mean"
        )


def _refuse_batch_mates(name: str, together: Tensor, alone: Tensor, backwards: Tensor, allowed: float) -> None:
    change = max(float((together[:1] - alone).abs().max()), float((together - backwards.flip(0)).abs().max()))
    if change > allowed:
        raise HarnessError(
            f"output {name!r} of one copy depends on its batch mates: it changes by {change:.3g} (allowed: "
            f"{allowed:.3g}) when the batch does. Look for batch statistics, padding that leaks, or mixed-up copies"
        )


def _refuse_transposed(name: str, error: float, transposed: float) -> None:
    if transposed < FEW_TIMES_SMALLER * error:
        raise HarnessError(
            f"output {name!r} turns with the transposed matrix: it agrees with rho(R^T) f(x) to {transposed:.3g}, but "
            f"with rho(R) f(x) only to {error:.3g}. Rows turn as v @ R.T (v' = R v), in positions and in outputs alike"
        )


def _refuse_changed_order(name: str, error: float, z: Tensor, z0: Tensor) -> None:
    """Compare with the best assignment of samples: far better means that the samples come in another order."""
    if not 1 < len(z0) <= LARGEST_ASSIGNMENT:
        return
    squares = []
    for one in z:
        distance = torch.cdist(one, z0)
        rows, columns = linear_sum_assignment(distance.square().numpy())
        squares.append(float(distance[rows, columns].square().mean()))
    matched = (sum(squares) / len(squares) / z0.shape[1]) ** 0.5
    if matched < FEW_TIMES_SMALLER * error:
        raise HarnessError(
            f"output {name!r} changes the order of its samples with the orientation: the rows agree to {matched:.3g} "
            f"after reordering, but only to {error:.3g} as they come. Return them in the order of the input"
        )


def _refuse_cell_left_behind(
    probe: Probe, x: Rotatable, matrices: Tensor, representations: Mapping[str, Representation]
) -> None:
    """Move one atom by a lattice vector: a periodic model must not notice, unturned or turned.

    If it does not notice in the given orientation but does in another, it takes the cell from somewhere else.
    """
    if getattr(x, "cell", None) is None or getattr(x, "positions", None) is None:
        return
    x = _distorted(x, only="positions")
    changes = []
    for matrix in (torch.eye(3, dtype=torch.float64)[None], matrices):
        copies = x.stacked(matrix)
        positions = copies.positions.clone()  # type: ignore[attr-defined]
        positions[:, 0] += copies.cell[:, 0]  # type: ignore[attr-defined]
        moved = copies.with_tensors({"positions": positions})
        changes.append((probe.of(copies, matrix), probe.of(moved, matrix)))
    for name in representations:
        (here, here_moved), (turned, turned_moved) = [(a[name].double(), b[name].double()) for a, b in changes]
        scale = _root_mean_square(here)
        before = float((here - here_moved).square().mean().sqrt()) / scale
        after = float((turned - turned_moved).square().mean().sqrt()) / scale
        if before < 1e-4 and after > max(1e-3, 100 * before):
            raise HarnessError(
                f"the cell is not turned: moving an atom by a lattice vector changes {name!r} by {before:.1e} of its "
                f"size in the given orientation, but by {after:.1e} in a turned one. Read the cell from the "
                "stacked structure that f receives, not from the original"
            )
