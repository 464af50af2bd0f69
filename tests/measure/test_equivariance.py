import math

import pytest
import torch
from e3nn_models import equivariant, molecule

from symlab.groups import PointCloud, Structure, finite_group, haar_grid, monte_carlo_grid, parse_output
from symlab.measure import ResponseError, UnderResolvedError, equivariance

QUIET = {"n_converge": 0, "check": False, "progress": False}


def cloud(*rows: tuple[float, float, float]) -> PointCloud:
    return PointCloud(torch.tensor(rows, dtype=torch.float64))


def septic(x: PointCloud) -> torch.Tensor:
    a, b, c = x.positions[:, 0].unbind(dim=-1)
    cubic = 0.625 * (a**4 + b**4 + c**4) - (a * a * b * b + a * a * c * c + b * b * c * c)
    return 1000 * a * b * c * cubic


def broken_force(x: Structure) -> torch.Tensor:
    """Not equivariant, of low band limit, polynomial."""
    handed = torch.linalg.cross(x.positions, x.positions.roll(1, dims=1))
    return x.positions * (1 + 0.3 * x.positions[..., :1]) + 0.1 * x.positions[..., 1:2] ** 2 + 0.2 * handed


# Closed forms -------------------------------------------------------------------------------------------------------


def test_the_x_coordinate_of_an_atom_has_variance_fourteen_thirds() -> None:
    report = equivariance(lambda x: x.positions[:, :, 0], cloud((1, 2, 3)), "scalar", degree=2)
    assert float(report.variance) == pytest.approx(14 / 3, rel=1e-13)
    assert report.rmse == pytest.approx(math.sqrt(14 / 3), rel=1e-13)
    assert abs(float(report.mean)) < 1e-14
    assert report.converged
    assert not report.at_noise_floor


def test_signed_weights_are_refused_where_they_cannot_resolve_the_response() -> None:
    # Exact variance 1e6 * 17 / 137280. The rule of degree 13 has negative weights: at the pole it gives -83.65.
    exact = 1e6 * 17 / 137280
    for degree in (15, 17):
        report = equivariance(septic, cloud((0, 0, 1)), "scalar", degree=degree, **QUIET)
        assert float(report.variance) == pytest.approx(exact, rel=1e-10)
        assert f"{float(report.variance):.6f}" == "123.834499"
    with pytest.raises(
        UnderResolvedError, match=r"the variance of output 'output' came out as -83\.65.*Ask for a higher degree"
    ):
        equivariance(septic, cloud((0, 0, 1)), "scalar", degree=13, **QUIET)


def test_a_vector_that_does_not_turn_has_all_of_itself_as_error() -> None:
    # z(g) = R^T c: mean 0, A^2 = |c|^2, v = |c|^2 / 3.
    constant = torch.tensor([1.0, 2.0, 2.0], dtype=torch.float64)
    report = equivariance(lambda x: constant.expand(x.n_copies, 1, 3), cloud((1, 0, 0)), "1x1o", degree=2, **QUIET)
    assert float(report.variance) == pytest.approx(3.0, rel=1e-13)
    assert float(report.mean.abs().max()) < 1e-14


def test_a_planted_violation_is_measured_in_full() -> None:
    # f = r + eps x e_x for |r| = 1: Pi = (1 + eps / 3) r, and A^2 = eps^2 (1/3 - 1/9).
    eps = 0.01
    axis = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    report = equivariance(
        lambda x: x.positions + eps * x.positions[..., :1] * axis, cloud((0.6, 0, 0.8)), "1x1o", degree=4, **QUIET
    )
    assert float(report.variance) == pytest.approx(eps**2 * (1 / 3 - 1 / 9) / 3, rel=1e-10)
    torch.testing.assert_close(report.mean, (1 + eps / 3) * torch.tensor([[0.6, 0, 0.8]], dtype=torch.float64))


# Exactly equivariant models ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("output", ["1x1o", "0e+2e"])
def test_an_equivariant_network_is_at_its_noise_floor(output: str, dtype: torch.dtype) -> None:
    model, x = equivariant(output, dtype), molecule(dtype)
    report = equivariance(model, x, output, degree=3)
    assert report.at_noise_floor
    assert report.converged
    assert report.rmse < 100 * torch.finfo(dtype).eps * report.rms_output
    assert report.noise_floor < 1e-4 * report.rms_output
    assert set(report.noise) == {"identity repeated", "float32 against float64", "machine epsilon"}
    output_here = model(x.stacked(torch.eye(3, dtype=torch.float64)[None]))[0].double()
    torch.testing.assert_close(report.mean, output_here, rtol=0, atol=20 * report.noise_floor)


