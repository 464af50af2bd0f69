"""Time and values of A and B beside metatomic's SymmetrizedModel: same weights, structure, grid, layers and batches.

metatomic is given our own fast forward pass (neighbours found once for all copies), so the ratio compares the two
measurements and not two models.

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

from symlab.groups import Structure
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
    x = silicon(torch.float64)
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

    oracle = Oracle(with_layers, x, [*outputs, *layers], arguments.l_max, degree, arguments.batch_size)

    def ours() -> Diagnosis:
        return diagnose(
            model.evaluate, x, outputs, layers, arguments.l_max, degree, batch_size=arguments.batch_size,
            n_converge=0, tolerance=None, check=False, progress=False,
        )  # fmt: skip

    times: dict[str, list[float]] = {"symlab": [], "metatomic": []}
    for _ in range(arguments.repeats):
        seconds, found = timed(ours)
        times["symlab"].append(seconds)
        seconds, reference = timed(oracle.run)
        times["metatomic"].append(seconds)
        print(f"symlab {times['symlab'][-1]:.1f} s, metatomic {seconds:.1f} s", flush=True)
    assert isinstance(found, Diagnosis)
    assert isinstance(reference, dict)

    worst = 0.0
    for name, spectrum in found.characters.items():
        theirs = [power(reference["o3::character_projection::" + name], *s).sum() for s in spectrum.sectors]
        scale = float(spectrum.mean_square_by_structure[0])
        worst = max(worst, float((torch.stack(theirs) - spectrum.power).abs().max()) / scale)
    for name in outputs:
        variance = found.equivariance[name].variance
        assert isinstance(variance, Tensor)
        theirs_a = squared_error(reference["o3::variance::" + name]).sum()
        worst = max(worst, abs(float(3 ** CARTESIAN[name] * variance.sum() / theirs_a) - 1))
    ratio = [slow / fast for slow, fast in zip(times["metatomic"], times["symlab"], strict=True)]
    print(
        f"A of 3 outputs and B of them and {len(layers)} layers at l_max {arguments.l_max}, float64, 1 thread: "
        f"symlab is {statistics.median(ratio):.1f} times as fast (from {min(ratio):.1f} to {max(ratio):.1f}); "
        f"largest relative difference {worst:.1e}"
    )


if __name__ == "__main__":
    main()
