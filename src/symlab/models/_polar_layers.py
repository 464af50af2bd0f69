"""Layers of PoLAr-MAE: the mini-PointNet of a group, the code of a position, a block of the encoder."""

from typing import Any, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from symlab.models._layers import Attention, FeedForward, Tap

N_RADIAL = 12


class MiniPointNet(nn.Module):
    """Embeds a group: an MLP of each point, the maximum over the group, a second MLP that knows it, the maximum again.

    ``h_p = MLP_1(x_p)``, ``g = max_p h_p``, ``token = LayerNorm(max_p W silu(U h_p + V g))``. The LayerNorm is what
    keeps the content of a group, much smaller at first, from being drowned by the code of its position.
    """

    def __init__(self, n_inputs: int, d_point: int, d: int) -> None:
        super().__init__()
        self.first = nn.Linear(n_inputs, d_point)
        self.second = nn.Linear(d_point, d_point)
        self.point = nn.Linear(d_point, d_point)
        self.pooled = nn.Linear(d_point, d_point, bias=False)
        self.out = nn.Linear(d_point, d)
        self.norm = nn.LayerNorm(d)

    def points(self, x: Float[Tensor, "m c"]) -> Float[Tensor, "m d_point"]:
        """Features of points, each by itself."""
        return functional.silu(self.second(functional.silu(self.first(x))))

    def forward(
        self, x: Float[Tensor, "m c"], group: Int[Tensor, " m"], n_groups: int
    ) -> tuple[Float[Tensor, "t d"], Float[Tensor, "t d_point"]]:
        """Embed all groups.

        Args:
            x: inputs of each membership.
            group: its group.
            n_groups: how many there are; each has a member.

        Returns:
            The tokens, and the first maximum g.
        """
        h = self.points(x)
        g = group_maximum(h, group, n_groups)
        both = functional.silu(self.point(h) + self.pooled(g).index_select(0, group))
        return self.norm(group_maximum(self.out(both), group, n_groups)), g


class ShapeReader(nn.Module):
    """Adds to the token of a group what the shapes of its members say, ``W mean_p silu(U s_p + c)``; W begins at zero.

    Pre-training does not use it, for the shape of a visible point tells of hidden neighbours, so a pre-trained network
    hands on tokens that have never seen a shape.
    """

    def __init__(self, n_shape: int, d_point: int, d: int) -> None:
        super().__init__()
        self.first = nn.Linear(n_shape, d_point)
        self.out = nn.Linear(d_point, d, bias=False)

    def forward(self, shape: Float[Tensor, "m f"], group: Int[Tensor, " m"], n_groups: int) -> Float[Tensor, "t d"]:
        """Read the shapes of all memberships."""
        h = functional.silu(self.first(shape))
        total = h.new_zeros(n_groups, h.shape[1]).index_add(0, group, h)
        return self.out(total / torch.bincount(group, minlength=n_groups)[:, None])


class _GroupMaximum(torch.autograd.Function):
    """One pass over the members; a padded table of them would cost a fifth of the time of a whole evaluation."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, group: Tensor, n_groups: int) -> Tensor:
        highest = values.new_empty(n_groups, values.shape[1]).scatter_reduce_(
            0, group[:, None].expand_as(values), values, "amax", include_self=False
        )
        ctx.save_for_backward(values, group, highest)
        return highest

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        values, group, highest = ctx.saved_tensors
        chosen = values == highest.index_select(0, group)
        shared = gradient / torch.zeros_like(highest).index_add_(0, group, chosen.to(highest))
        return shared.index_select(0, group).mul_(chosen), None, None


def group_maximum(values: Float[Tensor, "m d"], group: Int[Tensor, " m"], n_groups: int) -> Float[Tensor, "t d"]:
    """Maximum over the members of each group, which has one at least; equal members share the gradient."""
    return cast(Tensor, _GroupMaximum.apply(values, group, n_groups))


class PositionCode(nn.Module):
    """How tokens know where they are: a code that is added before every block, and a bias of the attention.

    "absolute": the code is ``MLP(r / length)`` and there is no bias. "relative": no code; tokens at distance s have the
    bias ``sum_k w_hk exp(-(log(1 + s / voxel) - mu_k)^2 / (2 delta^2))`` in head h, delta the spacing of the mu.
    """

    centres: Tensor

    def __init__(self, position: str, length: float, d: int, n_heads: int) -> None:
        super().__init__()
        self.length, self.n_heads = length, n_heads
        self.code = nn.Sequential(nn.Linear(3, 128), nn.GELU(), nn.Linear(128, d)) if position == "absolute" else None
        self.bias = nn.Linear(N_RADIAL, n_heads, bias=False) if position == "relative" else None
        self.register_buffer("centres", torch.linspace(0.0, 7.0, N_RADIAL), persistent=False)

    def forward(
        self, r: Float[Tensor, "b t 3"], mask: Bool[Tensor, "b t"]
    ) -> tuple[Float[Tensor, "b t d"] | None, Float[Tensor, "bh q t"]]:
        """Code of each token, and bias of each head, minus infinity for keys that are padding."""
        code = None if self.code is None else self.code(r / self.length)
        padding = r.new_zeros(mask.shape).masked_fill(~mask, -torch.inf)[:, None, None]
        if self.bias is None:
            return code, padding.expand(-1, self.n_heads, -1, -1).flatten(0, 1)
        square = (r[:, :, None] - r[:, None]).square().sum(-1)
        s = torch.log1p((square + 1e-12).sqrt())
        spacing = float(self.centres[1] - self.centres[0])
        radial = torch.exp(-((s[..., None] - self.centres.to(s)) / spacing).square() / 2)
        return code, (self.bias(radial).permute(0, 3, 1, 2) + padding).flatten(0, 1)


class PolarBlock(nn.Module):
    """One Pre-LN transformer block; the code of the position is added to the tokens first. Layer: ``tokens``."""

    def __init__(self, d: int, n_heads: int) -> None:
        super().__init__()
        self.attention = Attention(d, n_heads)
        self.feedforward = FeedForward(d, 2 * d)
        self.tokens = Tap()

    def forward(
        self,
        tokens: Float[Tensor, "b t d"],
        code: Float[Tensor, "b t d"] | None,
        bias: Float[Tensor, "bh q t"],
        mask: Float[Tensor, "b t 1"] | None,
    ) -> Float[Tensor, "b t d"]:
        """Mix the tokens of each cloud."""
        if code is not None:
            tokens = tokens + code
        tokens = tokens + self.attention(tokens, bias)
        return self.tokens(tokens + self.feedforward(tokens), mask)
