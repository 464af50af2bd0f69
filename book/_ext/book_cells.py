"""How cells and their numbers appear: the setup cell is folded, and -4e-16 is written as people write it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx

SETUP = re.compile(r"^run = Run\.start\(", re.MULTILINE)
FOLDED, LEFT_OUT = "hide-input", "remove-cell"
PROMPTS = {"code_prompt_show": "Show imports and presets", "code_prompt_hide": "Hide imports and presets"}
NUMBER = re.compile(r"(-?)([\d.]+)(?:e([-+]?)0*(\d+))?")


def fold_setup(app: Sphinx, page: str, source: list[str]) -> None:
    """Fold the cell of imports and presets, one click away, and leave out the one that ends the run."""
    if not str(app.env.doc2path(page)).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        tags, code = cell["metadata"].setdefault("tags", []), "".join(cell["source"])
        if code.strip() == "run.finish()":
            tags.append(LEFT_OUT)
        elif SETUP.search(code) and FOLDED not in tags:
            tags.append(FOLDED)
            cell["metadata"].setdefault("mystnb", {}).update(PROMPTS)
    source[0] = json.dumps(notebook)


class PlainNumbers(SphinxPostTransform):
    """Write the numbers that prose takes from a run with a minus sign and with powers of ten."""

    default_priority = 900

    def run(self, **_: Any) -> None:
        """Replace the text of every glued number."""
        for node in self.document.findall(lambda n: isinstance(n, nodes.inline) and "pasted-text" in n["classes"]):
            match = NUMBER.fullmatch(node.astext())
            if not match:
                continue
            minus, mantissa, sign, exponent = match.groups()
            minus = "−" if minus else ""
            if exponent is None:
                parts: list[nodes.Node] = [nodes.Text(minus + mantissa)]
            elif float(mantissa) == 0:
                parts = [nodes.Text("0")]
            else:
                factor = "" if mantissa == "1" else f"{mantissa} × "
                power = nodes.superscript(text=f"{'−' if sign == '-' else ''}{exponent}")
                parts = [nodes.Text(f"{minus}{factor}10"), power]
            node.children = []
            node += parts


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", fold_setup)
    app.add_post_transform(PlainNumbers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
