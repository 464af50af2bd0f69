"""An exactly equivariant model, and small pieces shared by the tests of the measurements."""

import torch
from e3nn import o3
from torch import Tensor, nn

from symlab.groups import Structure


class Equivariant(nn.Module):
    """Spherical harmonics of all pairs, a radial network, a tensor product: a (1,+1) or other output per atom."""

    def __init__(self, output: str = "1x1o", seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.irreps = o3.Irreps("0e+1o+2e+3o")
        self.radial = nn.Sequential(nn.Linear(1, 8), nn.SiLU(), nn.Linear(8, 4))
        self.product = o3.FullyConnectedTensorProduct(self.irreps, self.irreps, output)

    def forward(self, x: Structure) -> Tensor:
        pairs = x.positions[:, :, None] - x.positions[:, None]
        distance = (pairs.square().sum(dim=-1, keepdim=True) + 1e-6).sqrt()
        gates = self.radial(distance) * torch.exp(-distance)
        gates = gates.repeat_interleave(torch.tensor([1, 3, 5, 7]), dim=-1)
        harmonics = o3.spherical_harmonics(self.irreps, pairs / distance, normalize=False)
        features = (gates * harmonics).sum(dim=2)
        return self.product(features, features)


def equivariant(output: str = "1x1o", dtype: torch.dtype = torch.float64) -> Equivariant:
    """Build in float64, so that the coupling coefficients are exact; then cast."""
    torch.set_default_dtype(torch.float64)
    try:
        return Equivariant(output).eval().to(dtype)
    finally:
        torch.set_default_dtype(torch.float32)


def molecule(dtype: torch.dtype = torch.float64, n: int = 5, seed: int = 0, cell: bool = False) -> Structure:
    """Random atoms, in a random cell or free."""
    source = torch.Generator().manual_seed(seed)
    positions = torch.randn(n, 3, dtype=torch.float64, generator=source)
    lattice = 4 * torch.eye(3, dtype=torch.float64) + 0.3 * torch.randn(3, 3, dtype=torch.float64, generator=source)
    return Structure(positions.to(dtype), torch.arange(1, n + 1), cell=lattice.to(dtype) if cell else None)
