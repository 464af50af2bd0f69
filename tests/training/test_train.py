from dataclasses import replace
from pathlib import Path

import pytest
import torch
from killed import train_and_kill
from safetensors.torch import load_file

from symlab.artifacts import Store
from symlab.data import Dataset
from symlab.models import PET, PETConfig, Target
from symlab.training import TrainingConfig, train, train_seeds


def final_weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(sorted((folder / "checkpoints").glob("*.safetensors"))[-1])


def test_history_and_checkpoints(
    tmp_path: Path, dataset: Dataset, small_model: PETConfig, short: TrainingConfig
) -> None:
    trained = train(small_model, short, dataset, Store(tmp_path), progress=False)
    assert trained.steps == short.checkpoint_steps() == [0, 1, 3, 12]
    assert [row["step"] for row in trained.history] == short.validation_steps()
    assert set(trained.history[0]) >= {"step", "seconds", "train_loss", "rmse_energy", "rmse_forces", "rmse_stress"}
    start, end = trained.load_checkpoint(0), trained.model
    batch = end.batch(dataset.split("validation").structures)
    assert not torch.equal(start(batch)["forces"], end(batch)["forces"])
    assert (end.head("energy").baseline[6] != 0) & (start.head("energy").baseline[6] != 0)
    with pytest.raises(ValueError, match=r"step 7 was not kept; this training has steps \[0, 1, 3, 12\]"):
        trained.load_checkpoint(7)


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_the_gradient_of_all_weights_is_clipped(
    tmp_path: Path,
    dataset: Dataset,
    small_model: PETConfig,
    short: TrainingConfig,
    optimizer: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Clipped together, whichever optimizer a weight belongs to: unclipped, Muon follows the rare large gradients."""
    norms, networks = [], []
    step, build = torch.optim.AdamW.step, PET.__init__

    def spy(self: torch.optim.Optimizer, *arguments: object) -> object:
        gradients = [p.grad for p in networks[0].parameters() if p.grad is not None]
        norms.append(torch.cat([g.flatten() for g in gradients]).norm().item())
        return step(self, *arguments)

    def remember(self: PET, *arguments: object) -> None:
        build(self, *arguments)
        networks.append(self)

    monkeypatch.setattr(PET, "__init__", remember)
    monkeypatch.setattr(torch.optim.AdamW, "step", spy)
    train(small_model, replace(short, clip=0.01, optimizer=optimizer), dataset, Store(tmp_path), progress=False)
    assert len(norms) == short.n_steps
    assert max(norms) == pytest.approx(0.01, rel=1e-3)


def test_error_falls(tmp_path: Path, dataset: Dataset, small_model: PETConfig, short: TrainingConfig) -> None:
    config = replace(short, n_steps=200, resume_interval=1000)
    history = train(small_model, config, dataset, Store(tmp_path), progress=False).history
    assert history[-1]["rmse_forces"] < 0.8 * history[0]["rmse_forces"]
    assert history[-1]["train_loss"] < 0.5 * history[1]["train_loss"]


def test_a_finished_training_is_read_not_repeated(
    tmp_path: Path, dataset: Dataset, small_model: PETConfig, short: TrainingConfig
) -> None:
    first = train(small_model, short, dataset, Store(tmp_path), progress=False)
    written = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")}
    again = train(small_model, short, dataset, Store(tmp_path), progress=False)
    assert again.folder == first.folder
    assert {path: path.stat().st_mtime_ns for path in again.folder.rglob("*")} == written
    other = train(small_model, replace(short, seed=1), dataset, Store(tmp_path), progress=False)
    assert other.folder != first.folder


def test_killed_training_resumes_to_the_same_bits(
    tmp_path: Path, dataset: Dataset, small_model: PETConfig, short: TrainingConfig
) -> None:
    """SIGKILL in the middle; the second call goes on from the last save and ends with the very same weights."""
    config = replace(short, n_steps=400, n_validations=4, resume_interval=10)
    root, step = train_and_kill("train", (small_model, config, dataset), tmp_path)
    assert 0 < step < 400
    resumed = train(small_model, config, dataset, Store(root), progress=False)
    straight = train(small_model, config, dataset, Store(tmp_path / "straight"), progress=False)
    ours, theirs = final_weights(resumed.folder), final_weights(straight.folder)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    without_time = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in t.history] for t in (resumed, straight)
    ]
    assert without_time[0] == without_time[1]
    assert not list(resumed.folder.glob("resume*"))


def test_seeds_side_by_side_equal_seeds_one_by_one(
    tmp_path: Path, dataset: Dataset, small_model: PETConfig, short: TrainingConfig
) -> None:
    together = train_seeds(small_model, short, dataset, Store(tmp_path / "a"), [3, 4], n_workers=2, progress=False)
    one_by_one = train_seeds(small_model, short, dataset, Store(tmp_path / "b"), [3, 4], n_workers=1, progress=False)
    for a, b in zip(together, one_by_one, strict=True):
        assert a.config.seed == b.config.seed
        weights, same = final_weights(a.folder), final_weights(b.folder)
        assert all(torch.equal(weights[name], same[name]) for name in weights)


def test_errors_name_the_argument(
    tmp_path: Path, dataset: Dataset, small_model: PETConfig, short: TrainingConfig
) -> None:
    store = Store(tmp_path)
    with pytest.raises(ValueError, match=r"predicts 'charge', but the data set has labels energy, forces, stress"):
        train(replace(small_model, targets={"charge": Target("0e")}), short, dataset, store, progress=False)
    with pytest.raises(ValueError, match=r"labels\['energy'\] must be finite and of shape \(3,\)"):
        train(replace(small_model, targets={"energy": Target("1o")}), short, dataset, store, progress=False)
    empty = replace(dataset, splits={"train": list(range(10)), "validation": []})
    with pytest.raises(ValueError, match=r"got 10 and 0"):
        train(small_model, short, empty, store, progress=False)
    with pytest.raises(ValueError, match="seeds must be distinct"):
        train_seeds(small_model, short, dataset, store, [1, 1])
