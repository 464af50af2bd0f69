"""The one streaming engine: rotate a batch of copies, call the model, hand each response on, forget it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from symlab.groups import HaarGrid
from symlab.measure._capture import capture
from symlab.progress import progress_bar

OUTPUT = "output"
"""Name under which the response of a callable that returns one bare tensor is handed on."""

PROGRESS_AFTER_SECONDS = 5.0


@dataclass(frozen=True)
class Block:
    """A part of a product grid: one coset, some columns of the `CirclePlan`, some rows of these columns.

    Elements come with the row slowest, then the member of the column, then the column.

    Attributes:
        coset: 0 for proper, 1 for improper elements.
        columns: which columns; either all are pairs or all are single circles.
        rows: which positions on the circle.
        members: which members of each column are present: (0, 1), (0,) or (1,).
    """

    coset: int
    columns: slice
    rows: slice
    members: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class RotationBatch:
    """Some elements of a grid, evaluated in one call.

    Attributes:
        index: ``(b,)``, their positions in the grid.
        matrices: ``(b, 3, 3)``.
        weights: ``(b,)``.
        block: which part of a product grid they are; None on other grids.
    """

    index: Int[Tensor, " b"]
    matrices: Float[Tensor, "b 3 3"]
    weights: Float[Tensor, " b"]
    block: Block | None = None

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, eq=False)
class CirclePlan:
    """The sphere nodes of a product grid, put into columns of one or two circles.

    Member 0 of a column is the circle of node i, ``gamma_k`` in row k. Member 1, if the antipode of i is a node too, is
    the circle of the antipode, ``-gamma_k`` in row k. The poles stand alone: there the angle alpha of the antipode is
    not alpha + pi.

    Attributes:
        first: ``(n_columns,)``, node of member 0; pairs come first, single circles last.
        second: ``(n_pairs,)``, node of member 1.
        n_gamma: K, elements of one circle.
    """

    first: Int[Tensor, " columns"]
    second: Int[Tensor, " pairs"]
    n_gamma: int

    @staticmethod
    def of(grid: HaarGrid) -> "CirclePlan":
        """Pair the antipodal nodes of a product grid."""
        product = grid.product
        if product is None:
            raise ValueError("grid must be a product grid (haar_grid); this one has no circles")
        sine = torch.sin(product.beta)
        nodes = torch.stack([sine * product.alpha.cos(), sine * product.alpha.sin(), product.beta.cos()], dim=1)
        distance = torch.cdist(nodes, -nodes, compute_mode="donot_use_mm_for_euclid_dist")
        nearest = distance.argmin(dim=1)
        paired = (distance.amin(dim=1) < 1e-9) & (sine > 1e-9)
        paired &= (product.node_weights - product.node_weights[nearest]).abs() < 1e-14
        own = torch.arange(len(nodes))
        first = own[paired & (own < nearest)]
        return CirclePlan(torch.cat([first, own[~paired]]), nearest[first], len(product.gamma))

    def blocks(self, n_nodes: int, n_cosets: int, batch_size: int) -> Iterator[tuple[Tensor, Block]]:
        """List blocks with their positions in the grid; both cosets of some columns come before the next columns."""
        n_pairs, n_columns, k = len(self.second), len(self.first), self.n_gamma
        row = torch.arange(k)
        both: list[tuple[int, ...]] = [(0, 1)] if batch_size > 1 else [(0,), (1,)]
        for start, stop, choices in ((0, n_pairs, both), (n_pairs, n_columns, [(0,)])):
            width = max(1, batch_size // (k * len(choices[0])))
            for low in range(start, stop, width):
                columns = slice(low, min(low + width, stop))
                for coset in range(n_cosets):
                    for members in choices:
                        angles = torch.stack([row, -row % k])[list(members)]
                        nodes = torch.stack([(self.first, self.second)[member][columns] for member in members])
                        index = nodes * k + angles.T[:, :, None] + coset * n_nodes * k
                        step = max(1, batch_size // nodes.numel())
                        for top in range(0, k, step):
                            rows = slice(top, min(top + step, k))
                            yield index[rows].reshape(-1), Block(coset, columns, rows, members)


def rotation_batches(grid: HaarGrid, batch_size: int) -> list[RotationBatch]:
    """Cut a grid into batches of at most ``batch_size`` elements; whole circles together where it has circles."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size must be an int >= 1; got {batch_size!r}")
    if grid.product is None:
        parts = torch.arange(len(grid)).split(batch_size)
        return [RotationBatch(part, grid.matrices[part], grid.weights[part]) for part in parts]
    nodes, cosets = len(grid.product.alpha), len(grid.product.cosets)
    return [
        RotationBatch(index, grid.matrices[index], grid.weights[index], block)
        for index, block in CirclePlan.of(grid).blocks(nodes, cosets, batch_size)
    ]


