"""Rows with names: how a set of data is divided into those to learn, to validate and to test."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self


class Divided(ABC):
    """A set of data that knows its splits.

    Attributes:
        splits: name to row numbers.
    """

    splits: dict[str, list[int]]

    @abstractmethod
    def subset(self, rows: Sequence[int]) -> Self:
        """Take rows in the order given; the splits are renumbered."""

    def split(self, name: str) -> Self:
        """Take one split, by name.

        Raises:
            ValueError: there is no such split.
        """
        if name not in self.splits:
            raise ValueError(f"split {name!r} does not exist; this data set has {', '.join(self.splits)}")
        return self.subset(self.splits[name])

    def splits_of(self, rows: Sequence[int]) -> dict[str, list[int]]:
        """Give the splits of a subset: where its rows went."""
        position = {row: new for new, row in enumerate(rows)}
        return {name: [position[row] for row in old if row in position] for name, old in self.splits.items()}