def test_the_same_network_with_a_wrong_parity_is_not() -> None:
    dtype = torch.float64
    report = equivariance(equivariant("1x1o", dtype), molecule(dtype), "1x1e", degree=3, **QUIET)
    assert not report.at_noise_floor
    assert report.proper_rmse < 1e-12 * report.rms_output
    assert report.inversion_rmse == pytest.approx(report.rmse)
    rotations = equivariance(equivariant("1x1o", dtype), molecule(dtype), "1x1e", degree=3, group="SO(3)", **QUIET)
    assert rotations.rmse < 1e-12 * rotations.rms_output
    assert rotations.improper_rmse is None
    assert rotations.inversion_rmse is None


def test_signed_weights_do_not_refuse_an_equivariant_network() -> None:
    report = equivariance(equivariant("1x1o", torch.float32), molecule(torch.float32), "1x1o", degree=13, **QUIET)
    assert report.at_noise_floor


@pytest.mark.parametrize(
    ("formula", "model"),
    [
        ("ij", lambda x: x.positions[..., :, None] * x.positions.roll(1, dims=1)[..., None, :]),
        ("ij=ji", lambda x: x.positions[..., :, None] * x.positions[..., None, :]),
        ("scalar", lambda x: x.positions.square().sum(dim=-1)),
        ("i", lambda x: x.positions),
    ],
)
def test_exact_cartesian_outputs_have_no_error(formula: str, model) -> None:
    report = equivariance(model, molecule(), formula, degree=4, **QUIET)
    assert report.rmse < 1e-14
    assert report.at_noise_floor


def test_a_cross_product_is_a_pseudovector() -> None:
    def cross(x: Structure) -> torch.Tensor:
        return torch.linalg.cross(x.positions, x.positions.roll(1, dims=1))

    assert equivariance(cross, molecule(), parse_output("i", pseudo=True), degree=4, **QUIET).rmse < 1e-14
    assert equivariance(cross, molecule(), "1x1e", degree=4, **QUIET).rmse < 1e-14
    assert equivariance(cross, molecule(), "1x1o", degree=4, **QUIET).rmse > 0.1  # must fail


# Identities ----------------------------------------------------------------------------------------------------------


def test_the_symmetrized_prediction_is_equivariant() -> None:
    x, turn = molecule(), haar_grid(3).matrices[17]
    here = equivariance(broken_force, x, "1x1o", degree=6, **QUIET)
    there = equivariance(broken_force, x.rotated(turn), "1x1o", degree=6, **QUIET)
    torch.testing.assert_close(there.mean, here.mean @ turn.T, atol=1e-12, rtol=0)
    torch.testing.assert_close(there.variance, here.variance, atol=1e-12, rtol=0)


@pytest.mark.parametrize("grid", [haar_grid(4), finite_group("Oh"), finite_group("T")])
def test_the_error_splits_exactly_on_any_grid(grid) -> None:
    x = molecule()
    target = x.positions * 1.1
    report = equivariance(broken_force, x, "1x1o", grid=grid, target=target, **QUIET)
    copies = broken_force(x.stacked(grid.matrices)) @ grid.matrices
    direct = torch.einsum("g,gni->", grid.weights, (copies - target) ** 2) / target.numel()
    assert report.split.averaged_rmse**2 == pytest.approx(float(direct), rel=1e-12)
    parts = report.split.symmetrized_rmse**2 + report.split.equivariance_rmse**2
    assert parts == pytest.approx(float(direct), rel=1e-12)
    assert report.split.equivariance_rmse == report.rmse
    assert report.convergence_degree is None
    assert math.isnan(report.convergence)


def test_the_cosets_split_exactly() -> None:
    report = equivariance(broken_force, molecule(), "1x1o", degree=5, **QUIET)
    within = (report.proper_rmse**2 + report.improper_rmse**2) / 2
    assert report.rmse**2 == pytest.approx(within + report.inversion_rmse**2, rel=1e-12)
    assert report.inversion_rmse > 0.01


def test_the_worst_orientation_is_the_one_found_by_brute_force() -> None:
    x, grid = molecule(), haar_grid(4)
    report = equivariance(broken_force, x, "1x1o", grid=grid, **QUIET)
    strays = broken_force(x.stacked(grid.matrices)) @ grid.matrices - broken_force(
        x.stacked(torch.eye(3, dtype=torch.float64)[None])
    )
    rms = strays.square().mean(dim=(1, 2)).sqrt()
    assert report.worst.rms == pytest.approx(float(rms.max()), rel=1e-12)
    again = broken_force(x.rotated(report.worst.matrix).stacked(torch.eye(3, dtype=torch.float64)[None]))[0]
    straying = again @ report.worst.matrix - broken_force(x.stacked(torch.eye(3, dtype=torch.float64)[None]))[0]
    assert float(straying.square().mean().sqrt()) == pytest.approx(report.worst.rms, rel=1e-12)


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_batch_size_changes_nothing(batch_size: int) -> None:
    one = equivariance(broken_force, molecule(), "1x1o", degree=3, **QUIET)
    other = equivariance(broken_force, molecule(), "1x1o", degree=3, batch_size=batch_size, **QUIET)
    torch.testing.assert_close(other.mean, one.mean, atol=1e-13, rtol=0)
    torch.testing.assert_close(other.variance, one.variance, atol=1e-13, rtol=0)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-2)])
