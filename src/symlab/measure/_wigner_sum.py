"""B on any grid that has both cosets, by the plain sum of Wigner matrices: the reference for the separable path."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups import HaarGrid, Sector, sectors, wigner_D
from symlab.measure._separable import sum_of_squares
from symlab.measure._stream import RotationBatch


class WignerSum:
    """The Wigner matrices of one batch of a grid, made once and shared by all layers.

    Args:
        grid: with both cosets of O(3).
        l_max: cutoff.
    """

    def __init__(self, grid: HaarGrid, l_max: int) -> None:
        self.l_max = l_max
        self.sectors = sectors(l_max)
        self.independent = grid.degree is None
        self.norm_of_weights = float(grid.weights.square().sum())
        self._batch: RotationBatch | None = None
        self._rows = torch.empty(0)

    def rows(self, batch: RotationBatch) -> tuple[Float[Tensor, "b coefficients"], Float[Tensor, " b"]]:
        """Weighted D^l of the proper part, all l side by side ``(b, sum_l (2l+1)^2)``, and which b are proper."""
        proper = torch.linalg.det(batch.matrices) > 0
        if self._batch is not batch:
            rotations = torch.where(proper, 1.0, -1.0)[:, None, None] * batch.matrices
            flat = [wigner_D(Sector(l, 1), rotations).flatten(1) * math.sqrt(2 * l + 1) for l in range(self.l_max + 1)]
            self._batch, self._rows = batch, batch.weights[:, None] * torch.cat(flat, dim=1)
        return self._rows, proper


class WignerCharacters:
    """Streams the responses of one structure at one layer into coefficients, in float64.

    On a grid of a stated degree, ``B = d |C|^2`` with ``C = sum_g w_g D(g) u(g)``. On independent random elements
    (degree None) the terms ``g1 = g2`` of the double sum, which would bias B upward by ``d^2 |u|^2 / n``, are left out
    and the rest is rescaled: an unbiased estimate, which may be negative.

    Args:
        transform: shared matrices.
        response: the first response ``(b, ..., d)``, for its shape and device.
        per_sample: keep the power of each sample, all axes but the first and the last.

    Cost: memory ``2 sum_l (2l+1)^2`` float64 numbers per feature; ``sum_l (2l+1)^2`` multiplications per number.
    """

    def __init__(self, transform: WignerSum, response: Float[Tensor, "b ..."], per_sample: bool) -> None:
        self._transform = transform
        features = math.prod(response.shape[1:])
        self._shape = tuple(response.shape[1:-1]) if per_sample else ()
        self._last = features // max(1, math.prod(self._shape))
        count = sum((2 * l + 1) ** 2 for l in range(transform.l_max + 1))
        self._sums = torch.zeros(2, count, features, dtype=torch.float64, device=response.device)
        self._diagonal = torch.zeros(math.prod(self._shape), dtype=torch.float64, device=response.device)

    def update(self, batch: RotationBatch, response: Float[Tensor, "b ..."]) -> None:
        """Add the responses of any batch of the grid."""
        rows, proper = self._transform.rows(batch)
        values = response.reshape(len(batch), -1).double()
        for coset, chosen in ((0, proper), (1, ~proper)):
            if chosen.any():
                self._sums[coset].addmm_(rows[chosen].to(values.device).T, values[chosen.to(values.device)])
        if self._transform.independent:
            squares = sum_of_squares(values.unflatten(1, (-1, self._last)))
            self._diagonal += batch.weights.square().to(values.device) @ squares

    def power(self) -> Float[Tensor, "sectors ..."]:
        """Give B of each sector, in the order of `sectors`: of the whole response, or of each sample."""
        powers = []
        for sector in self._transform.sectors:
            low = sum((2 * l + 1) ** 2 for l in range(sector.l))
            proper, improper = self._sums[:, low : low + sector.dim**2]
            coefficients = proper + sector.parity * improper
            power = sum_of_squares(coefficients.unflatten(1, (-1, self._last))).sum(dim=0)
            if self._transform.independent:
                power = (power - sector.dim**2 * self._diagonal) / (1 - self._transform.norm_of_weights)
            powers.append(power)
        return torch.stack(powers).reshape(-1, *self._shape)
