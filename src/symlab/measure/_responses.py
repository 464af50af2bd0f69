"""One structure, one output: the responses of all orientations, turned back and summed."""

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups import Representation, determinant_signs
from symlab.measure._errors import ResponseError
from symlab.measure._moments import Moments, merged
from symlab.measure._stream import RotationBatch


class BackRotated:
    """Accumulates ``z(g) = rho(g)^-1 f(g x)`` of one structure over one grid, each coset apart.

    Args:
        name: of the output, for errors.
        representation: how the output transforms.
        reference: ``f(x)`` of the unturned structure, ``(..., *shape)``; None takes the first response that comes.
        target: the true value, same shape, for the direct orientation-averaged error; or None.
    """

    def __init__(
        self,
        name: str,
        representation: Representation,
        reference: Tensor | None = None,
        target: Tensor | None = None,
    ) -> None:
        self.name = name
        self.representation = representation
        self.epsilon = torch.finfo(torch.float64).eps
        self.sample_shape: tuple[int, ...] | None = None
        self.cosets: list[Moments] = []
        self.target: Tensor | None = None
        self.target_squares: Tensor | None = None
        self.worst_square, self.worst_matrix = -1.0, torch.eye(3, dtype=torch.float64)
        self._given_target = target
        if reference is not None:
            self._begin(reference[None])

    def update(self, batch: RotationBatch, response: Tensor) -> None:
        """Take in the response ``(b, ..., *shape)`` of one batch of orientations; it is not kept.

        Raises:
            ValueError: a shape that does not fit the representation.
            ResponseError: NaN or infinite values, or a shape that differs from an earlier one.
        """
        self.representation.check(response, f"output {self.name!r}")
        if not self.cosets:
            first = self.representation.inverse_apply(batch.matrices[:1], response[:1].to("cpu", torch.float64))
            self._begin(first.to(response.dtype))
        assert self.sample_shape is not None
        if tuple(response.shape[1 : response.ndim - len(self.representation.shape)]) != self.sample_shape:
            raise ResponseError(
                f"output {self.name!r} changes its sample axes from {self.sample_shape} to "
                f"{tuple(response.shape[1:])} between orientations. Return the same samples, in the same order, for "
                "every turned copy (compute neighbour lists once)"
            )
        values = response.to(device="cpu", dtype=torch.float64)
        refuse_not_finite(values, batch.matrices, self.name)
        z = self.representation.inverse_apply(batch.matrices, values).reshape(
            len(values), *self.cosets[0].reference.shape
        )
        if self.target is not None and self.target_squares is not None:
            self.target_squares += batch.weights @ (z - self.target).square().sum(dim=-1)
        proper = determinant_signs(batch.matrices) > 0
        for moments, chosen in zip(self.cosets, (proper, ~proper), strict=True):
            whole = bool(chosen.all())
            part = slice(None) if whole else chosen
            squares = moments.add(batch.weights[part], z[part]).mean(dim=-1)
            if len(squares) and float(squares.max()) > self.worst_square:
                self.worst_square = float(squares.max())
                self.worst_matrix = batch.matrices[part][int(squares.argmax())].clone()

    @property
    def total(self) -> Moments:
        """Moments over the whole grid."""
        return merged([part for part in self.cosets if part.n])

    @property
    def mean_target_square(self) -> Tensor:
        """Orientation-averaged ``|z - target|^2``, ``(samples,)``."""
        if self.target_squares is None:
            raise ValueError("target is needed for the error against it; none was given")
        return self.target_squares / self.total.weight

    def _begin(self, reference: Tensor) -> None:
        """Fix shape, machine epsilon and reference from a response ``(1, ..., *shape)``."""
        self.representation.check(reference, f"output {self.name!r}")
        if not reference.is_floating_point():
            raise ResponseError(
                f"output {self.name!r} has type {reference.dtype}; equivariance needs real floating-point values "
                "(measure logits or probabilities, not class numbers)"
            )
        self.epsilon = torch.finfo(reference.dtype).eps
        self.sample_shape = tuple(reference.shape[1 : reference.ndim - len(self.representation.shape)])
        flat = reference[0].detach().to("cpu", torch.float64).reshape(-1, self.representation.dim)
        self.cosets = [Moments(flat), Moments(flat)]
        if self._given_target is not None:
            expected = (*self.sample_shape, *self.representation.shape)
            if tuple(self._given_target.shape) != expected:
                raise ValueError(
                    f"target of output {self.name!r} must have shape {expected}, that of the response to one "
                    f"orientation; got {tuple(self._given_target.shape)}"
                )
            self.target = self._given_target.detach().to("cpu", torch.float64).reshape(flat.shape)
            self.target_squares = torch.zeros_like(flat[:, 0])


def refuse_not_finite(values: Float[Tensor, "b ..."], matrices: Float[Tensor, "b 3 3"], name: str) -> None:
    """Refuse NaN and infinite responses, naming the orientation.

    Raises:
        ResponseError: with the number of bad values and the first matrix at fault.
    """
    finite = torch.isfinite(values)
    if bool(finite.all()):
        return
    first = int((~finite).reshape(len(values), -1).any(dim=1).nonzero()[0])
    raise ResponseError(
        f"output {name!r} is not finite: {int((~finite).sum())} NaN or infinite values, first at the orientation "
        f"R = {matrices[first].tolist()}. Evaluate the model there alone to find the cause"
    )
