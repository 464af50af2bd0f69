"""What a run leaves behind beside its figures: `record.json`."""

import json
import os
import platform
import re
import resource
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from symlab.runs._errors import RunError

RECORD = "record.json"


def project_root() -> Path:
    """Folder that holds `notebooks/` and `book/`: the current one or one above it, else the checkout of the package."""
    here = Path.cwd()
    checkout = Path(__file__).resolve().parents[3]
    for folder in (here, *here.parents, checkout):
        if (folder / "notebooks").is_dir() and (folder / "pyproject.toml").is_file():
            return folder
    return here


def runs_root() -> Path:
    """Folder of all runs: `$SYMLAB_RUNS`, else `runs` in the project."""
    named = os.environ.get("SYMLAB_RUNS")
    return Path(named).expanduser().resolve() if named else project_root() / "runs"


def now() -> str:
    """Return the time in UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def make_folder(folder: Path, *, figures: bool = True) -> Path:
    """Make a folder for results, with a folder `figures` inside unless told otherwise.

    Raises:
        RunError: it cannot be written; before any work.
    """
    try:
        (folder / "figures" if figures else folder).mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink(missing_ok=True)  # another process may look at the same time
    except OSError as error:
        raise RunError(
            f"cannot write the run folder {folder} ({error.strerror}: {error.filename}); make it writable, or set "
            "SYMLAB_RUNS to a folder that is"
        ) from error
    return folder


def write_text(path: Path, text: str) -> None:
    """Write text so that a reader sees the old or the new file, never half of one."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Write JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_record(folder: Path) -> dict[str, Any]:
    """Read a run's record; empty if there is none (yet) or a kill left half of one."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def is_complete(folder: Path, notebook: str) -> bool:
    """Whether a run has reached its end: its record says so, and the executed notebook is in place."""
    return read_record(folder).get("status") == "finished" and (folder / f"{notebook}.ipynb").is_file()


def peak_memory() -> dict[str, float]:
    """Peak resident memory so far, in MB (10^6 bytes): of this process, and of the largest process it started."""
    unit = 1 if sys.platform == "darwin" else 1024
    own, child = (
        resource.getrusage(who).ru_maxrss * unit / 1e6 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return {"peak_memory_mb": round(own, 1), "peak_child_memory_mb": round(child, 1)}


def versions() -> dict[str, str]:
    """Versions of Python, symlab and the packages that symlab declares as its dependencies."""
    found = {"python": platform.python_version(), "symlab": metadata.version("symlab")}
    for requirement in metadata.requires("symlab") or ():
        if "extra ==" not in requirement:
            name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
            found[name] = metadata.version(name)
    return found


def machine() -> dict[str, Any]:
    """Describe the machine: system, processor, CPU count; GPU if torch is loaded and sees one."""
    torch = sys.modules.get("torch")
    gpu = torch.cuda.get_device_name() if torch is not None and torch.cuda.is_available() else None
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads() if torch is not None else None,
        "gpu": gpu,
    }


def commit(root: Path) -> str | None:
    """Name the commit of the sources, with `-dirty` if they were edited; None outside a git checkout."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude", "*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
