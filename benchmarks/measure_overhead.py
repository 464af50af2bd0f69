"""Time of A and B together over the bare forward passes on the same grid.

For each batch of rotations the bare model runs right before or right after the measured one, in turns, so that both
meet the same machine. The measured time holds everything that `symlab.measure.diagnose` does for its grid: stacking,
the model, the hooks of the hidden layers, the moments of A and the character transform of B. One call measures several
structures, as a survey does: the first one pays for fresh memory, the others use it again.

    python benchmarks/measure_overhead.py --l-max 6 --repeats 3
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from symlab.groups import Rotatable, Structure
from symlab.measure import diagnose
from symlab.models import PET, PETConfig, force_field_targets

OUTPUTS = {"energy": "0e", "forces": "i", "stress": "ij=ji"}
Evaluate = Callable[[Any], dict[str, torch.Tensor]]


def silicon(dtype: torch.dtype, seed: int = 0) -> Structure:
    """Eight atoms of rattled silicon, 5.43 Angstrom."""
    sites = [[0, 0, 0], [0, 2, 2], [2, 0, 2], [2, 2, 0], [1, 1, 1], [1, 3, 3], [3, 1, 3], [3, 3, 1]]
    positions = torch.tensor(sites) * (5.43 / 4) + 0.05 * torch.randn(
        8, 3, generator=torch.Generator().manual_seed(seed)
    )
    return Structure(positions.to(dtype), torch.full((8,), 14), (5.43 * torch.eye(3)).to(dtype))


def overhead(
    bare: Callable[[int], object], evaluate: Evaluate, measure: Callable[[Evaluate], object], repeats: int
) -> list[float]:
    """Time of ``measure(f)`` over that of the bare passes on as many copies, once for each repeat."""
    ratios = []
    for _ in range(repeats):
        alone, calls = 0.0, 0

        def run_bare(n_copies: int) -> None:
            nonlocal alone
            start = time.process_time()
            bare(n_copies)
            alone += time.process_time() - start

        def f(copies: Any) -> dict[str, torch.Tensor]:
            nonlocal calls
            calls += 1
            if calls % 2:
                run_bare(copies.n_copies)
            found = evaluate(copies)
            if not calls % 2:
                run_bare(copies.n_copies)
            return found

        start = time.process_time()
        measure(f)
        ratios.append((time.process_time() - start - alone) / alone)
    return ratios


def unturned(x: Rotatable, n_copies: int) -> Any:
    """Stack equal copies, as the bare passes take them."""
    return x.stacked(torch.eye(3, dtype=torch.float64).expand(n_copies, 3, 3))


def of_pet(
    model: PET, structures: list[Structure], layers: list[str], l_max: int, batch_size: int, repeats: int
) -> list[float]:
    """Overhead of A and B; structures of equal size."""
    twin = copy.deepcopy(model)
    options: dict[str, Any] = {"check": False, "n_converge": 0, "tolerance": None, "progress": False}
    return overhead(
        lambda n: twin.evaluate(unturned(structures[0], n)),
        model.evaluate,
        lambda f: diagnose(
            f, structures, OUTPUTS, layers, l_max, 2 * l_max, module=model, batch_size=batch_size, **options
        ),
        repeats,
    )


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--l-max", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--width", type=int, default=32, help="d_pet; the other widths grow with it")
    parser.add_argument("--structures", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for dtype in (torch.float32, torch.float64):
        width = arguments.width
        sizes = {"d_pet": width, "d_node": 2 * width, "d_head": width, "d_feedforward": 2 * width}
        model = PET(
            PETConfig((14,), force_field_targets(), n_heads=max(1, width // 16), **sizes),
            torch.Generator().manual_seed(0),
        )
        model = model.to(dtype).eval()
        structures = [silicon(dtype, seed) for seed in range(arguments.structures)]
        every = model.layer_names()
        for label, layers in (
            ("no hidden layer", []),
            ("block outputs", [name for name in every if name.startswith("rounds") and "blocks" in name]),
            ("every hidden layer", every),
        ):
            ratios = of_pet(model, structures, layers, arguments.l_max, arguments.batch_size, arguments.repeats)
            print(
                f"{dtype!s:14s} l_max {arguments.l_max}, d_pet {width}, "
                f"A of 3 outputs, B of them and {label} ({len(layers)}): "
                f"{statistics.median(ratios):.3f} of the bare passes (from {min(ratios):.3f} to {max(ratios):.3f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
