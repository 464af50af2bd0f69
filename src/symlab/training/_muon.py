"""Muon for many small matrices: all of one shape are orthogonalized together."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

# Quintic Newton-Schulz iteration: after five steps the singular values lie near one, within [0.7, 1.2].
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """Momentum whose singular values are set to one: ``W <- (1 - lr decay) W - lr 0.2 sqrt(max(m, n)) msign(M)``.

    The update of ``torch.optim.Muon`` with ``adjust_lr_fn="match_rms_adamw"``, batched over matrices of one shape.
    K. Jordan et al., Muon (2024); the
    scale after J. Liu et al., arXiv:2502.16982, Sec. 2.2.

    Args:
        parameters: matrices, all of them.
        lr: learning rate, of the size that AdamW takes.
        weight_decay: decoupled.
        momentum: of the (Nesterov) average of gradients.
        n_iterations: Newton-Schulz steps.

    Raises:
        ValueError: a parameter that is no matrix.
    """

    n_axes: ClassVar[int] = 2

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        n_iterations: int = 5,
    ) -> None:
        defaults = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "n_iterations": n_iterations}
        super().__init__(parameters, defaults)
        for group in self.param_groups:
            if wrong := [tuple(p.shape) for p in group["params"] if p.ndim != self.n_axes]:
                raise ValueError(f"parameters must be matrices, for Muon orthogonalizes them; got shape {wrong[0]}")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Update every matrix that has a gradient."""
        for group in self.param_groups:
            same: dict[tuple[int, int], list[nn.Parameter]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    rows, columns = parameter.shape[-2:]
                    same.setdefault((min(rows, columns), max(rows, columns)), []).append(parameter)
            for (_, wide), parameters in same.items():
                stacks = [_lying(p.grad).reshape(-1, *sorted(p.shape[-2:])) for p in parameters if p.grad is not None]
                gradient = torch.cat(stacks)
                state = self.state[parameters[0]]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(gradient)
                average = state["momentum"].lerp_(gradient, 1 - group["momentum"])
                update = orthogonalize(gradient.lerp(average, group["momentum"]), group["n_iterations"])
                for parameter, change in zip(parameters, update.split([len(one) for one in stacks]), strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    change = change if parameter.shape[-2:] == change.shape[-2:] else change.mT
                    change = change.reshape(parameter.shape) * self._reach(parameter, wide)
                    parameter.add_(change, alpha=-group["lr"] * 0.2)

    def _reach(self, parameter: nn.Parameter, wide: int) -> Tensor | float:
        """Give the square root of the larger dimension, by which an update grows."""
        return float(wide**0.5)


class StackedMuon(Muon):
    """``Muon`` for stacks of matrices ``(k, m, n)``, each matrix orthogonalized by itself.

    Args:
        parameters: stacks, all of them.
        largest: for each stack ``(k,)``, the larger dimension of each matrix, where zeros have been added to it.
        others: as for ``Muon``.
    """

    n_axes = 3

    def __init__(
        self, parameters: Iterable[nn.Parameter], *, largest: Mapping[nn.Parameter, Tensor] | None = None, **others: Any
    ) -> None:
        super().__init__(parameters, **others)
        self.largest = largest or {}

    def _reach(self, parameter: nn.Parameter, wide: int) -> Tensor | float:
        if parameter not in self.largest:
            return super()._reach(parameter, wide)
        return self.largest[parameter].to(parameter).sqrt()[:, None, None]


def orthogonalize(matrices: Tensor, n_iterations: int = 5) -> Tensor:
    """Bring all singular values of a stack of matrices close to one, ``U S V^T -> U S' V^T`` with S' near one.

    Args:
        matrices: ``(k, m, n)`` with m <= n.
        n_iterations: Newton-Schulz steps.

    Returns:
        The same shape.
    """
    a, b, c = COEFFICIENTS
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(n_iterations):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


def _lying(matrix: Tensor) -> Tensor:
    """Turn a matrix with more rows than columns on its side."""
    return matrix.mT if matrix.shape[-2] > matrix.shape[-1] else matrix
