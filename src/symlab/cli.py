"""The command line: `symlab run`, `symlab sweep`, `symlab book`, `symlab figures`."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symlab.runs._errors import ParameterError, RunError

if TYPE_CHECKING:
    from symlab.runs._site import Site

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

Preset = Annotated[
    str, typer.Option(help="Which defaults: smoke (tests), book (the pages) or full (a night or a GPU).")
]
Workers = Annotated[int, typer.Option(help="Notebooks side by side, one thread each.", min=1)]
INTERRUPTED = 130


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn expected errors into a message and an exit status."""
    try:
        yield
    except (ParameterError, RunError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("interrupted; finished runs are kept, and the same command goes on from here", err=True)
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def progress(told: str = "notebooks done; running:") -> Iterator[Callable[[Sequence[str], int, int], None]]:
    """Show a bar and names, such as those of the running notebooks; without a terminal, a line for each change."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    shown: list[str] = []
    with tqdm(bar_format="{bar:20} {n_fmt}/{total_fmt} [{elapsed}] {desc}", disable=not terminal) as bar:

        def show(running: Sequence[str], done: int, total: int) -> None:
            names = ", ".join(running)
            bar.total, bar.n = total, done
            bar.set_description_str(names)
            if not terminal and running and shown[-1:] != [names]:
                shown.append(names)
                typer.echo(f"{done}/{total} {told} {names}", err=True)

        yield show


@app.command()
def run(
    notebook: Annotated[str, typer.Argument(help="Name of the notebook, such as 09_pet_diagnostics.")],
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", help="name=value; repeat for more.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Short for -p preset=...")] = None,
) -> None:
    """Run one notebook with your own parameters; the run gets a folder of its own below runs/."""
    from symlab.runs._execute import Processes
    from symlab.runs._project import Project, given_from_text

    with told_plainly():
        project = Project.find()
        chosen = project.notebook(notebook)
        given = given_from_text(chosen, [*(parameter or ()), *([f"preset={preset}"] if preset else ())])
        folder = project.runs / chosen.name / datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S-%f")
        processes = Processes()
        try:
            typer.echo(f"{chosen.name} runs in {_short(folder)}")
            processes.run(project, chosen, folder, given)
        finally:
            processes.stop()
        typer.echo(_summary(folder, chosen.name))


@app.command()
def sweep(
    notebook: Annotated[str, typer.Argument(help="Name of the notebook, such as 09_pet_diagnostics.")],
    axes: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUES", help="More axes, as after --grid.")] = None,
    grid: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUES", help="An axis: n=2,4 or n=0..6 or n=none,2,0.5.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Vary `seed` too: so many, from its default on.", min=1)] = None,
    preset: Preset = "book",
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler that runs, tcp://...; default: workers of its own.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Runs side by side; default: one for each core.", min=1)] = None,
) -> None:
    """Run a notebook at each point of a grid, and print the path of a table of parameters and key numbers."""
    from symlab.runs._grid import grid_points
    from symlab.runs._parameters import check_preset
    from symlab.runs._project import Project
    from symlab.runs._sweep import Sweep
    from symlab.workers import n_cores

    with told_plainly():
        if scheduler and workers:
            raise ParameterError("--workers starts workers here, and --scheduler uses those that it has; give one")
        check_preset(preset)
        project = Project.find()
        chosen = project.notebook(notebook)
        points = grid_points(chosen, [*(grid or ()), *(axes or ())], seeds)
        planned = Sweep(project, chosen, preset, points)
        try:
            with progress("runs done; last:") as show:
                planned.run(scheduler=scheduler, workers=workers or n_cores(), show=show)
        finally:
            if planned.table.is_file():
                typer.echo(_short(planned.table))


def _summary(folder: Path, name: str) -> str:
    """Say what a run found and where it is."""
    from symlab.runs._record import read_record

    record = read_record(folder)
    lines = [f"{name} finished in {record['seconds']:.0f} s, with {record['peak_memory_mb']:.0f} MB at most"]
    for key, entry in record.get("key_numbers", {}).items():
        value = entry["value"] if isinstance(entry["value"], str) else f"{entry['value']:.6g}"
        spread = "" if entry["uncertainty"] is None else f" ± {entry['uncertainty']:.2g}"
        lines.append(f"  {key} = {value}{spread} {entry['unit']}".rstrip())
    return "\n".join(
        [*lines, f"notebook: {_short(folder / f'{name}.ipynb')}", f"figures:  {_short(folder / 'figures')}"]
    )


def _short(path: Path) -> str:
    return os.path.relpath(path)


def _site(preset: str) -> "Site":
    """Find the pages of a preset."""
    from symlab.runs._parameters import check_preset
    from symlab.runs._project import Project
    from symlab.runs._site import Site

    check_preset(preset)
    return Site(Project.find(), preset)


def _run_stale(site: "Site", workers: int) -> None:
    """Run every notebook behind the pages that is out of date, with a bar."""
    from tqdm import tqdm

    from symlab.runs._execute import ensure_all

    def failed(message: str) -> None:
        tqdm.write(f"failed: {message}\nthe notebooks that do not need it still run", file=sys.stderr)

    with progress() as show:
        ensure_all(site.project, site.preset, workers=workers, show=show, failed=failed)


@app.command()
def book(preset: Preset = "book", workers: Workers = 2) -> None:
    """Run every notebook that is out of date, write the pages, and print the path of the first."""
    with told_plainly():
        site = _site(preset)
        site.check()
        _run_stale(site, workers)
        if not site.is_current():
            site.write()
        typer.echo(site.index)


@app.command()
def figures(preset: Preset = "book", workers: Workers = 2) -> None:
    """Run what is out of date and copy every figure to build/figures/."""
    import shutil

    with told_plainly():
        site = _site(preset)
        _run_stale(site, workers)
        target = site.build / "figures"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for folder in site.runs().values():
            shutil.copytree(folder / "figures", target, dirs_exist_ok=True)
        typer.echo(target)
