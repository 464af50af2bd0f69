from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from symlab.groups import PointCloud, haar_grid, random_rotations
from symlab.measure import characters, equivariance
from symlab.models import GroupedBatch, GroupedCloud, PolarMAE, PolarMAEConfig, Reconstruction, group_points

SMALL = PolarMAEConfig(d=16, d_point=8, n_heads=2, n_blocks=3, n_decoder_blocks=1)
Tracks = Callable[..., PointCloud]


def network(**changes: object) -> PolarMAE:
    net = PolarMAE(replace(SMALL, **changes), torch.Generator().manual_seed(0)).double().eval()
    if net.read_shape is not None:  # it begins at zero
        torch.nn.init.normal_(net.read_shape.out.weight, generator=torch.Generator().manual_seed(1))
    return net


@pytest.fixture(scope="module")
def clouds(invented_tracks: Tracks) -> list[GroupedCloud]:
    return [group_points(invented_tracks(seed, n), SMALL).to(dtype=torch.float64) for seed, n in enumerate((1, 3, 2))]


@pytest.mark.parametrize("position", ["absolute", "relative"])
def test_alone_equals_in_a_batch_and_in_a_stack(clouds: list[GroupedCloud], position: str) -> None:
    net = network(position=position)
    alone = [net(cloud) for cloud in clouds]
    torch.testing.assert_close(net(net.batch(clouds)), torch.cat(alone), rtol=1e-11, atol=1e-11)
    matrices = random_rotations(4, torch.Generator().manual_seed(1), improper=True)
    stacked = net(clouds[0].stacked(matrices))
    assert stacked.shape == (4, clouds[0].n_points, 4)
    for matrix, found in zip(matrices, stacked, strict=True):
        torch.testing.assert_close(found, net(clouds[0].rotated(matrix)), rtol=1e-10, atol=1e-10)
    turned = net.batch(clouds).turned(matrices[:3])
    each = [net(cloud.rotated(matrix)) for cloud, matrix in zip(clouds, matrices[:3], strict=True)]
    torch.testing.assert_close(net(turned), torch.cat(each), rtol=1e-10, atol=1e-10)


def test_order_of_points_does_not_matter(invented_tracks: Tracks) -> None:
    """Groups are those of the first cloud, renumbered: ties between candidates go by the order of points."""
    cloud, net = group_points(invented_tracks(5), SMALL).to(dtype=torch.float64), network()
    order = torch.randperm(cloud.n_points, generator=torch.Generator().manual_seed(0))
    where = order.argsort()
    shuffled = GroupedCloud(
        cloud.positions[order],
        cloud.energy[order],
        cloud.shape[order],
        where[cloud.centres],
        where[cloud.members],
        cloud.mask,
        cloud.nearest[order],
        cloud.weights[order],
    )
    torch.testing.assert_close(net(shuffled), net(cloud)[order], rtol=1e-11, atol=1e-11)


def test_the_network_breaks_the_symmetry_where_it_may_and_only_there(clouds: list[GroupedCloud]) -> None:
    """Invariant once offsets have no weight and positions are relative; with absolute positions still not."""
    for position, blind, invariant in (("absolute", False, False), ("absolute", True, False), ("relative", True, True)):
        net = network(position=position)
        if blind:
            with torch.no_grad():
                net.tokenizer.first.weight[:, :3] = 0
                net.read_point.weight[:, :3] = 0
        report = equivariance(net, clouds[0], output="4x0e", degree=3)
        assert (report.rmse < 1e-12) == invariant, (position, blind, report.rmse)


