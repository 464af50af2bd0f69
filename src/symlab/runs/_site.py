"""From finished runs to pages: stage `book/` and the notebooks in `build/site`, write `build/html`."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from symlab.runs._errors import RunError
from symlab.runs._project import Project
from symlab.runs._publish import publish
from symlab.runs._record import read_record
from symlab.runs._shown import check_shown, recordable, shown_numbers
from symlab.runs._status import status_page

GENERATED = "_generated"
MAY_LEAVE_OUT = "smoke"  # the preset whose runs may leave out numbers that the text shows


@dataclass(frozen=True)
class Site:
    """The book made with one preset: `build/` for the published one, `build/<preset>/` for others."""

    project: Project
    preset: str

    @property
    def build(self) -> Path:
        """Folder of everything that is made."""
        build = self.project.root / "build"
        return build if self.preset == "book" else build / self.preset

    @property
    def index(self) -> Path:
        """First page."""
        return self.build / "html" / "index.html"

    def runs(self) -> dict[str, Path]:
        """Folder of the run behind each chapter."""
        return {name: self.project.folder(name, self.preset) for name in self.project.notebooks}

    def key(self) -> str:
        """Return the key of the pages: sha256 over `book/`, notebooks, their runs, symlab's sources and the lock."""
        digest = hashlib.sha256("\n".join(self.project.pins).encode())
        for path in self._sources():
            digest.update(f"{path.relative_to(self.project.root)} {path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
        for name, folder in self.runs().items():
            executed = folder / f"{name}.ipynb"
            digest.update(f"{folder.name} {executed.stat().st_mtime_ns if executed.is_file() else 0}\n".encode())
        return digest.hexdigest()

    def _sources(self) -> Iterator[Path]:
        root = self.project.root
        yield from (notebook.path for notebook in self.project.notebooks.values())
        for folder, pattern in ((root / "book", "*"), (root / "src", "*.py")):
            for path in sorted(folder.rglob(pattern)):
                inside = path.relative_to(folder).parts
                if path.is_file() and not {"__pycache__", "_build", GENERATED}.intersection(inside):
                    yield path

    def is_current(self) -> bool:
        """Whether the pages on disk are those that a build would make now."""
        stamp = self.build / "html.key"
        return self.index.is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == self.key()

    def check(self) -> None:
        """Look before anything runs whether the code of each chapter can record the numbers that its text shows.

        Raises:
            RunError: it cannot; the message has place and name of each such number of a chapter. Or the code is not
                plain Python.
        """
        for name in self.runs():
            notebook = self.project.notebooks[name]
            check_shown(shown_numbers(notebook), recordable(notebook), complete=False)

    def stage(self) -> Path:
        """Write the sources of the pages: `book/`, the chapters with their outputs, and the status table.

        With the preset `smoke` a run may leave out numbers that the text shows: the pages have `n/a` in their place.

        Raises:
            RunError: a chapter has no finished run, or shows a number that its run should have recorded.
        """
        import nbformat

        missing = [name for name in self.project.notebooks if not self.project.is_finished(name, self.preset)]
        if missing:
            raise RunError(f"{', '.join(missing)}: not run with the sources as they are now; run the command again")
        site = self.build / "site"
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(
            self.project.root / "book", site, ignore=shutil.ignore_patterns("__pycache__", "_build", GENERATED)
        )
        for name in ("notebooks", GENERATED):
            (site / name).mkdir(exist_ok=True)
        for name, folder in self.runs().items():
            source, executed = self.project.notebooks[name].path, folder / f"{name}.ipynb"
            node = publish(source, executed, complete=self.preset != MAY_LEAVE_OUT)
            nbformat.write(node, site / "notebooks" / f"{name}.ipynb")
        records = [read_record(folder) for folder in self.runs().values()]
        (site / GENERATED / "status.md").write_text(status_page(records), encoding="utf-8")
        return site

    def write(self) -> Path:
        """Write the pages; a warning of any kind is an error.

        Returns:
            Path of the first page.

        Raises:
            RunError: with the warnings; pages written before stay.
        """
        key = self.key()
        site = self.stage()
        fresh = self.build / "html.part"
        shutil.rmtree(fresh, ignore_errors=True)
        program = Path(sys.executable).with_name("jupyter-book")
        command = [str(program), "build", str(site), "--path-output", str(fresh), "-W", "-n", "--keep-going", "--quiet"]
        done = subprocess.run(command, cwd=self.build, capture_output=True, text=True, check=False)
        log = self.build / "html.log"
        log.write_text(done.stdout + done.stderr, encoding="utf-8")
        if done.returncode or not (fresh / "_build" / "html" / "index.html").is_file():
            lines = [line for line in done.stderr.splitlines() if "WARNING" in line or "ERROR" in line]
            told = "\n  ".join(lines[:20] or done.stderr.splitlines()[-10:])
            raise RunError(f"the pages were not written; the whole log is in {log}\n  {told}")
        html = self.build / "html"
        shutil.rmtree(html, ignore_errors=True)
        (fresh / "_build" / "html").replace(html)
        shutil.rmtree(fresh, ignore_errors=True)
        (self.build / "html.key").write_text(key, encoding="utf-8")
        return self.index
