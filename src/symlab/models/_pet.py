"""PET, the point-edge transformer: an unconstrained graph network for atoms."""

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from symlab.groups import Structure
from symlab.models._batch import PETBatch
from symlab.models._config import PETConfig
from symlab.models._heads import Head
from symlab.models._layers import Block, Tap, bump


class Round(nn.Module):
    """One round of PET: embed the edges, attend within each neighbourhood, exchange messages along the edges.

    The new edge state is ``message + out_ij + MLP(LayerNorm(out_ij, out_ji))``. Layers: ``edge_embedding``,
    ``compressed``, ``blocks.<b>.node``, ``blocks.<b>.edge``, ``message`` (the edge state after the exchange).
    """

    def __init__(self, config: PETConfig, first: bool) -> None:
        super().__init__()
        d = config.d_pet
        self.edge_embedder = nn.Linear(4, d)
        self.species_neighbour = None if first else nn.Embedding(len(config.species), d)
        self.compress = nn.Sequential(nn.Linear((2 if first else 3) * d, d), nn.SiLU(), nn.Linear(d, d))
        self.blocks = nn.ModuleList(
            Block(d, config.d_node, config.d_feedforward, config.n_heads) for _ in range(config.n_attention_layers)
        )
        self.norm_message = nn.LayerNorm(2 * d)
        self.mlp_message = nn.Sequential(nn.Linear(2 * d, 2 * d), nn.SiLU(), nn.Linear(2 * d, d))
        self.edge_embedding, self.compressed, self.message = Tap(), Tap(), Tap()

    def forward(
        self,
        node: Float[Tensor, "n d_node"],
        message: Float[Tensor, "n m d_pet"] | Float[Tensor, "species d_pet"],
        geometry: Float[Tensor, "n m 4"],
        neighbour: Tensor,
        bias: Tensor,
        reverse: Tensor,
        mask: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Map centre states and edge messages to the next ones; the first messages come as a table of species."""
        edge = self.edge_embedding(self.edge_embedder(geometry), mask)
        # compress[0] acts on (edge, species, message); the part of the species takes few values, so it is looked up.
        first, activation, second = cast(tuple[nn.Linear, nn.SiLU, nn.Linear], tuple(self.compress))
        from_edge, *from_species, from_message = first.weight.split(self.edge_embedder.out_features, dim=1)
        hidden = functional.linear(edge, from_edge, first.bias)
        if self.species_neighbour is None:
            hidden = hidden + functional.embedding(neighbour, message @ from_message.T)
            message = functional.embedding(neighbour, message)
        else:
            table = self.species_neighbour.weight @ from_species[0].T
            hidden = hidden + functional.embedding(neighbour, table) + functional.linear(message, from_message)
        edge = self.compressed(second(activation(hidden)), mask)
        for block in self.blocks:
            node, edge = block(node, edge, bias, mask)
        reversed_edge = edge.flatten(0, 1).index_select(0, reverse).view_as(edge)
        update = self.mlp_message(self.norm_message(torch.cat([edge, reversed_edge], dim=-1)))
        return node, self.message(message + edge + update, mask)


class PET(nn.Module):
    """Point-edge transformer with direct (non-conservative) predictions of any target.

    One token per directed edge and one for the centre; attention stays within a neighbourhood; messages travel along
    reversed edges. Invariant under translations and under the order of atoms by construction, not under rotations:
    the raw vector ``r_j - r_i`` enters, and O(3) has to be learned. arXiv:2305.19302, in the feed-forward form of
    metatrain 2026.4 (Pre-LN, RMSNorm, GLU, wider centre). One deviation: the centre has its residual and its
    feed-forward also when ``d_node == d_pet``.

    Args:
        config: sizes and targets.
        generator: source of the initial weights; None takes torch's global one.
    """

    species_index: Tensor

    def __init__(self, config: PETConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        index = torch.full((119,), -1)
        index[list(config.species)] = torch.arange(len(config.species))
        self.register_buffer("species_index", index, persistent=False)
        self.species_centre = nn.Embedding(len(config.species), config.d_node)
        self.species_edge = nn.Embedding(len(config.species), config.d_pet)
        self.rounds = nn.ModuleList(Round(config, first=k == 0) for k in range(config.n_gnn_layers))
        self.heads = nn.ModuleDict({name: Head(config, target) for name, target in config.targets.items()})
        self.reset_parameters(generator)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw new weights: uniform +- 1/sqrt(fan_in), times ``edge_gain`` where geometry enters; embeddings normal."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                bound = module.in_features**-0.5 * (self.config.edge_gain if name.endswith("edge_embedder") else 1.0)
                nn.init.uniform_(module.weight, -bound, bound, generator=generator)
                nn.init.uniform_(module.bias, -bound, bound, generator=generator)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, generator=generator)

    def hidden_matrices(self) -> list[nn.Parameter]:
        """List the weights between hidden layers, which Muon can train; not those of inputs and read-outs."""
        return [
            cast(nn.Parameter, module.weight)
            for name, module in self.named_modules()
            if isinstance(module, nn.Linear) and not name.endswith(("edge_embedder", "_readout"))
        ]

    def head(self, name: str) -> Head:
        """Return the read-out of one target, which holds its scale and its baseline."""
        return cast(Head, self.heads[name])

    def layer_names(self) -> list[str]:
        """List the layers that hooks can capture, in the order of the forward pass.

        Edge layers give ``(n, m, d)`` with exact zeros where padded, node layers ``(n, d)``, outputs
        ``(n or n_structures, *shape)``; atoms of one structure are contiguous.
        """
        names = []
        for k in range(self.config.n_gnn_layers):
            names += [f"rounds.{k}.edge_embedding", f"rounds.{k}.compressed"]
            for b in range(self.config.n_attention_layers):
                names += [f"rounds.{k}.blocks.{b}.node", f"rounds.{k}.blocks.{b}.edge"]
            names.append(f"rounds.{k}.message")
        for target in self.config.targets:
            names += [f"heads.{target}.node", f"heads.{target}.edge", f"heads.{target}.output"]
        return names

    def forward(self, batch: PETBatch, outputs: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Predict targets in their units.

        Args:
            batch: structures; any floating type, cast to the type of the weights.
            outputs: names of the targets to compute; None for all.

        Returns:
            For each name ``(n_structures, *shape)`` or ``(n_atoms, *shape)``.

        Raises:
            ValueError: an unknown species or output, or a stress asked of a molecule.
        """
        return {name: self.head(name).physical(value, batch) for name, value in self.normalized(batch, outputs).items()}

    def normalized(self, batch: PETBatch, outputs: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Predict targets before scale and baseline are put on: what the loss compares; arguments as ``forward``."""
        names = list(self.heads) if outputs is None else list(outputs)
        if unknown := [name for name in names if name not in self.heads]:
            raise ValueError(f"outputs must be among {list(self.heads)}; got {unknown}")
        centre, neighbour = self.species_index[batch.species], self.species_index[batch.neighbour_species]
        if bool((centre < 0).any()):
            found = sorted(set(batch.species[centre < 0].tolist()))
            raise ValueError(f"species {found} are not in PETConfig.species = {self.config.species}")
        vectors = batch.edge_vectors.to(self.species_edge.weight)
        distance = (vectors.square().sum(-1, keepdim=True) + 1e-15).sqrt()
        factor = bump(distance[..., 0], self.config.cutoff, self.config.cutoff_width) * batch.mask
        bias = factor.clamp(min=1e-15).log().masked_fill(~batch.mask, -torch.inf)
        bias = torch.cat([bias.new_zeros(len(bias), 1), bias], dim=1)
        bias = bias[:, None].expand(-1, self.config.n_heads, -1).reshape(-1, 1, bias.shape[1])
        mask = None if bool(batch.mask.all()) else batch.mask[..., None].to(vectors)
        geometry = torch.cat([vectors, distance], dim=-1)
        node, edge = self.species_centre(centre), self.species_edge.weight
        for step in self.rounds:
            node, edge = step(node, edge, geometry, neighbour, bias, batch.reverse, mask)
        return {name: self.heads[name](node, edge, factor, mask, batch) for name in names}

    def batch(self, structures: Sequence[Structure] | Structure) -> PETBatch:
        """Batch a list of structures, or the turned copies of one, with the cutoff of this network."""
        if isinstance(structures, Structure):
            return PETBatch.from_stack(structures, self.config.cutoff)
        return PETBatch.from_structures(structures, self.config.cutoff)

    def evaluate(self, stack: Structure, outputs: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Predict for all turned copies of a structure; the ``f`` that ``symlab.measure`` takes.

        Args:
            stack: ``structure.stacked(matrices)``, B copies.
            outputs: names of the targets; None for all.

        Returns:
            ``(B, *shape)`` per structure, ``(B, n_atoms, *shape)`` per atom, in the units of the targets.
        """
        values = self.forward(self.batch(stack), outputs)
        copies = stack.n_copies
        return {
            name: value.unflatten(0, (copies, -1)) if self.config.targets[name].per == "atom" else value
            for name, value in values.items()
        }
