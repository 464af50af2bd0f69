"""Checks of what the loaders of data sets are given."""

from collections.abc import Iterable, Sequence
from typing import Any


def check_counts(*, n: int, seed: int, n_workers: int | None, max_iterations: int = 1) -> None:
    """Refuse a count that is no whole number, or too small.

    Raises:
        ValueError: naming the argument, the least value and the value.
    """
    counts: dict[str, tuple[Any, int]] = {
        "n": (n, 1),
        "seed": (seed, 0),
        "max_iterations": (max_iterations, 1),
        "n_workers": (1 if n_workers is None else n_workers, 1),
    }
    for name, (value, least) in counts.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name} must be a whole number >= {least}, got {value!r}")


def checked_number(argument: str, value: float, low: float, high: float, remark: str) -> float:
    """Refuse a number outside ``[low, high]``.

    Raises:
        ValueError: naming the argument, the range and the value.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"{argument} must lie in [{low:g}, {high:g}] {remark}; got {value!r}")
    return float(value)


def checked_names(argument: str, names: Sequence[str], known: Iterable[str]) -> list[str]:
    """Refuse a list of names that is empty or holds an unknown one.

    Raises:
        ValueError: naming the argument, the known names and the value.
    """
    if isinstance(names, str) or not names or set(names) - set(known):
        raise ValueError(f"{argument} must be a list of names among {', '.join(known)}; got {names!r}")
    return list(names)
