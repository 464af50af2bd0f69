"""B on a product grid by a separable transform: a real Fourier sum over each circle, then a sum over sphere nodes.

With ``R = Rz(alpha) Ry(beta) Rz(gamma)`` and ``D^l_mn(R) = exp(-i m alpha) d^l_mn(beta) exp(-i n gamma)``,

    C^l_mn = sum_i w_i exp(-i m alpha_i) d^l_mn(beta_i) F_n(i),    F_n(i) = (1/K) sum_k exp(-i n gamma_k) u(i, k).

The antipode i' of a node has ``alpha + pi, pi - beta``, hence ``D^l_mn(i', gamma) = (-1)^l exp(-i m alpha)
d^l_m,-n(beta) exp(-i n gamma)``. The two parity halves ``G^s_n = F_n(i) + s conj(F_n(i'))``, ``s = +1, -1``, then give

    C^l_mn + s (-1)^l C^l_m,-n
        = sum_pairs w exp(-i m alpha) [ (d_mn + s (-1)^l d_m,-n) Re G^s_n + i (d_mn - s (-1)^l d_m,-n) Im G^s_n ],

needed for m, n >= 0 only, since u is real. A node without a partner has ``F(i') = 0``. Everything is real
arithmetic, and the power of a sector is a sum of squares (arXiv:2603.24638, Sec. II; book page "Conventions").
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from symlab.groups import HaarGrid, small_d
from symlab.measure._stream import CirclePlan, RotationBatch

CHUNK_NUMBERS = 1 << 18
"""Size of the pieces in which coefficients are formed: they stay in the cache."""


@dataclass(frozen=True, eq=False)
class NodeMatrix:
    """The sum over nodes for one parity half s and one in-plane order n.

    Attributes:
        rows: the slice of circle rows it reads, ``[Re G]`` for n = 0 and ``[Re G, Im G]`` else.
        matrix: ``(n_coefficients, n_parts, n_columns)``, scaled so that B is a plain sum of squares.
        l: ``(n_coefficients,)``, the degree of each coefficient, ascending.
    """

    rows: slice
    matrix: Float[Tensor, "coefficients parts columns"]
    l: Int[Tensor, " coefficients"]


class SeparableTransform:
    """The matrices of the transform for one product grid and one cutoff, made once and shared by all layers.

    Args:
        grid: an O(3) product grid with degree >= 2 l_max.
        l_max: cutoff.

    Cost: small; about ``(4/3) l_max^3 n_nodes`` numbers.
    """

    def __init__(self, grid: HaarGrid, l_max: int) -> None:
        if grid.product is None or len(grid.product.cosets) != 2:
            raise ValueError("the separable transform needs an O(3) product grid")
        self.l_max = l_max
        self.plan = CirclePlan.of(grid)
        self.n_columns = len(self.plan.first)
        self.n_rows = 2 * (2 * l_max + 1)
        self.circle = _circle_matrix(grid.product.gamma, l_max)
        self.nodes = [node for s in (1, -1) for n in range(l_max + 1) if (node := self._node_matrix(grid, s, n))]
        self.n_coefficients = sum(len(node.l) for node in self.nodes)
        self._cast: dict[tuple[torch.dtype, torch.device], tuple[Tensor, list[Tensor]]] = {}

    def cast(self, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, list[Tensor]]:
        """Give the circle matrix and the node matrices in the type and on the device of a response."""
        if (dtype, device) not in self._cast:
            matrices = [node.matrix.to(device=device, dtype=dtype) for node in self.nodes]
            self._cast[dtype, device] = self.circle.to(device=device, dtype=dtype), matrices
        return self._cast[dtype, device]

    def _node_matrix(self, grid: HaarGrid, s: int, n: int) -> NodeMatrix | None:
        product, first = grid.product, self.plan.first
        assert product is not None
        alpha, weights = product.alpha[first, None], product.node_weights[first, None]
        blocks, degrees = [], []
        for l in range(n, self.l_max + 1):
            sign = s * (-1) ** l
            if n == 0 and sign < 0:
                continue
            m = torch.arange(l + 1)
            small = small_d(l, product.beta[first])[:, l:]
            even = small[:, :, l + n] + (sign * small[:, :, l - n] if n else 0)
            odd = small[:, :, l + n] - sign * small[:, :, l - n]
            cosine, sine = weights * torch.cos(m * alpha), weights * torch.sin(m * alpha)
            real, imaginary = [cosine * even], [-sine * even]
            if n:
                real.append(sine * odd)
                imaginary.append(cosine * odd)
            # |C_mn|^2 + |C_m,-n|^2 is half the sum over s; m and -m have the same norm; (2l+1)/4 is the O(3) factor.
            scale = torch.where(m > 0, 2.0, 1.0).double() * (0.5 if n else 1.0) * (2 * l + 1) / 4
            block = torch.cat([torch.stack(real), torch.stack(imaginary)], dim=2) * scale.sqrt().repeat(2)
            block = block.permute(2, 0, 1)
            block = block[block.abs().amax(dim=(1, 2)) > 1e-14]
            blocks.append(block)
            degrees += [l] * len(block)
        if not blocks:
            return None
        base = (0 if s > 0 else 2 * self.l_max + 1) + max(0, 2 * n - 1)
        return NodeMatrix(slice(base, base + (2 if n else 1)), torch.cat(blocks), torch.tensor(degrees))


def _circle_matrix(gamma: Float[Tensor, " angles"], l_max: int) -> Float[Tensor, "rows circle"]:
    """Rows Re G_0, Re G_1, Im G_1, ... for s = +1, then for s = -1; columns: the circle, then that of the antipode."""
    rows = [torch.ones_like(gamma)]
    conjugate = [1.0]
    for n in range(1, l_max + 1):
        rows += [torch.cos(n * gamma), -torch.sin(n * gamma)]
        conjugate += [1.0, -1.0]
    own = torch.stack(rows) / len(gamma)
    other = own * torch.tensor(conjugate, dtype=own.dtype)[:, None]
    return torch.cat([torch.cat([own, other], dim=1), torch.cat([own, -other], dim=1)])


class SeparableCharacters:
    """Streams the responses of one structure at one layer into the power of each sector.

    Responses become Fourier rows at once. When the rows of many columns have been gathered (for ``degree = 2 l_max``:
    of all of them), they are summed over nodes; several such sums are added in float64.

    Args:
        transform: shared matrices.
        response: the first response ``(b, ..., d)``, for its shape, type and device.

    Cost: memory of about ``6 n_coefficients`` numbers per feature at most, in the type of the response, where
    ``n_coefficients = sum_l (2l+1)^2``; on grids much finer than 2 l_max ``2 n_coefficients`` in float64 besides.
    Work per number of the response: ``4 (2 l_max + 1)`` and about ``n_coefficients / 14`` multiplications.
    """

    def __init__(self, transform: SeparableTransform, response: Float[Tensor, "b ..."]) -> None:
        self._transform = transform
        self._circle, self._nodes = transform.cast(response.dtype, response.device)
        self._shape = tuple(response.shape[1:-1])
        self._last = response.shape[-1] if response.ndim > 1 else 1
        self._samples = math.prod(self._shape)
        self._capacity = min(transform.n_columns, max(8, 3 * transform.n_coefficients // transform.n_rows))
        self._buffer = response.new_empty(0)
        self._sums: Tensor | None = None
        self._start = self._stop = 0

    def update(self, batch: RotationBatch, response: Float[Tensor, "b ..."]) -> None:
        """Add the responses of one batch of the plan."""
        block = batch.block
        assert block is not None
        if block.columns.stop > self._start + self._capacity:
            if self._stop > self._start:
                self._flush()
            self._start = block.columns.start
            self._capacity = max(self._capacity, block.columns.stop - block.columns.start)
        buffer = self._space(response)
        target = buffer[block.coset, :, block.columns.start - self._start : block.columns.stop - self._start].flatten(1)
        source = response.reshape(block.rows.stop - block.rows.start, -1)
        if block.rows.start == 0:
            torch.mm(self._circle[:, block.rows], source, out=target)
        else:
            target.addmm_(self._circle[:, block.rows], source)
        self._stop = block.columns.stop

    def power(self) -> Float[Tensor, "sectors ..."]:
        """Give B of each sector, in the order of `sectors`, for each sample: summed over the last axis only."""
        total = torch.zeros(
            self._transform.l_max + 1, 2, self._samples, dtype=torch.float64, device=self._buffer.device
        )
        self._flush(total)
        return total.reshape(-1, *self._shape)

    def _space(self, response: Tensor) -> Tensor:
        shape = (2, self._transform.n_rows, self._capacity, self._samples * self._last)
        if self._buffer.shape != shape:
            self._buffer = response.new_empty(shape)
        return self._buffer

    def _flush(self, power: Tensor | None = None) -> None:
        """Sum the gathered rows over nodes: into the coefficients, or, when these are complete, into their power."""
        columns = slice(self._start, self._stop)
        used = self._stop - self._start
        if power is None and self._sums is None:
            shape = (2, self._transform.n_coefficients, self._samples * self._last)
            self._sums = torch.zeros(shape, dtype=torch.float64, device=self._buffer.device)
        matrices = [matrix[:, :, columns].flatten(1) for matrix in self._nodes]
        width = max(1, CHUNK_NUMBERS // (self._last * max(len(matrix) for matrix in matrices)))
        for low in range(0, self._samples, width):
            samples = slice(low, min(low + width, self._samples))
            features = slice(samples.start * self._last, samples.stop * self._last)
            row = 0
            for node, matrix in zip(self._transform.nodes, matrices, strict=True):
                proper, improper = (matrix @ coset[node.rows, :used, features].flatten(0, 1) for coset in self._buffer)
                if self._sums is not None:
                    own = self._sums[:, row : row + len(matrix), features]
                    own[0] += proper
                    own[1] += improper
                    proper, improper = own
                if power is not None:
                    self._add_power(power, samples, node.l, proper, improper)
                row += len(matrix)

    def _add_power(self, power: Tensor, samples: slice, degree: Tensor, proper: Tensor, improper: Tensor) -> None:
        """Add ``|C_proper + sigma (-1)^l C_improper|^2`` to each sector."""
        for natural, coefficients in ((True, proper + improper), (False, proper - improper)):
            squares = sum_of_squares(coefficients.unflatten(1, (-1, self._last)))
            for l in degree.unique().tolist():
                even_under_inversion = 1 if natural else -1
                sigma = even_under_inversion * (-1) ** l
                power[l, 0 if sigma > 0 else 1, samples] += squares[degree == l].sum(dim=0)


def sum_of_squares(values: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch"]:
    """Sum squares over the last axis, into float64, without a copy of the values where the axis is long."""
    if values.shape[-1] < 16:
        return values.double().square().sum(dim=-1)
    return torch.linalg.vector_norm(values, dim=-1).double().square()
