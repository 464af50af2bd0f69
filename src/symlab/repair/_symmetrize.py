"""Post-processing: average a model's back-rotated predictions over a group or a grid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from symlab.groups import HaarGrid, Representation, Rotatable, parse_output, turned_again

BARE = "output"


@dataclass(frozen=True, eq=False)
class Symmetrized:
    """A model averaged over a grid, ``sum_h w_h rho(h)^-1 f(h x)``; made by `symmetrize`, called like the model.

    Attributes:
        f: the model.
        representations: how each output that is kept transforms.
        grid: what is averaged over; ``len(grid)`` evaluations of the model for one of this.
        batch_size: copies per call of the model.
        bare: whether the model returns one bare tensor instead of a dict.
    """

    f: Callable[[Any], Any]
    representations: dict[str, Representation]
    grid: HaarGrid
    batch_size: int
    bare: bool

    def __call__(self, stack: Rotatable) -> Any:
        """Predict for every copy of a stack; arguments, returns and errors as told by `symmetrize`."""
        if not isinstance(stack, Rotatable) or stack.n_copies is None:
            raise ValueError(
                "a symmetrized model takes one stacked structure, as everything in symlab.measure does; "
                f"got {'a single' if isinstance(stack, Rotatable) else 'no'} Rotatable. Give x.stacked(matrices)"
            )
        n, together = stack.n_copies, max(1, self.batch_size // stack.n_copies)
        sums: dict[str, Tensor] = {}
        kinds: dict[str, Tensor] = {}
        for part in torch.arange(len(self.grid)).split(together):
            matrices, weights = self.grid.matrices[part], self.grid.weights[part]
            for name, response in self._responses(turned_again(stack, matrices), n * len(part)).items():
                turned_back = self.representations[name].inverse_apply(
                    matrices.repeat(n, 1, 1), response.to("cpu", torch.float64)
                )
                partial = torch.einsum("m,nm...->n...", weights, turned_back.unflatten(0, (n, len(part))))
                sums[name] = sums[name] + partial if name in sums else partial
                kinds[name] = response.detach()[:0]
        answer = {name: total.to(kinds[name]) for name, total in sums.items()}
        return answer[BARE] if self.bare else answer

    def _responses(self, copies: Rotatable, n_copies: int) -> dict[str, Tensor]:
        """Call the model once and check what it returns."""
        response = self.f(copies)
        if isinstance(response, Tensor) != self.bare or not isinstance(response, (Tensor, Mapping)):
            raise TypeError(
                f"f returned {type(response).__name__}; give output as a dict by name exactly when f returns a dict "
                "of tensors"
            )
        by_name = {BARE: response} if isinstance(response, Tensor) else response
        if missing := [name for name in self.representations if name not in by_name]:
            raise ValueError(f"output declares {missing[0]!r}, which f does not return; it returns {list(by_name)}")
        chosen = {name: by_name[name] for name in self.representations}
        for name, tensor in chosen.items():
            if not tensor.is_floating_point():
                raise TypeError(
                    f"output {name!r} must be real floating point to be averaged; got {tensor.dtype} "
                    "(average logits or probabilities, not class numbers)"
                )
            if tensor.ndim == 0 or len(tensor) != n_copies:
                raise ValueError(
                    f"f must return one response per copy along the first axis: {name!r} should have {n_copies} rows; "
                    f"got shape {tuple(tensor.shape)}"
                )
            self.representations[name].check(tensor, f"output {name!r}")
        return chosen


def symmetrize(
    f: Callable[[Any], Any],
    output: str | Representation | Mapping[str, str | Representation],
    grid: HaarGrid,
    *,
    batch_size: int = 128,
) -> Symmetrized:
    """Average a model over a group: ``f_H(x) = sum_h w_h rho(h)^-1 f(h x)``.

    Over all elements of a finite group H the result is exactly equivariant under H, and averaging it again changes
    nothing. Over a Haar grid it is equivariant as far as the grid resolves the response. A model that is equivariant
    already stays as it is. See arXiv:2406.17747 for its use, and `symlab.groups.retention` for what it leaves.

    Args:
        f: maps one stacked structure of b copies to a tensor ``(b, ..., *shape)`` or a dict of them.
        output: how the response transforms, as for ``parse_output``; a dict by name if f returns a dict. Outputs that
            are not declared are left out.
        grid: the elements and weights, from ``finite_group``, ``haar_grid`` or ``monte_carlo_grid``.
        batch_size: at most this many copies in one call of f, or as many as the stack holds if those are more.

    Returns:
        A callable that takes and returns what f does: same shapes, types and units. Sums are done in float64;
        gradients pass through.

    Raises:
        TypeError, ValueError: when called, for an input that is not stacked, or a response that is no real tensor, is
            not declared, or has another shape than declared.

    Cost: ``len(grid)`` evaluations of f for each of the result.
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size must be an int >= 1; got {batch_size!r}")
    if not isinstance(grid, HaarGrid):
        raise TypeError(
            f"grid must be a HaarGrid, such as finite_group('T') or haar_grid(5); got {type(grid).__name__}"
        )
    declared = output if isinstance(output, Mapping) else {BARE: output}
    if not declared:
        raise ValueError("output must declare at least one name; got an empty dict")
    representations = {name: parse_output(text) for name, text in declared.items()}
    return Symmetrized(f, representations, grid, batch_size, bare=not isinstance(output, Mapping))
