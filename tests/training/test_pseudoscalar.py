from dataclasses import replace

import pytest
import torch

from symlab.groups import Sector, Structure
from symlab.measure import characters
from symlab.models import build, count_parameters
from symlab.training import Remedy, pseudoscalar_training

REMEDIES = {
    "plain": Remedy(),
    "ramp": Remedy(ramp=0.6),
    "polar": Remedy("bond_vectors"),
    "axial": Remedy("bond_products"),
    "electrons": Remedy("axial_polar_tensor"),
    "harmonics": Remedy(edge_l_max=2),
    "triple": Remedy(edge_l_max=2, triple_product=True),
}


def test_remedies_differ_in_what_they_name_and_in_nothing_else() -> None:
    found = {name: pseudoscalar_training("optical_rotation", one, [3, 4], 50) for name, one in REMEDIES.items()}
    network, settings = found["plain"]
    assert [one.seed for one in settings] == [3, 4]
    assert {one.n_steps for one in settings} == {50}
    for name, (other, others) in found.items():
        remedy = REMEDIES[name]
        assert [replace(one, ramp=0.0) for one in others] == settings
        assert {one.ramp for one in others} == {remedy.ramp}
        assert set(other.targets) == {"optical_rotation"} | ({remedy.co_target} - {None})
        same = replace(other, targets=network.targets, edge_l_max=1, triple_product=False)
        assert same == network
    sizes = [count_parameters(other) for other, _ in found.values()]
    assert max(sizes) < 1.1 * min(sizes)


@pytest.mark.parametrize(
    ("co_target", "sector"),
    [("bond_vectors", (1, 1)), ("bond_products", (1, -1)), ("axial_polar_tensor", (1, -1))],
)
def test_a_co_target_is_polar_or_axial(co_target: str, sector: tuple[int, int]) -> None:
    network, _ = pseudoscalar_training("signed_volume", Remedy(co_target), [0], 1)
    assert set(network.targets[co_target].representation.sectors()) == {Sector(*sector)}
    assert network.targets["signed_volume"].representation.sectors() == [Sector(0, -1)]


def test_a_plain_network_begins_without_a_pseudoscalar_and_a_triple_product_gives_it_one() -> None:
    molecule = Structure(
        torch.tensor([[0.8, -0.4, -1.0], [0, 0, -0.7], [0, 0, 0.7], [0.8, 0.4, 1.0]]), torch.tensor([1, 8, 8, 1])
    )
    share = {}
    for name in ("plain", "harmonics", "triple"):
        network, _ = pseudoscalar_training("optical_rotation", REMEDIES[name], [0], 1)
        model = build(network, torch.Generator().manual_seed(0)).eval()
        layer = "rounds.0.edge_embedding"
        found = characters(model.evaluate, molecule, layers=[layer], module=model, l_max=2, progress=False)
        spectrum = found[layer] if isinstance(found, dict) else found
        share[name] = float(spectrum.fraction[spectrum.sectors.index(Sector(0, -1))])
    assert share["plain"] < 1e-10 > share["harmonics"]
    assert share["triple"] > 1e-4


def test_an_unknown_co_target_is_refused() -> None:
    with pytest.raises(ValueError, match="co_target must be one of bond_vectors, bond_products, axial_polar_tensor or"):
        Remedy("dipole")
