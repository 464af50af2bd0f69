"""Repair broken symmetry: average predictions over groups, and take out constants that break it."""

from symlab.repair._bias import invariant_part, recentred_readouts, without_covariant_biases
from symlab.repair._climb import climb
from symlab.repair._ladder import Ladder, Rungs
from symlab.repair._parts import WithParts, part_outputs, parts
from symlab.repair._symmetrize import Symmetrized, symmetrize

__all__ = [
    "Ladder",
    "Rungs",
    "Symmetrized",
    "WithParts",
    "climb",
    "invariant_part",
    "part_outputs",
    "parts",
    "recentred_readouts",
    "symmetrize",
    "without_covariant_biases",
]
