"""The noise floor: the equivariance error that a perfect model would still show in this arithmetic."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from symlab.groups import HaarGrid, Representation, Rotatable
from symlab.measure._stream import named_tensors

N_REPEATS = 3
N_ORIENTATIONS = 8


def identity_repeats(f: Callable[[Any], Any], x: Rotatable) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Evaluate the unturned structure alone, and again in a batch of three equal copies.

    Returns:
        The response alone by name, ``(...)``, and the root mean square scatter of the repeats about it, by name.
    """
    identity = torch.eye(3, dtype=torch.float64).expand(N_REPEATS, -1, -1)
    with torch.no_grad():
        alone = {name: y[0].detach() for name, y in named_tensors(f(x.stacked(identity[:1]))).items()}
        repeats = named_tensors(f(x.stacked(identity)))
    scatter = {}
    for name, reference in alone.items():
        difference = repeats[name].detach().to("cpu", torch.float64) - reference.to("cpu", torch.float64)
        scatter[name] = difference.square().mean().sqrt()
    return alone, scatter


def round_off(
    f: Callable[[Any], Any], x: Rotatable, grid: HaarGrid, representations: Mapping[str, Representation]
) -> dict[str, float]:
    """Measure the round-off of a model by running it in float32 and float64 on eight orientations.

    The part of ``z32 - z64`` that depends on the orientation is what a perfect model would show as equivariance
    error; a float64 model has ``eps64 / eps32`` of it.

    Returns:
        The root mean square by output name; empty where the model does not run in both types.
    """
    matrices = grid.matrices[:: max(1, len(grid) // N_ORIENTATIONS)][:N_ORIENTATIONS]
    single = _responses(f, x, matrices, torch.float32)
    double = _responses(f, x, matrices, torch.float64)
    if single is None or double is None:
        return {}
    own = next((t.dtype for t, _ in x.rotating_tensors().values()), torch.float32)
    scale = torch.finfo(own).eps / torch.finfo(torch.float32).eps
    found = {}
    for name, representation in representations.items():
        if name not in single or single[name].shape != double[name].shape:
            continue
        z = [representation.inverse_apply(matrices, y[name].to("cpu", torch.float64)) for y in (single, double)]
        difference = z[0] - z[1]
        scatter = (difference - difference.mean(dim=0)).square().mean() * len(z[0]) / max(1, len(z[0]) - 1)
        found[name] = scale * float(scatter.sqrt())
    return found


def _responses(f: Callable[[Any], Any], x: Rotatable, matrices: Tensor, dtype: torch.dtype) -> dict[str, Tensor] | None:
    """Run a copy of the model in another type; None if it cannot (this check is an extra, never a reason to fail)."""
    try:
        twin = _in_type(f, dtype)
        with torch.no_grad():
            responses = named_tensors(twin(x.to(dtype=dtype).stacked(matrices)))
    except Exception:  # any failure of foreign code means: this model does not allow the repeat
        return None
    return responses if all(y.dtype == dtype for y in responses.values()) else None


def _in_type(f: Callable[[Any], Any], dtype: torch.dtype) -> Callable[[Any], Any]:
    """Copy a module, or the module that a method belongs to, into another type; other callables stay as they are."""
    if isinstance(f, nn.Module):
        return copy.deepcopy(f).to(dtype)
    owner = getattr(f, "__self__", None)
    if isinstance(owner, nn.Module):
        return getattr(copy.deepcopy(owner).to(dtype), getattr(f, "__name__", ""))
    return f
