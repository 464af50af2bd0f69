"""One set of pins: the lock, environment.yml, pyproject.toml and what is installed agree."""

import re
import sys
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from environment import BENCH, CONDA, EXTRAS, LOCK, PYTHON, ROOT, conda_text, pyproject, read_pins

PINS = read_pins(ROOT / LOCK)
PROJECT = pyproject()["project"]


def declared(*extras: str) -> list[Requirement]:
    """Requirements of the package with these extras."""
    optional = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in optional[extra])]
    return [Requirement(line) for line in lines]


def test_environment_yml_is_the_lock_for_conda() -> None:
    text = (ROOT / CONDA).read_text("utf8")
    assert text == conda_text(PINS), "run make lock"
    *_, pip = yaml.safe_load(text)["dependencies"]
    assert pip["pip"] == [*(f"{name}=={version}" for name, version in PINS.items()), "-e ."]


def test_every_declared_dependency_is_pinned_within_its_range() -> None:
    outside = [
        f"{requirement} but {PINS.get(canonicalize_name(requirement.name))}"
        for requirement in declared(*EXTRAS)
        if not requirement.specifier.contains(PINS.get(canonicalize_name(requirement.name), "0"))
    ]
    assert outside == []


def test_every_pin_is_needed() -> None:
    """Walk from the declared dependencies through the installed packages: nothing in the lock lies outside."""
    needed: set[str] = set()
    queue = [(canonicalize_name(r.name), frozenset(r.extras)) for r in declared(*EXTRAS)]
    while queue:
        name, extras = queue.pop()
        if name in needed and not extras:
            continue
        needed.add(name)
        for line in metadata.requires(name) or ():
            need = Requirement(line)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
                queue.append((canonicalize_name(need.name), frozenset(need.extras)))
    assert sorted(set(PINS) - needed) == []


def test_the_lock_installs_everywhere() -> None:
    lines = (ROOT / LOCK).read_text("utf8").splitlines()
    assert [line for line in lines if re.search(r"--hash|==\S*\+|@ ?file|https?:|^-|nvidia|triton", line)] == []


def test_the_bench_lock_adds_to_the_lock_and_repeats_nothing() -> None:
    bench = read_pins(ROOT / BENCH)
    assert set(bench) & set(PINS) == set()
    assert {canonicalize_name(r.name) for r in declared("bench")} - set(PINS) <= set(bench)


def test_installed_versions_are_the_pins() -> None:
    found = {name: Version(metadata.version(name)) for name in PINS}
    assert {name: str(v) for name, v in found.items() if v.public != PINS[name]} == {}


def test_python_versions_agree() -> None:
    assert PROJECT["requires-python"] == f">={PYTHON}"
    assert pyproject()["tool"]["mypy"]["python_version"] == PYTHON
    assert f"python={PYTHON}" in (ROOT / CONDA).read_text("utf8")
    assert f"Python {PYTHON} or newer" in (ROOT / "README.md").read_text("utf8")
    assert sys.version_info[:2] >= tuple(map(int, PYTHON.split(".")))


@pytest.mark.parametrize("name", ["jupyter-book", "sphinx-mathjax-offline", "metatomic-torch"])
def test_versions_that_the_book_depends_on_are_bounded(name: str) -> None:
    (requirement,) = [r for r in declared(*EXTRAS) if r.name == name]
    assert any(part.operator in ("<", "==") for part in requirement.specifier)


def test_every_pin_admits_the_oldest_python() -> None:
    """Debian 12 has Python 3.11.2; a pin that needs 3.11.5 leaves it without an environment."""
    # get_all, not []: dask imports importlib-metadata, whose records raise for a field that is missing
    needs = {name: SpecifierSet(",".join(metadata.metadata(name).get_all("Requires-Python") or ())) for name in PINS}
    assert [f"{name} needs Python {need}" for name, need in needs.items() if f"{PYTHON}.0" not in need] == []
