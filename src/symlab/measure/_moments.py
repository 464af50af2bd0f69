"""First and second moments of a response over the group, about a reference, in float64."""

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.measure._errors import UnderResolvedError

SAFETY = 64
"""How many round-off units a negative variance may have before it is refused."""


class Moments:
    """Weighted moments of samples with d components, streamed: ``sum w y`` and ``sum w |y|^2``, ``y = z - reference``.

    A large common offset (a total energy) cancels in ``z - reference`` before it is squared.

    Args:
        reference: ``(samples, d)`` float64, any response of the stream.
    """

    def __init__(self, reference: Float[Tensor, "samples d"]) -> None:
        self.reference = reference
        self.n = 0
        self.weight = 0.0
        self.first = torch.zeros_like(reference)
        self.second = torch.zeros_like(reference[:, 0])
        self.absolute = torch.zeros_like(self.second)
        self.raw = torch.zeros_like(self.second)

    def add(self, weights: Float[Tensor, " b"], z: Float[Tensor, "b samples d"]) -> Float[Tensor, "b samples"]:
        """Take in a batch; returns ``|z - reference|^2`` of each response and sample. Cost: three passes over z."""
        if len(weights) == 0:
            return z.new_zeros(0, z.shape[1])
        y = z - self.reference
        squares = y.square().sum(dim=-1)
        self.n += len(weights)
        self.weight += float(weights.sum())
        self.first += torch.tensordot(weights, y, dims=1)
        self.second += weights @ squares
        self.absolute += weights.abs() @ squares
        self.raw += weights.abs() @ z.square().sum(dim=-1)
        return squares

    @property
    def mean(self) -> Float[Tensor, "samples d"]:
        """Weighted mean of ``z - reference``; adding the reference gives the mean of z."""
        return self.first / self.weight

    @property
    def mean_square(self) -> Float[Tensor, " samples"]:
        """Weighted mean of ``|z - reference|^2``."""
        return self.second / self.weight

    def allowance(self, epsilon: float) -> Float[Tensor, " samples"]:
        """Size of a variance that round-off alone can make negative.

        ``64 gamma_n sum |w| |y|^2`` for the sums, ``gamma_n = n eps / (1 - n eps)`` in float64, plus
        ``sum |w| (64 epsilon |z|)^2`` for responses that come in a type of machine epsilon ``epsilon``.
        """
        unit = self.n * torch.finfo(torch.float64).eps
        gamma = unit / (1 - unit)
        return (SAFETY * gamma * self.absolute + (SAFETY * epsilon) ** 2 * self.raw) / abs(self.weight)


def merged(parts: list[Moments]) -> Moments:
    """Add up moments about the same reference."""
    total = Moments(parts[0].reference)
    for part in parts:
        total.n += part.n
        total.weight += part.weight
        total.first += part.first
        total.second += part.second
        total.absolute += part.absolute
        total.raw += part.raw
    return total


def squared_mean(means: Float[Tensor, "turns samples d"]) -> Float[Tensor, " samples"]:
    """Estimate ``|Pi|^2`` from the means of one fixed rule, or without bias from those of T independent turns.

    One rule: ``|m|^2``. T turns: the mean of ``m_s . m_t`` over pairs ``s != t``,
    ``(|sum m|^2 - sum |m|^2) / (T (T - 1))``, because ``|m_t|^2`` alone is too large by the scatter of ``m_t``.
    """
    turns = len(means)
    if turns == 1:
        return means[0].square().sum(dim=-1)
    total = means.sum(dim=0).square().sum(dim=-1)
    own = means.square().sum(dim=-1).sum(dim=0)
    return (total - own) / (turns * (turns - 1))


def non_negative(
    variance: Float[Tensor, " samples"], allowance: Float[Tensor, " samples"], what: str, remedy: str
) -> Float[Tensor, " samples"]:
    """Set a variance that is negative within round-off to zero, and refuse one that is negative beyond it.

    Raises:
        UnderResolvedError: naming the value and the remedy.
    """
    wrong = variance < -allowance
    if bool(wrong.any()):
        worst = int(variance.argmin())
        raise UnderResolvedError(
            f"{what} came out as {float(variance[worst]):.6g} < 0 (sample {worst}; round-off explains "
            f"{float(allowance[worst]):.3g}): the response varies faster than the grid resolves. {remedy}"
        )
    return variance.clamp_min(0)
