"""Several networks as one: stacked weights, one pass for all, one optimizer for all."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap

from symlab.models import PET, PETBatch, PETConfig, build
from symlab.training._common_shape import common_config, own_name, places


class StackedPET:
    """K networks, of one shape or laid into one, evaluated and differentiated in one pass.

    A small molecule keeps a processor busier with calls than with arithmetic; a stack makes the calls once for all.
    Where a network is narrower than the common shape it has zeros, and no gradient; so they stay.

    Args:
        configs: of each network, all of one ``shape_key``.
        seeds: one for each network, of its initial weights: those that ``train`` begins with.

    Attributes:
        template: of the common shape; its weights are not used.
        weights: by name in the template, ``(k, *shape)``.
        largest: for those that Muon may train, the larger dimension of each network's own matrix, ``(k,)``.

    Raises:
        ValueError: networks that have no common shape.
    """

    def __init__(self, configs: Sequence[PETConfig], seeds: Sequence[int]) -> None:
        self.configs, self.common = list(configs), common_config(configs)
        self.template = build(self.common).requires_grad_(False)
        common = dict(self.template.named_parameters())
        hidden = {id(matrix) for matrix in self.template.hidden_matrices()}
        self.weights: dict[str, nn.Parameter] = {}
        self.largest: dict[str, Tensor] = {}
        self._masks: dict[str, Tensor] = {}
        networks = [
            dict(build(config, torch.Generator().manual_seed(seed)).named_parameters())
            for config, seed in zip(configs, seeds, strict=True)
        ]
        self._places: list[dict[str, tuple[Tensor, ...]]] = [{} for _ in networks]
        for name, whole in common.items():
            stacked, mask = torch.zeros(len(networks), *whole.shape), torch.zeros(len(networks), *whole.shape)
            own = [n[own_name(name, c, self.common)].detach() for n, c in zip(networks, self.configs, strict=True)]
            for k, (weight, config) in enumerate(zip(own, self.configs, strict=True)):
                where = places(name, weight.shape, whole.shape, config)
                stacked[k][where], mask[k][where] = weight, 1.0
                self._places[k][name] = where
            self.weights[name] = nn.Parameter(stacked)
            if name.endswith("edge_embedder.weight") and bool((mask == 0).any()):
                self._masks[name] = mask  # its inputs are there for all, so that only here a gradient would be
            if id(whole) in hidden:
                self.largest[name] = torch.tensor([max(weight.shape) for weight in own])

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
        """Give the weights of network k, as a lone network has them."""
        return {
            own_name(name, self.configs[k], self.common): weight[k].detach()[self._places[k][name]].clone()
            for name, weight in self.weights.items()
        }

    def clip(self, max_norm: float) -> None:
        """Scale down the gradient of each network whose norm, over all its weights, exceeds `max_norm`."""
        for name, mask in self._masks.items():
            if (gradient := self.weights[name].grad) is not None:
                gradient.mul_(mask)
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
