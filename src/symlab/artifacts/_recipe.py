"""What determines an artifact: parameters, code, package versions, and the artifacts it was made from."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from typing import Any

from symlab.artifacts._source import source_digest


@dataclass(frozen=True)
class Recipe:
    """Everything that determines the content of an artifact; its `key` is the artifact's address.

    Attributes:
        kind: what it is, a short word of lower-case letters, digits, ``-`` and ``_`` ("crystals"); names a folder.
        parameters: JSON values (dict, list, str, int, finite float, bool, None); tuples count as lists.
        code: full names of the modules that make it; their imports within symlab count too (`source_digest`).
        packages: distributions whose versions count ("tblite").
        inputs: keys of the artifacts that it is made from.

    Raises:
        ValueError: bad `kind`, non-finite number, unknown module or package.
        TypeError: a parameter that JSON cannot hold.
    """

    kind: str
    parameters: Mapping[str, Any]
    code: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", self.kind):
            raise ValueError(
                f"kind must be a word of lower-case letters, digits, '-' and '_' because it names a folder, "
                f"got {self.kind!r}; for example 'crystals'"
            )
        for name in ("code", "packages", "inputs"):
            if isinstance(getattr(self, name), str):
                raise TypeError(f"{name} must be a tuple of names, got the string {getattr(self, name)!r}; add a comma")
        for name, value in self.parameters.items():
            _to_json(f"parameters[{name!r}]", value)

    @cached_property
    def key(self) -> str:
        """Address of the artifact: sha256 over all fields, the code and the package versions, 64 hex digits."""
        return hashlib.sha256(json.dumps(self.description, sort_keys=True).encode()).hexdigest()

    @cached_property
    def description(self) -> dict[str, Any]:
        """The fields with code and versions resolved, as JSON; stored beside the artifact."""
        return {
            "kind": self.kind,
            "parameters": json.loads(_to_json("parameters", dict(self.parameters))),
            "code": {"modules": sorted(self.code), "digest": source_digest(self.code) if self.code else None},
            "packages": {name: _version(name) for name in sorted(self.packages)},
            "inputs": list(self.inputs),
        }


def _to_json(name: str, value: object) -> str:
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False)
    except ValueError as error:
        raise ValueError(f"{name} must hold finite numbers only, got {value!r}; use None for 'not set'") from error
    except TypeError as error:
        raise TypeError(
            f"{name} must be a JSON value (dict, list, str, int, float, bool, None), got {value!r}; convert it first, "
            "for example an array with .tolist() or a path with str()"
        ) from error


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError as error:
        raise ValueError(
            f"packages: {package!r} is not installed; install it, or name the distribution as `pip list` shows it"
        ) from error
