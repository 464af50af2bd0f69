"""Parameters of a notebook: declared once, in its tagged cell, as `name: type = default  # help`."""

import ast
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

from symlab.runs._errors import ParameterError

if TYPE_CHECKING:
    from pydantic import BaseModel

PRESETS = ("smoke", "book", "full")
TYPES: dict[str, Any] = {
    **{kind.__name__: kind for kind in (bool, int, float, str, list, tuple, dict)},
    "Literal": Literal,
}


@dataclass(frozen=True)
class Parameter:
    """One line of the parameters cell.

    Attributes:
        name: its name.
        annotation: its type, as written ("int").
        default: a literal; None leaves the choice to the preset.
        help: the comment that ends the line.
    """

    name: str
    annotation: str
    default: Any
    help: str = ""

    def __str__(self) -> str:
        text = f"{self.name}: {self.annotation} = {self.default!r}"
        return f"{text}  # {self.help}" if self.help else text

    @property
    def admits_none(self) -> bool:
        """Whether None is a value: the declared type says so, or None is the default and the preset decides."""
        try:
            self.convert(None)
        except ParameterError:
            return False
        return True

    def convert(self, value: Any) -> Any:
        """Return `value` if it is of the declared type, strictly: no text for numbers, no fractions for integers.

        None passes where it is the default, and leaves the choice to the preset. A list may stand for a tuple.

        Raises:
            ParameterError: wrong type.
        """
        from pydantic import TypeAdapter, ValidationError

        if value is None and self.default is None:
            return None
        kind = TypeAdapter(_type_of(self))
        try:
            return kind.validate_python(value, strict=True)
        except ValidationError:
            try:
                return kind.validate_json(json.dumps(value), strict=True)
            except (ValidationError, TypeError) as error:
                raise ParameterError(
                    f"parameter {self.name} must be of type {self.annotation}, got {value!r} of type "
                    f"{type(value).__name__}; it is declared as\n  {self}"
                ) from error

    def parse(self, text: str) -> Any:
        """Read a value from the command line: a Python literal, YAML (`true`, `[a, b]`), or plain text for a `str`.

        `none`, in any case, is None where that is a value.
        """
        if text.lower() == "none" and self.admits_none:
            return None
        for value in (*_literal(text), *_yaml(text), text):
            try:
                return self.convert(value)
            except ParameterError:
                continue
        return self.convert(text)


def _literal(text: str) -> list[Any]:
    try:
        return [ast.literal_eval(text)]
    except (ValueError, SyntaxError, MemoryError):
        return []


def _yaml(text: str) -> list[Any]:
    import yaml

    try:
        return [yaml.safe_load(text)]
    except yaml.YAMLError:
        return []


def _type_of(parameter: Parameter) -> Any:
    try:
        return eval(parameter.annotation, {"__builtins__": {}}, TYPES)
    except Exception as error:
        raise ParameterError(
            f"parameter {parameter.name}: cannot read the type {parameter.annotation!r}; "
            f"use {', '.join(TYPES)} and combinations of them"
        ) from error


def declared_parameters(source: str) -> tuple[Parameter, ...]:
    """Read the parameters that a cell declares, without running it.

    Args:
        source: code of the cell.

    Raises:
        ParameterError: a default that is not a literal, or a type that is not one of Python's plain ones.
    """
    lines = source.splitlines()
    found = []
    for node in ast.parse(source).body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        name = node.target.id
        try:
            default = None if node.value is None else ast.literal_eval(node.value)
        except ValueError as error:
            raise ParameterError(
                f"parameter {name}: its default must be a literal, got {ast.unparse(node)!r}"
            ) from error
        comment = lines[(node.end_lineno or node.lineno) - 1].encode()[node.end_col_offset :].decode().strip()
        parameter = Parameter(name, ast.unparse(node.annotation).strip("'\""), default, comment.lstrip("# "))
        _type_of(parameter)
        found.append(parameter)
    return tuple(found)


def check_names(parameters: Iterable[Parameter], names: Iterable[str], *, who: str = "") -> None:
    """Raise a ParameterError if a name is not declared; the message lists the declared ones."""
    known = {parameter.name: parameter for parameter in parameters}
    unknown = [name for name in names if name not in known]
    if not unknown:
        return
    close = get_close_matches(unknown[0], known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    listed = "\n".join(f"  {parameter}" for parameter in known.values()) or "  (none)"
    prefix = f"{who}: " if who else ""
    raise ParameterError(
        f"{prefix}unknown parameter {', '.join(map(repr, unknown))}{hint}; the valid ones are\n{listed}"
    )


def check_preset(preset: Any, presets: Iterable[str] = PRESETS) -> None:
    """Raise a ParameterError unless `preset` names one of `presets`."""
    valid = tuple(presets)
    if preset not in valid:
        raise ParameterError(f"parameter preset must be one of {', '.join(map(repr, valid))}, got {preset!r}")


def resolve(
    parameters: Iterable[Parameter],
    given: Mapping[str, Any],
    presets: Mapping[str, Mapping[str, Any]],
    *,
    who: str = "",
) -> "BaseModel":
    """Settle every parameter: what was given, else the declared default, else (default None) what the preset says.

    Args:
        parameters: as declared.
        given: explicit values by name; None counts as not given, unless a default that is not None declares otherwise.
        presets: values by preset and name.
        who: name of the notebook, for messages.

    Returns:
        A frozen pydantic model with one attribute for each parameter.

    Raises:
        ParameterError: unknown name or wrong type, in `given` or in a preset; unknown preset; a preset that sets a
            parameter whose default is not None (it could not be told apart from an explicit choice).
    """
    from pydantic import ConfigDict, create_model

    known = {parameter.name: parameter for parameter in parameters}
    check_names(known.values(), given, who=who)
    settled = {name: parameter.convert(parameter.default) for name, parameter in known.items()}
    for name, values in presets.items():
        check_names(known.values(), values, who=f"{who}: preset {name!r}" if who else f"preset {name!r}")
        fixed = [key for key in values if known[key].default is not None]
        if fixed:
            raise ParameterError(
                f"preset {name!r} sets {fixed[0]!r}, whose default is {known[fixed[0]].default!r}; declare the default "
                "as None if the preset is to decide"
            )
    explicit = {
        name: known[name].convert(value)
        for name, value in given.items()
        if value is not None or known[name].default is not None
    }
    settled.update(explicit)
    if "preset" in known:
        check_preset(settled["preset"], presets or PRESETS)
        chosen = presets.get(settled["preset"], {})
        settled.update({name: known[name].convert(value) for name, value in chosen.items() if name not in explicit})
    fields: dict[str, Any] = {name: (Any, ...) for name in settled}
    model = create_model("Parameters", __config__=ConfigDict(frozen=True, extra="forbid"), **fields)
    return model(**settled)
