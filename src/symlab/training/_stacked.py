"""Several networks of one shape as one: stacked weights, one pass for all, one optimizer for all."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap

from symlab.models import PET, PETBatch, PETConfig, build


class StackedPET:
    """K networks of one shape and different weights, evaluated and differentiated in one pass.

    A small molecule keeps a processor busier with calls than with arithmetic; a stack makes the calls once for all.

    Args:
        config: of every network.
        seeds: one for each network, of its initial weights: those that ``train`` begins with.

    Attributes:
        template: the first network; its weights are not trained.
        weights: by name, ``(k, *shape)``.
    """

    def __init__(self, config: PETConfig, seeds: Sequence[int]) -> None:
        networks = [build(config, torch.Generator().manual_seed(seed)) for seed in seeds]
        self.template = networks[0].requires_grad_(False)
        self.hidden = {
            name
            for name, weight in self.template.named_parameters()
            if any(weight is matrix for matrix in self.template.hidden_matrices())
        }
        states = [dict(network.named_parameters()) for network in networks]
        self.weights = {name: nn.Parameter(torch.stack([s[name].detach() for s in states])) for name in states[0]}

    def to(self, dtype: torch.dtype) -> "StackedPET":
        """Cast all networks."""
        self.template.to(dtype)
        for weight in self.weights.values():
            weight.data = weight.data.to(dtype)
        return self

    def normalized(self, batch: PETBatch, edges: Float[Tensor, "k n m 3"]) -> dict[str, Tensor]:
        """Predict normalized targets ``(k, ...)``; each network has its own edge vectors, the rest is shared."""
        forward = _Normalized(self.template)

        def one(weights: dict[str, Tensor], vectors: Tensor) -> dict[str, Tensor]:
            return functional_call(forward, weights, (replace(batch, edge_vectors=vectors),))

        return vmap(one)({f"network.{name}": weight for name, weight in self.weights.items()}, edges)

    def state(self, k: int) -> dict[str, Tensor]:
        """Give the state of network k, as a lone network has it: weights, scales and baselines."""
        own = {name: weight[k].detach().clone() for name, weight in self.weights.items()}
        return self.template.state_dict() | own

    def clip(self, max_norm: float) -> None:
        """Scale down the gradient of each network whose norm, over all its weights, exceeds `max_norm`."""
        gradients = [weight.grad for weight in self.weights.values() if weight.grad is not None]
        norms = torch.cat([gradient.flatten(1) for gradient in gradients], dim=1).norm(dim=1)
        factors = (max_norm / (norms + 1e-6)).clamp(max=1)
        if bool((factors < 1).any()):
            for gradient in gradients:
                gradient.mul_(factors.reshape(-1, *[1] * (gradient.ndim - 1)))


class _Normalized(nn.Module):
    """Makes ``PET.normalized`` the forward pass, which is what torch.func calls."""

    def __init__(self, network: PET) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: PETBatch) -> dict[str, Tensor]:
        return self.network.normalized(batch)
