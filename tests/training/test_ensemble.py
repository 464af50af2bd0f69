from dataclasses import replace
from pathlib import Path

import pytest
import torch
from killed import train_and_kill
from safetensors.torch import load_file

from symlab.artifacts import Store
from symlab.data import Dataset
from symlab.groups import Structure, random_rotations
from symlab.models import PET, HarmonicPETConfig, PETConfig, Target
from symlab.training import RampedConfig, TrainingConfig, shrink, train, train_ensemble, train_ensembles
from symlab.training._stacked import StackedPET
from symlab.training._uniform import UniformSamples, turned_epochs


@pytest.fixture
def molecules() -> Dataset:
    """Fourteen four-atom molecules with a signed volume, and an axial vector on each atom."""
    generator = torch.Generator().manual_seed(0)
    positions = torch.randn(14, 4, 3, dtype=torch.float64, generator=generator)
    arms = positions[:, 1:] - positions[:, :1]
    volume = torch.linalg.det(arms)[:, None]
    axial = torch.linalg.cross(positions.roll(1, 1) - positions, positions.roll(2, 1) - positions)
    species = torch.tensor([8, 8, 1, 1])
    return Dataset(
        [Structure(one, species) for one in positions],
        {"volume": volume, "axial": axial},
        {"volume": "A^3", "axial": "A^2"},
        {},
        {"train": list(range(11)), "validation": [11, 12, 13]},
    )


@pytest.fixture
def model() -> PETConfig:
    targets = {"volume": Target("0o"), "axial": Target("1e", per="atom")}
    sizes = {"cutoff": 20.0, "d_pet": 8, "d_node": 12, "d_head": 8, "d_feedforward": 8, "n_heads": 2}
    return PETConfig((1, 8), targets, n_gnn_layers=2, n_attention_layers=1, **sizes)


def weights(folder: Path) -> list[dict[str, torch.Tensor]]:
    return [load_file(path) for path in sorted((folder / "checkpoints").glob("*.safetensors"))]


@pytest.mark.parametrize(("precision", "optimizer"), [("64-true", "muon"), ("32-true", "muon"), ("64-true", "adamw")])
def test_each_member_ends_where_it_would_alone(
    tmp_path: Path, molecules: Dataset, model: PETConfig, short: TrainingConfig, precision: str, optimizer: str
) -> None:
    """Same rows, rotations, clipping and updates as the lone training; seeds and weights of the loss differ."""
    common = replace(short, precision=precision, optimizer=optimizer, clip=0.3)
    configs = [replace(common, seed=2), replace(common, seed=5, loss_weights={"axial": 0.3})]
    store = Store(tmp_path)
    together = train_ensemble(model, configs, molecules, store, progress=False)
    tolerance = 1e-9 if precision == "64-true" else 2e-3
    for config, one in zip(configs, together, strict=True):
        alone = train(model, config, molecules, store, progress=False)
        assert one.config.seed == config.seed
        assert one.steps == alone.steps
        for ours, theirs in zip(weights(one.folder), weights(alone.folder), strict=True):
            assert ours.keys() == theirs.keys()
            for name in ours:
                torch.testing.assert_close(ours[name], theirs[name], atol=tolerance, rtol=0, msg=name)
        for ours, theirs in zip(one.history, alone.history, strict=True):
            assert ours.keys() == theirs.keys()
            for name in ours:
                if name != "seconds" and theirs[name] is not None:
                    assert ours[name] == pytest.approx(theirs[name], rel=100 * tolerance), name


