"""Measure broken symmetry: A (equivariance error), B (character decomposition), and the local Lie derivative."""

from symlab.measure._binned import BinnedMean, binned_mean
from symlab.measure._characters import characters
from symlab.measure._criterion import (
    HitRate,
    ThresholdRule,
    cross_validated,
    crossing,
    fit_threshold,
    hit_rate,
    rank_correlation,
)
from symlab.measure._diagnose import Diagnosis, diagnose
from symlab.measure._distance import distance_to, distance_to_other_class
from symlab.measure._equivariance import equivariance
from symlab.measure._error_spectrum import ErrorSpectrum, error_spectrum
from symlab.measure._errors import HarnessError, ResponseError, UnderResolvedError
from symlab.measure._f1 import f1_scores
from symlab.measure._lie import LieReport, lie_derivative
from symlab.measure._preflight import preflight
from symlab.measure._report import EquivarianceReport, ErrorSplit, WorstOrientation
from symlab.measure._roc import Roc, roc
from symlab.measure._spectrum import Spectrum
from symlab.measure._votes import ClassVotes, class_votes

__all__ = [
    "BinnedMean",
    "ClassVotes",
    "Diagnosis",
    "EquivarianceReport",
    "ErrorSpectrum",
    "ErrorSplit",
    "HarnessError",
    "HitRate",
    "LieReport",
    "ResponseError",
    "Roc",
    "Spectrum",
    "ThresholdRule",
    "UnderResolvedError",
    "WorstOrientation",
    "binned_mean",
    "characters",
    "class_votes",
    "cross_validated",
    "crossing",
    "diagnose",
    "distance_to",
    "distance_to_other_class",
    "equivariance",
    "error_spectrum",
    "f1_scores",
    "fit_threshold",
    "hit_rate",
    "lie_derivative",
    "preflight",
    "rank_correlation",
    "roc",
]
