"""Solve pyproject.toml into the lock files, and write environment.yml from them (`make lock`).

Pins that are there already are kept as long as pyproject.toml admits them; delete a line to let that package move.
Run it where pip finds the CPU build of torch, else the CUDA libraries of its Linux build become pins too.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = "3.11"  # what conda installs, the oldest that pyproject.toml admits
LOCK, BENCH, CONDA = "requirements.lock", "requirements-bench.lock", "environment.yml"
EXTRAS = ("book", "sweep", "test", "browser", "oracle", "pyscf")
HEADERS = {
    LOCK: "# What `make book` and `make test` install. Written by `make lock` from pyproject.toml.\n"
    "# No hashes, so that both the CPU and the CUDA build of torch fit.\n",
    BENCH: "# What `make bench` installs on top of requirements.lock. Written by `make lock` from pyproject.toml.\n",
}
CONDA_TEXT = """\
# The pins of requirements.lock for conda users; written by `make lock`. conda gives Python, pip and make, pip the rest.
name: symlab
channels:
  - conda-forge
dependencies:
  - python={python}
  - pip
  - make
  - pip:
{pins}
      - -e .
"""


def read_pins(path: Path) -> dict[str, str]:
    """Read `name==version` lines."""
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf8").splitlines())
    return dict(line.split("==") for line in lines if line)


def conda_text(pins: dict[str, str]) -> str:
    """Write environment.yml for these pins."""
    listed = "\n".join(f"      - {name}=={version}" for name, version in pins.items())
    return CONDA_TEXT.format(python=PYTHON, pins=listed)


def solve(extras: tuple[str, ...], kept: list[Path], output: Path) -> str:
    """Let pip-compile choose the pins, those in `kept` first."""
    output.parent.mkdir(exist_ok=True)
    output.write_text(
        "".join(re.sub(r"\s*# via.*", "", path.read_text("utf8")) for path in kept if path.is_file()), "utf8"
    )
    command = [
        *(sys.executable, "-m", "piptools", "compile", "--quiet", "--allow-unsafe", "--strip-extras", "--no-header"),
        *("--annotation-style=line", "--no-emit-index-url", "--no-emit-find-links", "--no-emit-options"),
        *(f"--extra={extra}" for extra in extras),
        f"--output-file={output}",
        "pyproject.toml",
    ]
    subprocess.run(command, cwd=ROOT, check=True)
    pins = [line for line in output.read_text("utf8").splitlines() if line and not line.startswith("#")]
    return "".join(line.replace("+cpu", "", 1) + "\n" for line in pins)


def main() -> None:
    """Write the three files."""
    lock, bench = ROOT / LOCK, ROOT / BENCH
    lock.write_text(HEADERS[LOCK] + solve(EXTRAS, [lock], ROOT / "build" / LOCK), "utf8")
    pins = read_pins(lock)
    both = solve((*EXTRAS, "bench"), [lock, bench], ROOT / "build" / BENCH)
    added = [line for line in both.splitlines(keepends=True) if line.split("==")[0] not in pins]
    bench.write_text(HEADERS[BENCH] + "".join(added), "utf8")
    (ROOT / CONDA).write_text(conda_text(pins), "utf8")


def pyproject() -> dict:
    """Read pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))


if __name__ == "__main__":
    main()
