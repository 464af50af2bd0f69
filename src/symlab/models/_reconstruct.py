"""Masked pre-training: hide groups, reconstruct their points and the energies of their points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from symlab.models._grouped_batch import GroupedBatch
from symlab.models._polar_config import PolarMAEConfig
from symlab.models._polar_layers import PolarBlock

if TYPE_CHECKING:
    from symlab.models._polar import PolarMAE


@dataclass(frozen=True)
class Reconstruction:
    """What the decoder makes of the hidden groups, and the truth.

    Attributes:
        hidden: ``(T,)``, True for a group that was hidden; there are G.
        predicted: ``(G, k, 4)``, offsets from the centre over R, and energy on the scale of the network.
        true: ``(G, k, 4)``, the members, zero where a slot is empty.
        mask: ``(G, k)``, True for a member.
        infilled: ``(G, k)``, energy predicted for each member from its place.
    """

    hidden: Bool[Tensor, " t"]
    predicted: Float[Tensor, "g k 4"]
    true: Float[Tensor, "g k 4"]
    mask: Bool[Tensor, "g k"]
    infilled: Float[Tensor, "g k"]

    def chamfer(self, predicted: Float[Tensor, "g k 4"] | None = None) -> Tensor:
        r"""Chamfer distance of each group, averaged over groups, arXiv:1612.00603.

        ``1/n sum_i min_j |x_i - y_j|^2 + 1/k sum_j min_i |x_i - y_j|^2`` over members x and predicted points y, in four
        dimensions: offsets in units of R, and energy.

        Args:
            predicted: points to judge in place of those of the decoder.
        """
        predicted = self.predicted if predicted is None else predicted
        square = (self.true[:, :, None] - predicted[:, None]).square().sum(-1)
        square = square.masked_fill(~self.mask[..., None], torch.inf)
        missed = square.amin(2).masked_fill(~self.mask, 0.0).sum(1) / self.mask.sum(1)
        return (missed + square.amin(1).mean(1)).mean()

    def chamfer_trivial(self) -> Tensor:
        """Chamfer distance of the trivial answer: for each hidden group the members of the next one."""
        filled = torch.where(self.mask[..., None], self.true, self.true[:, :1])
        return self.chamfer(filled.roll(1, dims=0))

    def energy_error(self) -> Tensor:
        """Mean squared error of the infilled energies, over members."""
        return (self.infilled - self.true[..., 3])[self.mask].square().mean()


class Reconstructor(nn.Module):
    """The decoder: a mask token for each hidden group, with the position of the group, beside the visible tokens.

    From the decoded token one linear map gives ``group_size`` points of four coordinates; an MLP of the token and the
    offset of a true member gives the energy there.
    """

    def __init__(self, config: PolarMAEConfig) -> None:
        super().__init__()
        d = config.d
        self.config = config
        self.mask_token = nn.Parameter(torch.zeros(d))
        self.blocks = nn.ModuleList(PolarBlock(d, config.n_heads) for _ in range(config.n_decoder_blocks))
        self.norm = nn.LayerNorm(d)
        self.predict_points = nn.Linear(d, 4 * config.group_size)
        self.of_token, self.of_offset = nn.Linear(d, d), nn.Linear(3, d, bias=False)
        self.mix = nn.Linear(d, d)
        self.predict_energy = nn.Linear(d, 1)

    def forward(
        self,
        network: PolarMAE,
        batch: GroupedBatch,
        tokens: Float[Tensor, "t d"],
        generator: torch.Generator,
    ) -> Reconstruction:
        """Hide groups at random and reconstruct them; the encoder of the network sees the others only."""
        visible, concealed = hide(batch.mask, self.config.mask_ratio, generator)
        centres, content = batch.padded(batch.positions[batch.centres]), batch.padded(tokens)
        order, present = _packed(visible)
        take = order[..., None]
        seen = network.encode(
            content.gather(1, take.expand(-1, -1, content.shape[-1])),
            centres.gather(1, take.expand(-1, -1, 3)),
            present,
        )[-1]
        everything = self.mask_token.expand_as(content).clone()
        place = (order + torch.arange(len(order), device=order.device)[:, None] * content.shape[1])[present]
        everything = everything.flatten(0, 1).index_copy(0, place, seen[present]).view_as(content)
        code, bias = network.position(centres, batch.mask)
        for block in self.blocks:
            everything = block(everything, code, bias, None)
        hidden = batch.unpadded(concealed[..., None])[:, 0]
        decoded = batch.unpadded(self.norm(everything))[hidden]
        predicted = self.predict_points(decoded).view(-1, self.config.group_size, 4)
        true, mask = _members(batch, hidden, self.config.group_radius)
        infill = functional.silu(self.of_token(decoded)[:, None] + self.of_offset(true[..., :3]))
        infilled = self.predict_energy(functional.silu(self.mix(infill)))[..., 0]
        return Reconstruction(hidden, predicted, true, mask, infilled)


def hide(
    mask: Bool[Tensor, "b t"], ratio: float, generator: torch.Generator
) -> tuple[Bool[Tensor, "b t"], Bool[Tensor, "b t"]]:
    """Choose at random the share of the tokens of each row that is hidden; at least one stays and one goes.

    Returns:
        Which tokens are visible, and which are hidden; padding is neither.

    Raises:
        ValueError: a row of a single token.
    """
    count = mask.sum(1)
    if bool((count < 2).any()):
        raise ValueError("a cloud of one group has nothing to hide; leave it out of pre-training")
    noise = torch.rand(mask.shape, generator=generator).to(mask.device).masked_fill(~mask, 2.0)
    rank = noise.argsort(1).argsort(1)
    n_hidden = (count * ratio).round().long().clamp(min=1).minimum(count - 1)
    hidden = (rank < n_hidden[:, None]) & mask
    return mask & ~hidden, hidden


def _packed(visible: Bool[Tensor, "b t"]) -> tuple[Int[Tensor, "b v"], Bool[Tensor, "b v"]]:
    """Positions of the visible tokens of each row, padded by others, and which of them count."""
    count = visible.sum(1)
    order = visible.to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, : int(count.max())]
    return order, torch.arange(order.shape[1], device=order.device) < count[:, None]


def _members(batch: GroupedBatch, hidden: Tensor, radius: float) -> tuple[Tensor, Tensor]:
    """Offsets and energies of the members of hidden groups, in slots, and which slots are filled."""
    shape = (len(batch.centres), batch.group_size)
    offset = (batch.positions[batch.member] - batch.positions[batch.centres[batch.group]]) / radius
    rows = torch.cat([offset, batch.energy[batch.member, None]], dim=-1)
    true = rows.new_zeros(shape[0] * shape[1], 4).index_copy(0, batch.slot, rows).view(*shape, 4)
    mask = torch.zeros(shape[0] * shape[1], dtype=torch.bool, device=rows.device)
    mask[batch.slot] = True
    return true[hidden], mask.view(shape)[hidden]
