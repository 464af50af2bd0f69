"""The charge of a muon by a vote of its points."""

from pathlib import Path

import torch

from symlab.artifacts import Store
from symlab.data import load_muons
from symlab.models import PolarMAE
from symlab.training import charge_network, event_probabilities, segment


def test_the_probabilities_of_an_event_are_those_of_the_mean_logits(invented_tracks) -> None:
    model, _ = charge_network()
    network = PolarMAE(model, torch.Generator().manual_seed(0)).double()
    grouped = network.group(invented_tracks(0)).to(dtype=torch.float64)
    half_turn = torch.diag(torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64))
    matrices = torch.stack([torch.eye(3, dtype=torch.float64), half_turn])
    found = event_probabilities(network)(grouped.stacked(matrices))
    assert found.shape == (2, 2)
    assert not found.requires_grad
    torch.testing.assert_close(found.sum(-1), torch.ones(2, dtype=torch.float64))
    odds = network(grouped).mean(0)
    torch.testing.assert_close(found[0].log().diff(), odds.diff())


def test_a_few_muons_can_be_learned_by_heart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    muons = load_muons(store, 20)
    model, config = charge_network(n_steps=60)
    trained = segment(model, config, muons, store, progress=False)
    known = muons.split("train")
    f = event_probabilities(trained.model)
    upright = torch.eye(3)[None]
    found = [f(trained.model.group(cloud).stacked(upright))[0].argmax() for cloud in known.clouds]
    assert torch.equal(torch.stack(found), known.charge)
