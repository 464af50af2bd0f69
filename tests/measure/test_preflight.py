import functools

import pytest
import torch
from e3nn_models import equivariant, molecule
from torch import Tensor, nn

from symlab.groups import PointCloud, Structure
from symlab.measure import HarnessError, ResponseError, equivariance, preflight


def periodic_force(positions: Tensor, cell: Tensor) -> Tensor:
    """Exactly equivariant and periodic: a smooth pair force, summed over images."""
    steps = torch.cartesian_prod(*[torch.arange(-2.0, 3.0, dtype=cell.dtype)] * 3)
    fractional = positions @ torch.linalg.inv(cell)
    pairs = fractional[..., :, None, :] - fractional[..., None, :, :]
    pairs = pairs - pairs.round()
    pairs = (pairs[..., None, :] + steps) @ cell[..., None, None, :, :]
    return (pairs * torch.exp(-pairs.square().sum(dim=-1, keepdim=True))).sum(dim=(-2, -3))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("output", ["1x1o", "0e+2e"])
def test_a_sound_model_passes(output: str, dtype: torch.dtype) -> None:
    assert preflight(equivariant(output, dtype), molecule(dtype), output) < 40


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_sound_periodic_model_passes(dtype: torch.dtype) -> None:
    preflight(lambda x: periodic_force(x.positions, x.cell), molecule(dtype, cell=True), "1x1o")


def test_an_unconstrained_model_passes_too() -> None:
    # A model without any symmetry is what we want to measure, not a mistake of the harness.
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(15, 32), nn.Tanh(), nn.Linear(32, 15)).double().eval()
    preflight(lambda x: net(x.positions.flatten(1)).reshape(-1, 5, 3), molecule(), "1x1o")
    preflight(lambda x: net(x.positions.flatten(1)).reshape(-1, 15), molecule(), "scalar")


def test_forces_that_vanish_by_symmetry_are_no_mistake() -> None:
    # Diamond: the force is nothing but round-off, and that depends on everything.
    a = 3.57
    cell = torch.tensor([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) * a / 2
    x = Structure(torch.tensor([[0.0, 0, 0], [a / 4, a / 4, a / 4]]), torch.tensor([6, 6]), cell=cell)
    preflight(lambda s: periodic_force(s.positions, s.cell), x, "1x1o")


class Dropping(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: Structure) -> Tensor:
        return self.dropout(x.positions)


def test_training_mode_and_active_dropout_are_refused() -> None:
    model = Dropping()
    for f in (model, model.forward, functools.partial(model)):
        with pytest.raises(HarnessError, match=r"Dropping cannot be measured: it is in training mode.*model\.eval\(\)"):
            preflight(f, molecule(), "1x1o")
    model.eval()
    preflight(model, molecule(), "1x1o")
    model.dropout.train()
    with pytest.raises(HarnessError, match=r"submodule 'dropout' \(Dropout\) is in training mode"):
        preflight(model, molecule(), "1x1o")


def test_a_hidden_dropout_shows_as_a_stochastic_output() -> None:
    source = torch.Generator().manual_seed(0)

    def model(x: Structure) -> Tensor:
        return x.positions + 0.01 * torch.randn(x.positions.shape, generator=source, dtype=torch.float64)

    with pytest.raises(HarnessError, match=r"output 'output' is stochastic: two calls.*differ by 0\.0"):
        preflight(model, molecule(), "1x1o")


@pytest.mark.parametrize(
    "model",
    [
        lambda x: x.positions - x.positions.mean(dim=0),  # batch statistics
        lambda x: x.positions + 0.1 * x.positions.roll(1, dims=0),  # mixed-up copies
    ],
)
def test_an_output_that_depends_on_batch_mates_is_refused(model) -> None:
    with pytest.raises(HarnessError, match="depends on its batch mates"):
        preflight(model, molecule(), "1x1o")


def test_a_cell_that_stays_behind_is_refused() -> None:
    x = molecule(cell=True)
    with pytest.raises(
        HarnessError, match="the cell is not turned: moving an atom by a lattice vector changes 'forces'"
    ):
        preflight(lambda s: {"forces": periodic_force(s.positions, x.cell)}, x, {"forces": "1x1o"})
    # A model that does not know the cell at all is no mistake of this kind.
    preflight(lambda s: s.positions * s.positions.square().sum(dim=-1, keepdim=True), x, "1x1o")


def test_the_transposed_matrix_is_refused() -> None:
    # The model looks at distances only, and adds the vectors of a frame that it builds with the axes swapped.
    def model(x: Structure) -> Tensor:
        frame = torch.linalg.solve(x.positions[:, :3].mT @ still.mT.inverse(), torch.eye(3, dtype=torch.float64))
        return still @ frame.mT

    x = molecule(n=3)
    still = x.positions
    with pytest.raises(HarnessError, match=r"output 'output' turns with the transposed matrix.*v @ R\.T"):
        preflight(model, x, "1x1o")


def test_an_order_that_changes_with_the_orientation_is_refused() -> None:
    def model(x: Structure) -> Tensor:
        order = x.positions[..., 0].argsort(dim=1)
        return torch.take_along_dim(x.positions, order[..., None], dim=1)

    with pytest.raises(HarnessError, match="changes the order of its samples"):
        preflight(model, molecule(n=8), "1x1o")

    def approximate(x: Structure) -> Tensor:
        return model(x) * (1 + 0.003 * x.positions[..., :1].tanh())

    with pytest.raises(HarnessError, match="changes the order of its samples"):
        preflight(approximate, molecule(n=8), "1x1o")


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda x: x.positions.sum(dim=0), ResponseError, r"must have one row per copy, 4; got shape \(5, 3\)"),
        (lambda x: x.positions[..., 0], ValueError, r"'1x1o' needs \(batch, \.\.\., 3\)"),
        (lambda x: x.positions * float("nan"), ResponseError, "is not finite"),
        (lambda x: None, TypeError, "must return a tensor"),
        (lambda x: {"energy": x.positions}, ResponseError, "does not return 'output'; it returns 'energy'"),
        (lambda x: x.positions.argmax(dim=-1), ResponseError, "type torch.int64"),
    ],
)
def test_wrong_declarations_are_refused(model, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        preflight(model, molecule(), "1x1o")


def test_an_index_symmetry_that_the_output_lacks_is_refused() -> None:
    def model(x: Structure) -> Tensor:
        return x.positions[..., :, None] * x.positions.roll(1, dims=1)[..., None, :]

    preflight(model, molecule(), "ij")
    with pytest.raises(HarnessError, match="is declared as 'ij=ji', but misses that index symmetry by"):
        preflight(model, molecule(), "ij=ji")


def test_equivariance_runs_the_checks_unless_told_not_to() -> None:
    with pytest.raises(HarnessError, match="training mode"):
        equivariance(Dropping(), molecule(), "1x1o", degree=3)
    equivariance(Dropping(), molecule(), "1x1o", degree=3, check=False, n_converge=0)


def test_a_point_cloud_without_cell_is_checked_as_well() -> None:
    preflight(lambda x: x.positions, PointCloud(torch.randn(6, 3, generator=torch.Generator().manual_seed(0))), "i")
