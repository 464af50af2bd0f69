"""What turns when a structure turns: every field declares it, or the class does not come into being."""

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields
from typing import Any, ClassVar, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups._orthogonal import check_orthogonal
from symlab.groups._representation import Representation, parse_output

_KEY = "symlab_transforms"

R = TypeVar("R", bound="Rotatable")


def rotates(output: str | Representation, *, pseudo: bool = False, **options: Any) -> Any:
    """Declare a field that turns: a tensor, or a dict of tensors, with trailing axes in this representation.

    Args:
        output: irreps or Cartesian formula, as for ``parse_output``; ``"i"`` or ``"1x1o"`` for rows of vectors.
        pseudo: extra factor ``det R`` (Cartesian formulas).
        options: passed to ``dataclasses.field`` (``default``, ``default_factory``, ...).
    """
    return field(metadata={_KEY: parse_output(output, pseudo)}, **options)


def rotates_as_declared(**options: Any) -> Any:
    """Declare a field that is a dict of ``name -> (tensor, output)``: each entry says itself how it turns."""
    return field(metadata={_KEY: "declared"}, **options)


def invariant(**options: Any) -> Any:
    """Declare a field that no element of O(3) changes (species, charges, names)."""
    return field(metadata={_KEY: "invariant"}, **options)


class Rotatable:
    """Base of dataclasses that O(3) acts on.

    Each field is ``rotates(...)``, ``rotates_as_declared()`` or ``invariant()``.

    Rows convention: ``positions' = positions @ R.T``, ``cell' = cell @ R.T``.

    Attributes:
        n_copies: None for a single structure; the number of turned copies after ``stacked``.

    Raises:
        TypeError: when a subclass is defined with a field that does not declare how it transforms.
    """

    n_copies: ClassVar[int | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, annotation in inspect.get_annotations(cls).items():
            if "ClassVar" in str(annotation):
                continue
            declared = cls.__dict__.get(name, MISSING)
            if not (isinstance(declared, Field) and _KEY in declared.metadata):
                raise TypeError(
                    f"field {name!r} of {cls.__name__} does not say how it transforms; "
                    f'write {name} = rotates("1x1o") (vectors), rotates("ij=ji"), ... or {name} = invariant()'
                )

    def stacked(self: R, matrices: Float[Tensor, "n 3 3"]) -> R:
        """Make ``n`` turned copies in one object: each rotating field gains a leading axis n, invariants are shared.

        Rotation in float64, then rounded to the type of the field.

        Args:
            matrices: ``(n, 3, 3)``, orthogonal.

        Returns:
            The same type with ``n_copies = n``; not validated again.

        Raises:
            ValueError: non-orthogonal matrix, or a structure that is stacked already.

        Cost: n times the rotating fields in memory.
        """
        check_orthogonal(matrices)
        if self.n_copies is not None:
            raise ValueError(f"this {type(self).__name__} holds {self.n_copies} copies already; stack the original")
        n = len(matrices)
        return self._mapped(lambda tensor, representation: _turned(tensor, representation, matrices), n_copies=n)

    def rotated(self: R, matrix: Float[Tensor, "3 3"]) -> R:
        """Turn the structure by one element: the same type, without a leading axis."""
        check_orthogonal(matrix[None], "matrix")
        turned = self.stacked(matrix[None])
        return turned._mapped(lambda tensor, _: tensor[0], n_copies=None)

    def to(self: R, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> R:
        """Move every tensor to a device, and every floating-point tensor to a type."""

        def move(tensor: Tensor, _: Representation | None) -> Tensor:
            return tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None)

        return self._mapped(move, n_copies=self.n_copies, also_invariant=True)

    def rotating_tensors(self) -> dict[str, tuple[Tensor, Representation]]:
        """List every tensor that turns, by name (``vectors.spin`` inside a dict), with its representation."""
        found: dict[str, tuple[Tensor, Representation]] = {}

        def note(name: str, tensor: Tensor, representation: Representation | None) -> Tensor:
            if representation is not None:
                found[name] = (tensor, representation)
            return tensor

        for entry in fields(self):  # type: ignore[arg-type]
            value = getattr(self, entry.name)
            _map_value(entry.name, value, entry.metadata[_KEY], note)
        return found

    def with_tensors(self: R, tensors: Mapping[str, Tensor]) -> R:
        """Replace rotating tensors by others, named as in ``rotating_tensors``; not validated again.

        Raises:
            ValueError: a name that is no rotating tensor of this object.
        """
        known = self.rotating_tensors()
        for name in tensors:
            if name not in known:
                raise ValueError(f"tensors must be named among {', '.join(known)}; got {name!r}")
        return self._mapped_by_name(lambda name, tensor, _: tensors.get(name, tensor), self.n_copies)

    def _mapped(
        self: R,
        change: Callable[[Tensor, Representation | None], Tensor],
        n_copies: int | None,
        also_invariant: bool = False,
    ) -> R:
        """Copy the object with every rotating (or every) tensor changed; skips __init__ and its validation."""

        def step(name: str, tensor: Tensor, representation: Representation | None) -> Tensor:
            return tensor if representation is None and not also_invariant else change(tensor, representation)

        return self._mapped_by_name(step, n_copies)

    def _mapped_by_name(
        self: R, step: Callable[[str, Tensor, Representation | None], Tensor], n_copies: int | None
    ) -> R:
        """Copy the object with ``step(name, tensor, representation)`` in place of every tensor."""
        new = copy.copy(self)
        for entry in fields(self):  # type: ignore[arg-type]
            value = _map_value(entry.name, getattr(self, entry.name), entry.metadata[_KEY], step)
            object.__setattr__(new, entry.name, value)
        object.__setattr__(new, "n_copies", n_copies)
        return new


def _map_value(name: str, value: Any, rule: Any, step: Callable[[str, Tensor, Representation | None], Tensor]) -> Any:
    """Apply ``step(name, tensor, representation)`` to each tensor inside the value of one field."""
    if value is None:
        return None
    if rule == "declared":
        return {
            key: (step(f"{name}.{key}", tensor, parse_output(output)), output)
            for key, (tensor, output) in value.items()
        }
    representation = None if rule == "invariant" else rule
    if isinstance(value, dict):
        return {key: _map_value(f"{name}.{key}", item, rule, step) for key, item in value.items()}
    if isinstance(value, Tensor):
        return step(name, value, representation)
    if representation is None:
        return value
    raise TypeError(f"field {name!r} rotates, so it must hold a torch.Tensor; got {type(value).__name__}")


def _turned(tensor: Tensor, representation: Representation | None, matrices: Tensor) -> Tensor:
    """Turn one tensor by every matrix: ``(n, *tensor.shape)``."""
    if representation is None:
        return tensor
    copies = tensor.to(torch.float64).expand(len(matrices), *tensor.shape)
    return representation.apply(matrices.to(tensor.device), copies).to(tensor.dtype)
