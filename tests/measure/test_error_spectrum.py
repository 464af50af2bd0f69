"""The equivariance error by sector: adds up to A, sees neither constants nor equivariant parts, refuses as A does."""

import pytest
import torch

from symlab.groups import PointCloud, random_rotations
from symlab.measure import ResponseError, UnderResolvedError, equivariance, error_spectrum

QUIET = {"progress": False}


def cloud(n: int = 4, seed: int = 0, dtype: torch.dtype = torch.float64) -> PointCloud:
    return PointCloud(torch.randn(n, 3, dtype=dtype, generator=torch.Generator().manual_seed(seed)))


def bent(x: PointCloud) -> torch.Tensor:
    """A vector field with errors of degree up to 4, none of it above."""
    r = x.positions
    return r + 0.1 * r[..., [1, 2, 0]] * r[..., :1] + 0.05 * r[..., 2:] ** 3


def test_the_sectors_add_up_to_the_variance_of_a() -> None:
    xs = [cloud(3, 1), cloud(5, 2)]
    found = error_spectrum(bent, xs, "1x1o", l_max=4, n_converge=1, **QUIET)
    report = equivariance(bent, xs, "1x1o", degree=8, check=False, n_converge=0, **QUIET)
    torch.testing.assert_close(found.variance.sqrt(), report.structure_rmse, rtol=1e-9, atol=0)
    assert float(found.remainder.abs().max()) < 1e-9 * float(found.variance.max())
    assert float(found.fraction.sum()) == pytest.approx(1)
    assert found.convergence < 1e-9
    assert (0, 1) not in found.sectors
    for mean, expected in zip(found.mean, report.mean, strict=True):
        torch.testing.assert_close(mean, expected)


def test_what_lies_above_the_cutoff_is_the_remainder() -> None:
    coarse, fine = (error_spectrum(bent, cloud(), "1x1o", l_max=l, degree=8, **QUIET) for l in (2, 4))
    assert float(coarse.variance) == pytest.approx(float(fine.variance))
    above = [i for i, sector in enumerate(fine.sectors) if sector.l > 2]
    assert float(coarse.remainder) == pytest.approx(float(fine.power[0, above].sum()))
    assert float(coarse.remainder) > 1e-6


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_equivariant_part_and_a_large_constant_scalar_have_no_sectors(dtype: torch.dtype) -> None:
    def energy(x: PointCloud) -> torch.Tensor:
        return 1e4 + x.positions.square().sum((1, 2)) + 0.1 * x.positions[:, 0, 0]

    x = cloud(dtype=torch.float64)
    exact = 0.01 * float(x.positions[0].square().sum()) / 3
    found = error_spectrum(energy, x.to(dtype=dtype), "scalar", l_max=2, **QUIET)
    tolerance = 1e-9 if dtype == torch.float64 else 2e-2  # float32 holds 1e4 to 1e-3
    assert float(found.variance) == pytest.approx(exact, rel=tolerance)
    assert float(found.power[0, found.sectors.index((1, 1))]) == pytest.approx(exact, rel=tolerance)


def test_a_constant_vector_is_all_in_the_sector_of_a_vector() -> None:
    found = error_spectrum(lambda x: torch.ones_like(x.positions), cloud(), "1x1o", l_max=2, **QUIET)
    assert float(found.fraction[found.sectors.index((1, 1))]) == pytest.approx(1)
    assert float(found.variance) == pytest.approx(1)


def test_it_is_another_thing_than_b() -> None:
    """A perfect vector has all of its B in (1,+), and nothing here."""
    found = error_spectrum(lambda x: x.positions, cloud(), "1x1o", l_max=2, **QUIET)
    assert float(found.variance) < 1e-25
    assert float(found.power.abs().max()) < 1e-25


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_size_of_a_batch_changes_nothing(batch_size: int) -> None:
    whole = error_spectrum(bent, cloud(), "1x1o", l_max=2, **QUIET)
    parts = error_spectrum(bent, cloud(), "1x1o", l_max=2, batch_size=batch_size, **QUIET)
    torch.testing.assert_close(parts.power, whole.power, rtol=1e-9, atol=1e-15)


def test_a_dict_of_outputs_shares_the_passes() -> None:
    found = error_spectrum(
        lambda x: {"forces": bent(x), "other": x.positions}, cloud(), {"forces": "1x1o"}, l_max=2, **QUIET
    )
    assert list(found) == ["forces"]
    alone = error_spectrum(bent, cloud(), "1x1o", l_max=2, **QUIET)
    torch.testing.assert_close(found["forces"].power, alone.power)
    assert found["forces"].n_evaluations == 14 * 5 * 2


def test_rules_with_negative_weights_are_passed_over() -> None:
    assert error_spectrum(lambda x: x.positions, cloud(), "1x1o", l_max=6, **QUIET).degree == 14


def test_turning_the_input_leaves_v_as_it_is() -> None:
    x = cloud()
    turned = x.rotated(random_rotations(1, torch.Generator().manual_seed(5))[0])
    a, b = (error_spectrum(bent, one, "1x1o", l_max=4, **QUIET) for one in (x, turned))
    torch.testing.assert_close(a.power, b.power, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(
    ("model", "output", "options", "error", "message"),
    [
        (bent, "1x1o", {"degree": 3}, UnderResolvedError, "degree must be >= 2 l_max = 4"),
        (bent, "0e", {}, ValueError, "output 'output' has shape"),
        (bent, {"forces": "1x1o"}, {}, ValueError, "output declares 'forces', which f does not return"),
        (lambda x: x.positions / 0, "1x1o", {}, ResponseError, "output 'output' is not finite"),
    ],
)
def test_bad_requests_are_refused(model, output, options, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        error_spectrum(model, cloud(), output, l_max=2, **options, **QUIET)