@pytest.fixture
def mixed(molecules: Dataset, model: PETConfig, short: TrainingConfig) -> dict[str, tuple]:
    """Jobs of one ``shape_key``: other embeddings, widths, gains, seeds, labels, and targets of another name."""
    sizes = {f: getattr(model, f) for f in model.__dataclass_fields__}
    labels = molecules.labels | {"other": -2 * molecules.labels["volume"]}
    renamed = replace(molecules, labels=labels, units=molecules.units | {"other": "A^3"})
    plain = HarmonicPETConfig(**sizes)
    other = {"other": Target("0o"), "axial": model.targets["axial"]}
    first, second = (replace(short, precision="64-true", clip=0.3, seed=seed) for seed in (2, 5))
    return {
        "plain": (plain, [first, second], molecules),
        "harmonics": (replace(plain, edge_l_max=3, d_feedforward=5, edge_gain=2.0), [first], molecules),
        "triple": (replace(plain, edge_l_max=2, triple_product=True, d_feedforward=11), [second], molecules),
        "renamed": (replace(plain, targets=other), [first], renamed),
    }


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_networks_of_other_widths_train_together_as_they_would_alone(
    tmp_path: Path, mixed: dict[str, tuple], optimizer: str
) -> None:
    jobs = {
        name: (model, [replace(config, optimizer=optimizer) for config in configs], data)
        for name, (model, configs, data) in mixed.items()
    }
    together = train_ensembles(jobs, Store(tmp_path / "together"), n_workers=1, progress=False)
    for name, (model, configs, data) in jobs.items():
        alone = train_ensemble(model, configs, data, Store(tmp_path / "alone"), progress=False)
        for one, other in zip(together[name], alone, strict=True):
            assert one.steps == other.steps
            for ours, theirs in zip(weights(one.folder), weights(other.folder), strict=True):
                assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}
                for key in ours:
                    torch.testing.assert_close(ours[key], theirs[key], atol=1e-9, rtol=0, msg=f"{name}, {key}")
            for ours, theirs in zip(one.history, other.history, strict=True):
                assert ours.keys() == theirs.keys()
                found, expected = ({k: v for k, v in row.items() if k.startswith("rmse")} for row in (ours, theirs))
                assert found == pytest.approx(expected, rel=1e-7)


def test_what_is_there_already_is_not_trained_again(tmp_path: Path, mixed: dict[str, tuple]) -> None:
    store = Store(tmp_path)
    before = train_ensemble(*mixed["triple"], store, progress=False)[0].folder.stat().st_mtime_ns
    found = train_ensembles(mixed, store, n_workers=1, progress=False)
    assert list(found) == list(mixed)
    assert found["triple"][0].folder.stat().st_mtime_ns == before
    folders = {one.folder.parent for members in found.values() for one in members}
    assert {folder.name for folder in folders} == {
        path.name for path in (tmp_path / "ensemble").iterdir() if path.is_dir()
    }


def test_a_save_of_other_networks_is_not_taken_for_ours(tmp_path: Path, mixed: dict[str, tuple]) -> None:
    """A killed training of one job alone, and then of all: the save has other networks, and they begin anew."""
    settings = {"n_steps": 300, "resume_interval": 10}
    jobs = {
        name: (model, [replace(config, **settings) for config in configs], data)
        for name, (model, configs, data) in mixed.items()
    }
    root, step = train_and_kill("train_ensemble", jobs["plain"], tmp_path)
    assert 0 < step < 300
    short = {name: job for name, job in jobs.items() if name in ("plain", "triple")}
    found = train_ensembles(short, Store(root), n_workers=1, progress=False)
    straight = train_ensembles(short, Store(tmp_path / "straight"), n_workers=1, progress=False)
    assert not list(root.rglob("resume*"))
    for name in short:
        ours, theirs = weights(found[name][0].folder)[-1], weights(straight[name][0].folder)[-1]
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_networks_that_share_no_shape_are_refused(mixed: dict[str, tuple]) -> None:
    plain = mixed["plain"][0]
    with pytest.raises(
        ValueError, match="configs must differ in edge_l_max, triple_product, d_feedforward and edge_gain"
    ):
        StackedPET([plain, replace(plain, d_head=16)], [0, 1])


def test_one_member_does_not_feel_another(
    tmp_path: Path, molecules: Dataset, model: PETConfig, short: TrainingConfig
) -> None:
    """Also where the other's loss is a thousand times larger: gradients are clipped network by network."""
    config = replace(short, precision="64-true", seed=1, clip=0.1)
    loud = replace(config, seed=2, loss_weights={"axial": 1e3, "volume": 1e3})
    (alone,) = train_ensemble(model, [config], molecules, Store(tmp_path), progress=False)
    beside, _ = train_ensemble(model, [config, loud], molecules, Store(tmp_path), progress=False)
    ours, theirs = weights(beside.folder)[-1], weights(alone.folder)[-1]
    assert max(float((ours[name] - theirs[name]).abs().max()) for name in ours) < 1e-9


def test_killed_ensemble_resumes_to_the_same_bits(
    tmp_path: Path, molecules: Dataset, model: PETConfig, short: TrainingConfig
) -> None:
    settings = short.to_dict() | {"n_steps": 300, "resume_interval": 10, "ramp": 0.5}
    configs = [RampedConfig.from_dict(settings | {"seed": seed}) for seed in (0, 1)]
    root, step = train_and_kill("train_ensemble", (model, configs, molecules), tmp_path)
    assert 0 < step < 300
    resumed = train_ensemble(model, configs, molecules, Store(root), progress=False)
    straight = train_ensemble(model, configs, molecules, Store(tmp_path / "straight"), progress=False)
    for one, other in zip(resumed, straight, strict=True):
        ours, theirs = weights(one.folder)[-1], weights(other.folder)[-1]
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
        without_time = [[{k: v for k, v in row.items() if k != "seconds"} for row in t.history] for t in (one, other)]
        assert without_time[0] == without_time[1]
    assert not list(resumed[0].folder.parent.glob("resume*"))


