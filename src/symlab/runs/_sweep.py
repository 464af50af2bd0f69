"""A sweep: one run of a notebook for each point of a grid, on the workers of a cluster."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symlab.runs._cluster import as_told, connected
from symlab.runs._errors import ParameterError, RunError
from symlab.runs._execute import Processes, ensure
from symlab.runs._grid import Point
from symlab.runs._notebook import Notebook
from symlab.runs._project import NOTHING, Project
from symlab.runs._record import is_complete, make_folder, write_json, write_text
from symlab.runs._table import SWEEP, TABLE, sweep_row, sweep_rows, table_text

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True)
class Sweep:
    """Runs of one notebook; the folder of each is found by its content, so a finished one is used again.

    Attributes:
        project: where the notebook is.
        notebook: what runs.
        preset: which defaults, for all runs.
        points: the grid.
    """

    project: Project
    notebook: Notebook
    preset: str
    points: tuple[Point, ...]

    @cached_property
    def runs(self) -> tuple[Path, ...]:
        """Folder of the run at each point, with the sources as they are now."""
        return tuple(self.project.folders(self.notebook.name, self.preset, [point.given for point in self.points]))

    @cached_property
    def folder(self) -> Path:
        """Folder of the table: the same points and sources give the same folder."""
        key = hashlib.sha256("\n".join(run.name for run in self.runs).encode()).hexdigest()
        return self.project.runs / self.notebook.name / f"sweep-{self.preset}-{key[:16]}"

    @property
    def table(self) -> Path:
        """The table as csv."""
        return self.folder / TABLE

    def run(
        self,
        *,
        scheduler: str | None = None,
        workers: int = 1,
        show: Callable[[Sequence[str], int, int], None] = lambda last, done, total: None,
    ) -> None:
        """Do what is not finished yet; write the table after each run.

        Args:
            scheduler: address of a Dask scheduler whose workers see the same files; None starts workers here.
            workers: places on this machine; a notebook that starts processes itself takes as many.
            show: called about twice a second with the point that ended last, the number of those done, and of all.

        Raises:
            RunError: runs failed, and the others went on; the message names each with its notebook, parameters and
                cell. Or a notebook that this one needs failed, dask.distributed is not installed, no scheduler
                answers, the folder cannot be written.
        """
        name, total = self.notebook.name, len(self.points)
        rows = self._begin()
        missing = [number for number, row in enumerate(rows) if row["tail"]["status"] != "finished"]
        done, last, failures = total - len(missing), list[str](), list[str]()

        def tell() -> None:
            show(last, done, total)

        tell()
        if not missing:
            return
        with connected(scheduler, max(1, min(workers // self.notebook.workers, len(missing)))) as client:
            self._run_needs(client, tell)
            calls = {number: self._call(name, self.points[number].given, self.runs[number]) for number in missing}
            for number, error in as_told(client, run_point, calls, tell):
                point = self.points[number]
                if error is not None:
                    failures.append(f"{point}: {error}")
                rows[number] = sweep_row(name, self.runs[number], point.values)
                write_text(self.table, table_text(rows))
                done, last = done + 1, [f"{point} failed" if error else str(point)]
                tell()
        if failures:
            summary = f"{len(failures)} of {total} runs of {name} failed; the others are kept"
            raise RunError("\n".join([summary, *failures]))

    def _begin(self) -> list[dict[str, Any]]:
        """Write down which runs belong to the sweep, and the table of those that are there already."""
        make_folder(self.folder, figures=False)
        pairs = zip(self.points, self.runs, strict=True)
        listed = [{"values": point.values, "folder": run.name} for point, run in pairs]
        write_json(self.folder / SWEEP, {"notebook": self.notebook.name, "preset": self.preset, "runs": listed})
        rows = sweep_rows(self.folder)
        write_text(self.table, table_text(rows))
        return rows

    def _run_needs(self, client: "Client", tell: Callable[[], None]) -> None:
        """Run the notebooks whose artifacts this one reuses, before the many that would wait for them."""
        folders = {need: self.project.folder(need, self.preset) for need in self.notebook.needs}
        calls = {
            need: self._call(need, NOTHING, folder) for need, folder in folders.items() if not is_complete(folder, need)
        }
        errors = [error for _, error in as_told(client, run_point, calls, tell) if error]
        if errors:
            raise RunError("\n".join([f"{self.notebook.name} was not run, because of what it needs", *errors]))

    def _call(self, name: str, given: Mapping[str, Any], folder: Path) -> tuple[Any, ...]:
        return Project(self.project.root, self.project.runs), name, self.preset, dict(given), folder


def run_point(project: Project, name: str, preset: str, given: Mapping[str, Any], folder: Path) -> str | None:
    """Run a notebook on a worker, unless its run is finished.

    Args:
        project: where the notebook is.
        name: of the notebook.
        preset: which defaults.
        given: parameters that differ from their defaults.
        folder: where whoever asks will look for the run.

    Returns:
        What went wrong, or None.
    """
    try:
        if project.folder(name, preset, given) != folder:
            return (
                f"{name}: its sources are not those that the sweep began with: edited meanwhile, or other files or "
                "another Python on this worker; run the command again"
            )
        ensure(project, name, preset, Processes(), given)
    except (RunError, ParameterError) as error:
        return str(error)
    return None