def test_a_common_offset_of_an_energy_does_not_matter(dtype: torch.dtype, tolerance: float) -> None:
    def energy(x: Structure) -> torch.Tensor:
        return x.positions[..., 0].sum(dim=1, keepdim=True) + 1e3

    report = equivariance(energy, molecule(dtype), "0e", degree=3, **QUIET)
    bare = equivariance(lambda x: energy(x) - 1e3, molecule(), "0e", degree=3, **QUIET)
    assert report.rmse == pytest.approx(bare.rmse, rel=tolerance)


# Grids, turns, convergence -------------------------------------------------------------------------------------------


def test_a_coarse_grid_is_seen_not_to_converge_and_a_fine_one_to_do() -> None:
    x = cloud((0.48, 0.6, 0.64))
    coarse = equivariance(septic, x, "scalar", degree=9, check=False)
    assert coarse.convergence_degree == 11
    assert coarse.convergence > 0.01
    assert not coarse.converged
    fine = equivariance(septic, x, "scalar", degree=15, check=False)
    assert fine.convergence < 1e-10
    assert fine.converged
    with pytest.raises(UnderResolvedError, match=r"changes by .*% from degree 9 to 11 \(allowed: 1.00%\)"):
        equivariance(septic, x, "scalar", degree=9, tolerance=0.01, check=False)


def test_the_finer_grid_avoids_negative_weights() -> None:
    report = equivariance(broken_force, molecule(), "1x1o", degree=11, check=False)
    assert report.convergence_degree == 15


def test_turned_grids_are_unbiased_and_carry_an_error_bar() -> None:
    # Degree 7 cannot resolve the response (it needs 14): a fixed grid is off, turned ones scatter about the truth.
    source, exact = torch.Generator().manual_seed(3), 1e6 * 17 / 137280
    x = cloud((0.48, 0.6, 0.64))
    reports = [equivariance(septic, x, "scalar", degree=7, generator=source, n_turns=12, **QUIET) for _ in range(12)]
    variances = torch.tensor([float(r.variance) for r in reports], dtype=torch.float64)
    scatter = float(variances.std()) / math.sqrt(len(variances))
    assert float(variances.mean()) == pytest.approx(exact, abs=4 * scatter)
    stated = torch.tensor([r.standard_error * 2 * r.rmse for r in reports])
    assert 0.5 < float(stated.mean()) / float(variances.std()) < 2
    fixed = float(equivariance(septic, x, "scalar", degree=7, **QUIET).variance)
    assert abs(fixed - exact) > 10 * scatter or abs(fixed - exact) > 5  # must fail


def test_the_special_group_and_other_grids_can_be_asked_for() -> None:
    x = molecule()
    assert equivariance(broken_force, x, "1x1o", group="SO(3)", degree=4, **QUIET).grid_size == 14 * 5
    monte_carlo = monte_carlo_grid(2000, "O(3)", torch.Generator().manual_seed(0))
    rough = equivariance(broken_force, x, "1x1o", grid=monte_carlo, **QUIET)
    exact = equivariance(broken_force, x, "1x1o", degree=6, **QUIET)
    assert rough.rmse == pytest.approx(exact.rmse, rel=0.05)
    assert rough.degree is None
    inversion = equivariance(broken_force, x, "1x1o", grid=finite_group("Ci"), **QUIET)
    assert inversion.rmse == pytest.approx(inversion.inversion_rmse)


# Lists and dicts -----------------------------------------------------------------------------------------------------


def test_a_list_is_measured_one_by_one_and_pooled_over_samples() -> None:
    structures = [molecule(n=3, seed=1), molecule(n=5, seed=2)]
    together = equivariance(
        broken_force, structures, "1x1o", degree=4, target=[s.positions for s in structures], **QUIET
    )
    alone = [equivariance(broken_force, s, "1x1o", degree=4, target=s.positions, **QUIET) for s in structures]
    for i, one in enumerate(alone):
        torch.testing.assert_close(together.mean[i], one.mean)
        torch.testing.assert_close(together.variance[i], one.variance)
        assert float(together.structure_rmse[i]) == pytest.approx(one.rmse)
    pooled = torch.cat([one.variance for one in alone]).mean().sqrt()
    assert together.rmse == pytest.approx(float(pooled))
    assert together.worst.structure == int(alone[1].worst.rms > alone[0].worst.rms)
    squares = [(len(s.positions), one.split.averaged_rmse**2) for s, one in zip(structures, alone, strict=True)]
    assert together.split.averaged_rmse**2 == pytest.approx(sum(n * v for n, v in squares) / 8)


