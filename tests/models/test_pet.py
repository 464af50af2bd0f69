import pytest
import torch
from torch import Tensor

from symlab.groups import Structure, random_rotations
from symlab.models import PET, PETBatch, PETConfig, Target, force_field_targets

SPECIES = (6, 14)
TOLERANCE = {torch.float32: 2e-4, torch.float64: 1e-11}


def crystal(seed: int = 0, rattle: float = 0.08, dtype: torch.dtype = torch.float64) -> Structure:
    """Zinc-blende SiC, 8 atoms, rattled."""
    corners = torch.tensor([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=torch.float64) / 2
    fractional = torch.cat([corners, corners + 0.25])
    cell = 4.36 * torch.eye(3, dtype=torch.float64)
    cell[0, 1] = 0.15
    noise = rattle * torch.randn(8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return Structure(fractional @ cell + noise, torch.tensor([14] * 4 + [6] * 4), cell).to(dtype=dtype)


def molecule(n: int = 5, seed: int = 3) -> Structure:
    generator = torch.Generator().manual_seed(seed)
    positions = 1.2 * torch.randn(n, 3, dtype=torch.float64, generator=generator)
    return Structure(positions, torch.tensor([6, 14, 6, 14, 6, 6, 14][:n]))


def network(dtype: torch.dtype = torch.float64, seed: int = 0, **changes: object) -> PET:
    targets = force_field_targets() | {"pseudo": Target("0o"), "density_l3": Target("1x3o", per="atom")}
    sizes = {"cutoff": 3.4, "d_pet": 16, "d_node": 24, "d_head": 16, "d_feedforward": 16, "n_heads": 2}
    config = PETConfig(SPECIES, **({"targets": targets} | sizes | changes))
    return PET(config, torch.Generator().manual_seed(seed)).to(dtype)


def close(a: dict[str, Tensor], b: dict[str, Tensor], tolerance: float) -> None:
    assert a.keys() == b.keys()
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=tolerance, atol=tolerance, msg=lambda m, n=name: f"{n}: {m}")


MOLECULAR = ("energy", "forces", "pseudo", "density_l3")


def test_shapes_and_types() -> None:
    for dtype in (torch.float32, torch.float64):
        out = network(dtype)(PETBatch.from_structures([crystal(), crystal(1)], 3.4))
        assert {name: tuple(value.shape) for name, value in out.items()} == {
            "energy": (2, 1),
            "forces": (16, 3),
            "stress": (2, 3, 3),
            "pseudo": (2, 1),
            "density_l3": (16, 7),
        }
        assert all(value.dtype == dtype for value in out.values())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_alone_equals_in_a_batch_of_other_sizes(dtype: torch.dtype) -> None:
    net = network(dtype)
    structures = [crystal(dtype=dtype), molecule(2).to(dtype=dtype), molecule(6).to(dtype=dtype)]
    together = net(net.batch(structures), MOLECULAR)
    start = 0
    for k, structure in enumerate(structures):
        alone = net(net.batch([structure]), MOLECULAR)
        rows = slice(start, start + structure.n_atoms)
        start = rows.stop
        part = {n: v[rows] if net.config.targets[n].per == "atom" else v[k : k + 1] for n, v in together.items()}
        close(alone, part, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_order_of_atoms_does_not_matter(dtype: torch.dtype) -> None:
    net, structure = network(dtype), crystal(dtype=dtype)
    order = torch.randperm(8, generator=torch.Generator().manual_seed(1))
    shuffled = Structure(structure.positions[order], structure.species[order], structure.cell)
    before, after = net(net.batch([structure])), net(net.batch([shuffled]))
    close({n: v[order] if len(v) == 8 else v for n, v in before.items()}, after, TOLERANCE[dtype])


def test_translation_and_choice_of_image_do_not_matter() -> None:
    net, structure = network(), crystal()
    shift = torch.tensor([3.1, -0.4, 11.0], dtype=torch.float64)
    images = torch.randint(-2, 3, (8, 3), generator=torch.Generator().manual_seed(0)).double()
    moved = Structure(structure.positions + shift + images @ structure.cell, structure.species, structure.cell)
    close(net(net.batch([structure])), net(net.batch([moved])), 1e-10)


def test_supercell_has_twice_the_energy_and_the_same_stress() -> None:
    net, structure = network(), crystal()
    net.heads["energy"].baseline[:] = torch.arange(119) * 1.0
    cell = structure.cell.clone()
    cell[1] *= 2
    positions = torch.cat([structure.positions, structure.positions + structure.cell[1]])
    double = net(net.batch([Structure(positions, structure.species.repeat(2), cell)]))
    single = net(net.batch([structure]))
    torch.testing.assert_close(double["energy"], 2 * single["energy"], rtol=1e-12, atol=1e-10)
    torch.testing.assert_close(double["stress"], single["stress"], rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(double["forces"], single["forces"].repeat(2, 1), rtol=1e-10, atol=1e-12)


def test_molecule_equals_crystal_with_a_large_cell() -> None:
    net, free = network(), molecule()
    boxed = Structure(free.positions, free.species, 60 * torch.eye(3, dtype=torch.float64))
    close(net(net.batch([free]), MOLECULAR), net(net.batch([boxed]), MOLECULAR), 1e-11)


def test_smooth_at_the_cutoff() -> None:
    """A neighbour that crosses the cutoff changes nothing, to all orders that a double can show."""
    net = network()

    def energy(distance: float) -> Tensor:
        positions = torch.tensor([[0, 0, 0], [1.1, 0.2, 0], [0, 0, distance]], dtype=torch.float64)
        return net(net.batch([Structure(positions, torch.tensor([6, 14, 14]))]), ("energy",))["energy"][0, 0]

    edge = net.config.cutoff
    beyond = energy(edge + 1e-3)
    assert abs(energy(edge - 1e-5) - beyond) < 1e-12
    assert abs(energy(edge - 0.02) - beyond) < 1e-6
    assert abs(energy(edge - 0.25) - beyond) > 1e-5


def test_wider_padding_changes_nothing() -> None:
    net, structure = network(), crystal()
    batch = net.batch([structure])
    wider = batch.widened(batch.mask.shape[1] + 3)
    assert not wider.mask[:, -3:].any()
    close(net(batch), net(wider), 1e-12)


def test_stack_path_equals_list_path() -> None:
    net = network()
    matrices = random_rotations(4, torch.Generator().manual_seed(5), improper=True)
    for structure, outputs in ((crystal(), None), (molecule(), MOLECULAR)):
        stacked = net.evaluate(structure.stacked(matrices), outputs)
        listed = net(net.batch([structure.rotated(matrix) for matrix in matrices]), outputs)
        close({n: v.flatten(0, 1) if v.shape[1] == structure.n_atoms else v for n, v in stacked.items()}, listed, 1e-11)


def test_joined_and_turned_batches_equal_those_of_turned_structures() -> None:
    net = network()
    matrices = random_rotations(3, torch.Generator().manual_seed(5), improper=True)
    structures = [crystal(), molecule(3), molecule(6)]
    turned = net.batch([s.rotated(m) for s, m in zip(structures, matrices, strict=True)])
    joined = PETBatch.concatenate([net.batch([s]) for s in structures]).rotated(matrices)
    torch.testing.assert_close(joined.edge_vectors, turned.edge_vectors)
    for name in ("species", "neighbour_species", "mask", "reverse", "structure", "n_atoms", "volume"):
        torch.testing.assert_close(getattr(joined, name), getattr(turned, name))


def test_isolated_atom() -> None:
    net = network()
    out = net(net.batch([Structure(torch.zeros(1, 3, dtype=torch.float64), torch.tensor([6]))]), MOLECULAR)
    assert all(torch.isfinite(value).all() for value in out.values())


def test_untrained_pet_is_not_equivariant() -> None:
    """Must fail: no symmetry under O(3) is built in, so an untrained network shows a large error."""
    net, structure = network(), crystal()
    matrices = random_rotations(8, torch.Generator().manual_seed(5), improper=True)
    forces = net.evaluate(structure.stacked(matrices), ("forces",))["forces"]
    back = net.config.targets["forces"].representation.inverse_apply(matrices, forces)
    spread = (back - back.mean(0)).square().mean().sqrt()
    assert spread > 0.1 * forces.square().mean().sqrt()


def test_hooked_layers_are_zero_where_padded() -> None:
    net = network()
    batch = net.batch([crystal(rattle=0.2), molecule(3)])
    assert not batch.mask.all()
    caught: dict[str, Tensor] = {}
    handles = [
        net.get_submodule(name).register_forward_hook(lambda _m, _i, out, n=name: caught.__setitem__(n, out))
        for name in net.layer_names()
    ]
    net(batch, MOLECULAR)
    for handle in handles:
        handle.remove()
    assert list(caught) == [name for name in net.layer_names() if "stress" not in name]
    edges = [value for value in caught.values() if value.shape[:2] == batch.mask.shape]
    assert len(edges) == 2 * 5 + len(MOLECULAR)
    assert all((value[~batch.mask] == 0).all() and (value[batch.mask] != 0).any() for value in edges)


def test_weights_come_from_the_generator() -> None:
    first, again, other = network(seed=1), network(seed=1), network(seed=2)
    assert all((a == b).all() for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert any((a != b).any() for a, b in zip(first.parameters(), other.parameters(), strict=True))


def test_positions_carry_gradients() -> None:
    net, structure = network(n_gnn_layers=1, n_attention_layers=1), molecule(3)
    positions = structure.positions.clone().requires_grad_()

    def energy(positions: Tensor) -> Tensor:
        return net(net.batch([Structure(positions, structure.species)]), ("energy",))["energy"]

    assert torch.autograd.gradcheck(energy, (positions,), fast_mode=True)


def test_configuration_survives_json() -> None:
    config = network().config
    assert PETConfig.from_dict(config.to_dict()) == config


def test_errors_name_the_argument_and_the_remedy() -> None:
    net = network()
    with pytest.raises(ValueError, match=r"species \[8\] are not in PETConfig.species = \(6, 14\)"):
        net(net.batch([Structure(torch.zeros(1, 3), torch.tensor([8]))]))
    with pytest.raises(ValueError, match=r"needs a cell.*outputs="):
        net(net.batch([molecule()]))
    with pytest.raises(ValueError, match=r"outputs must be among.*got \['charge'\]"):
        net(net.batch([molecule()]), ("charge",))
    with pytest.raises(ValueError, match=r"structures is empty"):
        net.batch([])
    with pytest.raises(ValueError, match=r"stack of 2 copies.*from_stack"):
        net.batch([molecule().stacked(torch.eye(3).repeat(2, 1, 1))])
    with pytest.raises(ValueError, match=r"make it with structure.stacked"):
        PETBatch.from_stack(molecule(), 3.0)
    with pytest.raises(ValueError, match=r"width must be at least 1, .*got 0"):
        net.batch([molecule(2)]).widened(0)
    with pytest.raises(ValueError, match="n_heads must divide d_pet"):
        network(n_heads=3)
    with pytest.raises(ValueError, match="cutoff_width must lie in"):
        network(cutoff_width=4.0)
    with pytest.raises(ValueError, match="d_node must be at least 1; got 0"):
        network(d_node=0)
    with pytest.raises(ValueError, match="targets is empty"):
        network(targets={})
    with pytest.raises(ValueError, match="species must be distinct"):
        PETConfig((6, 6), force_field_targets())
    with pytest.raises(ValueError, match="per must be"):
        Target("0e", per="bond")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="density=True divides"):
        Target("0e", per="atom", density=True)
    with pytest.raises(ValueError, match="identifiers"):
        network(targets={"my energy": Target("0e")})
