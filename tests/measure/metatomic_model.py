"""Shows a symlab model to metatomic's SymmetrizedModel; needs metatomic-torch (the ``oracle`` extra)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from metatensor.torch import Labels, TensorBlock, TensorMap
from metatomic.torch import ModelOutput, System
from metatomic.torch.o3 import SymmetrizedModel
from torch import Tensor, nn

from symlab.groups import Structure

CARTESIAN = {"energy": 0, "non_conservative_force": 1, "non_conservative_stress": 2}
"""Names that metatomic knows, with the number of Cartesian axes; every other name is a feature without components."""


class MetatomicModel(nn.Module):
    """Evaluates ``f`` of a stacked structure on a list of metatomic Systems, which are turned copies of ``x``.

    Args:
        f: maps the stacked structure of b copies to a dict of ``(b, ..., *components)``.
        x: the structure of which all Systems are copies.
    """

    def __init__(self, f: Callable[[Structure], Mapping[str, Tensor]], x: Structure) -> None:
        super().__init__()
        self.f = f
        self.x = x
        self.register_buffer("dtype_and_device", x.positions.new_zeros(1))

    def forward(
        self, systems: list[System], outputs: dict[str, ModelOutput], selected_atoms: Labels | None
    ) -> dict[str, TensorMap]:
        copies = copy.copy(self.x)
        object.__setattr__(copies, "positions", torch.stack([system.positions for system in systems]))
        if self.x.cell is not None:
            object.__setattr__(copies, "cell", torch.stack([system.cell for system in systems]))
        object.__setattr__(copies, "n_copies", len(systems))
        values = self.f(copies)
        return {name: _tensor_map(values[name], CARTESIAN.get(name)) for name in outputs}


def _tensor_map(values: Tensor, n_axes: int | None) -> TensorMap:
    """One block, samples (system, atom); a feature ``(b, ..., d)`` keeps d properties."""
    copies = len(values)
    components = []
    if n_axes is None:
        values = values.reshape(copies, -1, values.shape[-1])
    else:
        names = ["xyz"] if n_axes == 1 else [f"xyz_{axis + 1}" for axis in range(n_axes)]
        components = [Labels([name], torch.arange(3)[:, None]) for name in names]
        values = values.reshape(copies, -1, *(3,) * n_axes, 1)
    n = values.shape[1]
    if n_axes in (0, 2):
        samples = Labels(["system"], torch.arange(copies)[:, None])
    else:
        system = torch.arange(copies).repeat_interleave(n)
        samples = Labels(["system", "atom"], torch.stack([system, torch.arange(n).repeat(copies)], dim=1))
    flat = values.flatten(0, 1)
    properties = Labels(["property"], torch.arange(flat.shape[-1])[:, None])
    return TensorMap(Labels(["_"], torch.tensor([[0]])), [TensorBlock(flat, samples, components, properties)])


class Oracle:
    """metatomic's A and B of some outputs of structures that share species and differ in their positions.

    Args:
        f: see `MetatomicModel`.
        structures: all with the same cell.
        names: outputs; A is asked of those in `CARTESIAN` alone, B of all.
        l_max, degree: cutoff of B, and degree of the grid.
        batch_size: copies per call.
    """

    def __init__(
        self,
        f: Callable[[Structure], Mapping[str, Tensor]],
        structures: list[Structure],
        names: list[str],
        l_max: int,
        degree: int,
        batch_size: int,
    ) -> None:
        x = structures[0]
        self.model = SymmetrizedModel(
            MetatomicModel(f, x),
            max_angular_momentum_target=2,
            max_angular_momentum_character=l_max,
            max_angular_momentum_grid=degree,
            batch_size=batch_size,
        )
        periodic = x.cell is not None
        cell = x.cell if x.cell is not None else torch.zeros(3, 3, dtype=x.positions.dtype)
        pbc = torch.tensor([periodic] * 3)
        self.systems = [System(x.species.int(), y.positions, cell, pbc=pbc) for y in structures]
        self.outputs = {}
        for name in names:
            kind = "system" if name in ("energy", "non_conservative_stress") else "atom"
            prefixes = ["o3::character_projection::"]
            if name in CARTESIAN:
                prefixes.append("o3::variance::")
            for prefix in prefixes:
                self.outputs[prefix + name] = ModelOutput(sample_kind=kind)

    def run(self) -> dict[str, TensorMap]:
        """Evaluate the whole grid for each structure."""
        with torch.no_grad():
            return self.model(self.systems, self.outputs, None)


def power(result: TensorMap, l: int, sigma: int) -> Tensor:
    """B in one sector by sample, components and properties summed: ``(n_samples,)``, structure by structure."""
    total = torch.zeros(0)
    for key, block in result.items():
        if int(key["chi_lambda"]) == l and int(key["chi_sigma"]) == sigma:
            values = block.values.flatten(1).sum(dim=1)
            total = values if total.numel() == 0 else total + values
    return total


def squared_error(result: TensorMap) -> Tensor:
    """``A^2`` by sample, summed over components: ``(n_samples,)``, structure by structure."""
    total = torch.zeros(0)
    for key, block in result.items():
        values = block.values.sum(dim=1) * (2 * int(key["o3_lambda"]) + 1)
        total = values if total.numel() == 0 else total + values
    return total
