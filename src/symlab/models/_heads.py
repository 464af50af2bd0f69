"""Read-outs: from centre and edge states to one quantity, normalized and in its unit."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from symlab.models._batch import PETBatch
from symlab.models._config import PETConfig, Target
from symlab.models._layers import Tap


class Head(nn.Module):
    """Node and edge networks, linear read-outs with bias, and the scale of one target.

    ``a_i = W_n h_n(node_i) + sum_j c_ij W_e h_e(edge_ij)``, then per atom ``y_i = scale * a_i``, or per structure
    ``y = scale * sum_i a_i [/ volume] + sum_i baseline(species_i)``. Layers: ``node``, ``edge`` (last hidden states)
    and ``output`` (the normalized prediction: ``a_i``, or its mean over the atoms of a structure).

    Attributes:
        scale: uncentred root mean square of the normalized label, in the unit of the target.
        baseline: ``(119,)``, contribution of each atomic number; zero unless the target is an invariant.
    """

    scale: Tensor
    baseline: Tensor

    def __init__(self, config: PETConfig, target: Target) -> None:
        super().__init__()
        self.target = target
        self.representation = target.representation
        self.node_network = _network(config.d_node, config.d_head)
        self.edge_network = _network(config.d_pet, config.d_head)
        self.node_readout = nn.Linear(config.d_head, self.representation.dim)
        self.edge_readout = nn.Linear(config.d_head, self.representation.dim)
        self.node, self.edge, self.output = Tap(), Tap(), Tap()
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("baseline", torch.zeros(119))

    def forward(
        self,
        node: Float[Tensor, "n d_node"],
        edge: Float[Tensor, "n m d_pet"],
        factor: Float[Tensor, "n m"],
        mask: Float[Tensor, "n m 1"] | None,
        batch: PETBatch,
    ) -> Tensor:
        """Predict the normalized target: ``(n_atoms, *shape)`` or ``(n_structures, *shape)``."""
        node = self.node(self.node_network(node))
        edge = self.edge(self.edge_network(edge), mask)
        # The read-out is linear, so the neighbours are summed before it.
        summed = torch.bmm(factor[:, None], edge)[:, 0]
        from_edges = nn.functional.linear(summed, self.edge_readout.weight)
        atoms = self.node_readout(node) + from_edges + factor.sum(1, keepdim=True) * self.edge_readout.bias
        if self.target.per == "structure":
            atoms = atoms.new_zeros(len(batch.n_atoms), atoms.shape[1]).index_add(0, batch.structure, atoms)
            atoms = atoms / batch.n_atoms[:, None]
        values = atoms.reshape(len(atoms), *self.representation.shape)
        if self.representation.permutations is not None:
            values = self.representation.permutations.project(values)
        return self.output(values)

    def physical(self, normalized: Tensor, batch: PETBatch) -> Tensor:
        """Give a normalized prediction its unit: scale, sum over atoms, volume, baseline."""
        values = normalized * self.scale
        if self.target.per == "atom":
            return values
        factor = batch.n_atoms.to(values)
        if self.target.density:
            if not bool((batch.volume > 0).all()):
                raise ValueError(
                    "a density (stress) needs a cell, and a structure of this batch has none; "
                    "ask for the other targets with outputs=(...)"
                )
            factor = factor / batch.volume.to(values)
        offset = values.new_zeros(len(values)).index_add(0, batch.structure, self.baseline[batch.species])
        trailing = (-1,) + (1,) * (values.ndim - 1)
        return values * factor.reshape(trailing) + offset.reshape(trailing)


def _network(width: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
