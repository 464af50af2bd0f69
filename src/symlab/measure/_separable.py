"""B on a product grid by a separable transform: a real Fourier sum over each circle, then a sum over sphere nodes.

With ``R = Rz(alpha) Ry(beta) Rz(gamma)`` and ``D^l_mn(R) = exp(-i m alpha) d^l_mn(beta) exp(-i n gamma)``,

    C^l_mn = sum_i w_i exp(-i m alpha_i) d^l_mn(beta_i) F_n(i),    F_n(i) = (1/K) sum_k exp(-i n gamma_k) u(i, k).

The antipode i' of a node has ``alpha + pi, pi - beta``, hence ``D^l_mn(i', gamma) = (-1)^l exp(-i m alpha)
d^l_m,-n(beta) exp(-i n gamma)``. The two parity halves ``G^s_n = F_n(i) + s conj(F_n(i'))``, ``s = +1, -1``, then give

    C^l_mn + s (-1)^l C^l_m,-n
        = sum_pairs w exp(-i m alpha) [ (d_mn + s (-1)^l d_m,-n) Re G^s_n + i (d_mn - s (-1)^l d_m,-n) Im G^s_n ],

needed for m, n >= 0 only, since u is real. ``G^s`` is the Fourier sum of ``u(i, gamma) + s u(i', -gamma)``, so the
halves part before any sum is done. A node without a partner has ``F(i') = 0``. Everything is real arithmetic, and the
power of a sector is a sum of squares (arXiv:2603.24638, Sec. II; book page "Conventions").
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups import HaarGrid, small_d
from symlab.measure._stream import Block, CirclePlan, RotationBatch

CHUNK_FEATURES = 2048
"""How many features are summed over nodes at a time: their coefficients stay in the cache."""


@dataclass(frozen=True, eq=False)
class NodeMatrix:
    """The sum over nodes for one parity half s and one in-plane order n.

    Attributes:
        half: 0 for s = +1, 1 for s = -1.
        rows: the slice of circle rows it reads, ``[Re G]`` for n = 0 and ``[Re G, Im G]`` else.
        matrix: ``(n_coefficients, n_parts, n_columns)``, scaled so that B is a plain sum of squares.
        l: degree of each coefficient.
    """

    half: int
    rows: slice
    matrix: Float[Tensor, "coefficients parts columns"]
    l: list[int]


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
        self.n_rows = 2 * l_max + 1
        self.circle = _circle_matrix(grid.product.gamma, l_max)
        halves = [(half, n) for half in (0, 1) for n in range(l_max + 1) if (half, n) != (1, 0) or l_max > 0]
        self.nodes = [self._node_matrix(grid, half, n) for half, n in halves]
        self.degrees = torch.tensor([l for node in self.nodes for l in node.l])
        self.n_coefficients = len(self.degrees)
        self._cast: dict[tuple[torch.dtype, torch.device], tuple[Tensor, list[Tensor]]] = {}
        self._scratch: dict[tuple[torch.dtype, torch.device], Tensor] = {}

    def cast(self, response: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Give the circle matrix and the node matrices in the type and on the device of a response."""
        key = (response.dtype, response.device)
        if key not in self._cast:
            self._cast[key] = self.circle.to(response), [node.matrix.to(response) for node in self.nodes]
        return self._cast[key]

    def scratch(self, like: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Lend memory that is used again by the next call: fresh pages cost as much as the arithmetic."""
        key, count = (like.dtype, like.device), math.prod(shape)
        if key not in self._scratch or self._scratch[key].numel() < count:
            self._scratch[key] = like.new_empty(count)
        return self._scratch[key][:count].view(shape)

    def _node_matrix(self, grid: HaarGrid, half: int, n: int) -> NodeMatrix:
        product, first = grid.product, self.plan.first
        assert product is not None
        alpha, weights = product.alpha[first, None], product.node_weights[first, None]
        blocks: list[Tensor] = []
        degrees: list[int] = []
        for l in range(n, self.l_max + 1):
            sign = (1, -1)[half] * (-1) ** l
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
            degrees += [l] * len(block)
            blocks.append(block)
        return NodeMatrix(half, slice(max(0, 2 * n - 1), 2 * n + 1), torch.cat(blocks), degrees)


def _circle_matrix(gamma: Float[Tensor, " angles"], l_max: int) -> Float[Tensor, "rows angles"]:
    """Rows Re G_0, Re G_1, Im G_1, Re G_2, ... of the Fourier sum over a circle."""
    rows = [torch.ones_like(gamma)]
    for n in range(1, l_max + 1):
        rows += [torch.cos(n * gamma), -torch.sin(n * gamma)]
    return torch.stack(rows) / len(gamma)


class SeparableCharacters:
    """Streams the responses of one structure at one layer into the power of each sector.

    Responses become Fourier rows at once. When the rows of many columns have been gathered (for ``degree = 2 l_max``:
    of all of them), they are summed over nodes; several such sums are added in float64.

    Args:
        transform: shared matrices.
        response: the first response ``(b, ..., d)``, for its shape, type and device.
        per_sample: keep the power of each sample, all axes but the first and the last.
        workspace: memory of an earlier structure to use again, if it is large enough.

    Cost: memory of about ``6 n_coefficients`` numbers per feature at most, in the type of the response, where
    ``n_coefficients = sum_l (2l+1)^2``; on grids much finer than 2 l_max ``2 n_coefficients`` in float64 besides.
    Work per number of the response: ``2 l_max + 1`` and about ``n_coefficients / 14`` multiplications.
    """

    def __init__(
        self, transform: SeparableTransform, response: Tensor, per_sample: bool, workspace: Tensor | None = None
    ) -> None:
        self._transform = transform
        self._circle, self._nodes = transform.cast(response)
        self._features = math.prod(response.shape[1:])
        self._shape = tuple(response.shape[1:-1]) if per_sample else ()
        self._last = self._features // max(1, math.prod(self._shape))
        self._capacity = min(transform.n_columns, max(8, 3 * transform.n_coefficients // (2 * transform.n_rows)))
        self._sums: Tensor | None = None
        self._start = self._stop = 0
        self.workspace = response.new_empty(0) if workspace is None else workspace
        self._buffer = self.workspace

    def update(self, batch: RotationBatch, response: Float[Tensor, "b ..."]) -> None:
        """Add the responses of one batch of the plan."""
        block = batch.block
        assert block is not None
        if self._stop == 0 or block.columns.stop > self._start + self._capacity:
            self._next_window(block, response)
        low, high = block.columns.start - self._start, block.columns.stop - self._start
        plus, minus = (half[:, low:high].flatten(1) for half in self._buffer[block.coset])
        rows = block.rows.stop - block.rows.start
        circles = response.reshape(rows, len(block.members), (high - low) * self._features)
        matrix, fresh = self._circle[:, block.rows], block.rows.start == 0
        if block.members == (0, 1):
            folded = self._transform.scratch(response, (rows, circles.shape[2]))
            _sum_circles(matrix, torch.add(circles[:, 0], circles[:, 1], out=folded), plus, fresh)
            _sum_circles(matrix, torch.sub(circles[:, 0], circles[:, 1], out=folded), minus, fresh)
        else:
            member = block.members[0]
            _sum_circles(matrix, circles[:, 0], plus, fresh and member == 0)
            _sum_circles(matrix, circles[:, 0], minus, fresh and member == 0, alpha=1 - 2 * member)
        self._stop = block.columns.stop

    def power(self) -> Float[Tensor, "sectors ..."]:
        """Give B of each sector, in the order of `sectors`: of the whole response, or of each sample."""
        degrees = self._transform.degrees.to(self._buffer.device)
        squares = torch.zeros(2, len(degrees), math.prod(self._shape), dtype=torch.float64, device=degrees.device)
        self._flush(squares)
        power = squares.new_zeros(self._transform.l_max + 1, 2, squares.shape[2])
        for parity, rows in ((1, squares[0]), (-1, squares[1])):
            sigma_is_minus = ((-1) ** degrees != parity).long()
            power.index_put_((degrees, sigma_is_minus), rows, accumulate=True)
        return power.reshape(-1, *self._shape)

    def _next_window(self, block: Block, response: Tensor) -> None:
        """Sum what has been gathered, and make room for the columns from this block on."""
        if self._stop > self._start:
            self._flush()
        self._start = block.columns.start
        self._capacity = max(self._capacity, block.columns.stop - block.columns.start)
        shape = (2, 2, self._transform.n_rows, self._capacity, self._features)
        if self.workspace.numel() < math.prod(shape) or self.workspace.dtype != response.dtype:
            self.workspace = response.new_empty(math.prod(shape))
        self._buffer = self.workspace[: math.prod(shape)].view(shape)

    def _flush(self, squares: Tensor | None = None) -> None:
        """Sum the gathered rows over nodes: into the coefficients or, when these are complete, into their squares."""
        if squares is None and self._sums is None:
            shape = (2, self._transform.n_coefficients, self._features)
            self._sums = torch.zeros(shape, dtype=torch.float64, device=self._buffer.device)
        used = self._stop - self._start
        matrices = [matrix[:, :, self._start : self._stop].flatten(1) for matrix in self._nodes]
        # A chunk holds whole samples, or a part of the only one.
        step = CHUNK_FEATURES if self._last == self._features else max(1, CHUNK_FEATURES // self._last) * self._last
        for low in range(0, self._features, step):
            features = slice(low, min(low + step, self._features))
            shape = (3, self._transform.n_coefficients, features.stop - low)
            both, spare = self._transform.scratch(self._buffer, shape).split((2, 1))
            for coset in (0, 1):
                row = 0
                for node, matrix in zip(self._transform.nodes, matrices, strict=True):
                    source = self._buffer[coset, node.half, node.rows, :used, features].flatten(0, 1)
                    torch.mm(matrix, source, out=both[coset, row : row + len(matrix)])
                    row += len(matrix)
            if self._sums is not None:
                both = self._sums[:, :, features].add_(both)
                spare = torch.empty_like(both[:1])
            if squares is not None:
                samples = slice(0, 1) if self._last == self._features else slice(low // self._last, None)
                for parity, combine in enumerate((torch.add, torch.sub)):
                    coefficients = combine(both[0], both[1], out=spare[0])
                    found = sum_of_squares(coefficients.unflatten(1, (-1, min(self._last, coefficients.shape[1]))))
                    squares[parity, :, samples][:, : found.shape[1]] += found


def _sum_circles(matrix: Tensor, circles: Tensor, target: Tensor, fresh: bool, alpha: float = 1) -> None:
    """Put ``alpha matrix @ circles`` into the target, or add it."""
    if fresh and alpha == 1:
        torch.mm(matrix, circles, out=target)
    else:
        target.addmm_(matrix, circles, beta=0 if fresh else 1, alpha=alpha)


def sum_of_squares(values: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch"]:
    """Sum squares over the last axis, into float64, without a copy of the values where the axis is long."""
    if values.shape[-1] < 16:
        return values.double().square().sum(dim=-1)
    return torch.linalg.vector_norm(values, dim=-1).double().square()