def test_a_dict_of_outputs_shares_the_forward_passes() -> None:
    calls = []

    def model(x: Structure) -> dict[str, torch.Tensor]:
        calls.append(x.n_copies)
        return {
            "energy": x.positions.square().sum(dim=(1, 2))[:, None],
            "forces": broken_force(x),
            "other": x.positions,
        }

    reports = equivariance(model, molecule(), {"energy": "0e", "forces": "1x1o"}, degree=3)
    assert list(reports) == ["energy", "forces"]
    assert reports["energy"].at_noise_floor
    alone = equivariance(broken_force, molecule(), "1x1o", degree=3)
    assert reports["forces"].rmse == alone.rmse
    assert reports["forces"].n_evaluations == sum(calls)
    assert reports["forces"].grid_size == 48
    assert "forces: equivariance RMSE" in str(reports["forces"])


def test_the_methods_of_a_module_can_be_measured() -> None:
    class Model(torch.nn.Module):
        def evaluate(self, x: Structure) -> dict[str, torch.Tensor]:
            return {"forces": x.positions}

    report = equivariance(Model().eval().evaluate, molecule(), {"forces": "1x1o"}, degree=3)["forces"]
    assert "float32 against float64" in report.noise


# Bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        (lambda x: x.positions[..., :2], {}, ValueError, r"output 'output' has shape \(.*2\), but '1x1o' needs"),
        (lambda x: x.positions / 0, {}, ResponseError, "output 'output' is not finite: .* NaN or infinite"),
        (lambda x: {"forces": x.positions}, {}, ResponseError, r"does not return 'output'; it returns 'forces'"),
        (lambda x: x.positions.long(), {}, ResponseError, "type torch.int64.*real floating-point"),
        (
            lambda x: x.positions,
            {"target": torch.ones(3)},
            ValueError,
            r"target of output 'output' must have shape \(5, 3\)",
        ),
        (
            lambda x: x.positions,
            {"target": {"forces": torch.ones(3)}},
            TypeError,
            "target must be a dict by output name",
        ),
        (lambda x: x.positions, {"degree": 200}, ValueError, "degree must lie between 0 and 131"),
        (
            lambda x: x.positions,
            {"generator": torch.Generator(), "n_turns": 2},
            ValueError,
            "n_turns must be >= 3 for an error bar; got 2",
        ),
        (
            lambda x: x.positions,
            {"generator": torch.Generator(), "grid": haar_grid(3)},
            ValueError,
            "either grid or generator",
        ),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_bad_requests_are_refused(model, options: dict, error: type[Exception], message: str, check: bool) -> None:
    with pytest.raises(error, match=message):
        equivariance(model, molecule(), "1x1o", **{"degree": 3, "check": check, **options})


def test_a_target_list_of_the_wrong_length_is_refused() -> None:
    x = [molecule(), molecule(seed=1)]
    with pytest.raises(ValueError, match="must have one entry per structure, 2; got 1"):
        equivariance(broken_force, x, "1x1o", degree=3, target=[x[0].positions])
    with pytest.raises(ValueError, match="at least one structure"):
        equivariance(broken_force, [], "1x1o")
    with pytest.raises(TypeError, match="got int"):
        equivariance(broken_force, [3], "1x1o")


def test_a_number_of_samples_that_changes_with_the_orientation_is_refused() -> None:
    def edges(x: Structure) -> torch.Tensor:
        # Must fail: a "neighbour list" that counts by a lab-frame coordinate of the batch.
        return x.positions[:, : 2 + int(x.positions[0, 0, 0] > 0)]

    with pytest.raises(ResponseError, match=r"changes its s.* \(?.*between orientations.*neighbour lists once"):
        equivariance(edges, molecule(), "1x1o", degree=3, batch_size=1, check=False)
    with pytest.raises(ResponseError, match="between orientations"):
        equivariance(edges, molecule(), "1x1o", degree=3, batch_size=1)


def test_nan_at_one_orientation_is_found_and_the_orientation_named() -> None:
    def model(x: Structure) -> torch.Tensor:
        return torch.where(x.positions[:, :1, 2:] > 1.0, math.nan, x.positions)

    with pytest.raises(ResponseError, match=r"first at the orientation R = \[\["):
        equivariance(model, PointCloud(torch.tensor([[0.0, 0.0, 1.1]])), "1x1o", degree=3, check=False)
