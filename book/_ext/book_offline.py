"""Make the book self-contained: MathJax and plotly.js are copied from installed packages, nothing is fetched."""

from __future__ import annotations

import shutil
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MATHJAX = "sphinx-mathjax-offline"
MATHJAX_PARTS = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2")
PLOTLY = "plotly/plotly.min.js"
PLOT_MARK = "plotly-graph-div"
SERVER_ONLY = ("thebe", "sphinx-thebe")


def copy_new(source: Path, target: Path) -> None:
    """Copy `source` (file or folder) unless an equal-sized copy is there."""
    if source.is_dir():
        for child in source.iterdir():
            copy_new(child, target / child.name)
    elif not target.is_file() or target.stat().st_size != source.stat().st_size:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    """Copy the one MathJax bundle and its fonts (1.6 MB of the package's 24 MB)."""
    if error or app.builder.format != "html":
        return
    packaged = Path(str(distribution(MATHJAX).locate_file(f"{MATHJAX}/static/mathjax")))
    for part in MATHJAX_PARTS:
        copy_new(packaged / part, Path(app.outdir, "_static", "mathjax", part))


def copy_plotly(app: Sphinx) -> None:
    """Copy plotly.js before pages are written, so that its checksum can be computed."""
    packaged = Path(str(distribution("plotly").locate_file("plotly/package_data/plotly.min.js")))
    copy_new(packaged, Path(app.outdir, "_static", PLOTLY))


def needs_server(script: Any) -> bool:
    """Whether a script tag belongs to thebe, which needs a kernel server and a CDN."""
    text = f"{getattr(script, 'filename', script)} {getattr(script, 'attributes', {}).get('body', '')}".lower()
    return any(word in text for word in SERVER_ONLY)


def choose_scripts(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Add plotly.js to the pages that hold a plot, and take the live-code scripts off every page."""
    if PLOT_MARK in context.get("body", ""):
        copy_plotly(app)
        app.add_js_file(PLOTLY)
    for kind in ("script_files", "css_files"):
        files = context.get(kind)
        if files is not None:
            files[:] = [entry for entry in files if not needs_server(entry)]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", choose_scripts, priority=900)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
