"""Measure broken symmetry: A (equivariance error), B (character decomposition), and the local Lie derivative."""

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
from symlab.measure._equivariance import equivariance
from symlab.measure._error_spectrum import ErrorSpectrum, error_spectrum
from symlab.measure._errors import HarnessError, ResponseError, UnderResolvedError
from symlab.measure._f1 import f1_scores
from symlab.measure._lie import LieReport, lie_derivative
from symlab.measure._preflight import preflight
from symlab.measure._report import EquivarianceReport, ErrorSplit, WorstOrientation
from symlab.measure._spectrum import Spectrum

__all__ = [
    "Diagnosis",
    "EquivarianceReport",
    "ErrorSpectrum",
    "ErrorSplit",
    "HarnessError",
    "HitRate",
    "LieReport",
    "ResponseError",
    "Spectrum",
    "ThresholdRule",
    "UnderResolvedError",
    "WorstOrientation",
    "characters",
    "cross_validated",
    "crossing",
    "diagnose",
    "equivariance",
    "error_spectrum",
    "f1_scores",
    "fit_threshold",
    "hit_rate",
    "lie_derivative",
    "preflight",
    "rank_correlation",
]
