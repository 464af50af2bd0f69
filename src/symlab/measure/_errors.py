"""The errors of a measurement: each is a ValueError and names the remedy."""


class UnderResolvedError(ValueError):
    """The grid cannot resolve the response: a diagnostic that must not be negative came out negative."""


class HarnessError(ValueError):
    """The model is called in a way that would falsify the measurement (dropout on, cell not turned, ...)."""


class ResponseError(ValueError):
    """The model's response cannot be measured: not finite, or not of the declared or a constant shape."""
