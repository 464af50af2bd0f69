"""Time and values of A and B beside metatomic's SymmetrizedModel: same weights, structure, grid, layers and batches.

metatomic is given our own fast forward pass (neighbours found once for all copies), so both spend the same time in the
model. Two ratios are printed: of the whole times, and of what each measurement adds to the bare forward passes.

    python benchmarks/against_metatomic.py --l-max 6 --repeats 3
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from measure_overhead import silicon
from torch import Tensor

from symlab.groups import Structure, haar_grid
from symlab.measure import Diagnosis, diagnose
from symlab.models import PET, PETConfig, Target

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "measure"))  # the adapter that the tests check


def timed(run: Callable[[], object]) -> tuple[float, object]:
    """CPU seconds of a call, and what it returns."""
    start = time.process_time()
    result = run()
    return time.process_time() - start, result


def main() -> None:
    """Print times, their ratio, and the largest difference of the values."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--l-max", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=104)
    parser.add_argument("--structures", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    try:
        from metatomic_model import CARTESIAN, Oracle, power, squared_error
    except ImportError as error:
        raise SystemExit(f'{error}. Install the oracle: pip install "symlab[oracle]"') from error
    torch.set_num_threads(1)

    outputs = {"energy": "0e", "non_conservative_force": "i", "non_conservative_stress": "ij"}
    targets = {
        "energy": Target("0e"),
        "non_conservative_force": Target("i", per="atom"),
        "non_conservative_stress": Target("ij", density=True),
    }
    model = PET(PETConfig(species=(14,), targets=targets), torch.Generator().manual_seed(0)).double().eval()
    structures = [silicon(torch.float64, seed) for seed in range(arguments.structures)]
    layers = model.layer_names()
    degree = 2 * arguments.l_max

    kept: dict[str, Tensor] = {}
    for layer in layers:
        model.get_submodule(layer).register_forward_hook(
            lambda _module, _inputs, output, layer=layer: kept.update({layer: output})
        )

    def with_layers(copies: Structure) -> dict[str, Tensor]:
        found = model.evaluate(copies)
        return {**found, **{layer: y.reshape(copies.n_copies, -1, y.shape[-1]) for layer, y in kept.items()}}

    oracle = Oracle(with_layers, structures, [*outputs, *layers], arguments.l_max, degree, arguments.batch_size)

    def ours() -> Diagnosis:
        return diagnose(
            model.evaluate, structures, outputs, layers, arguments.l_max, degree, batch_size=arguments.batch_size,
            n_converge=0, tolerance=None, check=False, progress=False,
        )  # fmt: skip

    def bare() -> None:
        with torch.no_grad():
            for x in structures:
                for matrices in haar_grid(degree).matrices.split(arguments.batch_size):
                    model.evaluate(x.stacked(matrices))

    times: dict[str, list[float]] = {"bare": [], "symlab": [], "metatomic": []}
    for _ in range(arguments.repeats):
        times["bare"].append(timed(bare)[0])
        seconds, found = timed(ours)
        times["symlab"].append(seconds)
        seconds, reference = timed(oracle.run)
        times["metatomic"].append(seconds)
        print(", ".join(f"{name} {values[-1]:.1f} s" for name, values in times.items()), flush=True)
    assert isinstance(found, Diagnosis)
    assert isinstance(reference, dict)

    worst = 0.0
    for name, spectrum in found.characters.items():
        result = reference["o3::character_projection::" + name]
        system = result.block(0).samples.column("system").long()
        theirs = [
            torch.zeros(len(structures)).double().index_add(0, system, power(result, *s)) for s in spectrum.sectors
        ]
        by_structure = torch.stack(theirs, dim=1)
        difference = (by_structure - spectrum.power_by_structure) / spectrum.mean_square_by_structure[:, None]
        worst = max(worst, float(difference.abs().max()))
    for name in outputs:
        variance = found.equivariance[name].variance
        own = 3 ** CARTESIAN[name] * torch.stack(list(variance)).flatten()
        worst = max(worst, float((own / squared_error(reference["o3::variance::" + name]) - 1).abs().max()))
    plain, fast, slow = (statistics.median(times[name]) for name in ("bare", "symlab", "metatomic"))
    print(
        f"A of 3 outputs and B of them and {len(layers)} layers at l_max {arguments.l_max}, {len(structures)} "
        f"structures, float64, 1 thread:\n"
        f"  whole time: metatomic / symlab = {slow / fast:.1f}\n"
        f"  added to the bare passes: metatomic {slow / plain - 1:.2f}, symlab {fast / plain - 1:.2f} of them; "
        f"ratio {(slow - plain) / (fast - plain):.1f}\n"
        f"  largest relative difference of the values: {worst:.1e}"
    )


if __name__ == "__main__":
    main()
