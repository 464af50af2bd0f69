"""Averaging over a group: what must stay, what must go, what must be exact, and what must be refused."""

import pytest
import torch

from symlab.groups import (
    HaarGrid,
    PointCloud,
    Representation,
    Sector,
    Structure,
    conjugated,
    finite_group,
    haar_grid,
    n_invariants,
    parse_output,
    random_rotations,
    retention,
    sectors,
    wigner_D,
)
from symlab.measure import equivariance, error_spectrum
from symlab.repair import symmetrize

GROUPS = ("C1", "Ci", "C3", "D2", "T", "Th", "O", "Oh", "I", "Ih")
QUIET = {"check": False, "n_converge": 0, "progress": False}


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def molecule(dtype: torch.dtype = torch.float64) -> Structure:
    return Structure(torch.randn(4, 3, dtype=dtype, generator=source()), torch.tensor([1, 6, 7, 8]))


def crystal() -> Structure:
    cell = 3 * torch.eye(3, dtype=torch.float64) + 0.2 * torch.randn(3, 3, dtype=torch.float64, generator=source(1))
    return Structure(molecule().positions, molecule().species, cell)


def free(x: Structure) -> dict[str, torch.Tensor]:
    """A model that knows nothing of symmetry: smooth, not linear, of every sector and parity."""
    r = x.positions
    mixed = torch.tanh(r @ torch.tensor([[0.7, -0.3, 0.2], [0.1, 0.5, -0.9], [0.4, 0.8, 0.3]], dtype=r.dtype) + 0.2)
    pair = mixed[:, :, None] * r[:, None, :, [1, 2, 0]]
    stress = torch.einsum("bijk,bijl->bkl", pair, pair) + 0.1 * mixed.sum(1)[:, :, None]
    return {"energy": mixed.prod(-1).sum(1, keepdim=True), "forces": mixed + 0.3 * r, "stress": stress}


OUTPUTS = {"energy": "0e", "forces": "1x1o", "stress": "ij"}


def exact(x: Structure) -> dict[str, torch.Tensor]:
    """Equivariant: a pair repulsion with its virial."""
    d = x.positions[:, :, None] - x.positions[:, None]
    weight = torch.exp(-d.square().sum(-1))
    forces = (weight[..., None] * d).sum(2)
    return {
        "energy": weight.sum((1, 2))[:, None],
        "forces": forces,
        "stress": torch.einsum("bij,bijk,bijl->bkl", weight, d, d),
    }


def covariance_defect(f, x: Structure, matrices: torch.Tensor) -> float:
    """Largest ``|f(h x) - rho(h) f(x)|`` over outputs and matrices."""
    turned, plain = f(x.stacked(matrices)), f(x.stacked(torch.eye(3, dtype=torch.float64)[None]))
    defects = [
        (turned[name] - parse_output(text).apply(matrices, plain[name].expand_as(turned[name]))).abs().max()
        for name, text in OUTPUTS.items()
    ]
    return float(torch.stack(defects).max())


