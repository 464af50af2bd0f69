from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pytest
import torch
from killed import train_and_kill
from safetensors.torch import load_file
from torch import Tensor

from symlab.artifacts import Store
from symlab.data import EventSet
from symlab.groups import PointCloud
from symlab.models import PolarMAEConfig
from symlab.training import (
    SegmentationConfig,
    TrainingConfig,
    class_weights,
    euler_rotations,
    focal_loss,
    group_events,
    predict_classes,
    pretrain,
    segment,
    segment_all,
)
from symlab.training._polar_train import _waiting_last

MODEL = PolarMAEConfig(d=16, d_point=8, n_heads=2, n_blocks=2, n_decoder_blocks=1, local_features=False)
SHORT = {"n_steps": 6, "batch_size": 3, "n_checkpoints": 2, "n_validations": 2, "resume_interval": 2}


@dataclass(frozen=True)
class Invented:
    """Tracks that are learned and measured alike; class 1 is a voxel of more than half an MeV."""

    clouds: Sequence[PointCloud]
    semantic: Sequence[Tensor]

    def split(self, name: str) -> "Invented":
        rows = slice(0, 6) if name == "train" else slice(6, None)
        return Invented(self.clouds[rows], self.semantic[rows])


@pytest.fixture(scope="module")
def events(invented_tracks: Callable[..., PointCloud]) -> Invented:
    clouds = [invented_tracks(seed, length=25.0) for seed in range(9)]
    return Invented(clouds, [(cloud.features["energy"] > 0.5).long() for cloud in clouds])


def weights(folder: Path) -> dict[str, Tensor]:
    return load_file(sorted((folder / "checkpoints").glob("*.safetensors"))[-1])


def test_pretraining_is_handed_on_and_its_head_is_not(tmp_path: Path, events: Invented) -> None:
    store = Store(tmp_path)
    first = pretrain(MODEL, TrainingConfig(**SHORT), events, store, progress=False)
    assert set(first.history[-1]) >= {"chamfer", "energy", "energy_trivial", "train_loss"}
    config = SegmentationConfig(**SHORT)
    second = segment(MODEL, config, events, store, start=first, progress=False)
    assert set(second.history[-1]) >= {"f1_shower", "f1_track", "f1_michel", "f1_delta", "f1_macro"}
    end, begin = weights(first.folder), second.load_checkpoint(0).state_dict()
    scratch = segment(MODEL, config, events, store, progress=False).load_checkpoint(0).state_dict()
    for name, value in begin.items():
        source = scratch if name.startswith(("read_", "hidden.", "classify.")) else end
        assert torch.equal(value, source[name]), name
    with pytest.raises(ValueError, match="start must have the sizes of model"):
        segment(replace(MODEL, d=32), config, events, store, start=first, progress=False)


def test_a_probe_trains_its_head_only(tmp_path: Path, events: Invented) -> None:
    probe = segment(MODEL, SegmentationConfig(**SHORT, frozen=True), events, Store(tmp_path), progress=False)
    begin, end = probe.load_checkpoint(0).state_dict(), probe.model.state_dict()
    changed = {name for name in begin if not torch.equal(begin[name], end[name])}
    assert changed
    assert all(name.startswith(("read_", "hidden.", "classify.")) for name in changed)


def test_an_easy_class_is_learned(tmp_path: Path, events: Invented) -> None:
    config = SegmentationConfig(**(SHORT | {"n_steps": 60}), learning_rate=3e-2)
    trained = segment(MODEL, config, events, Store(tmp_path), progress=False)
    assert trained.history[-1]["f1_track"] > 0.95
    assert trained.history[-1]["f1_shower"] > 0.95
    predicted, truth = predict_classes(trained.model, events, Store(tmp_path))
    assert torch.equal(truth, torch.cat(list(events.semantic)))
    assert float((predicted == truth).double().mean()) > 0.95


