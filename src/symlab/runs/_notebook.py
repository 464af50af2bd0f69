"""A text notebook in percent format, read without jupytext: fast enough for a look at every key of the book."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from symlab.runs._errors import RunError
from symlab.runs._parameters import Parameter, declared_parameters

MARKER = re.compile(r"^# %%(?P<options>.*)$")
TEXT_CELL = re.compile(r"\[(markdown|md|raw)\]")
PARAMETERS_TAG = re.compile(r"tags\s*=\s*\[[^\]]*\"parameters\"|\"tags\"\s*:\s*\[[^\]]*\"parameters\"")


@dataclass(frozen=True)
class Cell:
    """One cell: its option text (after `# %%`), its source, and the line of the file where it begins."""

    options: str
    source: str
    line: int

    @property
    def is_code(self) -> bool:
        """Whether the cell is run."""
        return not TEXT_CELL.search(self.options)


@dataclass(frozen=True)
class Notebook:
    """A chapter's source: `notebooks/<name>.py`.

    Attributes:
        path: the file.
        text: what it holds.
    """

    path: Path
    text: str

    @property
    def name(self) -> str:
        """File name without ending; names the run folder and the page."""
        return self.path.stem

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All cells in order, header left out."""
        found: list[tuple[str, int, list[str]]] = []
        for number, line in enumerate(self.text.splitlines(), start=1):
            if match := MARKER.match(line):
                found.append((match["options"].strip(), number, []))
            elif found:
                found[-1][2].append(line)
        return tuple(Cell(options, "\n".join(lines).strip("\n"), number) for options, number, lines in found)

    @property
    def code(self) -> tuple[str, ...]:
        """Sources of the code cells: what the outputs depend on. Prose does not count."""
        return tuple(cell.source for cell in self.cells if cell.is_code)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Parameters that the tagged cell declares.

        Raises:
            RunError: there is no such cell, or it does not declare `preset`.
        """
        for cell in self.cells:
            if PARAMETERS_TAG.search(cell.options):
                found = declared_parameters(cell.source)
                if any(parameter.name == "preset" for parameter in found):
                    return found
        raise RunError(
            f'{self.path.name}: no parameters cell; begin with a cell `# %% tags=["parameters"]` that declares '
            '`preset: str = "book"`'
        )

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What the header says below `symlab:`: `needs` (notebooks to run first) and `workers` (own processes)."""
        header = re.match(r"# ---\n(?P<yaml>(?:#.*\n)*?)# ---\n", self.text)
        if header is None:
            return {}
        import yaml

        lines = "\n".join(line.removeprefix("#").removeprefix(" ") for line in header["yaml"].splitlines())
        read = (yaml.safe_load(lines) or {}).get("jupyter", {}).get("symlab", {})
        unknown = set(read) - {"needs", "workers"}
        if unknown:
            raise RunError(
                f"{self.path.name}: unknown setting {sorted(unknown)[0]!r} below `symlab:` in the header; "
                "valid ones are 'needs' and 'workers'"
            )
        return dict(read)

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the notebooks whose artifacts this one reuses."""
        return tuple(self.settings.get("needs", ()))

    @property
    def workers(self) -> int:
        """Processes that the notebook itself starts; with more than one it runs alone."""
        return int(self.settings.get("workers", 1))


def read_notebook(path: Path) -> Notebook:
    """Read a text notebook.

    Raises:
        RunError: no such file; the message lists the notebooks beside it.
    """
    if not path.is_file():
        others = ", ".join(sorted(other.stem for other in path.parent.glob("*.py"))) or "none"
        raise RunError(f"no notebook {path.stem!r} in {path.parent.name}/; there are: {others}")
    return Notebook(path, path.read_text(encoding="utf-8"))
