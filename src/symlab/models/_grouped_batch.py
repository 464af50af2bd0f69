"""A batch of grouped clouds as PoLAr-MAE sees it: points and members end to end, tokens padded for attention."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import accumulate

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from symlab.models._grouping import GroupedCloud


@dataclass(frozen=True)
class GroupedBatch:
    """Points of b clouds, N in all, their T groups, and M memberships.

    Attributes:
        positions: ``(N, 3)``, voxels.
        energy: ``(N,)``.
        shape: ``(N, f)``.
        cloud: ``(N,)``, the cloud of each point, ascending.
        centres: ``(T,)``, the point at the centre of each group.
        member: ``(M,)``, the point of each membership; those of one group are contiguous.
        group: ``(M,)``, its group.
        slot: ``(M,)``, its place in the flattened ``(T, k)``.
        nearest: ``(N, 5)``, groups.
        weights: ``(N, 5)``.
        place: ``(T,)``, place of each group in the flattened ``(b, t)`` of padded tokens.
        mask: ``(b, t)``, True for a token.
        group_size: k.
        n_copies: 1, or of how many turned copies of one cloud the batch consists; what no rotation changes is then
            the same in all of them.
    """

    positions: Float[Tensor, "n 3"]
    energy: Float[Tensor, " n"]
    shape: Float[Tensor, "n f"]
    cloud: Int[Tensor, " n"]
    centres: Int[Tensor, " t"]
    member: Int[Tensor, " m"]
    group: Int[Tensor, " m"]
    slot: Int[Tensor, " m"]
    nearest: Int[Tensor, "n 5"]
    weights: Float[Tensor, "n 5"]
    place: Int[Tensor, " t"]
    mask: Bool[Tensor, "b width"]
    group_size: int
    n_copies: int = 1

    @classmethod
    def from_clouds(cls, clouds: Sequence[GroupedCloud]) -> "GroupedBatch":
        """Join clouds of any sizes.

        Raises:
            ValueError: no cloud, a stacked one, or groups of different sizes.
        """
        if len(clouds) == 0:
            raise ValueError("clouds is empty; a batch needs at least one")
        if any(cloud.n_copies is not None for cloud in clouds):
            raise ValueError("clouds must hold single clouds; a stack of turned copies goes to GroupedBatch.from_stack")
        if len(sizes := {cloud.members.shape[1] for cloud in clouds}) > 1:
            raise ValueError(f"clouds must be grouped alike; got groups of {sorted(sizes)} points")
        points = [0, *accumulate(cloud.n_points for cloud in clouds)]
        tokens = [0, *accumulate(cloud.n_tokens for cloud in clouds)]
        k, width = clouds[0].members.shape[1], max(cloud.n_tokens for cloud in clouds)
        members = torch.cat([cloud.members + start for cloud, start in zip(clouds, points, strict=False)]).flatten()
        slot = torch.cat([cloud.mask for cloud in clouds]).flatten().nonzero()[:, 0]
        n_tokens = torch.tensor([cloud.n_tokens for cloud in clouds])
        mask = torch.arange(width) < n_tokens[:, None]
        return cls(
            torch.cat([cloud.positions for cloud in clouds]),
            torch.cat([cloud.energy for cloud in clouds]),
            torch.cat([cloud.shape for cloud in clouds]),
            torch.repeat_interleave(torch.tensor([cloud.n_points for cloud in clouds])),
            torch.cat([cloud.centres + start for cloud, start in zip(clouds, points, strict=False)]),
            members[slot],
            slot.div(k, rounding_mode="floor"),
            slot,
            torch.cat([cloud.nearest + start for cloud, start in zip(clouds, tokens, strict=False)]),
            torch.cat([cloud.weights for cloud in clouds]),
            mask.flatten().nonzero()[:, 0],
            mask,
            k,
        )

    @classmethod
    def from_stack(cls, stack: GroupedCloud) -> "GroupedBatch":
        """Batch the turned copies of one cloud; the groups of the original serve all.

        Raises:
            ValueError: a cloud that is not stacked.
        """
        if stack.n_copies is None:
            raise ValueError("stack must hold turned copies; make it with grouped.stacked(matrices)")
        copies = [
            replace(stack, positions=stack.positions[0])  # a single cloud: replace() forgets that it was stacked
        ] * stack.n_copies
        return replace(cls.from_clouds(copies), positions=stack.positions.flatten(0, 1), n_copies=stack.n_copies)

    @property
    def n_clouds(self) -> int:
        """Clouds in the batch."""
        return len(self.mask)

    def turned(self, matrices: Float[Tensor, "b 3 3"]) -> "GroupedBatch":
        """Turn cloud i by matrix i about the origin."""
        turned = torch.einsum("nij,nj->ni", matrices.to(self.positions)[self.cloud], self.positions)
        return replace(self, positions=turned)

    def to(self, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> "GroupedBatch":
        """Move every tensor to a device, and every floating-point tensor to a type."""
        moved = {}
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, Tensor):
                value = value.to(device=device, dtype=dtype if value.is_floating_point() else None)
            moved[entry.name] = value
        return GroupedBatch(**moved)

    def padded(self, tokens: Float[Tensor, "t d"]) -> Float[Tensor, "b width d"]:
        """Put tokens, one for each group, into rows of clouds; zeros where a cloud has fewer."""
        if len(self.place) == self.mask.numel():
            return tokens.view(*self.mask.shape, -1)
        return (
            tokens.new_zeros(self.mask.numel(), tokens.shape[-1])
            .index_copy(0, self.place, tokens)
            .view(*self.mask.shape, -1)
        )

    def unpadded(self, tokens: Float[Tensor, "b width d"]) -> Float[Tensor, "t d"]:
        """Take the tokens out of the rows again."""
        flat = tokens.flatten(0, 1)
        return flat if len(self.place) == len(flat) else flat.index_select(0, self.place)
