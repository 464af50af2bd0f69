"""PoLAr-MAE: a transformer over groups of points, pre-trained by masking, that segments particle tracks."""

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from symlab.groups import PointCloud
from symlab.models._grouped_batch import GroupedBatch
from symlab.models._grouping import GroupedCloud, group_points
from symlab.models._layers import Tap
from symlab.models._local_shape import N_LOCAL
from symlab.models._polar_config import PolarMAEConfig
from symlab.models._polar_layers import MiniPointNet, PolarBlock, PositionCode, ShapeReader
from symlab.models._reconstruct import Reconstruction, Reconstructor

N_READ = 3
"""Blocks, evenly spaced through the encoder, whose normalized tokens the segmentation averages."""


class PolarMAE(nn.Module):
    """Point-cloud masked autoencoder with a segmentation head, arXiv:2502.02558 in small.

    Unconstrained: the offsets of the points in a group enter the mini-PointNet raw, and with absolute positions so do
    the coordinates of the centres; nothing ties the answers in two orientations. Invariant under the order of points
    and of groups. What differs from the original: LayerNorm of each token in place of statistics over the batch, gated
    feed-forward, and a head that also sees each point as the mini-PointNet of its nearest group does. Unless
    ``local_features`` is off, a segmentation also reads the invariant shape of each point's neighbourhood, in the head
    and, by `ShapeReader`, in the tokens.

    Args:
        config: sizes.
        generator: source of the initial weights; None takes torch's global one.
    """

    def __init__(self, config: PolarMAEConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        d, n_shape = config.d, N_LOCAL if config.local_features else 0
        self.tokenizer = MiniPointNet(4, config.d_point, d)
        self.read_shape = ShapeReader(n_shape, config.d_point, d) if n_shape else None
        self.embedding = Tap()
        self.position = PositionCode(config.position, config.length, d, config.n_heads)
        self.blocks = nn.ModuleList(PolarBlock(d, config.n_heads) for _ in range(config.n_blocks))
        self.reconstructor = Reconstructor(config)
        self.read_token = nn.Linear(d, d)
        self.read_cloud = nn.Linear(2 * d, d, bias=False)
        self.read_point = nn.Linear(4 + n_shape + config.d_point, d, bias=False)
        self.read_pooled = nn.Linear(config.d_point, d, bias=False)
        self.hidden = nn.Linear(d, d)
        self.points, self.classify = Tap(), nn.Linear(d, config.n_classes)
        self.logits = Tap()
        self.reset_parameters(generator)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw new weights: uniform +- 1/sqrt(fan_in); gains one; the mask token of the decoder normal, 0.02."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                bound = module.in_features**-0.5
                nn.init.uniform_(module.weight, -bound, bound, generator=generator)
                if module.bias is not None:
                    nn.init.uniform_(module.bias, -bound, bound, generator=generator)
        nn.init.normal_(self.reconstructor.mask_token, std=0.02, generator=generator)
        if self.read_shape is not None:
            nn.init.zeros_(self.read_shape.out.weight)

    def hidden_matrices(self) -> list[nn.Parameter]:
        """List the weights between hidden layers, which Muon can train; not those of inputs and read-outs."""
        ends = ("tokenizer.first", "position.code.0", "position.bias", "read_shape.first", "read_point", "classify")
        return [
            cast(nn.Parameter, module.weight)
            for name, module in self.named_modules()
            if isinstance(module, nn.Linear) and name not in ends and not name.startswith("reconstructor.predict")
        ]

    def layer_names(self) -> list[str]:
        """List the layers that hooks can capture, in the order of the forward pass.

        Token layers give ``(clouds, tokens, d)`` with exact zeros where padded, ``points`` and ``logits`` give points
        end to end, ``(n, d)`` and ``(n, classes)``.
        """
        return ["embedding", *(f"blocks.{k}.tokens" for k in range(len(self.blocks))), "points", "logits"]

    def group(self, cloud: PointCloud) -> GroupedCloud:
        """Group a cloud as this network wants it; see `group_points`."""
        return group_points(cloud, self.config)

    def batch(self, clouds: Sequence[GroupedCloud] | GroupedCloud) -> GroupedBatch:
        """Batch a list of grouped clouds, one, or the turned copies of one."""
        if isinstance(clouds, GroupedCloud):
            return GroupedBatch.from_clouds([clouds]) if clouds.n_copies is None else GroupedBatch.from_stack(clouds)
        return GroupedBatch.from_clouds(clouds)

    def forward(self, x: GroupedCloud | GroupedBatch) -> Tensor:
        """Predict the logits of the classes of each point.

        Args:
            x: a grouped cloud, the turned copies of one (``grouped.stacked(matrices)``), or a batch; any floating
                type, cast to the type of the weights.

        Returns:
            ``(n_points, classes)``; ``(copies, n_points, classes)`` for turned copies; points end to end for a batch.
        """
        batch = (self.batch(x) if isinstance(x, GroupedCloud) else x).to(dtype=self.classify.weight.dtype)
        logits = self.segment(batch)
        copies = x.n_copies if isinstance(x, GroupedCloud) else None
        return logits if copies is None else logits.unflatten(0, (copies, -1))

    def evaluate(self, stack: GroupedCloud) -> dict[str, Tensor]:
        """Predict for all turned copies of a cloud; the ``f`` with named outputs that ``symlab.measure`` takes."""
        return {"logits": self.forward(stack)}

    def segment(self, batch: GroupedBatch) -> Float[Tensor, "n classes"]:
        """Predict the logits of all points of a batch whose type is that of the weights."""
        tokens, pooled = self.embed(batch)
        if self.read_shape is not None:
            once = slice(len(batch.member) // batch.n_copies)  # shapes do not turn: those of one copy serve all
            shapes = self.read_shape(batch.shape[batch.member[once]], batch.group[once], len(tokens) // batch.n_copies)
            tokens = tokens + shapes.repeat(batch.n_copies, 1)
        read = self.encode(batch.padded(tokens), batch.padded(batch.positions[batch.centres]), batch.mask)
        mean = torch.stack([functional.layer_norm(one, one.shape[-1:]) for one in read]).mean(0)
        masked = mean.masked_fill(~batch.mask[..., None], 0.0)
        average = masked.sum(1) / batch.mask.sum(1, keepdim=True)
        highest = mean.masked_fill(~batch.mask[..., None], -torch.inf).max(dim=1).values
        of_token = batch.unpadded(self.read_token(mean)) + self.read_pooled(pooled)
        of_cloud = self.read_cloud(torch.cat([average, highest], dim=-1))
        own = batch.nearest[:, 0]
        x = self._inputs(batch, torch.arange(len(own), device=own.device), own)
        spread = functional.embedding_bag(batch.nearest, of_token, mode="sum", per_sample_weights=batch.weights)
        of_point = self.read_point(torch.cat([x, batch.shape, self.tokenizer.points(x)], dim=-1))
        hidden = functional.silu(spread + of_point + of_cloud[batch.cloud])
        return self.logits(self.classify(self.points(functional.silu(self.hidden(hidden)))))

    def reconstruct(self, batch: GroupedBatch, generator: torch.Generator) -> Reconstruction:
        """Hide a share of the groups and reconstruct them from the others.

        Args:
            batch: of the type of the weights; every cloud needs two groups.
            generator: decides which groups are hidden.
        """
        tokens, _ = self.embed(batch)
        return self.reconstructor(self, batch, tokens, generator)

    def embed(self, batch: GroupedBatch) -> tuple[Float[Tensor, "t d"], Float[Tensor, "t d_point"]]:
        """Turn groups into tokens by the mini-PointNet, and give what it pooled on the way."""
        x = self._inputs(batch, batch.member, batch.group)
        tokens, pooled = self.tokenizer(x, batch.group, len(batch.centres))
        return tokens, pooled

    def encode(
        self, tokens: Float[Tensor, "b t d"], centres: Float[Tensor, "b t 3"], mask: Tensor
    ) -> list[Float[Tensor, "b t d"]]:
        """Run the blocks; return the tokens after the blocks that are read, the last among them."""
        code, bias = self.position(centres, mask)
        zeros = None if bool(mask.all()) else mask[..., None].to(tokens)
        tokens = self.embedding(tokens, zeros)
        n, read = len(self.blocks), []
        wanted = {round(n * (k + 1) / N_READ) for k in range(N_READ)} | {n}
        for k, block in enumerate(self.blocks, start=1):
            tokens = block(tokens, code, bias, zeros)
            if k in wanted:
                read.append(tokens)
        return read

    def _inputs(self, batch: GroupedBatch, points: Tensor, groups: Tensor) -> Float[Tensor, "m 4"]:
        """Give what the mini-PointNet sees of points as members of groups: offset from the centre, energy."""
        offset = batch.positions[points] - batch.positions[batch.centres[groups]]
        return torch.cat([offset / self.config.group_radius, batch.energy[points, None]], dim=-1)
