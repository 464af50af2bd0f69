"""Constants in the read-outs that break the symmetry, and two ways to take them out."""

import copy
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from symlab.groups import HaarGrid, Representation, Structure, haar_grid
from symlab.models import PET


def invariant_part(vector: Tensor, representation: Representation) -> Tensor:
    """Project a constant output on what no element of O(3) changes, ``mean_g rho(g) b``.

    The isotropic part of a stress, a whole energy, and nothing of a force or a pseudoscalar.

    Args:
        vector: ``(*shape)``, or flat ``(dim,)``.
        representation: how it would have to turn.

    Returns:
        The same shape and type.
    """
    grid = haar_grid(max(sector.l for sector in representation.sectors()))
    constant = vector.double().reshape(representation.shape)
    if representation.permutations is not None:
        constant = representation.permutations.project(constant)
    copies = constant.expand(len(grid), *representation.shape)
    mean = torch.tensordot(grid.weights, representation.apply(grid.matrices, copies), dims=1)
    return mean.reshape(vector.shape).to(vector)


def without_covariant_biases(network: PET) -> PET:
    """Copy a network with the symmetry-breaking part of every read-out bias set to zero.

    A constant force b is a symmetry error whatever the rest of the network does, and costs ``|b|^2`` in A^2 if the rest
    is equivariant. If the rest has a constant of its own, which the bias made up for, taking the bias away does harm.

    Args:
        network: a trained PET; it is not changed.

    Returns:
        The copy, in evaluation mode. Cost at inference: none.
    """
    repaired = copy.deepcopy(network).eval()
    with torch.no_grad():
        for name in repaired.config.targets:
            head = repaired.head(name)
            for readout in (head.node_readout, head.edge_readout):
                readout.bias.copy_(invariant_part(readout.bias, head.representation))
    return repaired


def recentred_readouts(network: PET, structures: Sequence[Structure], grid: HaarGrid | None = None) -> PET:
    """Copy a network with the read-out biases that leave no constant error on average over some structures.

    The mean over group and structures of the direct response, ``c = <f(g x)>``, can be no vector and no anisotropic
    tensor. Its forbidden part is subtracted: of all constants the one that lowers A^2 most, by ``|c|^2`` (for targets
    of equal volume and number of atoms).

    Args:
        network: a trained PET; it is not changed.
        structures: from the training set; no labels are needed.
        grid: where the mean over the group is taken; None for ``haar_grid(3)``, 48 elements.

    Returns:
        The copy, in evaluation mode. Cost at inference: none; once, ``len(grid)`` evaluations of each structure.

    Raises:
        ValueError: no structure.
    """
    if not structures:
        raise ValueError("structures must hold at least one; take some of the training set")
    repaired = copy.deepcopy(network).eval()
    for name, constant in _mean_response(repaired, structures, grid or haar_grid(3)).items():
        head = repaired.head(name)
        forbidden = constant - invariant_part(constant, head.representation)
        _subtract(head.node_readout, forbidden)
    return repaired


def _mean_response(network: PET, structures: Sequence[Structure], grid: HaarGrid) -> dict[str, Float[Tensor, " dim"]]:
    """Mean normalized prediction over group, atoms and structures, of each target."""
    dtype = next(network.parameters()).dtype
    sums: dict[str, Tensor] = {}
    with torch.no_grad():
        for structure in structures:
            found = network.normalized(network.batch(structure.to(dtype=dtype).stacked(grid.matrices)))
            for name, values in found.items():
                by_copy = values.double().reshape(len(grid), -1, network.head(name).representation.dim).mean(dim=1)
                sums[name] = sums.get(name, torch.zeros(())) + grid.weights @ by_copy
    return {name: total / len(structures) for name, total in sums.items()}


def _subtract(readout: nn.Linear, constant: Tensor) -> None:
    with torch.no_grad():
        readout.bias.sub_(constant.to(readout.bias))
