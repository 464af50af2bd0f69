"""Rotating, measuring and repairing the segmentation of events, as ratios of CPU times in one run of one thread.

The variants of a line take turns. Events are simulated here; the network has the sizes of the book and its initial
weights, which cost what trained ones cost. A line gives the median over the repeats, and their range.

    python benchmarks/particle_rotation.py --repeats 3
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from measure_overhead import Evaluate, overhead, unturned
from torch import Tensor

from symlab.data import EventSet, draw_events, simulate_events
from symlab.groups import PointCloud, finite_group, monte_carlo_grid
from symlab.measure import class_votes, diagnose, equivariance
from symlab.models import GroupedCloud, PolarMAE
from symlab.progress import progress_bar
from symlab.repair import repaired
from symlab.training import track_network

OPTIONS: dict[str, Any] = {"check": False, "n_converge": 0, "batch_size": 32, "progress": False}
Times = dict[str, list[float]]


def in_turns(label: str, variants: Mapping[str, Callable[[], object]], repeats: int) -> Times:
    """CPU seconds of each variant in each repeat; every other repeat goes backwards, and one before them warms up."""
    times: Times = {name: [] for name in variants}
    with progress_bar(total=(repeats + 1) * len(variants), desc=label, leave=False) as bar:
        for repeat in range(repeats + 1):
            for name in list(variants)[:: 1 if repeat % 2 else -1]:
                start = time.process_time()
                variants[name]()
                times[name] += [time.process_time() - start] if repeat else []
                bar.update()
    return times


def ratios(times: Times, name: str, other: str) -> list[float]:
    """Divide the times of one variant by those of another, repeat by repeat."""
    return [a / b for a, b in zip(times[name], times[other], strict=True)]


def show(label: str, values: Sequence[float]) -> None:
    """Print a line of the table."""
    print(f"{label:80s} {statistics.median(values):7.3f} ({min(values):.3f} to {max(values):.3f})", flush=True)


def of_book_size(events: EventSet) -> EventSet:
    """Keep the events that `load_events` would keep, small ones first."""
    sizes = [len(cloud.positions) for cloud in events.clouds]
    return events.subset([row for row in sorted(range(len(sizes)), key=sizes.__getitem__) if 256 <= sizes[row] <= 4000])


def grouping(network: PolarMAE, cloud: PointCloud, repeats: int) -> None:
    """Compare groups made once with groups made again for every turned copy, in a measurement of A."""
    grid = monte_carlo_grid(24, "SO(3)", torch.Generator().manual_seed(0))
    rmse: dict[str, float] = {}

    def anew(stack: Any) -> Tensor:
        copies = [network.group(PointCloud(positions, stack.features)) for positions in stack.positions]
        return network(network.batch(copies)).unflatten(0, (len(copies), -1))

    def measure(name: str, f: Callable[[Any], Tensor], x: Any) -> None:
        report = equivariance(f, x, "4x0e", grid=grid, **OPTIONS)
        assert not isinstance(report, dict)
        rmse[name] = report.rmse

    variants = {
        "once": lambda: measure("once", network, network.group(cloud)),
        "anew": lambda: measure("anew", anew, cloud),
    }
    times = in_turns("groups", variants, repeats)
    show(f"A of the logits in {len(grid)} orientations: grouped anew / once", ratios(times, "anew", "once"))
    print(f"  relative difference of the two A: {abs(rmse['anew'] / rmse['once'] - 1):.1e}")


def measuring(network: PolarMAE, grouped: GroupedCloud, repeats: int) -> None:
    """Compare measurements with the bare passes on as many copies."""
    twin = copy.deepcopy(network)
    first, second = (monte_carlo_grid(24, "SO(3)", torch.Generator().manual_seed(seed)) for seed in (0, 1))
    output = {"logits": "4x0e"}
    tokens = [name for name in network.layer_names() if name not in ("points", "logits")]

    def decisions(f: Evaluate) -> None:
        equivariance(f, grouped, output, grid=first, **OPTIONS)
        class_votes(f, grouped, second, output="logits", batch_size=32, progress=False)

    def survey(f: Evaluate, layers: Sequence[str]) -> None:
        diagnose(f, grouped, output, layers, 4, 8, module=network, tolerance=None, **OPTIONS)

    for label, measure in (
        (f"A and flips of the logits, {len(first)} orientations each", decisions),
        ("A and B of the logits to l = 4", lambda f: survey(f, ())),
        (f"A and B of the logits, B of {len(tokens)} layers of tokens to l = 4", lambda f: survey(f, tokens)),
    ):
        found = []
        with progress_bar(total=repeats, desc="measures", leave=False) as bar:
            for _ in range(repeats):
                found += overhead(lambda n: twin.evaluate(unturned(grouped, n)), network.evaluate, measure, 1)
                bar.update()
        show(f"{label}: whole / bare passes", found)


def repairing(network: PolarMAE, grouped: GroupedCloud, repeats: int) -> None:
    """Compare a repaired answer for one event with a bare one."""
    alone = unturned(grouped, 1)
    variants = {str(r): partial(repaired(network, r, 4), alone) for r in (None, "T", "O", "frame")}
    times = in_turns("repairs", variants, 3 * repeats)
    for group in ("T", "O"):
        show(f"averaged over the {len(finite_group(group))} elements of {group} / one pass",
             ratios(times, group, "None"))  # fmt: skip
    show("in its principal frame / one pass", ratios(times, "frame", "None"))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=12, help="simulated; one of median and one of small size is used")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    clouds = of_book_size(simulate_events(draw_events(arguments.events))).clouds
    network = PolarMAE(track_network()[0], torch.Generator().manual_seed(0)).eval()
    median, small = clouds[len(clouds) // 2], clouds[len(clouds) // 8]
    print(f"grouping and repairs: an event of {len(median.positions)} voxels; A and B: {len(small.positions)}")
    grouping(network, median, arguments.repeats)
    measuring(network, network.group(small), arguments.repeats)
    repairing(network, network.group(median), arguments.repeats)


if __name__ == "__main__":
    main()
