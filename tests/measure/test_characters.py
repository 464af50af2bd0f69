"""B: closed forms, planted sectors, the pairwise kernel, and what must be refused."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from symlab.groups import (
    HaarGrid,
    PointCloud,
    Sector,
    character,
    finite_group,
    haar_grid,
    monte_carlo_grid,
    sectors,
    wigner_D,
)
from symlab.measure import Spectrum, UnderResolvedError, characters, diagnose, equivariance
from symlab.measure._meter import CharacterMeter
from symlab.measure._spectrum import LayerPower
from symlab.measure._stream import rotation_batches

TRIAD = PointCloud(torch.eye(3, dtype=torch.float64))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def cloud(n: int = 5, seed: int = 0, dtype: torch.dtype = torch.float64) -> PointCloud:
    return PointCloud(torch.randn(n, 3, dtype=torch.float64, generator=generator(seed)).to(dtype))


def single(found: Spectrum | dict[str, Spectrum]) -> Spectrum:
    assert isinstance(found, Spectrum)
    return found


def powers(grid: HaarGrid, u: Tensor, l_max: int, batch_size: int = 128, separable: bool = True) -> LayerPower:
    """B of given values on a grid."""
    meter = CharacterMeter(grid, l_max, per_sample=True, separable=separable)
    for batch in rotation_batches(grid, batch_size):
        meter.update(batch, "u", u[batch.index])
    return meter.take()["u"]


POLYNOMIALS: list[tuple[Callable[[Tensor, Tensor, Tensor], Tensor], int, float]] = [
    (lambda x, y, z: torch.ones_like(x), 0, 1.0),
    (lambda x, y, z: x, 1, 1 / 3),
    (lambda x, y, z: x * y, 2, 1 / 15),
    (lambda x, y, z: x * y * z, 3, 1 / 105),
]


@pytest.mark.parametrize("pseudo", [False, True])
@pytest.mark.parametrize(("polynomial", "l", "norm"), POLYNOMIALS)
@pytest.mark.parametrize("turned", [False, True])
def test_eight_analytic_sectors(
    polynomial: Callable[[Tensor, Tensor, Tensor], Tensor], l: int, norm: float, pseudo: bool, turned: bool
) -> None:
    def f(copies: PointCloud) -> Tensor:
        x, y, z = copies.positions[:, 0].unbind(dim=1)
        return polynomial(x, y, z) * (torch.linalg.det(copies.positions) if pseudo else 1)

    found = single(characters(f, TRIAD, l_max=3, generator=generator() if turned else None))
    expected = torch.zeros(8, dtype=torch.float64)
    expected[found.sectors.index(Sector(l, -1 if pseudo else 1))] = norm
    torch.testing.assert_close(found.power, expected, rtol=0, atol=1e-11)
    assert found.of(l, -1 if pseudo else 1) == pytest.approx(1, abs=1e-11)
    assert abs(found.remainder) < 1e-11
    assert found.convergence is not None
    assert found.convergence < 1e-11
    assert found.converged


@pytest.mark.parametrize("degree", [2, 4, 13])
def test_the_coefficient_form_is_the_pairwise_character_kernel(degree: int) -> None:
    grid = haar_grid(degree)
    keep = torch.arange(len(grid)) if degree < 13 else None
    if keep is None:  # a signed rule is large, so its weights are put on random elements of a small grid instead
        grid = HaarGrid(haar_grid(4).matrices, _signed_weights(140), 4, "O(3)")
        assert grid.has_negative_weights
    u = torch.randn(len(grid), 2, 3, dtype=torch.float64, generator=generator(1))
    l_max = (grid.degree or 0) // 2
    found = powers(grid, u, l_max).power
    relative = (grid.matrices[:, None] @ grid.matrices.mT).reshape(-1, 3, 3)
    for i, sector in enumerate(sectors(l_max)):
        kernel = character(sector, relative).reshape(len(grid), len(grid))
        pairwise = sector.dim * torch.einsum("a,b,ab,atd,btd->t", grid.weights, grid.weights, kernel, u, u)
        torch.testing.assert_close(found[i], pairwise, rtol=1e-12, atol=1e-12)


def _signed_weights(n: int) -> Tensor:
    weights = torch.randn(n, dtype=torch.float64, generator=generator(2)) / n + 1 / n
    return weights / weights.sum()


@pytest.mark.parametrize(
    ("degree", "l_max", "batch_size"),
    [(0, 0, 1), (4, 2, 1), (4, 2, 2), (4, 2, 7), (8, 4, 100), (9, 2, 100), (12, 6, 128), (16, 2, 100000)],
)
def test_the_separable_transform_equals_the_plain_wigner_sum(degree: int, l_max: int, batch_size: int) -> None:
    grid = haar_grid(degree, generator=generator())
    u = torch.randn(len(grid), 3, 2, dtype=torch.float64, generator=generator(1))
    plain = powers(grid, u, l_max, separable=False)
    fast = powers(grid, u, l_max, batch_size)
    torch.testing.assert_close(fast.power, plain.power, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(fast.mean_square, plain.mean_square, rtol=1e-12, atol=1e-13)


def test_every_element_of_a_product_grid_is_visited_once() -> None:
    grid = haar_grid(6)
    for batch_size in (1, 5, 64, 10**6):
        index = torch.cat([batch.index for batch in rotation_batches(grid, batch_size)])
        assert torch.equal(index.sort().values, torch.arange(len(grid)))
        assert max(map(len, rotation_batches(grid, batch_size))) <= batch_size


@pytest.mark.parametrize("planted", [Sector(0, -1), Sector(1, -1), Sector(2, 1), Sector(3, -1), Sector(4, 1)])
def test_a_planted_violation_of_one_percent_is_found_in_its_sector_and_in_no_other(planted: Sector) -> None:
    seed = torch.randn(planted.dim, dtype=torch.float64, generator=generator(3))
    seed = seed / seed.norm() * math.sqrt(planted.dim)

    def f(copies: PointCloud) -> Tensor:
        vector = copies.positions[:, 0]
        matrices = copies.positions.mT  # the triad turned by R is R itself, by columns
        leak = wigner_D(planted, matrices)[:, 0] @ seed
        return torch.cat([vector, math.sqrt(0.01) * leak[:, None]], dim=1)

    found = single(characters(f, TRIAD, l_max=4))
    for sector, fraction in zip(found.sectors, found.fraction.tolist(), strict=True):
        if sector == (1, 1):
            assert fraction == pytest.approx(1 / 1.01, abs=1e-12)
        elif sector == planted:
            assert fraction == pytest.approx(0.01 / 1.01, abs=1e-12)
        else:
            assert abs(fraction) < 1e-12


class Network(nn.Module):
    """Two tanh layers on all coordinates: no symmetry at all."""

    def __init__(self, n: int = 5, scale: float = 0.3) -> None:
        super().__init__()
        self.first = nn.Linear(3 * n, 16, dtype=torch.float64)
        self.second = nn.Linear(16, 3, dtype=torch.float64)
        weights = torch.randn(16, 3 * n, dtype=torch.float64, generator=generator(5))
        self.first.weight = nn.Parameter(scale * weights / math.sqrt(3 * n))
        self.second.weight = nn.Parameter(torch.randn(3, 16, dtype=torch.float64, generator=generator(6)))
        self.eval()

    def forward(self, copies: PointCloud) -> Tensor:
        positions = copies.positions.to(self.first.weight.dtype)
        return self.second(torch.tanh(self.first(positions.flatten(1))))


def test_sectors_other_than_the_declared_one_hold_less_than_a_squared() -> None:
    network, x = Network(), cloud()
    report = equivariance(network, x, "1x1o", degree=9)
    spectrum = single(characters(network, x, l_max=4, degree=9))
    assert not isinstance(report, dict)
    elsewhere = float(spectrum.power.sum()) - float(spectrum.power[spectrum.sectors.index(Sector(1, 1))])
    assert 0 < elsewhere <= 3 * report.rmse**2


def test_b_is_not_a() -> None:
    """A vector with two components exchanged is all in (1, +1), and nowhere near equivariant."""

    def f(copies: PointCloud) -> Tensor:
        return copies.positions[:, 0][:, [1, 0, 2]]

    spectrum = single(characters(f, cloud(), l_max=2))
    report = equivariance(f, cloud(), "1x1o", degree=5)
    assert not isinstance(report, dict)
    assert spectrum.of(1, 1) == pytest.approx(1, abs=1e-12)
    assert report.rmse > 0.3 * report.rms_output


def test_power_and_remainder_sum_to_the_mean_square() -> None:
    found = single(characters(Network(scale=1.0), cloud(), l_max=3, degree=11, tolerance=None))
    assert 0 < found.remainder < 0.05
    whole = found.power.sum() + found.remainder * found.mean_square_by_structure[0]
    assert float(whole) == pytest.approx(float(found.mean_square_by_structure[0]), rel=1e-12)


def test_structures_are_normalized_one_by_one_and_samples_add_up() -> None:
    def f(copies: PointCloud) -> Tensor:
        return torch.cat([copies.positions, copies.positions.norm(dim=-1, keepdim=True)], dim=-1)

    structures = [cloud(3, 1), PointCloud(10 * cloud(7, 2).positions)]
    found = single(characters(f, structures, l_max=2, per_sample=True))
    torch.testing.assert_close(found.fraction, found.fraction_by_structure.mean(dim=0))
    torch.testing.assert_close(found.power, found.power_by_structure.mean(dim=0))
    assert found.power_by_sample is not None
    assert [tuple(power.shape) for power in found.power_by_sample] == [(6, 3), (6, 7)]
    torch.testing.assert_close(found.power_by_sample[1].sum(dim=1), found.power_by_structure[1])
    assert found.of(0, 1) == pytest.approx(0.5, abs=1e-12)
    assert found.of(1, 1) == pytest.approx(0.5, abs=1e-12)


def test_float32_responses_are_measured_to_float32_accuracy() -> None:
    def f(copies: PointCloud) -> Tensor:
        return torch.tanh(0.2 * copies.positions)

    double = single(characters(f, cloud(), l_max=4))
    float32 = single(characters(f, cloud(dtype=torch.float32), l_max=4))
    torch.testing.assert_close(float32.fraction, double.fraction, rtol=0, atol=2e-6)
    torch.testing.assert_close(float32.power, double.power, rtol=2e-6, atol=2e-6)


def test_batch_size_changes_nothing_and_sets_the_number_of_calls() -> None:
    network, x = Network(), cloud()
    calls: list[int] = []

    def f(copies: PointCloud) -> Tensor:
        calls.append(len(copies.positions))
        return network(copies)

    reference = single(characters(network, x, l_max=2, n_converge=0))
    for batch_size in (1, 10, 64, 1000):
        calls.clear()
        found = single(characters(f, x, l_max=2, n_converge=0, batch_size=batch_size))
        torch.testing.assert_close(found.power, reference.power, rtol=1e-12, atol=1e-14)
        assert sum(calls) == found.n_evaluations == 140
        assert max(calls) <= batch_size
    assert len(calls) == 4  # both cosets of the six antipodal pairs, and of the two poles


def test_layers_and_outputs_come_from_the_same_passes() -> None:
    network, x = Network(), cloud()
    calls = 0

    def f(copies: PointCloud) -> Tensor:
        nonlocal calls
        calls += len(copies.positions)
        return network(copies)

    found = characters(f, x, l_max=2, layers=["first"], module=network, n_converge=0)
    assert isinstance(found, dict)
    assert list(found) == ["first", "output"]
    assert calls == 140
    hidden = single(characters(lambda copies: network.first(copies.positions.flatten(1)), x, l_max=2, n_converge=0))
    torch.testing.assert_close(found["first"].power, hidden.power)


def test_diagnose_equals_its_two_fronts() -> None:
    network, x = Network(), [cloud(), cloud(5, 1)]
    found = diagnose(network, x, "1x1o", ["first"], l_max=3, degree=9)
    report = equivariance(network, x, "1x1o", degree=9)
    spectra = characters(network, x, l_max=3, degree=9, layers=["first"])
    assert not isinstance(report, dict)
    assert isinstance(spectra, dict)
    assert found.equivariance["output"].rmse == report.rmse
    assert found.n_evaluations == report.n_evaluations
    for name, spectrum in spectra.items():
        torch.testing.assert_close(found.characters[name].power, spectrum.power, rtol=0, atol=0)
        assert found.characters[name].convergence == spectrum.convergence


def test_a_finite_group_and_a_monte_carlo_grid_take_the_plain_path() -> None:
    def f(copies: PointCloud) -> Tensor:
        return copies.positions[:, 0]

    exact = single(characters(f, TRIAD, l_max=2, grid=finite_group("Ih")))
    assert exact.of(1, 1) == pytest.approx(1, abs=1e-12)
    assert exact.convergence is None
    estimates = torch.stack(
        [
            single(characters(f, TRIAD, l_max=2, grid=monte_carlo_grid(200, "O(3)", generator(seed)))).power
            for seed in range(40)
        ]
    )
    expected = torch.tensor([0, 0, 1, 0, 0, 0], dtype=torch.float64)
    error = estimates.std(dim=0) / math.sqrt(len(estimates))
    assert bool(((estimates.mean(dim=0) - expected).abs() < 4 * error + 1e-12).all())


def test_under_resolved_grids_are_refused() -> None:
    with pytest.raises(UnderResolvedError, match=r"degree must be >= 2 l_max = 8 .* got 7. Use degree=8, degree=None"):
        characters(Network(), cloud(), l_max=4, degree=7)
    with pytest.raises(UnderResolvedError, match=r"changes by .* between degree 2 and 4.* Use degree=4 or more"):
        characters(Network(scale=3.0), cloud(), l_max=1)
    assert not single(characters(Network(scale=3.0), cloud(), l_max=1, tolerance=None)).converged


def test_a_negative_mean_square_is_refused() -> None:
    grid = haar_grid(13)
    negative = grid.weights < 0

    def f(copies: PointCloud) -> Tensor:
        index = [int((grid.matrices - m).abs().sum(dim=(1, 2)).argmin()) for m in copies.positions.mT]
        return negative[index].double()

    with pytest.raises(UnderResolvedError, match=r"mean square of 'output' came out negative .* Use degree=15"):
        characters(f, TRIAD, l_max=1, degree=13, n_converge=0)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"grid": haar_grid(4, "SO(3)")}, ValueError, "B needs improper elements"),
        ({"grid": haar_grid(4), "degree": 4}, ValueError, "give either grid, or degree"),
        ({"l_max": -1}, ValueError, "l_max must be an int >= 0"),
        ({"batch_size": 0}, ValueError, "batch_size must be an int >= 1"),
        ({"batch_size": True}, ValueError, "batch_size must be an int >= 1"),
    ],
)
def test_bad_options_are_refused(options: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        characters(Network(), cloud(), **{"l_max": 1, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (lambda copies: copies.positions[:, 0] * torch.nan, ValueError, "'output' holds NaN"),
        (lambda copies: copies.positions[:, 0] * 0, ValueError, "'output' is zero in every orientation"),
        (lambda copies: copies.positions.sum(), ValueError, "one response per copy along the first axis"),
        (lambda copies: copies.positions.argmax(dim=1), TypeError, "must be real floating point"),
        (lambda copies: [copies.positions], TypeError, "must return a tensor or a non-empty dict of tensors; got list"),
        (lambda copies: copies.positions[:, : 1 + len(copies.positions) % 2], ValueError, "changes its shape"),
    ],
)
def test_bad_responses_are_refused(f: Callable[[PointCloud], Tensor], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        characters(f, cloud(), l_max=2, batch_size=11)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one structure"):
        characters(Network(), [])
    with pytest.raises(TypeError, match="x must be a Structure"):
        characters(Network(), torch.eye(3))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"sector \(3,\+\) was not measured: l_max = 2"):
        single(characters(Network(), cloud(), l_max=2, tolerance=None)).of(3, 1)
