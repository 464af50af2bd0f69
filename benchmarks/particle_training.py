"""Simulating events and learning from them: ratios of CPU times in one run of one thread, and peaks of memory.

Variants take turns, as in particle_rotation.py. A peak is the resident memory of a process of its own, with the memory
settings of the book's workers, beside the budget of a whole process.

    python benchmarks/particle_training.py --repeats 3
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from particle_rotation import in_turns, of_book_size, ratios, show
from torch import nn

from symlab.artifacts import Store
from symlab.data import EventSet, draw_events, simulate_events
from symlab.groups import random_rotations
from symlab.models import PolarMAE
from symlab.progress import progress_bar
from symlab.training import survey_tokens, track_network
from symlab.training._optimizers import make_optimizers
from symlab.training._polar_tasks import Segment
from symlab.workers import WORKER_ENVIRONMENT

BLOCK = 25  # events that `load_events` simulates together
N_BOOK, CORE_HOURS = 1500, 2.0  # events of the book, and what the whole book may take: an hour on two cores
BUDGET = 4.0  # GB
WORKS = {
    "events": f"simulating {BLOCK} events",
    "step": "  and steps on the largest of them",
    "survey": "  and a survey of the largest one, its tokens in every layer",
}


class Lesson:
    """A segmentation of the book about to take a step on some events.

    Args:
        events: that are learned, all of them in one batch.
    """

    def __init__(self, events: EventSet) -> None:
        model, _, self.config = track_network()
        self.network = PolarMAE(model, torch.Generator().manual_seed(0))
        grouped = [self.network.group(cloud) for cloud in events.clouds]
        self.task = Segment(self.network, self.config, grouped, events.semantic, grouped[:1], events.semantic[:1])
        self.optimizers = make_optimizers(self.network.parameters(), self.task.hidden, self.config)
        self.chance = torch.Generator().manual_seed(0)
        self.turns = random_rotations(len(events), self.chance)

    def step(self, rows: Sequence[int], update: bool = True) -> None:
        """Find the gradient, and use it or leave it to the next step."""
        self.task.loss(self.network, rows, self.turns[list(rows)], self.chance, "cpu").backward()
        if update:
            nn.utils.clip_grad_norm_(self.network.parameters(), max_norm=self.config.clip)
            for optimizer in self.optimizers:
                optimizer.step()
                optimizer.zero_grad()


def simulating(repeats: int) -> EventSet:
    """Compare a block with its events one by one; give those of the sizes of the book."""
    primaries = draw_events(BLOCK)
    made: list[EventSet] = []
    variants: dict[str, Callable[[], object]] = {
        "block": lambda: made.append(simulate_events(primaries)),
        "alone": lambda: [simulate_events([event], seed) for seed, event in enumerate(primaries)],
    }
    times = in_turns("simulates", variants, repeats)
    rates = [BLOCK / seconds for seconds in times["block"]]
    show(f"simulation: {BLOCK} events one by one / in one block", ratios(times, "alone", "block"))
    show("  events per second, in blocks", rates)
    show(f"  {N_BOOK} events / {CORE_HOURS:.0f} core hours", [N_BOOK / rate / 3600 / CORE_HOURS for rate in rates])
    return of_book_size(made[0])


def learning(events: EventSet, repeats: int) -> None:
    """Compare a step on a batch of events of like size with as many steps on single ones."""
    size = track_network()[2].batch_size
    start = max(0, (len(events) - size) // 2)
    lesson = Lesson(events.subset(range(start, min(start + size, len(events)))))
    together, alone = [range(len(lesson.turns))], [[row] for row in range(len(lesson.turns))]

    def steps(parts: Sequence[Sequence[int]], update: bool) -> None:
        for part in parts:
            lesson.step(part, update)

    variants: dict[str, Callable[[], object]] = {
        "together": lambda: steps(together, True),
        "alone": lambda: steps(alone, True),
        "gradient together": lambda: steps(together, False),
        "gradient alone": lambda: steps(alone, False),
    }
    times = in_turns("trains", variants, repeats)
    n, widths = len(alone), lesson.task.widths
    show(f"training: {n} steps on one event / one on {n}", ratios(times, "alone", "together"))
    show("  gradients, without the optimizer", ratios(times, "gradient alone", "gradient together"))
    show("  share of the tokens that are padding", [1 - statistics.mean(widths) / max(widths)])
    show("  milliseconds of a step, each event", [1000 * seconds / n for seconds in times["together"]])


def remember(work: str) -> None:
    """Do the work in this process and print its peak resident memory, GB."""
    torch.set_num_threads(1)
    events = of_book_size(simulate_events(draw_events(BLOCK)))  # the largest ones stand last
    if work == "step":
        lesson = Lesson(events.subset(range(len(events))[-track_network()[2].batch_size :]))
        for _ in range(3):
            lesson.step(range(len(lesson.turns)))
    elif work == "survey":
        network = PolarMAE(track_network()[0], torch.Generator().manual_seed(0)).eval()
        layers = [name for name in network.layer_names() if name not in ("points", "logits")]
        with TemporaryDirectory() as folder:
            survey_tokens(network, events.subset([len(events) - 1]), Store(Path(folder)), layers, n_workers=1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes; bytes on a Mac
    print(peak * (1 if sys.platform == "darwin" else 1024) / 1e9)


def peaks() -> None:
    """Print the peaks of processes of their own."""
    with progress_bar(total=len(WORKS), desc="remembers", leave=False) as bar:
        for work, label in WORKS.items():
            command = [sys.executable, str(Path(__file__).resolve()), "--remember", work]
            done = subprocess.run(command, env=os.environ | WORKER_ENVIRONMENT, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
            bar.write(f"memory, {label}: {float(done.stdout):.2f} GB of {BUDGET:.0f}")
            bar.update()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--remember", choices=tuple(WORKS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.remember:
        remember(arguments.remember)
        return
    torch.set_num_threads(1)
    peaks()  # first: a child is charged with what its parent held when it was started
    learning(simulating(max(1, arguments.repeats - 1)), arguments.repeats)


if __name__ == "__main__":
    main()