@pytest.mark.parametrize("name", GROUPS)
def test_the_average_is_exactly_covariant_under_its_group(name: str) -> None:
    group = finite_group(name)
    averaged = symmetrize(free, OUTPUTS, group)
    elements = group.matrices[:: max(1, len(group) // 10)]
    assert covariance_defect(averaged, crystal(), elements) < 1e-12
    # Must fail: an element that is not in the group.
    assert covariance_defect(averaged, crystal(), random_rotations(1, source(5))) > 1e-4


def test_the_average_over_a_group_about_other_axes_is_covariant_under_that_one() -> None:
    turned = conjugated(finite_group("O"), random_rotations(1, source(2))[0])
    averaged = symmetrize(free, OUTPUTS, turned)
    assert covariance_defect(averaged, crystal(), turned.matrices) < 1e-12
    assert covariance_defect(averaged, crystal(), finite_group("O").matrices) > 1e-4  # must fail


@pytest.mark.parametrize("grid", [finite_group("Th"), haar_grid(3), haar_grid(2, generator=source(3))])
def test_an_equivariant_model_stays_as_it_is(grid: HaarGrid) -> None:
    stack = crystal().stacked(random_rotations(3, source(4), improper=True))
    averaged, plain = symmetrize(exact, OUTPUTS, grid)(stack), exact(stack)
    for name in OUTPUTS:
        torch.testing.assert_close(averaged[name], plain[name], atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("name", ["Ci", "D2", "Th", "O"])
def test_averaging_twice_over_a_group_changes_nothing_more(name: str) -> None:
    group = finite_group(name)
    once = symmetrize(free, OUTPUTS, group)
    stack = molecule().stacked(random_rotations(2, source(4)))
    for key, value in symmetrize(once, OUTPUTS, group)(stack).items():
        torch.testing.assert_close(value, once(stack)[key], atol=1e-12, rtol=1e-12)


def test_averaging_twice_over_elements_that_are_no_group_does_change_more() -> None:
    matrices = random_rotations(3, source(7))
    some = HaarGrid(matrices, torch.full((3,), 1 / 3, dtype=torch.float64), None, "three")
    once = symmetrize(free, OUTPUTS, some)
    stack = molecule().stacked(random_rotations(2, source(4)))
    twice = symmetrize(once, OUTPUTS, some)(stack)
    assert float((twice["forces"] - once(stack)["forces"]).abs().max()) > 1e-3


# Planted sectors -----------------------------------------------------------------------------------------------------

SCALAR_SECTORS = [sector for sector in sectors(6) if sector != (0, 1)]


def planted(sector: Sector, seed: int = 0):
    """An invariant output that varies in one sector only: a component of D(g), read off a frame that turns with x."""
    vector = torch.randn(sector.dim, dtype=torch.float64, generator=source(seed))
    other = torch.randn(sector.dim, dtype=torch.float64, generator=source(seed + 1))

    def f(x: PointCloud) -> torch.Tensor:
        return torch.einsum("i,bij,j->b", vector, wigner_D(sector, x.positions.mT), other)

    return f


FRAME = PointCloud(torch.eye(3, dtype=torch.float64))


@pytest.mark.parametrize("sector", SCALAR_SECTORS, ids=str)
def test_the_spectrum_of_the_error_finds_a_planted_sector(sector: Sector) -> None:
    found = error_spectrum(planted(sector), FRAME, "scalar", l_max=6, progress=False)
    assert float(found.variance) > 1e-3
    assert float(found.power[0, found.sectors.index(sector)]) == pytest.approx(float(found.variance), rel=1e-9)
    assert float(found.remainder.abs()) < 1e-9 * float(found.variance)


@pytest.mark.parametrize("name", ["Ci", "C2", "D2", "T", "Th", "O", "Oh", "I", "Ih"])
def test_a_planted_sector_goes_where_the_group_has_no_invariant_in_it_and_stays_where_it_has(name: str) -> None:
    group = finite_group(name)
    stack = FRAME.stacked(random_rotations(5, source(9), improper=True))
    for sector in SCALAR_SECTORS:
        left = float(symmetrize(planted(sector), "scalar", group)(stack).abs().max())
        before = float(planted(sector)(stack).abs().max())
        if n_invariants(group, sector) == 0:
            assert left < 1e-12 * before, str(sector)
        else:
            assert left > 1e-3 * before, str(sector)


@pytest.mark.parametrize(("name", "sector"), [("C2", (2, 1)), ("T", (3, -1)), ("Oh", (4, 1)), ("I", (6, 1))])
def test_the_share_that_is_left_is_the_count_over_the_dimension(name: str, sector: tuple[int, int]) -> None:
    group, generator, f = finite_group(name), source(11), planted(Sector(*sector))
    whole = float(error_spectrum(f, FRAME, "scalar", l_max=6, progress=False).variance)
    stack = FRAME.stacked(random_rotations(8, generator))
    turned = [conjugated(group, q) for q in random_rotations(50, generator)]
    left = torch.stack([symmetrize(f, "scalar", one)(stack).square().mean() for one in turned])
    expected = whole * n_invariants(group, sector) / (2 * sector[0] + 1)
    assert retention(group, sector) == pytest.approx(expected / whole, abs=1e-12)
    assert float(left.mean()) == pytest.approx(expected, abs=4 * float(left.std()) / 50**0.5)


def test_a_constant_force_is_taken_out_by_the_inversion_and_a_constant_stress_by_the_tetrahedron() -> None:
    generator = source(12)
    force, stress = (torch.randn(*shape, dtype=torch.float64, generator=generator) for shape in ((4, 3), (3, 3)))

    def constant(x: Structure) -> dict[str, torch.Tensor]:
        return {"forces": force.expand(x.n_copies, 4, 3), "stress": stress.expand(x.n_copies, 3, 3)}

    stack = molecule().stacked(random_rotations(3, generator))
    inverted = symmetrize(constant, {"forces": "1x1o", "stress": "ij"}, finite_group("Ci"))(stack)
    assert float(inverted["forces"].abs().max()) < 1e-15
    torch.testing.assert_close(inverted["stress"], constant(stack)["stress"])  # must fail to remove
    turned = symmetrize(constant, {"stress": "ij"}, finite_group("T"))(stack)["stress"]
    isotropic = stress.trace() / 3 * torch.eye(3, dtype=torch.float64)
    torch.testing.assert_close(turned, isotropic.expand(3, 3, 3), atol=1e-14, rtol=0)


def test_the_error_that_is_left_is_what_equivariance_measures() -> None:
    """Both paths, on a response of band limit 3: spectrum times retention, and A of the averaged callable."""

    def cubic(x: Structure) -> torch.Tensor:
        r = x.positions
        return (r[..., 0] * r[..., 1] * r[..., 2] + r[..., 0] ** 2 - 0.5 * r[..., 2]).sum(1)

    x = molecule()
    spectrum = error_spectrum(cubic, x, "scalar", l_max=3, progress=False)
    group = finite_group("T")
    turns = random_rotations(15, source(13))
    measured = torch.tensor(
        [
            equivariance(symmetrize(cubic, "scalar", conjugated(group, q)), x, "scalar", degree=6, **QUIET).rmse ** 2
            for q in turns
        ]
    )
    expected = sum(
        float(power) * retention(group, sector)
        for power, sector in zip(spectrum.power[0], spectrum.sectors, strict=True)
    )
    assert float(spectrum.variance) == pytest.approx(
        equivariance(cubic, x, "scalar", degree=6, **QUIET).rmse ** 2, rel=1e-9
    )
    assert float(measured.mean()) == pytest.approx(expected, abs=4 * float(measured.std()) / 15**0.5)
    assert expected < 0.1 * float(spectrum.variance)


# Shapes, types, batches ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_types_and_shapes_are_those_of_the_model(dtype: torch.dtype) -> None:
    group = finite_group("O")
    x = molecule(dtype)
    averaged = symmetrize(free, OUTPUTS, group)
    stack = x.stacked(random_rotations(2, source(4)))
    for name, value in averaged(stack).items():
        assert (value.dtype, value.shape) == (dtype, free(stack)[name].shape)
    tolerance = 1e-12 if dtype == torch.float64 else 2e-5
    assert covariance_defect(averaged, x, group.matrices) < tolerance


@pytest.mark.parametrize("n", [1, 3])
def test_the_size_of_a_batch_changes_nothing(n: int) -> None:
    sizes = []

    def counted(x: Structure) -> dict[str, torch.Tensor]:
        sizes.append(x.n_copies)
        return free(x)

    stack = molecule().stacked(random_rotations(n, source(4)))
    whole = symmetrize(counted, OUTPUTS, finite_group("T"), batch_size=1000)(stack)
    assert sizes == [12 * n]
    sizes.clear()
    for name, value in symmetrize(counted, OUTPUTS, finite_group("T"), batch_size=7)(stack).items():
        torch.testing.assert_close(value, whole[name], atol=1e-14, rtol=1e-13)
    assert sum(sizes) == 12 * n
    assert max(sizes) <= 7


def test_a_bare_tensor_stays_one_and_gradients_pass() -> None:
    weight = torch.ones((), dtype=torch.float64, requires_grad=True)
    averaged = symmetrize(lambda x: weight * free(x)["forces"], "1x1o", finite_group("D2"))
    value = averaged(molecule().stacked(random_rotations(2, source(4))))
    assert isinstance(value, torch.Tensor)
    value.square().sum().backward()
    assert weight.grad is not None
    assert float(weight.grad) > 0


def test_outputs_that_are_not_declared_are_left_out() -> None:
    averaged = symmetrize(free, {"energy": Representation("0e", (1,), blocks=((1, Sector(0, 1)),))}, finite_group("Ci"))
    assert list(averaged(molecule().stacked(random_rotations(2, source(4))))) == ["energy"]


# Bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "output", "error", "message"),
    [
        (free, "0e", TypeError, "f returned dict; give output as a dict by name exactly when f returns a dict"),
        (lambda x: x.positions, {"forces": "1x1o"}, TypeError, "f returned Tensor; give output as a dict"),
        (free, {"dipole": "1x1o"}, ValueError, "output declares 'dipole', which f does not return; it returns"),
        (lambda x: x.positions[:1], "1x1o", ValueError, "one response per copy .* 'output' should have 12 rows"),
        (lambda x: x.positions[..., :2], "1x1o", ValueError, "output 'output' has shape"),
        (lambda x: (x.positions > 0).long(), "1x1o", TypeError, "real floating point to be averaged; got torch.int64"),
    ],
)
def test_bad_responses_are_refused(model, output, error: type[Exception], message: str) -> None:
    averaged = symmetrize(model, output, finite_group("T"))
    with pytest.raises(error, match=message):
        averaged(molecule().stacked(torch.eye(3, dtype=torch.float64)[None]))


def test_bad_requests_are_refused() -> None:
    averaged = symmetrize(free, OUTPUTS, finite_group("T"))
    with pytest.raises(ValueError, match=r"takes one stacked structure.* got a single Rotatable. Give x.stacked"):
        averaged(molecule())
    with pytest.raises(ValueError, match="got no Rotatable"):
        averaged(torch.eye(3))
    with pytest.raises(ValueError, match="batch_size must be an int >= 1; got 0"):
        symmetrize(free, OUTPUTS, finite_group("T"), batch_size=0)
    with pytest.raises(TypeError, match=r"grid must be a HaarGrid, such as finite_group\('T'\).* got str"):
        symmetrize(free, OUTPUTS, "T")
    with pytest.raises(ValueError, match="output must declare at least one name"):
        symmetrize(free, {}, finite_group("T"))
