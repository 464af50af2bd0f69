"""Constants that break the symmetry: which part of a bias is allowed, and what taking out the rest does to A."""

import copy

import pytest
import torch

from symlab.groups import finite_group, haar_grid, parse_output, random_rotations
from symlab.measure import equivariance
from symlab.models import PET
from symlab.repair import invariant_part, recentred_readouts, without_covariant_biases

OUTPUTS = {"energy": "0e", "forces": "i", "stress": "ij"}
QUIET = {"check": False, "n_converge": 0, "progress": False}


def only_biases(network: PET) -> PET:
    """A network whose read-outs see nothing: it answers its biases, whatever it is asked."""
    blind = copy.deepcopy(network)
    with torch.no_grad():
        for name in OUTPUTS:
            head = blind.head(name)
            for readout in (head.node_readout, head.edge_readout):
                readout.weight.zero_()
            head.edge_readout.bias.zero_()
    return blind


@pytest.mark.parametrize(
    ("output", "kept"),
    [("0e", 1), ("0o", 0), ("1x1o", 0), ("1x1e", 0), ("2x0e+2e", 2), ("ij", 1), ("ij=-ji", 0), ("3x1o+3e", 0)],
)
def test_the_part_of_a_constant_that_no_rotation_changes(output: str, kept: int) -> None:
    representation = parse_output(output)
    constant = torch.randn(representation.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    part = invariant_part(constant, representation)
    for g in random_rotations(3, torch.Generator().manual_seed(1), improper=True):
        torch.testing.assert_close(representation.apply(g[None], part[None])[0], part, atol=1e-12, rtol=0)
    torch.testing.assert_close(invariant_part(part, representation), part, atol=1e-12, rtol=0)
    assert bool(part.abs().max() > 1e-3) == (kept > 0)
    flat = invariant_part(constant.flatten().float(), representation)
    assert (flat.dtype, flat.shape) == (torch.float32, constant.flatten().shape)
    torch.testing.assert_close(flat.double(), part.flatten(), atol=1e-6, rtol=0)


def test_the_isotropic_part_of_a_stress_bias_stays(network) -> None:
    repaired = without_covariant_biases(network)
    before, after = (net.head("stress").node_readout.bias.detach().reshape(3, 3) for net in (network, repaired))
    torch.testing.assert_close(after, before.trace() / 3 * torch.eye(3, dtype=torch.float64), atol=1e-14, rtol=0)
    assert float(repaired.head("forces").node_readout.bias.detach().abs().max()) < 1e-14
    torch.testing.assert_close(repaired.head("energy").edge_readout.bias, network.head("energy").edge_readout.bias)
    assert float(before.std()) > 0.01, "the network that was given must not change"


@pytest.mark.parametrize("recentred", [False, True])
def test_where_the_bias_is_all_of_the_error_nothing_is_left(network, dataset, recentred: bool) -> None:
    blind = only_biases(network)
    x = dataset.structures[0]
    before = equivariance(blind.evaluate, x, OUTPUTS, degree=4, **QUIET)
    repaired = recentred_readouts(blind, [x]) if recentred else without_covariant_biases(blind)
    after = equivariance(repaired.evaluate, x, OUTPUTS, degree=4, **QUIET)
    force = blind.head("forces").node_readout.bias.detach()
    assert before["forces"].rmse ** 2 == pytest.approx(float(force.square().mean()), rel=1e-9)  # A^2 = |b|^2
    for name in ("forces", "stress"):
        assert before[name].rmse > 1e-3
        assert after[name].rmse < 1e-12


def test_recentring_lowers_a_by_the_square_of_the_constant(network, dataset) -> None:
    x, grid = dataset.structures[0], finite_group("Oh")
    repaired = recentred_readouts(network, [x], grid)
    before, after = (equivariance(net.evaluate, x, OUTPUTS, grid=grid, **QUIET) for net in (network, repaired))
    change = (repaired.head("forces").node_readout.bias - network.head("forces").node_readout.bias).detach()
    removed = float(change.square().mean())
    assert removed > 0
    assert before["forces"].rmse ** 2 - after["forces"].rmse ** 2 == pytest.approx(removed, rel=1e-6)
    assert after["stress"].rmse < before["stress"].rmse
    assert after["energy"].rmse == pytest.approx(before["energy"].rmse)
    for name in OUTPUTS:
        torch.testing.assert_close(before[name].mean, after[name].mean, atol=1e-10, rtol=1e-10)


def test_no_other_constant_does_better(network, dataset) -> None:
    x, grid = dataset.structures[0], haar_grid(3)
    best = recentred_readouts(network, [x], grid)
    least = equivariance(best.evaluate, x, OUTPUTS, grid=grid, **QUIET)["forces"].rmse
    for seed in range(3):
        other = copy.deepcopy(best)
        shift = 0.01 * torch.randn(3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            other.head("forces").node_readout.bias.add_(shift)
        assert equivariance(other.evaluate, x, OUTPUTS, grid=grid, **QUIET)["forces"].rmse > least


def test_recentring_needs_structures(network) -> None:
    with pytest.raises(ValueError, match="structures must hold at least one; take some of the training set"):
        recentred_readouts(network, [])
