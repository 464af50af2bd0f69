"""Canonical frames: turn every input into its own principal axes before the model sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups import Representation, Rotatable, parse_output


@dataclass(frozen=True, eq=False)
class Framed:
    """A model that sees its input in the input's own axes, ``rho(F)^-1 f(F x)``; made by `framed`.

    Attributes:
        f: the model.
        representation: how the output transforms.
    """

    f: Callable[[Any], Tensor]
    representation: Representation

    def __call__(self, stack: Rotatable) -> Tensor:
        """Predict for every copy of a stack; see `framed`."""
        if not isinstance(stack, Rotatable) or stack.n_copies is None:
            raise ValueError("a framed model takes one stacked structure; give x.stacked(matrices)")
        frames = principal_frames(stack.rotating_tensors()["positions"][0])
        turned = {
            name: kind.apply(frames.to(tensor.device), tensor.double()).to(tensor.dtype)
            for name, (tensor, kind) in stack.rotating_tensors().items()
        }
        response = self.f(stack.with_tensors(turned))
        self.representation.check(response, "the response")
        return self.representation.inverse_apply(frames, response.to("cpu", torch.float64)).to(response)


def framed(f: Callable[[Any], Tensor], output: str | Representation) -> Framed:
    """Make a model exactly equivariant under SO(3) by giving it every input in its principal axes.

    One evaluation for one. What it costs is continuity: where two axes are equally long, or an axis is as skewed one
    way as the other, the smallest change of the input turns the frame by a large angle, arXiv:2402.16077.

    Args:
        f: maps one stacked structure with ``positions`` to a tensor ``(b, ..., *shape)``.
        output: how it transforms, as for ``parse_output``.

    Returns:
        A callable that takes and returns what f does.

    Raises:
        ValueError: when called, for an input that is not stacked, or whose points determine no frame.
    """
    return Framed(f, parse_output(output))


def principal_frames(positions: Float[Tensor, "b n 3"]) -> Float[Tensor, "b 3 3"]:
    """Find the rotation of each cloud into its principal axes, ``F(g x) = F(x) g^-1`` for rotations g.

    Rows of F are the eigenvectors of the covariance, longest axis first. The first two point where the third moment
    along them is positive; the third is their cross product, so F is a rotation.

    Args:
        positions: ``(b, n, 3)``, any unit.

    Returns:
        ``(b, 3, 3)`` float64.

    Raises:
        ValueError: fewer than two different axes (a line, a point, a perfect sphere): no frame is determined.
    """
    centred = positions.double() - positions.double().mean(1, keepdim=True)
    lengths, axes = torch.linalg.eigh(centred.transpose(1, 2) @ centred / centred.shape[1])
    scale = lengths[:, 2].clamp(min=torch.finfo(torch.float64).tiny)
    if bool((lengths.diff(dim=1).amin(1) < 1e-9 * scale).any()):
        worst = lengths[(lengths.diff(dim=1).amin(1) / scale).argmin()]
        raise ValueError(
            "the principal axes of a cloud must have three different lengths, or they determine no frame; got mean "
            f"squares {worst.tolist()}. Average over a group instead"
        )
    first, second = axes[:, :, 2], axes[:, :, 1]
    first = first * _skew(centred, first)
    second = second * _skew(centred, second)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=1)


def _skew(centred: Float[Tensor, "b n 3"], axis: Float[Tensor, "b 3"]) -> Float[Tensor, "b 1"]:
    """Sign of the third moment along an axis; +1 for none."""
    moment = (centred @ axis[:, :, None]).pow(3).sum(1)
    return torch.where(moment < 0, -1.0, 1.0).to(axis)
