"""Numbers that a chapter's text shows: its code must be able to record each, and a complete run must have done so."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

from symlab.runs._errors import RunError
from symlab.runs._notebook import Notebook

ROLE = re.compile(r"\{glue:text\}`(?P<name>\w+)(?::[^`:]*)?`")  # a role that names another page has `::`, and no match
ANY = "[a-z0-9_]+"
LEFT_OUT = "n/a"


def names_in(text: str) -> list[str]:
    """Names of the numbers that a text shows, in order."""
    return ROLE.findall(text)


def shown_numbers(notebook: Notebook) -> list[tuple[str, str]]:
    """List place (`11_spectral.py:287`) and name of each number that the text cells show."""
    return [
        (f"{notebook.path.name}:{number}", name)
        for cell in notebook.cells
        if not cell.is_code
        for number, line in enumerate(cell.source.splitlines(), start=cell.line + 1)
        for name in names_in(line)
    ]


def recordable(notebook: Notebook) -> tuple[str, ...]:
    """Return the names that the calls of `run.key` can record, as regular expressions.

    What an f-string puts in may be anything: ``run.key(f"11_error_{cell}", ...)`` gives ``11_error_[a-z0-9_]+``.
    """
    return tuple(dict.fromkeys(_patterns(ast.parse("\n".join(notebook.code)))))


def check_shown(
    shown: Iterable[tuple[str, str]], possible: Collection[str], recorded: Collection[str] = (), *, complete: bool
) -> None:
    """Refuse a text that shows a number which cannot be there.

    Args:
        shown: place and name of each number, as `shown_numbers` lists them.
        possible: what the code can record, as `recordable` returns it.
        recorded: names that the run recorded.
        complete: whether all numbers that are shown must be among these; else the run may have left out some.

    Raises:
        RunError: the message has a line for each such number, with its place, the nearest name, and the remedy.
    """
    known = recorded or [name for name in possible if re.fullmatch(ANY, name)]
    wrong = []
    for place, name in shown:
        if name in recorded:
            continue
        if not any(re.fullmatch(pattern, name) for pattern in possible):
            reason, remedy = "no run.key(...) of the code records", "record it"
        elif complete:
            reason, remedy = "the run did not record", "let the code come to its run.key(...) with this preset"
        else:
            continue
        close = get_close_matches(name, known, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        wrong.append(f"{place}: the text shows {name!r}, which {reason}{hint}; correct the name, or {remedy}")
    if wrong:
        raise RunError("\n".join(wrong))


def mark_left_out(text: str, recorded: Collection[str]) -> str:
    """Return the text with `n/a` in place of each number that the run did not record."""
    return ROLE.sub(lambda role: role[0] if role["name"] in recorded else LEFT_OUT, text)


def _patterns(tree: ast.AST) -> Iterator[str]:
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "run.key"):
            continue
        words = {word.arg: word.value for word in call.keywords}
        pattern = _pattern(call.args[0] if call.args else words.get("name"))
        yield pattern
        if "uncertainty" in words:
            yield f"{pattern}_uncertainty"


def _pattern(name: ast.expr | None) -> str:
    match name:
        case ast.Constant(value=str(text)):
            return re.escape(text)
        case ast.JoinedStr(values=parts):
            return "".join(_pattern(part) for part in parts)
        case _:
            return ANY
