"""Layers of PET: attention within a neighbourhood, gated feed-forward, and named points for hooks."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class Tap(nn.Module):
    """A named point of the forward pass where a hook sees the tokens; padded edge tokens are exactly zero there.

    No result depends on padded tokens, so they are set to zero only when somebody looks.
    """

    def forward(self, tokens: Tensor, mask: Float[Tensor, "n m 1"] | None = None) -> Tensor:
        """Return the tokens; under a hook, times the mask (1 for an edge, 0 for padding)."""
        return tokens if mask is None or not self._forward_hooks else tokens * mask


class NormedLinear(nn.Linear):
    """RMSNorm and the linear map behind it, ``W (w * x / rms(x)) + b``; w is folded into W, one pass less."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__(width, out)
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(..., width)`` to ``(..., out)``."""
        eps = torch.finfo(x.dtype).eps
        unit = x * torch.rsqrt(torch.linalg.vecdot(x, x)[..., None] / x.shape[-1] + eps)
        return functional.linear(unit, self.weight * self.gain, self.bias)


class FeedForward(nn.Module):
    """``W_out (v * sigmoid(g))`` with ``(v, g) = W_in RMSNorm(x)``: a gated linear unit (GLU), as PET has it."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.w_in = NormedLinear(width, 2 * hidden)
        self.w_out = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(..., width)`` to ``(..., width)``."""
        return self.w_out(functional.glu(self.w_in(x), dim=-1))


class Attention(nn.Module):
    """RMSNorm, then multi-head attention in one neighbourhood, ``softmax(q k^T / sqrt(d_head) + bias) v``.

    The bias is ``log max(c_j, 1e-15)`` of the cutoff factor of key j (0 for the centre, -inf for padding), so a
    neighbour fades from every sum as it leaves. Written in plain operations: for the few dozen tokens of a
    neighbourhood they are faster on a CPU than the fused kernel, and they can be differentiated twice.
    """

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.w_in = NormedLinear(width, 3 * width)
        self.w_out = nn.Linear(width, width)

    def forward(self, tokens: Float[Tensor, "n t d"], bias: Float[Tensor, "nh 1 t"]) -> Float[Tensor, "n t d"]:
        """Mix the tokens of each neighbourhood; the bias comes with the heads repeated, ``(n * n_heads, 1, t)``."""
        n, t, d = tokens.shape
        split = self.w_in(tokens).view(n, t, 3, self.n_heads, d // self.n_heads).permute(2, 0, 3, 1, 4)
        query, key, value = split.reshape(3, n * self.n_heads, t, -1).unbind(0)
        weights = torch.baddbmm(bias, query, key.mT, alpha=(d // self.n_heads) ** -0.5).softmax(dim=-1)
        mixed = torch.bmm(weights, value).view(n, self.n_heads, t, -1).transpose(1, 2).reshape(n, t, d)
        return self.w_out(mixed)


class Block(nn.Module):
    """One Pre-LN transformer layer over centre and edge tokens.

    The centre, wider than an edge, is contracted before the attention and expanded after it; both have residual
    attention and residual feed-forward. Layers: ``node`` and ``edge``, the states that leave the block.
    """

    def __init__(self, d_pet: int, d_node: int, d_feedforward: int, n_heads: int) -> None:
        super().__init__()
        self.contract = nn.Linear(d_node, d_pet)
        self.attention = Attention(d_pet, n_heads)
        self.expand = nn.Linear(d_pet, d_node)
        self.feedforward_node = FeedForward(d_node, 2 * d_node)
        self.feedforward_edge = FeedForward(d_pet, d_feedforward)
        self.node = Tap()
        self.edge = Tap()

    def forward(
        self,
        node: Float[Tensor, "n d_node"],
        edge: Float[Tensor, "n m d_pet"],
        bias: Float[Tensor, "nh 1 t"],
        mask: Float[Tensor, "n m 1"] | None,
    ) -> tuple[Float[Tensor, "n d_node"], Float[Tensor, "n m d_pet"]]:
        """Update the centre and its edges."""
        tokens = torch.cat([self.contract(node)[:, None], edge], dim=1)
        mixed = self.attention(tokens, bias)
        node = node + self.expand(mixed[:, 0])
        node = node + self.feedforward_node(node)
        edge = edge + mixed[:, 1:]
        edge = edge + self.feedforward_edge(edge)
        return self.node(node), self.edge(edge, mask)


def bump(distance: Tensor, cutoff: float, width: float) -> Tensor:
    """Smooth switch ``c(r) = (1 + tanh(cot(pi s))) / 2`` with ``s = (r - cutoff + width) / width`` clamped to (0, 1).

    Args:
        distance: any shape, Angstrom.
        cutoff: beyond it c = 0, Angstrom.
        width: below ``cutoff - width`` c = 1, Angstrom.

    Returns:
        The same shape, in [0, 1]; all derivatives vanish at both ends.
    """
    s = ((distance - cutoff + width) / width).clamp(1e-6, 1 - 1e-6)
    return 0.5 * (1 + torch.tanh(1 / torch.tan(torch.pi * s)))
