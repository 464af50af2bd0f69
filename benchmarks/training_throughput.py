"""Crystals per second of our training and of `mtt train`: same crystals, sizes, batch and cutoff, one thread.

Both run as commands of their own, with few and with many epochs; the difference of their CPU times is the time of the
epochs alone (augmentation, forward, backward, optimizer, validation on four crystals), free of imports, of the fit of
baselines and of the export. The whole commands are compared too. Ours runs with the memory settings of our worker
processes, which are part of it; metatrain runs in the plain environment.

    python benchmarks/training_throughput.py --epochs 2 6
"""

import argparse
import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from symlab.artifacts import Store
from symlab.data import Dataset, load_crystals
from symlab.training import force_field
from symlab.workers import WORKER_ENVIRONMENT

THREADS = {name: value for name, value in WORKER_ENVIRONMENT.items() if name.endswith("THREADS")}
TARGETS = """
    energy: {{key: energy, unit: eV, forces: off, stress: off}}
    non_conservative_forces: {{key: f, unit: eV/A, sample_kind: atom, type: {{cartesian: {{rank: 1}}}}}}
    non_conservative_stress: {{key: s, unit: eV/A^3, type: {{cartesian: {{rank: 2}}}}}}
"""
OPTIONS = (
    """
seed: 0
device: cpu
base_precision: 32
architecture:
  name: pet
  model: {{cutoff: {m.cutoff}, cutoff_width: {m.cutoff_width}, d_pet: {m.d_pet}, d_node: {m.d_node},
    d_head: {m.d_head}, d_feedforward: {m.d_feedforward}, num_heads: {m.n_heads}, num_gnn_layers: {m.n_gnn_layers},
    num_attention_layers: {m.n_attention_layers}}}
  training: {{batch_size: {c.batch_size}, num_epochs: {epochs}, num_workers: 0}}
training_set:
  systems: {{read_from: train.xyz, length_unit: angstrom}}
  targets:"""
    + TARGETS
    + """
validation_set:
  systems: {{read_from: validation.xyz, length_unit: angstrom}}
  targets:"""
    + TARGETS
    + """
test_set: 0.0
"""
)


def main() -> None:
    """Print crystals per second of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crystals", type=int, default=160, help="in the training set")
    parser.add_argument("--epochs", type=int, nargs=2, default=(2, 6), help="of the short and of the long run")
    parser.add_argument("--batch-size", type=int, help="default: that of symlab.training.force_field")
    parser.add_argument("--cutoff", type=float, help="Angstrom; default: that of symlab.training.force_field")
    parser.add_argument("--ours", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ours:
        train_ours(arguments, int(arguments.ours[0]), Path(arguments.ours[1]))
        return
    if importlib.util.find_spec("metatrain") is None:
        raise SystemExit('No module named metatrain. Install the oracle: pip install "symlab[oracle]"')
    model, config = settings(arguments)
    data = crystals(arguments)
    print(f"sizes: {model.to_dict() | {'targets': list(model.targets)}}; batch {config.batch_size}")
    times: dict[str, list[float]] = {"mtt train": [], "symlab": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_xyz(data, folder)
        for epochs in arguments.epochs:
            (folder / "options.yaml").write_text(OPTIONS.format(m=model, c=config, epochs=epochs))
            mtt = [sys.executable, "-m", "metatrain", "train", "options.yaml"]
            times["mtt train"].append(cpu_seconds(mtt, folder, THREADS))
            own = [sys.executable, str(Path(__file__).resolve()), *sys.argv[1:]]
            own += ["--ours", str(epochs), str(folder / f"ours_{epochs}")]
            times["symlab"].append(cpu_seconds(own, Path.cwd(), WORKER_ENVIRONMENT))
    short, long = arguments.epochs
    rate = {k: arguments.crystals * (long - short) / (t[1] - t[0]) for k, t in times.items()}
    whole = {k: arguments.crystals * long / t[1] for k, t in times.items()}
    for label, rates in (("epochs alone", rate), (f"whole command, {long} epochs", whole)):
        print(f"{label}, crystals per CPU second:", ", ".join(f"{k} {value:.0f}" for k, value in rates.items()))
        print(f"  ratio {rates['symlab'] / rates['mtt train']:.1f}")


def settings(arguments: argparse.Namespace) -> tuple:
    """Sizes of the book's force field, changed as asked."""
    model, config = force_field()
    model = replace(model, cutoff=arguments.cutoff or model.cutoff)
    return model, replace(config, batch_size=arguments.batch_size or config.batch_size)


def crystals(arguments: argparse.Namespace) -> Dataset:
    """Take the first crystals of the book; the last four validate."""
    data = load_crystals(Store(), n=480)
    n = arguments.crystals
    return replace(data, splits={"train": list(range(n)), "validation": list(range(n, n + 4))})


def train_ours(arguments: argparse.Namespace, epochs: int, root: Path) -> None:
    """Train in this process, validating once an epoch, as metatrain does."""
    import torch

    from symlab.training import train

    torch.set_num_threads(1)
    model, config = settings(arguments)
    n_steps = epochs * (arguments.crystals // config.batch_size)
    config = replace(config, n_steps=n_steps, n_validations=epochs, n_checkpoints=1)
    train(model, config, crystals(arguments), Store(root), progress=False)


def write_xyz(data: Dataset, folder: Path) -> None:
    """Write the splits in the format that metatrain reads."""
    import ase
    import ase.io

    for split in ("train", "validation"):
        frames = []
        part = data.split(split)
        for index, structure in enumerate(part.structures):
            atoms = ase.Atoms(structure.species.numpy(), structure.positions.numpy(), cell=structure.cell, pbc=True)
            atoms.info["energy"] = float(part.labels["energy"][index])
            atoms.info["s"] = part.labels["stress"][index].numpy().reshape(-1)
            atoms.arrays["f"] = part.labels["forces"][index].numpy()
            frames.append(atoms)
        ase.io.write(folder / f"{split}.xyz", frames, write_results=False)


def cpu_seconds(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    """CPU seconds of a command that runs on one thread."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
