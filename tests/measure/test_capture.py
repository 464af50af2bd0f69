"""Hooks on hidden layers: what they hand on, what they refuse, and that they always go."""

import pytest
import torch
from torch import Tensor, nn

from symlab.groups import PointCloud
from symlab.measure import characters

X = PointCloud(torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))


class Layers(nn.Module):
    """Layers of every kind: flattened samples, tuples, dicts, one that is used twice, one that fails."""

    def __init__(self) -> None:
        super().__init__()
        self.flat = nn.Identity()
        self.nested = Nested()
        self.twice = nn.Identity()
        self.mask = nn.Identity()
        self.idle = nn.Identity()
        self.inplace = nn.Identity()
        self.transposed = nn.Identity()
        self.fail = False

    def forward(self, copies: PointCloud) -> Tensor:
        positions = copies.positions
        self.flat(positions.reshape(-1, 3))
        self.nested(positions)
        self.twice(self.twice(positions))
        self.mask(positions > 0)
        self.transposed(positions[:3])
        held = self.inplace(positions.clone())
        held += 100
        if self.fail:
            raise RuntimeError("the model fails")
        return positions[:, 0]

    def energy(self, copies: PointCloud) -> Tensor:
        return self(copies).norm(dim=1)


class Nested(nn.Module):
    """Returns a tuple with a dict, a mask and None in it."""

    def forward(self, positions: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor, None]:
        return positions, {"norm": positions.norm(dim=-1)}, positions > 0, None


def hooks(module: nn.Module) -> int:
    return sum(len(part._forward_hooks) for part in module.modules())


def test_flattened_samples_tuples_and_dicts_are_measured() -> None:
    found = characters(Layers(), X, l_max=1, layers=["flat", "nested"])
    assert isinstance(found, dict)
    assert list(found) == ["flat", "nested[0]", "nested[1][norm]", "output"]
    assert found["flat"].of(1, 1) == pytest.approx(1)
    assert found["nested[1][norm]"].of(0, 1) == pytest.approx(1)
    torch.testing.assert_close(found["flat"].power, found["nested[0]"].power)


def test_a_layer_changed_in_place_afterwards_is_measured_as_it_was() -> None:
    found = characters(Layers(), X, l_max=1, layers=["inplace"])
    assert isinstance(found, dict)
    assert found["inplace"].of(1, 1) == pytest.approx(1)


def test_a_method_of_a_module_brings_its_module() -> None:
    model = Layers()
    found = characters(model.energy, X, l_max=1, layers=["flat"])
    assert isinstance(found, dict)
    assert found["output"].of(0, 1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        (["nothing"], ValueError, r"layers \['nothing'\] are not submodules; valid names: flat, nested, twice"),
        (["idle"], ValueError, r"layers \['idle'\] exist but were not called"),
        (["twice"], ValueError, "called more than once in one forward pass"),
        (["flat", "flat"], ValueError, "must be different"),
        (["mask"], TypeError, "returns no real floating-point tensor"),
        (["transposed"], ValueError, "the first axis must hold the .* copies"),
        ("flat", TypeError, r"must be a list of names; got the string 'flat'"),
    ],
)
def test_layers_that_cannot_be_measured_are_refused(layers: list[str], error: type[Exception], message: str) -> None:
    model = Layers()
    with pytest.raises(error, match=message):
        characters(model, X, l_max=1, layers=layers)
    assert hooks(model) == 0


def test_layers_need_a_module() -> None:
    with pytest.raises(ValueError, match=r"layers need a torch.nn.Module"):
        characters(lambda copies: copies.positions, X, l_max=1, layers=["flat"])


def test_hooks_go_after_success_and_after_an_exception() -> None:
    model = Layers()
    characters(model, X, l_max=1, layers=["flat"])
    assert hooks(model) == 0
    model.fail = True
    with pytest.raises(RuntimeError, match="the model fails"):
        characters(model, X, l_max=1, layers=["flat"])
    assert hooks(model) == 0


def test_hooks_go_after_an_interruption() -> None:
    model = Layers()

    def f(copies: PointCloud) -> Tensor:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        characters(f, X, l_max=1, layers=["flat"], module=model)
    assert hooks(model) == 0