def test_a_killed_training_resumes_to_the_same_bits(tmp_path: Path, events: Invented) -> None:
    config = TrainingConfig(**(SHORT | {"n_steps": 120}))
    n, whole = len(events.clouds), torch.zeros(1, dtype=torch.int64)
    known = EventSet(
        list(events.clouds),
        list(events.semantic),
        fragment=[torch.zeros_like(classes) for classes in events.semantic],
        parents=n * [whole - 1],
        particles=n * [whole + 13],
        branching_points=n * [torch.zeros(0, 3)],
        branches=n * [whole[:0]],
        columns={},
        splits={"train": list(range(6)), "validation": [6, 7, 8]},
    )
    root, step = train_and_kill("pretrain", (MODEL, config, known), tmp_path)
    assert 0 < step < 120
    resumed = pretrain(MODEL, config, known, Store(root), progress=False)
    straight = pretrain(MODEL, config, known, Store(tmp_path / "straight"), progress=False)
    ours, theirs = weights(resumed.folder), weights(straight.folder)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_jobs_side_by_side_equal_jobs_one_by_one(tmp_path: Path, events: Invented) -> None:
    jobs = {
        kind: (MODEL, SegmentationConfig(**SHORT, augmentation=kind), events, None)
        for kind in ("none", "Euler", "SO(3)", "O(3)")
    }
    found = segment_all(jobs, Store(tmp_path), n_workers=1, progress=False)
    assert list(found) == list(jobs)
    assert len({one.history[-1]["train_loss"] for one in found.values()}) == 4
    alone = segment(*jobs["Euler"][:3], Store(tmp_path / "alone"), progress=False)
    ours, theirs = weights(found["Euler"].folder), weights(alone.folder)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_pretraining_given_by_its_settings_is_made_once(tmp_path: Path, events: Invented) -> None:
    pretraining, config = TrainingConfig(**SHORT), SegmentationConfig(**SHORT)
    jobs = {
        (kind, seed): (MODEL, replace(config, seed=seed), events, start)
        for kind, start in (("pre-trained", pretraining), ("from scratch", None))
        for seed in (0, 1)
    }
    store = Store(tmp_path)
    found = segment_all(jobs, store, n_workers=1, progress=False)
    assert list(found) == list(jobs)
    assert len(list((tmp_path / "polar-masked").glob("*/manifest.json"))) == 1
    made = [path.stat().st_mtime_ns for path in (tmp_path / "polar-masked").glob("*/manifest.json")]
    first = pretrain(MODEL, pretraining, events, store, progress=False)
    assert [path.stat().st_mtime_ns for path in (tmp_path / "polar-masked").glob("*/manifest.json")] == made
    handed = segment(MODEL, replace(config, seed=1), events, store, start=first, progress=False)
    assert handed.folder == found["pre-trained", 1].folder
    with pytest.raises(ValueError, match="start must be the settings of a pre-training"):
        segment(MODEL, config, events, store, start=config, progress=False)


def test_jobs_that_wait_for_a_pretraining_come_last() -> None:
    starts = {"from scratch": None, "first": TrainingConfig(seed=1), "second": TrainingConfig(seed=1)}
    ordered = _waiting_last({key: (None, None, None, start) for key, start in starts.items()})
    assert ordered == ["first", "from scratch", "second"]


def test_groups_are_kept_and_an_event_at_fault_is_named(tmp_path: Path, events: Invented) -> None:
    store = Store(tmp_path)
    grouped = group_events(events, MODEL, store, progress=False)
    again = group_events(events, replace(MODEL, d=32), store, progress=False)
    assert len(list((tmp_path / "grouped-events").glob("*/groups.safetensors"))) == 1
    assert all(torch.equal(a.members, b.members) for a, b in zip(grouped, again, strict=True))
    many = Invented(8 * list(events.clouds), 8 * list(events.semantic))
    split = group_events(many, MODEL, store, n_workers=2, progress=False)
    assert len(split) == 8 * len(grouped)
    for one, other in zip(split, 8 * grouped, strict=True):
        assert all(torch.equal(getattr(one, name.name), getattr(other, name.name)) for name in fields(one))
    with pytest.raises(ValueError, match="event 0: the cloud needs"):
        group_events(events, replace(MODEL, max_tokens=1), store, progress=False)


def test_euler_angles_are_not_uniform_rotations() -> None:
    matrices = euler_rotations(20000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(torch.linalg.det(matrices), torch.ones(20000, dtype=torch.float64))
    squares = matrices[:, :, 2].square().mean(0)  # of the components of the turned z axis
    torch.testing.assert_close(squares, torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64), atol=0.01, rtol=0)


def test_focal_loss_and_weights_by_hand() -> None:
    truth = torch.tensor([0, 0, 0, 1])
    torch.testing.assert_close(class_weights(truth, 2, 1.0), torch.tensor([2 / 3, 2.0]))
    torch.testing.assert_close(class_weights(truth, 2, 0.0), torch.ones(2))
    p = torch.tensor([0.9, 0.6, 0.5, 0.2])
    logits = torch.stack([p.log(), (1 - p).log()], 1)
    right = torch.tensor([0.9, 0.6, 0.5, 0.8])
    terms = torch.tensor([1.0, 1, 1, 3]) * (1 - right) ** 2 * -right.log()
    found = focal_loss(logits, truth, torch.tensor([1.0, 3.0]), gamma=2.0)
    torch.testing.assert_close(found, terms.sum() / 6)


@pytest.mark.parametrize("name", ["gamma", "balance"])
def test_settings_are_checked(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must not be negative; got -1"):
        SegmentationConfig(**{name: -1.0})
