"""The folder of artifacts: made once, checked on every read, resumed after a kill."""

import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from symlab.artifacts._errors import ArtifactError
from symlab.artifacts._recipe import Recipe

MANIFEST = "manifest.json"
CLOCK_TICK_NS = 2_000_000_000  # coarsest time stamp of common file systems
logger = logging.getLogger(__name__)


def default_root() -> Path:
    """Folder of artifacts: ``$SYMLAB_ARTIFACTS``, else ``artifacts`` in the checkout, else in the current folder."""
    if named := os.environ.get("SYMLAB_ARTIFACTS"):
        return Path(named).expanduser().resolve()
    checkout = Path(__file__).resolve().parents[3]
    is_checkout = (checkout / "pyproject.toml").is_file() and (checkout / "src" / "symlab").is_dir()
    return (checkout if is_checkout else Path.cwd()) / "artifacts"


class Store:
    """A folder of content-addressed artifacts, ``root/<kind>/<key>/``, safe to share between processes.

    An artifact is a folder of files and a ``manifest.json`` with the recipe and the sha256 of each file. It appears
    under its name only when it is complete (atomic rename). Files are hashed again when read, once per process and
    file version, at disk speed.
    """

    def __init__(self, root: Path | str | None = None) -> None:
        self.root = default_root() if root is None else Path(root)
        self._verified: dict[Path, tuple[int, int]] = {}

    def path(self, recipe: Recipe) -> Path:
        """Folder where the artifact of `recipe` is, or would be."""
        return self.root / recipe.kind / recipe.key

    def has(self, recipe: Recipe) -> bool:
        """Whether the artifact of `recipe` is complete; its checksums are read by `get_or_make` only."""
        return (self.path(recipe) / MANIFEST).is_file()

    def get_or_make(self, recipe: Recipe, make: Callable[[Path], None]) -> Path:
        """Return the folder of a finished artifact, made by `make(folder)` if there is none yet.

        `make` writes into ``<key>.part/``. If it is killed or fails, that folder stays and the next call hands it to
        `make` again, with whatever it holds: this is how work resumes. All that lies in the folder when `make` returns
        becomes the artifact, so `make` removes its own scratch files. Two processes that ask for the same artifact
        make it once: the second waits on a lock that the system frees if the first dies.

        Args:
            recipe: what determines the artifact.
            make: called with an existing folder, at most once.

        Returns:
            Folder of the verified artifact. Treat it as read-only.

        Raises:
            ArtifactError: no write permission (before `make` runs); a file is missing or does not match its checksum
                (the message names the file and the remedy); `make` wrote nothing.
        """
        final = self.path(recipe)
        if self.has(recipe):
            self._verify(final)
            return final
        part = final.with_name(f"{recipe.key}.part")
        with self._lock(final):
            if self.has(recipe):  # another process made it while this one waited
                self._verify(final)
                return final
            if final.exists():
                raise ArtifactError(
                    f"corrupt artifact: {final / MANIFEST} is missing; delete the folder {final} and run again; "
                    "it is then made anew"
                )
            self._require_writable(part)
            start = time.perf_counter()
            make(part)
            self._finish(recipe, part, final, time.perf_counter() - start)
        return final

    def _finish(self, recipe: Recipe, part: Path, final: Path, seconds: float) -> None:
        (part / MANIFEST).unlink(missing_ok=True)  # left by a kill just before the rename
        paths = sorted(path for path in part.rglob("*") if path.is_file())
        if not paths:
            raise ArtifactError(
                f"make() of artifact {recipe.kind!r} wrote no file into {part}; let it write its result"
            )
        files = {p.relative_to(part).as_posix(): {"size": p.stat().st_size, "sha256": _sha256(p)} for p in paths}
        manifest = {"recipe": recipe.description, "seconds": round(seconds, 3), "files": files}
        (part / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True), encoding="utf-8")
        os.rename(part, final)

    def _verify(self, folder: Path) -> None:
        remedy = f"delete the folder {folder} and run again; it is then made anew"
        manifest = folder / MANIFEST
        try:
            files = json.loads(manifest.read_text(encoding="utf-8"))["files"].items()
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ArtifactError(f"corrupt artifact: {manifest} cannot be read ({error!r}); {remedy}") from error
        for name, expected in files:
            path = folder / name
            try:
                stat = path.stat()
            except FileNotFoundError:
                raise ArtifactError(f"corrupt artifact: {path} is missing; {remedy}") from None
            if stat.st_size != expected["size"]:
                raise ArtifactError(
                    f"corrupt artifact: {path} has {stat.st_size} bytes instead of {expected['size']}; {remedy}"
                )
            version = (stat.st_size, stat.st_mtime_ns)
            if self._verified.get(path) != version:
                if _sha256(path) != expected["sha256"]:
                    raise ArtifactError(f"corrupt artifact: {path} does not match its sha256 checksum; {remedy}")
                if time.time_ns() - stat.st_mtime_ns > CLOCK_TICK_NS:  # a younger file may still change unseen
                    self._verified[path] = version

    @contextmanager
    def _lock(self, final: Path) -> Iterator[None]:
        with self._explain_permission():
            final.parent.mkdir(parents=True, exist_ok=True)
            handle = final.with_name(f"{final.name}.lock").open("a")
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                logger.info("waiting for another process that makes %s", final)
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _require_writable(self, part: Path) -> None:
        with self._explain_permission():
            part.mkdir(exist_ok=True)
            probe = part / ".probe"
            probe.touch()
            probe.unlink()

    @contextmanager
    def _explain_permission(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ArtifactError(
                f"cannot write artifacts below {self.root} ({error.strerror}: {error.filename}); "
                "make that folder writable, or set SYMLAB_ARTIFACTS to one that is"
            ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
