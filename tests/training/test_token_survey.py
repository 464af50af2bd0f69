"""Tokens of events in the store: the same numbers as the engine gives, and A and B of the logits that agree."""

from pathlib import Path

import pytest
import torch

from symlab.artifacts import Store
from symlab.data import EventSet, Primary, simulate_events
from symlab.groups import Sector
from symlab.measure import characters
from symlab.models import PolarMAE, PolarMAEConfig
from symlab.training import survey_tokens

CONFIG = PolarMAEConfig(d_point=8, d=8, n_blocks=1, n_decoder_blocks=1, n_heads=2)
LAYERS = ["embedding", "blocks.0.tokens"]


@pytest.fixture(scope="module")
def events() -> EventSet:
    guns = [[Primary("mu-", energy, (0.0, 0.0, 0.0), (1.0, 2.0, 3.0))] for energy in (30.0, 40.0, 50.0)]
    return simulate_events(guns)


@pytest.fixture(scope="module")
def network() -> PolarMAE:
    return PolarMAE(CONFIG, torch.Generator().manual_seed(0)).double().eval()


def test_a_survey_has_the_numbers_of_the_engine(events: EventSet, network: PolarMAE, tmp_path: Path) -> None:
    found = survey_tokens(network, events, Store(tmp_path), LAYERS, l_max=1, n_workers=1, progress=False)
    assert found.sectors == [Sector(0, 1), Sector(0, -1), Sector(1, 1), Sector(1, -1)]
    direct = characters(
        network.evaluate,
        network.group(events.clouds[2]).to(dtype=torch.float64),
        1,
        layers=LAYERS,
        module=network,
        n_converge=0,
        tolerance=None,
        progress=False,
    )
    for name in (*LAYERS, "logits"):
        assert torch.allclose(found.fraction[name][2], direct[name].fraction)
    assert found.convergence is None


def test_the_error_of_the_logits_is_their_power_outside_the_scalars(
    events: EventSet, network: PolarMAE, tmp_path: Path
) -> None:
    found = survey_tokens(network, events, Store(tmp_path), [], l_max=2, converge=True, n_workers=1, progress=False)
    outside = found.mean_square * (1 - found.fraction["logits"][:, 0])
    assert bool((found.variance > 0).all())
    assert torch.allclose(outside, found.variance, rtol=1e-9)
    assert found.convergence is not None
    assert 0 < found.convergence["logits"] < 0.1


def test_no_event_is_an_error(events: EventSet, network: PolarMAE, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="events holds no event"):
        survey_tokens(network, events.subset([]), Store(tmp_path), LAYERS, progress=False)
