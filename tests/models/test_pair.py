import pytest
import torch

from symlab.groups import Structure, random_rotations
from symlab.measure import equivariance
from symlab.models import PairModel

TARGETS = {"energy": "scalar", "forces": "1x1o", "stress": "ij"}


def crystals(n: int, generator: torch.Generator) -> list[Structure]:
    sites = 2.0 * torch.tensor([[0.0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=torch.float64)
    return [
        Structure(
            sites + 0.1 * torch.randn(4, 3, generator=generator, dtype=torch.float64),
            torch.tensor([6, 14, 14, 6]),
            cell=4.0 * torch.eye(3, dtype=torch.float64)
            + 0.1 * torch.randn(3, 3, generator=generator, dtype=torch.float64),
        )
        for _ in range(n)
    ]


def answers(model: PairModel, structures: list[Structure]) -> dict[str, list[torch.Tensor]]:
    one = torch.eye(3, dtype=torch.float64)[None]
    found = [model.evaluate(x.stacked(one)) for x in structures]
    return {name: [each[name][0] for each in found] for name in TARGETS}


@pytest.fixture(scope="module")
def planted() -> tuple[PairModel, list[Structure]]:
    generator = torch.Generator().manual_seed(0)
    model = PairModel((6, 14), cutoff=3.5, n_radial=5)
    for coefficients in model.coefficients.values():
        coefficients.copy_(torch.randn(coefficients.shape, generator=generator, dtype=torch.float64))
    return model, crystals(40, generator)


def test_it_is_equivariant_whatever_its_coefficients(planted):
    model, structures = planted
    reports = equivariance(model.evaluate, structures[:2], TARGETS, degree=5)
    for report in reports.values():
        assert report.at_noise_floor
        assert report.rms_output > 0.01


def test_a_fit_recovers_a_planted_model(planted):
    model, structures = planted
    labels = answers(model, structures)
    fitted = PairModel((6, 14), cutoff=3.5, n_radial=5).fit(
        structures, torch.cat(labels["energy"]), labels["forces"], torch.stack(labels["stress"])
    )
    held_out = crystals(3, torch.Generator().manual_seed(1))
    expected, found = answers(model, held_out), answers(fitted, held_out)
    for name in TARGETS:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-5, atol=1e-5)


def test_forces_turn_with_the_crystal_and_not_against_it(planted):
    model, structures = planted
    turn = random_rotations(1, torch.Generator().manual_seed(2), improper=True)
    upright = model.evaluate(structures[0].stacked(torch.eye(3, dtype=torch.float64)[None]))["forces"][0]
    turned = model.evaluate(structures[0].stacked(turn))["forces"][0]
    torch.testing.assert_close(turned, upright @ turn[0].T, rtol=1e-10, atol=1e-10)
    assert not torch.allclose(turned, upright @ turn[0], rtol=1e-2, atol=1e-2)


def test_labels_must_match_structures(planted):
    model, structures = planted
    with pytest.raises(ValueError, match="one label of each kind per structure; got 2 structures, 1 energies"):
        model.fit(structures[:2], torch.zeros(1), [torch.zeros(4, 3)] * 2, torch.zeros(2, 3, 3))
