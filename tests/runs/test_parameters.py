"""Parameters: read without running anything, strict, and the message of an error lists what is valid."""

import pytest

from symlab.runs import ParameterError
from symlab.runs._parameters import check_preset, declared_parameters, resolve

CELL = """\
preset: str = "book"  # smoke, book or full
seed: int = 0
n: int = None  # number of points
scale: float | None = None  # slope, in eV
degrees: tuple[int, ...] = (3, 5)
kind: Literal["a", "b"] = "a"
"""
PRESETS = {"smoke": {"n": 2, "scale": 1.0}, "book": {"n": 20, "scale": 2.0}, "full": {"n": 200, "scale": 2.0}}


@pytest.fixture
def parameters():
    return declared_parameters(CELL)


def test_a_cell_is_read_with_types_defaults_and_help(parameters) -> None:
    assert [(p.name, p.annotation, p.default, p.help) for p in parameters][:4] == [
        ("preset", "str", "book", "smoke, book or full"),
        ("seed", "int", 0, ""),
        ("n", "int", None, "number of points"),
        ("scale", "float | None", None, "slope, in eV"),
    ]


def test_a_preset_decides_what_nobody_gave(parameters) -> None:
    settled = resolve(parameters, {}, PRESETS)
    assert (settled.preset, settled.n, settled.scale, settled.degrees) == ("book", 20, 2.0, (3, 5))


def test_an_explicit_value_wins_over_the_preset(parameters) -> None:
    settled = resolve(parameters, {"preset": "smoke", "n": 7}, PRESETS)
    assert (settled.n, settled.scale) == (7, 1.0)


def test_none_is_a_value_only_where_the_preset_does_not_decide(parameters) -> None:
    assert resolve(parameters, {"n": None}, PRESETS).n == 20
    optional = declared_parameters('preset: str = "book"\nl_max: int | None = 4\n')
    assert resolve(optional, {}, {}).l_max == 4
    assert resolve(optional, {"l_max": None}, {}).l_max is None
    with pytest.raises(ParameterError, match="parameter seed must be of type int, got None of type NoneType"):
        resolve(parameters, {"seed": None}, PRESETS)


def test_settled_parameters_cannot_be_changed(parameters) -> None:
    settled = resolve(parameters, {}, PRESETS)
    with pytest.raises(ValueError, match="frozen"):
        settled.n = 3


def test_an_unknown_name_is_refused_and_the_valid_ones_are_listed(parameters) -> None:
    with pytest.raises(ParameterError, match=r"unknown parameter 'sede' \(did you mean 'seed'\?\); the valid ones are"):
        resolve(parameters, {"sede": 1}, PRESETS)
    with pytest.raises(ParameterError, match=r"\n  n: int = None  # number of points\n  scale: float"):
        resolve(parameters, {"sede": 1}, PRESETS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", "five"),
        ("n", 5.0),
        ("n", True),
        ("scale", "2.0"),
        ("seed", [1]),
        ("preset", 3),
        ("degrees", (1.5,)),
        ("kind", "c"),
    ],
)
def test_a_wrong_type_is_refused(parameters, name: str, value: object) -> None:
    with pytest.raises(ParameterError, match=rf"parameter {name} must be of type .*, got .*\n  {name}: "):
        resolve(parameters, {name: value}, PRESETS)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("n", "5", 5),
        ("scale", "1e-3", 1e-3),
        ("scale", "2", 2.0),
        ("preset", "smoke", "smoke"),
        ("preset", "12", "12"),
        ("degrees", "[1, 2]", (1, 2)),
        ("degrees", "(4,)", (4,)),
        ("kind", "b", "b"),
        ("n", "null", None),
        ("n", "none", None),
        ("preset", "none", "none"),
    ],
)
def test_text_from_the_command_line_becomes_a_value_of_the_declared_type(parameters, name, text, value) -> None:
    parameter = next(p for p in parameters if p.name == name)
    assert parameter.parse(text) == value
    assert type(parameter.parse(text)) is type(value)


def test_text_that_is_no_value_of_the_type_is_refused(parameters) -> None:
    with pytest.raises(ParameterError, match="parameter n must be of type int, got 'five' of type str"):
        parameters[2].parse("five")


def test_a_preset_is_held_to_the_same_rules(parameters) -> None:
    with pytest.raises(ParameterError, match="preset 'book': unknown parameter 'm'"):
        resolve(parameters, {}, {"book": {"m": 1}})
    with pytest.raises(ParameterError, match="parameter n must be of type int"):
        resolve(parameters, {}, {"book": {"n": "x"}})
    with pytest.raises(ParameterError, match="preset 'book' sets 'seed', whose default is 0"):
        resolve(parameters, {}, {"book": {"seed": 3}})
    with pytest.raises(ParameterError, match="preset must be one of 'smoke', 'book', 'full', got 'fast'"):
        resolve(parameters, {"preset": "fast"}, PRESETS)
    with pytest.raises(ParameterError, match="preset must be one of"):
        check_preset("fast")


def test_a_declaration_must_be_readable_without_running_it() -> None:
    with pytest.raises(ParameterError, match="parameter n: its default must be a literal, got 'n: int = len\\(x\\)'"):
        declared_parameters("n: int = len(x)")
    with pytest.raises(ParameterError, match="parameter n: cannot read the type 'Path'"):
        declared_parameters("n: Path = None")
