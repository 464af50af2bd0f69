"""The grid of a sweep: `target_l=0..6 l_max=none,2,4,8`, read against what a notebook declares."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from symlab.runs._errors import ParameterError
from symlab.runs._notebook import Notebook
from symlab.runs._parameters import Parameter, check_names

RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)")
OPENING, CLOSING, QUOTES = "([{", ")]}", "'\""
SEED = "seed"


@dataclass(frozen=True)
class Point:
    """One point of the grid.

    Attributes:
        values: a value for each axis.
        given: those that differ from the declared default: what the run is told, and what its key is made from.
    """

    values: Mapping[str, Any]
    given: Mapping[str, Any]

    def __str__(self) -> str:
        return " ".join(f"{name}={_shown(value)}" for name, value in self.values.items())


def grid_points(notebook: Notebook, texts: Iterable[str], seeds: int | None = None) -> tuple[Point, ...]:
    """Read a grid, and list its points: the first axis varies slowest, seeds fastest.

    Args:
        notebook: whose parameters vary.
        texts: `name=values` for each axis; values are a comma list of values of the declared type, of ranges that
            include both ends (`0..6`), and of `none`.
        seeds: vary `seed` too: this many in a row, from its default on.

    Raises:
        ParameterError: unknown name, wrong type, no value, or one that is given twice; nothing to vary. The message
            shows what is declared.
    """
    known = {parameter.name: parameter for parameter in notebook.parameters}
    axes: dict[str, tuple[Any, ...]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not equals:
            raise ParameterError(f"an axis of the grid is given as name=values, such as seed=0..2; got {text!r}")
        check_names(known.values(), [name], who=notebook.name)
        if name == "preset":
            raise ParameterError("preset is the same in the whole sweep; give it as --preset, not in the grid")
        if name in axes:
            raise ParameterError(f"the grid gives {name} twice; write all its values in one list, {name}=1,2")
        axes[name] = _axis(known[name], values)
    if seeds is not None:
        check_names(known.values(), [SEED], who=notebook.name)
        if SEED in axes:
            raise ParameterError("the grid gives seed already; leave out --seeds")
        first = known[SEED].default
        if not isinstance(first, int):
            raise ParameterError(f"--seeds counts from the default of seed, which is {first!r}; give seed in the grid")
        axes[SEED] = _distinct(known[SEED], [known[SEED].convert(first + number) for number in range(seeds)])
    if not axes:
        listed = "\n".join(f"  {parameter}" for parameter in known.values())
        raise ParameterError(
            f"nothing to sweep: give --grid name=values or --seeds; {notebook.name} declares\n{listed}"
        )
    points = (dict(zip(axes, values, strict=True)) for values in product(*axes.values()))
    return tuple(
        Point(point, {name: value for name, value in point.items() if value != known[name].default}) for point in points
    )


def _axis(parameter: Parameter, text: str) -> tuple[Any, ...]:
    return _distinct(parameter, [value for part in _parts(text) for value in _values(parameter, part)])


def _distinct(parameter: Parameter, values: list[Any]) -> tuple[Any, ...]:
    if not values:
        raise ParameterError(f"the grid gives {parameter.name} no value; it is declared as\n  {parameter}")
    for number, value in enumerate(values):
        if value in values[:number]:
            raise ParameterError(f"the grid gives {parameter.name} the value {_shown(value)} twice; leave one out")
    return tuple(values)


def _values(parameter: Parameter, text: str) -> Iterator[Any]:
    """Read one item of a comma list."""
    if ends := RANGE.fullmatch(text):
        first, last = map(int, ends.groups())
        if last < first:
            raise ParameterError(
                f"the grid gives {parameter.name} the empty range {text}; a range goes up and includes both ends; "
                f"{parameter.name} is declared as\n  {parameter}"
            )
        yield from map(parameter.convert, range(first, last + 1))
    else:
        yield parameter.parse(text)


def _parts(text: str) -> list[str]:
    """Split at commas, except those within brackets or quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if letter == "," and not depth and not quote:
            parts.append("")
            continue
        parts[-1] += letter
        if quote or letter in QUOTES:
            quote = "" if letter == quote else quote or letter
        else:
            depth += (letter in OPENING) - (letter in CLOSING)
    return [part.strip() for part in parts if part.strip()]


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)
