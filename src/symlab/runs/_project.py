"""Where things are in a project, and the keys that say whether they are up to date."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from symlab.artifacts import source_digest
from symlab.runs._errors import ParameterError, RunError
from symlab.runs._notebook import Notebook, read_notebook
from symlab.runs._parameters import check_names, check_preset
from symlab.runs._record import is_complete, project_root, runs_root

LOCK = "requirements.lock"
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Project:
    """A folder with `notebooks/`, `book/` and `requirements.lock`; finished work goes to `runs/` and `build/`.

    Attributes:
        root: the folder.
        runs: folder of all runs.
    """

    root: Path
    runs: Path

    @classmethod
    def find(cls) -> "Project":
        """Return the project around the current folder."""
        return cls(project_root(), runs_root())

    @cached_property
    def notebooks(self) -> dict[str, Notebook]:
        """All notebooks by name.

        Raises:
            RunError: a notebook needs one that does not exist, or they need each other in a circle.
        """
        found = {path.stem: read_notebook(path) for path in sorted((self.root / "notebooks").glob("*.py"))}
        for notebook in found.values():
            for need in notebook.needs:
                if need not in found:
                    raise RunError(f"{notebook.path.name}: needs {need!r}, but there is no notebooks/{need}.py")
        for name in found:
            _depth(found, name, ())
        return found

    def notebook(self, name: str) -> Notebook:
        """Find a notebook by name, with or without folder and ending.

        Raises:
            RunError: there is none; the message lists those that exist.
        """
        return read_notebook(self.root / "notebooks" / f"{Path(name).name.removesuffix('.py')}.py")

    def depth(self, name: str) -> int:
        """Length of the longest chain of notebooks that wait for this one."""
        waiting = [other for other, notebook in self.notebooks.items() if name in notebook.needs]
        return 1 + max((self.depth(other) for other in waiting), default=0)

    @cached_property
    def pins(self) -> list[str]:
        """The lock without its comments."""
        path = self.root / LOCK
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        return [line for raw in lines if (line := raw.partition("#")[0].strip())]

    def key(self, name: str, given: Mapping[str, Any]) -> str:
        """Return the key of a run: sha256 over all that its outputs depend on, 64 hex digits.

        That is: code cells, given parameters, every module of symlab that they import (transitively), the lock,
        Python's version, and the keys of the notebooks it needs, run with the same preset.

        Raises:
            RunError: a code cell is not plain Python.
        """
        return self.keys(name, given.get("preset"), [given])[0]

    def keys(self, name: str, preset: str | None, many: Iterable[Mapping[str, Any]]) -> list[str]:
        """Return the keys of many runs with one preset, reading the sources once."""
        notebook = self.notebooks[name] if name in self.notebooks else self.notebook(name)
        try:
            digest = source_digest(files=[notebook.path])
        except SyntaxError as error:
            raise RunError(f"{notebook.path.name}:{error.lineno}: not plain Python ({error.msg})") from error
        upstream = [self.key(need, {"preset": preset}) for need in notebook.needs]
        parts = ([notebook.code, dict(given), digest, self.pins, platform.python_version(), upstream] for given in many)
        return [hashlib.sha256(json.dumps(part, sort_keys=True, default=list).encode()).hexdigest() for part in parts]

    def folder(self, name: str, preset: str, given: Mapping[str, Any] = NOTHING) -> Path:
        """Folder of the run of a notebook with a preset and the sources as they are now; found again by content.

        Args:
            name: of the notebook.
            preset: which defaults.
            given: parameters that differ from their defaults.
        """
        return self.folders(name, preset, [given])[0]

    def folders(self, name: str, preset: str, many: Iterable[Mapping[str, Any]]) -> list[Path]:
        """Folders of many runs with one preset."""
        keys = self.keys(name, preset, ({**given, "preset": preset} for given in many))
        return [self.runs / name / f"{preset}-{key[:16]}" for key in keys]

    def is_finished(self, name: str, preset: str, given: Mapping[str, Any] = NOTHING) -> bool:
        """Whether that run is complete."""
        return is_complete(self.folder(name, preset, given), name)


def given_from_text(notebook: Notebook, pairs: Iterable[str]) -> dict[str, Any]:
    """Read `name=value` pairs against what a notebook declares.

    Raises:
        ParameterError: no `=`, unknown name (the message lists the valid ones), wrong type or unknown preset.
    """
    known = {parameter.name: parameter for parameter in notebook.parameters}
    given = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        check_names(known.values(), [name], who=notebook.name)
        if not equals:
            raise ParameterError(f"parameters are given as name=value, got {pair!r}")
        given[name] = known[name].parse(text)
    if given.get("preset") is not None:
        check_preset(given["preset"])
    return given


def _depth(notebooks: Mapping[str, Notebook], name: str, above: tuple[str, ...]) -> None:
    if name in above:
        raise RunError(f"notebooks need each other in a circle: {' -> '.join((*above, name))}; remove one `needs`")
    for need in notebooks[name].needs:
        _depth(notebooks, need, (*above, name))
