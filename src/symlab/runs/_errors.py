"""Errors of the runs: what was asked for is impossible, or a notebook failed."""


class ParameterError(ValueError):
    """A parameter has an unknown name or a value of the wrong type; the message lists the valid ones."""


class RunError(RuntimeError):
    """A run cannot start, or a notebook failed; the message names the notebook, the cell and the remedy."""
