"""Runs of notebooks: parameters checked before any work, a record of each run, and the book made from them."""

from symlab.runs._errors import ParameterError, RunError
from symlab.runs._run import Run
from symlab.runs._table import read_sweep

__all__ = ["ParameterError", "Run", "RunError", "read_sweep"]