Consume = Callable[[RotationBatch, str, Tensor], None]


class Listener(Protocol):
    """Somebody else who wants the responses of the same passes, and perhaps those of hidden layers.

    Attributes:
        module: where the layers are looked up.
        layers: names of the layers to capture.
    """

    module: nn.Module | None
    layers: Sequence[str]

    def start(self, grid: HaarGrid) -> Consume:
        """Begin a structure on a grid; gives the function that takes its responses."""

    def stop(self) -> None:
        """End the structure."""


def named_tensors(response: object, name: str = OUTPUT) -> dict[str, Tensor]:
    """Give the response of a callable, a tensor or a dict of tensors, as a dict.

    Raises:
        TypeError: for anything else, naming the type.
    """
    if isinstance(response, Tensor):
        return {name: response}
    if isinstance(response, Mapping) and response and all(isinstance(value, Tensor) for value in response.values()):
        return {str(key): value for key, value in response.items()}
    raise TypeError(
        f"f must return a tensor or a non-empty dict of tensors; got {type(response).__name__}. "
        "Wrap the model in a function that picks the tensor"
    )


def stream(
    f: Callable[[Any], Any],
    x: Any,
    grid: HaarGrid,
    consume: Consume,
    *,
    batch_size: int = 128,
    module: nn.Module | None = None,
    layers: Sequence[str] = (),
    description: str = "rotations",
    progress: bool = True,
) -> int:
    """Evaluate ``f`` on all rotated copies of one structure, batch by batch, and hand every response on.

    Args:
        f: maps a stacked structure of b copies to a tensor ``(b, ...)`` or a dict of them.
        x: one structure, with ``stacked(matrices)``.
        grid: the group elements.
        consume: called as ``consume(batch, name, response)`` once for each output and layer of each batch; layers
            while the model runs (so nothing is kept), outputs after it. The response ``(b, ...)`` must not be kept.
        batch_size: at most this many copies in one call.
        module: where ``layers`` are looked up.
        layers: names of submodules of ``module`` whose outputs are handed on as well.
        description: text of the progress bar, which appears once the work has taken 5 s.
        progress: False never shows a bar.

    Returns:
        How many copies were evaluated.

    Raises:
        ValueError: a response whose leading axis is not the number of copies; errors of layers.
        TypeError: a response that is no tensor or dict of tensors.

    Cost: ``ceil(n / batch_size)`` calls at least; memory of one batch.
    """
    batches = rotation_batches(grid, batch_size)
    bar = progress_bar(
        progress, total=len(grid), desc=description, unit="copy", delay=PROGRESS_AFTER_SECONDS, leave=False
    )
    with bar, capture(module, layers) as captured:
        for batch in batches:
            copies = x.stacked(batch.matrices)
            with torch.no_grad(), captured.into(len(batch), partial(consume, batch)):
                response = f(copies)
            for name, tensor in named_tensors(response).items():
                if tensor.ndim == 0 or tensor.shape[0] != len(batch):
                    raise ValueError(
                        f"f must return one response per copy along the first axis: {name!r} should have "
                        f"{len(batch)} rows; got shape {tuple(tensor.shape)}"
                    )
                consume(batch, name, tensor.detach())
            bar.update(len(batch))
    return len(grid)
