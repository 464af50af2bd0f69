import math

import pytest
import torch
from e3nn_models import equivariant, molecule
from torch import Tensor, nn

from symlab.groups import PointCloud, Structure, differential, generators, parse_output, turn_about_axes
from symlab.measure import HarnessError, ResponseError, equivariance, lie_derivative

METHODS = ("auto", "jvp", "differences")


def test_generators_are_cross_products_and_exponentiate_to_turns() -> None:
    v = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64)
    for axis, generator in zip(torch.eye(3, dtype=torch.float64), generators(), strict=True):
        torch.testing.assert_close(generator @ v, torch.linalg.cross(axis, v))
    torch.testing.assert_close(torch.linalg.matrix_exp(0.7 * generators()), turn_about_axes(0.7))


@pytest.mark.parametrize("output", ["scalar", "i", "ij", "1e", "0e+2e+3o", "5o"])
def test_the_differential_is_the_derivative_of_the_action(output: str) -> None:
    representation = parse_output(output)
    source = torch.Generator().manual_seed(0)
    y = torch.randn(2, *representation.shape, dtype=torch.float64, generator=source)
    h = 1e-5
    turned = [representation.apply(turn_about_axes(s), y.expand(3, *y.shape)) for s in (h, -h)]
    torch.testing.assert_close(differential(representation, y), (turned[0] - turned[1]) / (2 * h), atol=1e-7, rtol=0)


@pytest.mark.parametrize("method", METHODS)
def test_the_x_coordinate_turns_into_the_others(method: str) -> None:
    # d/dt x(exp(t X_a) r) = (a x r)_x: 0, z, -y for the axes x, y, z.
    cloud = PointCloud(torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64))
    report = lie_derivative(lambda x: x.positions[..., 0], cloud, "scalar", method=method)
    torch.testing.assert_close(
        report.derivative[:, 0], torch.tensor([0.0, 3.0, -2.0], dtype=torch.float64), atol=1e-9, rtol=0
    )
    assert report.rmse == pytest.approx(math.sqrt(13 / 3))
    assert report.rms_output == pytest.approx(1.0)


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_vector_turns_backwards(method: str) -> None:
    constant = torch.tensor([1.0, 2.0, 2.0], dtype=torch.float64)
    cloud = PointCloud(torch.ones(1, 3, dtype=torch.float64))
    report = lie_derivative(lambda x: constant + 0 * x.positions, cloud, "1x1o", method=method)
    torch.testing.assert_close(report.derivative[:, 0], -(generators() @ constant), atol=1e-9, rtol=0)
    assert report.rmse == pytest.approx(math.sqrt(2 * 9 / 9))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 2e-3)])
@pytest.mark.parametrize("output", ["1x1o", "0e+2e"])
def test_an_equivariant_network_has_none(output: str, dtype: torch.dtype, tolerance: float) -> None:
    for method in METHODS:
        report = lie_derivative(equivariant(output, dtype), molecule(dtype), output, method=method)
        assert report.rmse < tolerance * report.rms_output


def test_differences_and_jvp_agree_for_every_rotating_input() -> None:
    x = Structure(
        molecule().positions,
        torch.arange(5),
        cell=3 * torch.eye(3, dtype=torch.float64),
        axial_vectors={"field": torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)},
    )

    def model(s: Structure) -> Tensor:
        field = s.axial_vectors["field"]
        return s.positions.tanh() + s.cell[:, :1].sin() + field[:, None] ** 2

    exact = lie_derivative(model, x, "1x1o", method="jvp")
    close = lie_derivative(model, x, "1x1o", method="differences")
    torch.testing.assert_close(exact.derivative, close.derivative, atol=1e-9, rtol=0)
    assert lie_derivative(model, x, "1x1o").method == "jvp"


def test_a_detached_model_falls_back_on_differences() -> None:
    def detached(x: Structure) -> Tensor:
        return x.positions.detach() * x.positions[..., :1]

    def numpy(x: Structure) -> Tensor:
        return torch.from_numpy(x.positions.detach().numpy() * x.positions[..., :1].detach().numpy())

    def honest(x: Structure) -> Tensor:
        return x.positions * x.positions[..., :1]

    expected = lie_derivative(honest, molecule(), "1x1o")
    assert expected.method == "jvp"
    for model in (detached, numpy):
        report = lie_derivative(model, molecule(), "1x1o")
        assert report.method == "differences"
        assert report.rmse == pytest.approx(expected.rmse, rel=1e-9)


def test_it_sees_no_inversion_but_equivariance_does() -> None:
    def handed(x: Structure) -> Tensor:
        return torch.linalg.cross(x.positions, x.positions.roll(1, dims=1))

    assert lie_derivative(handed, molecule(), "1x1o").rmse < 1e-12
    assert equivariance(handed, molecule(), "1x1o", degree=4, n_converge=0).rmse > 0.1


def test_a_list_gives_a_list() -> None:
    x = [molecule(n=2), molecule(n=4, seed=1)]
    together = lie_derivative(lambda s: s.positions**2, x, "1x1o")
    assert [tuple(d.shape) for d in together.derivative] == [(3, 2, 3), (3, 4, 3)]
    alone = [lie_derivative(lambda s: s.positions**2, s, "1x1o") for s in x]
    assert together.rmse**2 == pytest.approx((2 * alone[0].rmse ** 2 + 4 * alone[1].rmse ** 2) / 6)


def test_misuse_is_refused() -> None:
    with pytest.raises(ValueError, match='method must be "auto", "jvp" or "differences"; got \'exact\''):
        lie_derivative(lambda x: x.positions, molecule(), "1x1o", method="exact")
    with pytest.raises(ValueError, match="'1x1o' needs"):
        lie_derivative(lambda x: x.positions[..., :2], molecule(), "1x1o")
    with pytest.raises(ResponseError, match="must return one tensor here; got dict"):
        lie_derivative(lambda x: {"forces": x.positions}, molecule(), "1x1o")
    with pytest.raises(HarnessError, match="training mode"):
        lie_derivative(nn.Identity(), molecule(), "1x1o")
    with pytest.raises(ResponseError, match="not finite"):
        lie_derivative(lambda x: x.positions * math.nan, molecule(), "1x1o", method="differences")