def test_tokens_keep_their_identity_for_the_generic_engine(clouds: list[GroupedCloud]) -> None:
    """B of every layer by hooks equals B of the same tokens returned as an output, and adds up."""
    net, cloud = network(), clouds[0]
    spectra = characters(net, cloud, l_max=2, degree=5, layers=net.layer_names(), tolerance=None)
    assert set(spectra) == {*net.layer_names(), "output"}

    def tokens(stack: GroupedCloud) -> torch.Tensor:
        batch = net.batch(stack)
        embedded = net.embed(batch)[0] + net.read_shape(batch.shape[batch.member], batch.group, len(batch.centres))
        found = net.encode(batch.padded(embedded), batch.padded(batch.positions[batch.centres]), batch.mask)
        assert found[-1].shape == (stack.n_copies, cloud.n_tokens, SMALL.d)
        return found[-1]

    alone = characters(tokens, cloud, l_max=2, degree=5, tolerance=None)
    torch.testing.assert_close(spectra["blocks.2.tokens"].fraction, alone.fraction, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(spectra["logits"].fraction, spectra["output"].fraction, rtol=1e-9, atol=1e-12)


def test_a_of_the_logits_is_their_scatter_over_the_grid(clouds: list[GroupedCloud]) -> None:
    net, cloud, grid = network(), clouds[0], haar_grid(3)
    with torch.no_grad():
        logits = net(cloud.stacked(grid.matrices))
    mean = torch.einsum("g,gnc->nc", grid.weights, logits)
    variance = torch.einsum("g,gnc->nc", grid.weights, (logits - mean).square()).mean()
    report = equivariance(net, cloud, output="4x0e", degree=3)
    assert report.rmse == pytest.approx(float(variance.sqrt()), rel=1e-9)


def test_shapes_are_read_once_for_all_copies(clouds: list[GroupedCloud]) -> None:
    net, seen = network(), []
    net.read_shape.register_forward_pre_hook(lambda _m, inputs: seen.append(len(inputs[0])))
    batch = net.batch(clouds[0].stacked(random_rotations(3, torch.Generator().manual_seed(0))))
    shared, each = net.segment(batch), net.segment(replace(batch, n_copies=1))
    torch.testing.assert_close(shared, each, rtol=1e-12, atol=1e-12)
    n_members = int(clouds[0].mask.sum())
    assert seen == [n_members, 3 * n_members]


def test_layers_are_zero_where_padded(clouds: list[GroupedCloud]) -> None:
    net, seen = network(), {}
    for name in ("embedding", "blocks.1.tokens"):
        net.get_submodule(name).register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: out}))
    batch = net.batch(clouds)
    net(batch)
    assert [tuple(value.shape) for value in seen.values()] == [(*batch.mask.shape, SMALL.d)] * 2
    assert all(not bool(value[~batch.mask].any()) for value in seen.values())


def test_reconstruction_hides_the_share_that_it_should_and_sees_nothing_of_it(clouds: list[GroupedCloud]) -> None:
    net = network()
    batch = net.batch(clouds)
    found = net.reconstruct(batch, torch.Generator().manual_seed(3))
    per_cloud = [part.sum() for part in found.hidden.split([cloud.n_tokens for cloud in clouds])]
    assert per_cloud == [round(0.6 * cloud.n_tokens) for cloud in clouds]
    shared = torch.zeros(len(batch.positions), dtype=torch.bool)
    shared[batch.member[~found.hidden[batch.group]]] = True
    private = torch.ones(len(batch.positions), dtype=torch.bool)
    private[shared.nonzero()[:, 0]] = False
    other = replace(batch, energy=torch.where(private, batch.energy + 1, batch.energy), shape=batch.shape + 1)
    again = net.reconstruct(other, torch.Generator().manual_seed(3))
    assert not torch.equal(again.true, found.true)
    torch.testing.assert_close(again.predicted, found.predicted, rtol=0, atol=0)
    torch.testing.assert_close(again.infilled, found.infilled, rtol=0, atol=0)


def test_chamfer_distance_by_hand() -> None:
    true = torch.tensor([[[0.0, 0, 0, 0], [1, 0, 0, 0], [9, 9, 9, 9]]])
    mask = torch.tensor([[True, True, False]])
    predicted = torch.tensor([[[0.0, 0, 0, 0], [0, 0, 0, 2], [3, 0, 0, 0]]])
    found = Reconstruction(torch.tensor([True]), predicted, true, mask, torch.tensor([[0.5, -0.5, 7.0]]))
    assert float(found.chamfer()) == pytest.approx((0 + 1) / 2 + (0 + 4 + 4) / 3)
    assert float(found.energy_error()) == pytest.approx(0.25)
    assert float(found.chamfer_trivial()) == 0  # a lone group is its own neighbour
    other = torch.tensor([[[0.0, 0, 0, 0], [2, 0, 0, 0], [9, 9, 9, 9]]])
    two = replace(found, true=torch.cat([true, other]), mask=mask.repeat(2, 1))
    assert float(two.chamfer_trivial()) == pytest.approx((0 + 1) / 2 + (0 + 1 + 0) / 3)


def test_bad_batches_are_refused(clouds: list[GroupedCloud]) -> None:
    net, turns = network(), torch.eye(3, dtype=torch.float64).repeat(2, 1, 1)
    with pytest.raises(ValueError, match="clouds is empty"):
        net.batch([])
    with pytest.raises(ValueError, match="a stack of turned copies goes to"):
        GroupedBatch.from_clouds([clouds[0].stacked(turns)])
    with pytest.raises(ValueError, match=r"make it with grouped\.stacked\(matrices\)"):
        GroupedBatch.from_stack(clouds[0])
    lone = group_points(PointCloud(torch.zeros(1, 3), {"energy": torch.ones(1)}), SMALL).to(dtype=torch.float64)
    assert net(lone).shape == (1, 4)
    with pytest.raises(ValueError, match="a cloud of one group has nothing to hide"):
        net.reconstruct(net.batch([lone]), torch.Generator())
