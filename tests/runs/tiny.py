"""A tiny project to run for real: notebooks of a few lines, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

from symlab.runs._project import Project

HEADER = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
{settings}# ---

# %% [markdown]
# # Tiny
#
# {prose}

# %% tags=["parameters"]
preset: str = "book"  # smoke, book or full
seed: int = 0  # seed
n: int | None = None  # number of points

# %%
from symlab.runs import Run

run = Run.start(globals(), presets={{"smoke": {{"n": 2}}, "book": {{"n": 3}}, "full": {{"n": 4}}}})
p = run.parameters

# %%
{code}

# %%
run.finish()
"""
FIGURE = """\
from matplotlib.figure import Figure

figure = Figure()
figure.subplots().plot(range(p.n))
run.key("slope", 1 / 3, unit="eV", uncertainty=0.0123, text="slope of the line")
run.figure(figure, "{name}_line", caption=f"A line of {{p.n}} points, $y = x^2$.", alt="A straight line that rises")"""


def write_notebook(root: Path, name: str, code: str | None = None, *, needs: str = "", prose: str = "Prose.") -> Path:
    """Write `notebooks/<name>.py`; without `code` it draws one figure."""
    path = root / "notebooks" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = f"#   symlab:\n#     needs: [{needs}]\n" if needs else ""
    path.write_text(HEADER.format(settings=settings, code=code or FIGURE.format(name=name), prose=prose), "utf8")
    return path


def make_project(root: Path) -> Project:
    """Lay out an empty project."""
    (root / "notebooks").mkdir(parents=True)
    (root / "pyproject.toml").write_text("", "utf8")
    (root / "requirements.lock").write_text("torch==2.0  # pinned\n", "utf8")
    return Project(root, root / "runs")