def test_ensembles_side_by_side(tmp_path: Path, molecules: Dataset, model: PETConfig, short: TrainingConfig) -> None:
    harmonic = HarmonicPETConfig(**{f: getattr(model, f) for f in model.__dataclass_fields__}, edge_l_max=3)
    jobs = {"plain": (model, [short], molecules), "harmonic": (harmonic, [short], molecules)}
    found = train_ensembles(jobs, Store(tmp_path), n_workers=2, progress=False)
    assert list(found) == ["plain", "harmonic"]
    network = found["harmonic"][0].model
    assert network.config == harmonic
    stack = molecules.structures[0].stacked(torch.eye(3, dtype=torch.float64)[None])
    assert network.evaluate(stack)["volume"].shape == (1, 1)
    again = train_ensemble(harmonic, [short], molecules, Store(tmp_path), progress=False)
    assert again[0].folder == found["harmonic"][0].folder


def test_a_ramp_begins_with_molecules_as_they_are(molecules: Dataset, model: PETConfig, short: TrainingConfig) -> None:
    """The first step sees no turn, the last sees turns; without a ramp the first step sees turns."""
    samples = UniformSamples.prepare(PET(model), molecules.split("train"), torch.float64)
    ramped = RampedConfig.from_dict(short.to_dict() | {"ramp": 1.0})

    def seen_as_they_are(config: TrainingConfig, step: int) -> int:
        edges, labels = next(turned_epochs(samples, config, step))
        nearest = (edges[:, None] - samples.edges[None]).flatten(2).norm(dim=2).min(dim=1)
        same = nearest.values < 1e-9
        assert torch.equal(labels["volume"][same], samples.labels["volume"][nearest.indices[same]])
        return int(same.sum())

    assert [seen_as_they_are(ramped, step) for step in (0, 11)] == [4, 0]
    assert seen_as_they_are(short, 0) == 0


def test_shrunk_elements() -> None:
    generator = torch.Generator().manual_seed(0)
    matrices = random_rotations(400, generator, improper=True)
    every = torch.ones(400, dtype=torch.float64)
    assert torch.equal(shrink(matrices, every, generator), matrices)
    torch.testing.assert_close(shrink(matrices, 0 * every, generator), torch.eye(3).double().expand(400, 3, 3))
    half = shrink(matrices, every / 2, generator)
    assert torch.linalg.det(half).lt(0).double().mean() == pytest.approx(0.25, abs=0.07)

    def angle(m: torch.Tensor) -> torch.Tensor:
        proper = m * torch.linalg.det(m)[:, None, None]
        return torch.arccos(((proper.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1))

    torch.testing.assert_close(angle(half), angle(matrices) / 2, atol=1e-6, rtol=0)


def test_the_ramp_grows_to_the_whole_group() -> None:
    config = RampedConfig(n_steps=100, ramp=0.5)
    assert [config.share(step) for step in (0, 25, 50, 99)] == [0.0, 0.5, 1.0, 1.0]
    assert RampedConfig(n_steps=100).share(0) == 1.0
    with pytest.raises(ValueError, match=r"ramp must lie in \[0, 1\]; got 2"):
        RampedConfig(ramp=2.0)


def test_errors_name_the_argument(tmp_path: Path, molecules: Dataset, model: PETConfig, short: TrainingConfig) -> None:
    store = Store(tmp_path)
    with pytest.raises(ValueError, match=r"configs is empty"):
        train_ensemble(model, [], molecules, store, progress=False)
    with pytest.raises(ValueError, match=r"two differ in batch_size. Train them apart"):
        train_ensemble(model, [short, replace(short, batch_size=3, seed=1)], molecules, store, progress=False)
    with pytest.raises(ValueError, match="configs must differ from each other"):
        train_ensemble(model, [short, short], molecules, store, progress=False)
    with pytest.raises(ValueError, match=r'"32-true" or "64-true"; got .* Use train'):
        train_ensemble(model, [replace(short, precision="bf16-mixed")], molecules, store, progress=False)
    with pytest.raises(ValueError, match=r"molecules of one kind.*structure \d+ differs from the first"):
        train_ensemble(replace(model, cutoff=2.0), [short], molecules, store, progress=False)
