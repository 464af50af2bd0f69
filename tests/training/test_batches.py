from dataclasses import replace

import pytest
import torch

from symlab.data import Dataset
from symlab.groups import Sector, parse_output, random_rotations
from symlab.models import PET, PETConfig
from symlab.training import Samples, TrainingConfig, draw_matrices, epoch_rows, fit_scales, rmse


def prepared(model: PETConfig, dataset: Dataset) -> tuple[PET, Samples]:
    net = PET(model, torch.Generator().manual_seed(0)).double()
    fit_scales(net, dataset)
    return net, Samples.prepare(net, dataset, torch.float64)


def test_turned_samples_are_samples_of_turned_structures(dataset: Dataset, small_model: PETConfig) -> None:
    net, samples = prepared(small_model, dataset)
    matrices = random_rotations(13, torch.Generator().manual_seed(3), improper=True)
    turned = replace(
        dataset,
        structures=[s.rotated(m) for s, m in zip(dataset.structures, matrices, strict=True)],
        labels={
            "energy": dataset.labels["energy"],
            "forces": [f @ m.T for f, m in zip(dataset.labels["forces"], matrices, strict=True)],
            "stress": parse_output("ij").apply(matrices, dataset.labels["stress"]),
        },
    )
    rows = list(range(13))
    batch, labels = samples.collate(rows, matrices)
    expected_batch, expected = Samples.prepare(net, turned, torch.float64).collate(rows)
    torch.testing.assert_close(batch.edge_vectors, expected_batch.edge_vectors)
    assert (batch.reverse == expected_batch.reverse).all()
    for name in expected:
        torch.testing.assert_close(labels[name], expected[name])


def test_normalized_labels_have_unit_size_and_no_composition(dataset: Dataset, small_model: PETConfig) -> None:
    net, samples = prepared(small_model, dataset)
    for name, labels in samples.labels.items():
        values = torch.cat([label.flatten() for label in labels])
        assert values.square().mean().sqrt() == pytest.approx(1.0, rel=1e-5), name
    assert net.head("energy").baseline[[6, 14]].abs().min() > 0
    assert (net.head("forces").baseline == 0).all()
    assert net.config.targets["forces"].representation.sectors() == [Sector(1, 1)]


def test_labels_survive_the_round_trip(dataset: Dataset, small_model: PETConfig) -> None:
    """``Head.physical`` undoes the normalization."""
    net, samples = prepared(small_model, dataset)
    batch, labels = samples.collate(list(range(13)))
    torch.testing.assert_close(net.head("energy").physical(labels["energy"], batch)[:, 0], dataset.labels["energy"])
    torch.testing.assert_close(net.head("stress").physical(labels["stress"], batch), dataset.labels["stress"])
    forces = net.head("forces").physical(labels["forces"], batch)
    torch.testing.assert_close(forces, torch.cat(dataset.labels["forces"]))


def test_rmse_is_that_of_the_outputs_in_their_units(dataset: Dataset, small_model: PETConfig) -> None:
    net, samples = prepared(small_model, dataset)
    matrices = random_rotations(13, torch.Generator().manual_seed(7), improper=True)
    errors = []
    net.requires_grad_(False)
    for structure, label, matrix in zip(dataset.structures, dataset.labels["stress"], matrices, strict=True):
        errors.append(net(net.batch([structure.rotated(matrix)]))["stress"][0] - matrix @ label @ matrix.T)
    expected = torch.stack(errors).square().mean().sqrt()
    assert rmse(net, samples, seed=7, batch_size=5)["stress"] == pytest.approx(expected.item(), rel=1e-9)


def test_an_epoch_visits_each_row_at_most_once_and_narrow_with_narrow() -> None:
    widths = [k % 7 for k in range(50)]
    batches = list(epoch_rows(widths, 8, torch.Generator().manual_seed(0)))
    rows = [row for batch in batches for row in batch]
    assert len(batches) == 6
    assert len(set(rows)) == len(rows) == 48
    spread = [max(widths[r] for r in batch) - min(widths[r] for r in batch) for batch in batches]
    assert max(spread) <= 2


def test_groups_of_the_augmentation() -> None:
    generator = torch.Generator().manual_seed(0)
    assert draw_matrices("none", 5, generator) is None
    proper, both = (torch.linalg.det(draw_matrices(g, 200, generator)) for g in ("SO(3)", "O(3)"))
    assert (proper > 0).all()
    assert 60 < int((both < 0).sum()) < 140


def test_schedule_and_steps() -> None:
    config = TrainingConfig(n_steps=1000, warmup_fraction=0.1, learning_rate=1.0, n_checkpoints=8, n_validations=4)
    assert config.rate(0) == pytest.approx(0.01)
    assert config.rate(99) == pytest.approx(1.0)
    assert config.rate(550) == pytest.approx(0.5)
    assert config.rate(999) < 1e-4
    assert config.checkpoint_steps() == [0, 1, 3, 10, 32, 100, 316, 1000]
    assert {250, 500, 750} <= set(config.validation_steps())
    assert TrainingConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_steps": 0}, "n_steps must be at least 1; got 0"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"warmup_fraction": 1.0}, r"warmup_fraction must lie in \[0, 1\)"),
        ({"augmentation": "SE(3)"}, 'augmentation must be "none"'),
        ({"optimizer": "sgd"}, 'optimizer must be "adamw" or "muon"'),
        ({"loss_weights": {"energy": -1.0}}, "loss_weights must not be negative"),
    ],
)
def test_refused_settings(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainingConfig(**change)  # type: ignore[arg-type]
