"""API pages: docstrings are plain prose, so characters that reStructuredText would interpret are escaped."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike
from sphinx.util.typing import stringify_annotation

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOMS = ("groups", "measure", "data", "models", "training", "repair", "plots", "runs", "artifacts")
LITERAL = re.compile(r"(``.+?``|:[\w:]+:`[^`]+`|:math:`[^`]+`|(?<![\w`])`[^`]+`(?![\w`]))")
FIELD = re.compile(r"^(\s*:(?:param|type|raises|returns?|rtype|ivar|var|kwtype|keyword)\b[^:]*:)(.*)$")
DIRECTIVE = re.compile(r"^\s*\.\. ")
SPECIAL = re.compile(r"([|*])|(?<=\w)(_)(?=[\W]|$)")


def escape(text: str) -> str:
    """Escape `|x|`, `*args` and `name_` outside literals, so that they are read as they look."""
    parts = LITERAL.split(text)
    parts[1::2] = [f"``{part[2:-2].strip()}``" if part.startswith("``") else part for part in parts[1::2]]
    for i in range(0, len(parts), 2):
        strong = re.split(r"(\*\*[^*\s][^*]*\*\*)", parts[i])
        strong[::2] = [SPECIAL.sub(lambda m: "\\" + m.group(0), part) for part in strong[::2]]
        parts[i] = "".join(strong)
    return "".join(parts)


def plain_docstrings(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Escape the prose of a docstring; leave literal blocks, directives and doctests alone."""
    if what == "module":  # the page has its own introduction
        lines.clear()
    if what == "property":
        lines[:] = without_type_field(lines)
    block: int | None = None
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if block is not None and line.strip() and indent <= block:
            block = None
        if block is None and line.strip() and not line.lstrip().startswith(">>>"):
            opens = line.rstrip().endswith("::") or DIRECTIVE.match(line)
            if not DIRECTIVE.match(line):
                field = FIELD.match(line)
                lines[number] = field.group(1) + escape(field.group(2)) if field else escape(line)
            block = indent if opens else None


def without_type_field(lines: list[str]) -> list[str]:
    """Undo Napoleon's reading of a property's `what it is: detail` as `type: description`."""
    first = next((line.removeprefix(":type: ") for line in lines if line.startswith(":type: ")), None)
    if first is None:
        return lines
    rest = [line for line in lines if not line.startswith(":type: ")]
    return [f"{first}: {rest[0]}", *rest[1:]] if rest and rest[0] else [first, *rest]


def short_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Write `ArrayLike` for the union that NumPy means by it, and defaults from a factory so that they parse."""
    signature = signature and signature.replace("<factory>", "...")
    for mode in ("smart", "fully-qualified-except-typing"):
        union = stringify_annotation(ArrayLike, mode=mode)
        signature = signature and signature.replace(union, "ArrayLike")
        returned = returned and returned.replace(union, "ArrayLike")
    return signature, returned


def use_public_names(app: Sphinx) -> None:
    """Give every re-exported object the name readers import it by (`symlab.groups.haar_grid`), lazy ones too."""
    for room in ROOMS:
        module = importlib.import_module(f"symlab.{room}")
        for name in getattr(module, "__all__", ()):
            member = getattr(module, name)
            setattr(module, name, member)
            if getattr(member, "__module__", "").startswith("symlab.") and not hasattr(member, "__wrapped__"):
                member.__module__ = module.__name__


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", use_public_names)
    app.connect("autodoc-process-signature", short_signature)
    app.connect("autodoc-process-docstring", plain_docstrings, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
