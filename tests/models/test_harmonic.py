from dataclasses import replace

import pytest
import torch

from symlab.groups import Structure, haar_grid
from symlab.measure import characters
from symlab.models import (
    PET,
    HarmonicPET,
    HarmonicPETConfig,
    PETConfig,
    Target,
    build,
    count_parameters,
    match_parameters,
    read_config,
)

SIZES = {"d_pet": 16, "d_node": 16, "d_head": 8, "d_feedforward": 24, "n_attention_layers": 1, "cutoff": 9.0}
TARGETS = {"charge": Target("0o")}


@pytest.fixture
def molecule() -> Structure:
    positions = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return Structure(positions, torch.tensor([8, 8, 1, 1, 6]))


def harmonic(**options: object) -> HarmonicPETConfig:
    return HarmonicPETConfig((1, 6, 8), TARGETS, **SIZES, **options)


@pytest.mark.parametrize("l_max", [1, 2, 4])
def test_the_embedding_holds_each_degree_up_to_l_max(molecule: Structure, l_max: int) -> None:
    """Each (l, +1) with l <= l_max has an even share of the power, and no other sector any."""
    network = HarmonicPET(harmonic(edge_l_max=l_max), torch.Generator().manual_seed(0)).double()
    name = "rounds.0.edge_embedding"
    network.rounds[0].edge_embedder.bias.data.zero_()
    found = characters(network.evaluate, molecule, l_max=5, module=network, layers=[name])[name]
    for sector, share in zip(found.sectors, found.fraction.tolist(), strict=True):
        if sector.sigma == 1 and sector.l <= l_max:
            assert 0.3 < share * (l_max + 1) < 2
        else:
            assert share < 1e-12


def test_the_triple_product_is_a_pseudoscalar(molecule: Structure) -> None:
    network = HarmonicPET(harmonic(triple_product=True), torch.Generator().manual_seed(0)).double()
    network.rounds[0].edge_embedder.bias.data.zero_()
    name = "rounds.0.edge_embedding"
    found = characters(network.evaluate, molecule, l_max=3, module=network, layers=[name])[name]
    assert found.of(0, -1) > 1e-4
    assert found.of(0, 1) + found.of(0, -1) + found.of(1, 1) == pytest.approx(1, abs=1e-10)


def test_degree_one_is_the_plain_network(molecule: Structure) -> None:
    """With the columns in PET's order the two give the same numbers."""
    plain = PET(PETConfig((1, 6, 8), TARGETS, **SIZES), torch.Generator().manual_seed(3))
    network = HarmonicPET(harmonic(edge_l_max=1), torch.Generator().manual_seed(3))
    state = plain.state_dict()
    for name in state:
        if name.endswith("edge_embedder.weight"):
            assert torch.equal(network.state_dict()[name], state[name])
            state[name] = state[name][:, [3, 0, 1, 2]]
    network.load_state_dict(state)
    stack = molecule.stacked(haar_grid(3).matrices).to(dtype=torch.float32)
    torch.testing.assert_close(network.evaluate(stack), plain.evaluate(stack), atol=1e-6, rtol=1e-5)


def test_the_embedded_size_does_not_depend_on_l_max(molecule: Structure) -> None:
    sizes = []
    for l_max in (1, 2, 4, 8):
        network = HarmonicPET(harmonic(edge_l_max=l_max, edge_gain=1.0), torch.Generator().manual_seed(0)).double()
        embedder = network.rounds[0].edge_embedder
        embedder.bias.data.zero_()
        vectors = torch.nn.functional.pad(torch.randn(500, 1, 3, dtype=torch.float64), (0, 1))
        sizes.append(embedder(vectors).square().mean().sqrt().item())
    assert max(sizes) < 1.3 * min(sizes)


def test_reproducible_and_readable() -> None:
    config = harmonic(edge_l_max=4)
    assert read_config(config.to_dict()) == config
    plain = PETConfig((1, 6, 8), TARGETS, **SIZES)
    assert read_config(plain.to_dict()) == plain
    assert isinstance(build(config), HarmonicPET)
    assert type(build(plain)) is PET
    one, other = (build(config, torch.Generator().manual_seed(1)).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_weights_can_be_matched_within_one_per_cent() -> None:
    config = replace(harmonic(), d_pet=32, d_node=32, d_head=32, d_feedforward=96)
    wanted = count_parameters(config)
    for l_max in (1, 2, 4, 8):
        found = match_parameters(replace(config, edge_l_max=l_max), wanted)
        assert abs(count_parameters(found) / wanted - 1) < 0.01
        assert found.edge_l_max == l_max
    with pytest.raises(ValueError, match=r"n_parameters = 100 cannot be met within 1 %"):
        match_parameters(config, 100)
    with pytest.raises(ValueError, match="edge_l_max must be at least 1"):
        harmonic(edge_l_max=0)
