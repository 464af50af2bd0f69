"""The directive `run-figure NAME`: show on any page a figure that a chapter made, with its alt text and caption."""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FOLDER = "_generated/figures"


@lru_cache(maxsize=64)
def figures_of(path: Path, modified: float) -> dict[str, dict[str, Any]]:
    """Map the name of each figure of one executed notebook to its png (base64), caption and alt text."""
    found: dict[str, dict[str, Any]] = {}
    for cell in json.loads(path.read_text("utf8"))["cells"]:
        options = cell["metadata"].get("mystnb", {})
        name = options.get("figure", {}).get("name", "").removeprefix("fig-")
        pictures = [out["data"]["image/png"] for out in cell.get("outputs", ()) if "image/png" in out.get("data", {})]
        if name and pictures:
            alt = options.get("image", {}).get("alt", "")
            found[name] = {"png": pictures[0], "caption": options["figure"].get("caption", ""), "alt": alt}
    return found


def find_figure(source: Path, name: str) -> tuple[Path, dict[str, Any]] | None:
    """Find a figure by name among the executed notebooks of the site."""
    for path in sorted(source.rglob("*.ipynb")):
        found = figures_of(path, path.stat().st_mtime).get(name)
        if found:
            return path, found
    return None


class RunFigure(SphinxDirective):
    """Put a chapter's figure on another page."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"width": directives.length_or_percentage_or_unitless}

    def run(self) -> list[nodes.Node]:
        """Write the picture beside the sources and return a figure node."""
        name, source = self.arguments[0], Path(self.env.srcdir)
        match = find_figure(source, name)
        if match is None:
            raise self.error(f"run-figure: no executed notebook below {source.name}/ holds a figure named {name!r}")
        path, found = match
        self.env.note_dependency(str(path))
        picture = source / FOLDER / f"{name}.png"
        data = base64.b64decode(found["png"])
        if not picture.is_file() or picture.read_bytes() != data:
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.write_bytes(data)
        figure = nodes.figure("", nodes.image(uri=f"/{FOLDER}/{name}.png", alt=found["alt"], **self.options))
        caption = nodes.caption()
        lines = self.content or StringList(found["caption"].splitlines(), source=str(path))
        holder = nodes.Element()
        self.state.nested_parse(lines, self.content_offset, holder)
        for block in holder.children:
            caption += block.children
        figure += caption
        figure["classes"].append("run-figure")
        self.set_source_info(figure)
        return [figure]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("run-figure", RunFigure)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
