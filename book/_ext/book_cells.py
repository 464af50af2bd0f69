"""How cells and their numbers appear: the setup cell is folded, and 4e-16 is written as a power of ten."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx

SETUP = re.compile(r"^run = Run\.start\(", re.MULTILINE)
FOLDED = "hide-input"
SCIENTIFIC = re.compile(r"([-+−]?[\d.]+)e([-+]?)0*(\d+)")


def fold_setup(app: Sphinx, page: str, source: list[str]) -> None:
    """Fold the cell of imports and presets: one click away, not in the way."""
    if not str(app.env.doc2path(page)).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        tags = cell["metadata"].setdefault("tags", [])
        if cell["cell_type"] == "code" and SETUP.search("".join(cell["source"])) and FOLDED not in tags:
            tags.append(FOLDED)
    source[0] = json.dumps(notebook)


class PowersOfTen(SphinxPostTransform):
    """Write the numbers that prose takes from a run as people write them."""

    default_priority = 900

    def run(self, **_: Any) -> None:
        """Replace the text of every glued number in scientific notation."""
        for node in self.document.findall(lambda n: isinstance(n, nodes.inline) and "pasted-text" in n["classes"]):
            match = SCIENTIFIC.fullmatch(node.astext())
            if match:
                mantissa, sign, exponent = match.groups()
                factor = "" if mantissa == "1" else f"{mantissa.replace('-', '−')} × "
                power = nodes.superscript(text=f"{'−' if sign == '-' else ''}{exponent}")
                node.children = []
                node += [nodes.Text(f"{factor}10"), power]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", fold_setup)
    app.add_post_transform(PowersOfTen)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
