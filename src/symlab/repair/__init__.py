"""Repair broken symmetry: averages over groups, canonical frames, and read-outs without constants that break it."""

from symlab.repair._bias import invariant_part, recentred_readouts, without_covariant_biases
from symlab.repair._climb import climb
from symlab.repair._decisions import Decisions, repaired, survey_decisions
from symlab.repair._frames import Framed, framed, principal_frames
from symlab.repair._ladder import Ladder, Rungs
from symlab.repair._parts import WithParts, part_outputs, parts
from symlab.repair._symmetrize import Symmetrized, symmetrize

__all__ = [
    "Decisions",
    "Framed",
    "Ladder",
    "Rungs",
    "Symmetrized",
    "WithParts",
    "climb",
    "framed",
    "invariant_part",
    "part_outputs",
    "parts",
    "principal_frames",
    "recentred_readouts",
    "repaired",
    "survey_decisions",
    "symmetrize",
    "without_covariant_biases",
]
