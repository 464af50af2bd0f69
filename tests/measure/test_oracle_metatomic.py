"""A and B against an independent implementation: metatomic's SymmetrizedModel, on the same weights and grid."""

import math

import pytest
import torch
from torch import Tensor, nn

from symlab.groups import Structure
from symlab.measure import diagnose

pytest.importorskip("metatomic.torch", reason='needs metatomic-torch: pip install "symlab[oracle]"')

from metatomic_model import CARTESIAN, Oracle, power, squared_error

L_MAX = 3
DEGREE = 7
OUTPUTS = {"energy": "0e", "non_conservative_force": "i", "non_conservative_stress": "ij"}


class Attention(nn.Module):
    """A small periodic transformer over all pairs of atoms, with no symmetry built in but translation."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.embed = nn.Linear(4, width)
        self.mix = nn.MultiheadAttention(width, 2, batch_first=True)
        self.edge = nn.Linear(width, width)
        self.node = nn.Identity()
        self.heads = nn.ModuleDict({name: nn.Linear(width, 3**n) for name, n in CARTESIAN.items()})
        generator = torch.Generator().manual_seed(1)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.6, generator=generator)
        self.double().eval()

    def forward(self, copies: Structure) -> dict[str, Tensor]:
        positions = copies.positions
        assert copies.cell is not None
        fractional = (positions[:, None] - positions[:, :, None]) @ torch.linalg.inv(copies.cell)[:, None]
        vectors = (fractional - fractional.round()) @ copies.cell[:, None]
        b, n = positions.shape[:2]
        features = torch.cat([vectors, vectors.norm(dim=-1, keepdim=True)], dim=-1).reshape(b * n, n, 4)
        tokens = torch.tanh(self.embed(features))
        tokens = self.edge(tokens + self.mix(tokens, tokens, tokens, need_weights=False)[0])
        node = self.node(torch.tanh(tokens).sum(dim=1).reshape(b, n, -1))
        forces = self.heads["non_conservative_force"](node)
        energy = self.heads["energy"](node).sum(dim=1)
        stress = self.heads["non_conservative_stress"](node).sum(dim=1).unflatten(1, (3, 3))
        self.tokens = tokens.reshape(b, n * n, -1)
        return {"energy": energy, "non_conservative_force": forces, "non_conservative_stress": stress}


def test_outputs_and_hidden_layers_agree_with_metatomic() -> None:
    generator = torch.Generator().manual_seed(0)
    x = Structure(
        positions=3 * torch.rand(4, 3, dtype=torch.float64, generator=generator),
        species=torch.tensor([6, 6, 14, 1]),
        cell=torch.tensor([[4.0, 0, 0], [0.5, 4.2, 0], [0.1, -0.3, 3.9]], dtype=torch.float64),
    )
    model = Attention()
    kept: dict[str, Tensor] = {}
    model.node.register_forward_hook(lambda _module, _inputs, output: kept.update(node=output))

    def with_layers(copies: Structure) -> dict[str, Tensor]:
        return {**model(copies), "edge": model.tokens, "node": kept["node"]}

    ours = diagnose(model, x, OUTPUTS, ["edge", "node"], L_MAX, DEGREE, per_sample=True, n_converge=0, check=False)
    theirs = Oracle(with_layers, [x], [*OUTPUTS, "edge", "node"], L_MAX, DEGREE, batch_size=50).run()

    for name in (*OUTPUTS, "edge", "node"):
        spectrum = ours.characters[name]
        assert spectrum.power_by_sample is not None
        by_sample = spectrum.power_by_sample[0].flatten(1) if name != "energy" else spectrum.power_by_sample[0][:, None]
        if name == "non_conservative_stress":
            by_sample = by_sample.sum(dim=1, keepdim=True)
        reference = torch.stack([power(theirs["o3::character_projection::" + name], *s) for s in spectrum.sectors])
        assert float(reference.sum()) > 0
        scale = float(spectrum.mean_square_by_structure[0])
        torch.testing.assert_close(by_sample, reference.reshape(by_sample.shape), rtol=1e-10, atol=1e-10 * scale)
        assert math.isclose(float(reference.sum()), float(spectrum.power.sum()), rel_tol=1e-10)

    for name in OUTPUTS:
        report = ours.equivariance[name]
        assert isinstance(report.variance, Tensor)
        d = 3 ** CARTESIAN[name]
        reference = squared_error(theirs["o3::variance::" + name])
        torch.testing.assert_close(d * report.variance.reshape(-1), reference, rtol=1e-10, atol=0)
