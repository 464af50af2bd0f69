"""Takes the responses of one structure as they stream by, and gives the power of every output and layer."""

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups import HaarGrid
from symlab.measure._errors import UnderResolvedError
from symlab.measure._separable import SeparableCharacters, SeparableTransform, sum_of_squares
from symlab.measure._spectrum import LayerPower
from symlab.measure._stream import RotationBatch
from symlab.measure._wigner_sum import WignerCharacters, WignerSum


def check_grid(grid: HaarGrid, l_max: int) -> None:
    """Refuse a grid on which B is not defined or not resolved.

    Raises:
        ValueError: a grid without improper elements.
        UnderResolvedError: a degree below 2 l_max.
    """
    if bool(grid.proper.all()):
        raise ValueError(
            f"B needs improper elements as well, to tell (l, +1) from (l, -1); the grid of {grid.group} has none. "
            'Use haar_grid(degree, "O(3)") or a group with the inversion'
        )
    if grid.degree is not None and grid.degree < 2 * l_max:
        raise UnderResolvedError(
            f"degree must be >= 2 l_max = {2 * l_max} to resolve sectors up to l_max = {l_max}; got {grid.degree}. "
            f"Use degree={2 * l_max}, degree=None, or l_max={grid.degree // 2}"
        )


class CharacterMeter:
    """Measures B of everything that streams by on one grid; used again for each structure.

    Args:
        grid: O(3) grid with degree >= 2 l_max, or Monte Carlo.
        l_max: cutoff.
        per_sample: keep the power of each sample: of all axes but the first and the last.
        separable: False takes the plain Wigner sum on a product grid too (the slow reference).

    Raises:
        ValueError: see `check_grid`.
    """

    def __init__(self, grid: HaarGrid, l_max: int, *, per_sample: bool = False, separable: bool = True) -> None:
        check_grid(grid, l_max)
        self._per_sample = per_sample
        self._transform: SeparableTransform | WignerSum
        if separable and grid.product is not None:
            self._transform = SeparableTransform(grid, l_max)
        else:
            self._transform = WignerSum(grid, l_max)
        self._layers: dict[str, _Layer] = {}
        self._workspaces: dict[str, Tensor] = {}

    def update(self, batch: RotationBatch, name: str, response: Float[Tensor, "b ..."]) -> None:
        """Add one response; the ``consume`` of `stream`.

        Raises:
            TypeError: a response that is not real floating point.
            ValueError: a response whose shape differs from the first one.
        """
        if not response.is_floating_point():
            raise TypeError(f"{name!r} must be real floating point for B; got {response.dtype}")
        if response.dtype in (torch.float16, torch.bfloat16):
            response = response.float()
        if name not in self._layers:
            self._layers[name] = _Layer(self._transform, response, self._per_sample, self._workspaces.get(name))
        self._layers[name].update(batch, name, response)

    def take(self) -> dict[str, LayerPower]:
        """Give the powers of the structure that has streamed by, in order of appearance, and start afresh."""
        result = {name: layer.result() for name, layer in self._layers.items()}
        for name, layer in self._layers.items():
            if isinstance(layer.characters, SeparableCharacters):
                self._workspaces[name] = layer.characters.workspace
        self._layers = {}
        return result


class _Layer:
    """Characters and mean square of one name."""

    def __init__(
        self,
        transform: SeparableTransform | WignerSum,
        response: Tensor,
        per_sample: bool,
        workspace: Tensor | None,
    ) -> None:
        self._shape = response.shape[1:]
        self._samples = response.shape[1:-1] if per_sample else ()
        self._mean_square = torch.zeros(self._samples, dtype=torch.float64, device=response.device)
        self.characters: SeparableCharacters | WignerCharacters
        if isinstance(transform, SeparableTransform):
            if workspace is not None and workspace.device != response.device:
                workspace = None
            self.characters = SeparableCharacters(transform, response, per_sample, workspace)
        else:
            self.characters = WignerCharacters(transform, response, per_sample)

    def update(self, batch: RotationBatch, name: str, response: Tensor) -> None:
        if response.shape[1:] != self._shape:
            raise ValueError(
                f"{name!r} changes its shape between batches of rotations, from {tuple(self._shape)} to "
                f"{tuple(response.shape[1:])}: the model must give the same atoms, neighbours and order for every copy"
            )
        squares = sum_of_squares(response.reshape(len(batch), *self._samples, -1))
        self._mean_square += torch.tensordot(batch.weights.to(response.device), squares, dims=1)
        self.characters.update(batch, response)

    def result(self) -> LayerPower:
        return LayerPower(self.characters.power(), self._mean_square)
