"""Split an output into its irreducible parts, so that each can be measured and repaired on its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from symlab.groups import Representation, Sector, parse_output


def part_name(name: str, sector: Sector) -> str:
    """Name of one part of an output, such as ``"stress (2,+)"``."""
    return f"{name} {sector}"


def parts(name: str, value: Tensor, output: str | Representation) -> dict[str, Tensor]:
    """Split one tensor orthonormally: the squares of the parts add up to the square of the whole.

    Args:
        name: what to call it.
        value: ``(..., *shape)``, any unit; the parts have the same unit.
        output: how it transforms, as for ``parse_output``.

    Returns:
        By ``"name (l,sigma)"`` for each sector, ``(..., 2 l + 1)``, or ``(..., multiplicity, 2 l + 1)`` where the
        sector occurs more than once.
    """
    split = parse_output(output).decompose(value)
    return {part_name(name, s): block.squeeze(-2) if block.shape[-2] == 1 else block for s, block in split.items()}


def part_outputs(name: str, output: str | Representation) -> dict[str, str]:
    """Declare the parts of an output: by name, the irrep of each."""
    return {part_name(name, sector): sector.irrep for sector in parse_output(output).sectors()}


@dataclass(frozen=True, eq=False)
class WithParts:
    """A model that gives the parts of some outputs beside its own outputs.

    Args:
        f: returns a dict of tensors.
        split: by name of an output how it transforms.
    """

    f: Callable[[Any], Mapping[str, Tensor]]
    split: Mapping[str, str | Representation]

    def __call__(self, stack: Any) -> dict[str, Tensor]:
        """Predict, and split; arguments as for the model."""
        found = dict(self.f(stack))
        for name, output in self.split.items():
            found |= parts(name, found[name], output)
        return found
