"""Training small networks in one loop: CPU time of a step beside that of the same networks trained apart.

Networks of chapter 11: three seeds of each of four embeddings and a gain, on four atoms, with equal numbers of weights.
Both variants take turns, in one process of one thread.

    python benchmarks/joint_training.py --repeats 3
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from particle_rotation import in_turns, ratios, show

from symlab.data import Dataset
from symlab.groups import Structure
from symlab.training import Combination, combinations, spectral_network, spectral_training
from symlab.training._ensemble_loop import Ensemble, fit_ensembles

TARGET, DEGREE, N_SEEDS = "tensor", 3, 3


def invented(n: int = 128) -> Dataset:
    """Molecules of four atoms with random labels: what is learned does not change the time of a step."""
    generator = torch.Generator().manual_seed(0)
    positions = torch.randn(n, 4, 3, dtype=torch.float64, generator=generator)
    labels = torch.randn(n, 4, 2 * DEGREE + 1, dtype=torch.float64, generator=generator)
    species = torch.tensor([8, 8, 1, 1])
    return Dataset(
        [Structure(0.5 * one, species) for one in positions],
        {TARGET: list(labels)},
        {TARGET: ""},
        {},
        {"train": list(range(n - 4)), "validation": list(range(n - 4, n))},
    )


def train(cells: Sequence[Combination], data: Dataset, n_steps: int) -> None:
    """Train all seeds of some combinations in one loop."""
    configs = [replace(spectral_training(seed, n_steps), n_checkpoints=1, n_validations=1) for seed in range(N_SEEDS)]
    parts = data.split("train"), data.split("validation")
    with TemporaryDirectory() as folder:
        networks = [spectral_network(cell, TARGET, n_parameters=36000, d_pet=24) for cell in cells]
        fit_ensembles(
            [Ensemble(Path(folder) / str(k), one, configs, *parts) for k, one in enumerate(networks)], progress=False
        )


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = invented()
    cells = [*combinations(DEGREE, [None, 2, 4, 8]), Combination(DEGREE, None, 4.0)]
    times = in_turns(
        "trains",
        {
            "together": lambda: train(cells, data, options.steps),
            "apart": lambda: [train([cell], data, options.steps) for cell in cells],
        },
        options.repeats,
    )
    n = N_SEEDS * len(cells)
    show(f"{n} networks, {N_SEEDS} at a time / in one loop", ratios(times, "apart", "together"))
    show("  in one loop, ms of a step", [1000 * seconds / options.steps for seconds in times["together"]])


if __name__ == "__main__":
    main()
