import math

import pytest
import torch

from symlab.groups import (
    HaarGrid,
    Sector,
    character,
    check_orthogonal,
    euler_zyz,
    finite_group,
    haar_grid,
    monte_carlo_grid,
    random_rotations,
    sectors,
    wigner_D,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("degree", "size", "signed"),
    [(3, 48, False), (5, 168, False), (7, 416, False), (9, 760, False), (11, 1200, False), (13, 2072, True)],
)
def test_sizes_and_signed_weights_are_those_of_the_lebedev_table(degree: int, size: int, signed: bool) -> None:
    grid = haar_grid(degree)
    assert len(grid) == size
    assert grid.has_negative_weights is signed
    assert float(grid.weights.sum()) == pytest.approx(1, abs=1e-14)
    assert int(grid.proper.sum()) == size // 2
    check_orthogonal(grid.matrices)


@pytest.mark.parametrize("degree", [2, 3, 4, 6, 8, 9, 13])
@pytest.mark.parametrize("turned", [False, True])
def test_all_wigner_functions_up_to_the_degree_average_to_zero(degree: int, turned: bool) -> None:
    grid = haar_grid(degree, generator=generator() if turned else None)
    for sector in sectors(degree)[1:]:
        mean = torch.einsum("n,nij->ij", grid.weights, wigner_D(sector, grid.matrices))
        assert float(mean.abs().max()) < 1e-13


def test_products_of_wigner_functions_are_orthonormal_up_to_half_the_degree() -> None:
    grid = haar_grid(6)
    functions = torch.cat(
        [math.sqrt(s.dim) * wigner_D(s, grid.matrices).flatten(1) for s in sectors(3)],
        dim=1,
    )
    gram = functions.T @ (grid.weights[:, None] * functions)
    torch.testing.assert_close(gram, torch.eye(len(gram), dtype=torch.float64), atol=1e-12, rtol=0)


def test_the_degree_is_needed() -> None:
    # Must fail: the in-plane circle of a degree-2 rule has 3 angles and cannot tell m = 3 from m = 0.
    grid = haar_grid(2)
    mean = torch.einsum("n,nij->ij", grid.weights, wigner_D((3, -1), grid.matrices))
    assert float(mean.abs().max()) > 1e-2


def test_the_square_of_a_matrix_entry_averages_to_one_third() -> None:
    grid = haar_grid(2)
    squares = torch.einsum("n,nij->ij", grid.weights, grid.matrices**2)
    torch.testing.assert_close(squares, torch.full((3, 3), 1 / 3, dtype=torch.float64), atol=1e-14, rtol=0)


def test_the_special_group_has_the_proper_coset_only() -> None:
    full, special = haar_grid(5), haar_grid(5, "SO(3)")
    assert bool(special.proper.all())
    torch.testing.assert_close(full.matrices, torch.cat([special.matrices, -special.matrices]))
    assert special.product is not None
    assert special.product.cosets == (1,)


def test_the_product_structure_multiplies_out_to_the_matrices() -> None:
    grid = haar_grid(5, generator=generator(3))
    product = grid.product
    assert product is not None
    assert product.turn is not None
    n_nodes, n_angles = len(product.alpha), len(product.gamma)
    assert (n_nodes, n_angles) == (14, 6)
    proper = (grid.matrices[: len(grid) // 2] @ product.turn.T).reshape(n_nodes, n_angles, 3, 3)
    alpha, beta, gamma = euler_zyz(proper[:, 2])
    torch.testing.assert_close(beta, product.beta, atol=1e-7, rtol=0)
    inside = torch.sin(beta) > 0.1
    difference = (alpha - product.alpha)[inside]
    torch.testing.assert_close(torch.cos(difference), torch.ones_like(difference))
    torch.testing.assert_close(torch.cos(gamma[inside] - product.gamma[2]), torch.ones_like(difference))
    weights = grid.weights.reshape(2, n_nodes, n_angles)
    torch.testing.assert_close(weights.sum(dim=(0, 2)), product.node_weights)
    assert bool((product.alpha[torch.sin(product.beta) < 1e-12] == 0).all())


def test_a_randomly_turned_rule_is_unbiased_beyond_its_degree() -> None:
    # l = 4 is beyond a degree-3 rule: the fixed rule is wrong for good, the turned ones scatter about zero.
    def mean(grid: HaarGrid) -> float:
        return float(grid.weights @ wigner_D((4, 1), grid.matrices)[:, 4, 0])

    source = generator(1)
    means = torch.tensor([mean(haar_grid(3, generator=source)) for _ in range(200)], dtype=torch.float64)
    error = float(means.std()) / math.sqrt(len(means))
    assert abs(float(means.mean())) < 4 * error
    assert float(means.abs().max()) > 0.1


def test_a_monte_carlo_mean_falls_as_one_over_the_square_root() -> None:
    def rms(n: int) -> float:
        source = generator(2)
        means = [float(monte_carlo_grid(n, "O(3)", source).matrices[:, 0, 0].mean()) for _ in range(100)]
        return float(torch.tensor(means).square().mean().sqrt())

    assert rms(100) == pytest.approx(math.sqrt(1 / 300), rel=0.25)
    assert rms(1600) == pytest.approx(math.sqrt(1 / 4800), rel=0.25)
    assert bool(monte_carlo_grid(50, "SO(3)", generator()).proper.all())
    assert not bool(monte_carlo_grid(50, "O(3)", generator()).proper.all())


def test_the_same_seed_gives_the_same_grid() -> None:
    assert torch.equal(haar_grid(3, generator=generator(5)).matrices, haar_grid(3, generator=generator(5)).matrices)


@pytest.mark.parametrize(
    ("name", "size", "degree"),
    [
        ("C1", 1, 0),
        ("Ci", 2, 0),
        ("C2", 2, 0),
        ("C5", 5, 0),
        ("D2", 4, 1),
        ("D3", 6, 1),
        ("D10", 20, 1),
        ("T", 12, 2),
        ("Th", 24, 2),
        ("O", 24, 3),
        ("Oh", 48, 3),
        ("I", 60, 5),
        ("Ih", 120, 5),
    ],
)
def test_finite_groups_close_and_are_exact_to_their_degree(name: str, size: int, degree: int) -> None:
    group = finite_group(name)
    assert len(group) == size
    assert group.degree == degree
    products = (group.matrices[:, None] @ group.matrices[None]).reshape(-1, 9)
    distance = torch.cdist(products, group.matrices.reshape(-1, 9)).min(dim=1).values
    assert float(distance.max()) < 1e-7
    for sector in sectors(degree):
        mean = float(group.weights @ character(sector, group.matrices))
        invariant = sector == (0, 1) or (sector == (0, -1) and not name.endswith(("h", "i")))
        assert mean == pytest.approx(float(invariant), abs=1e-12)
    following = [float(group.weights @ character(s, group.matrices)) for s in sectors(degree + 1)[-2:]]
    assert max(following) > 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: haar_grid(132), "degree must lie between 0 and 131 .* got 132"),
        (lambda: haar_grid(-1), "degree must lie between"),
        (lambda: haar_grid(5, "SU(2)"), r'group must be "O\(3\)" or "SO\(3\)"; got \'SU\(2\)\''),
        (lambda: finite_group("D1"), "name must be one of C1, .*, I, Ih, or Cn or Dn with n >= 2; got 'D1'"),
        (lambda: monte_carlo_grid(0, "O(3)", generator()), "n must be >= 1; got 0"),
        (lambda: monte_carlo_grid(5, "Oh", generator()), "group must be"),
        (lambda: random_rotations(-1, generator()), "n must be >= 0"),
        (
            lambda: HaarGrid(
                torch.eye(3, dtype=torch.float64)[None], torch.tensor([0.5], dtype=torch.float64), 0, "C1"
            ),
            "weights must sum to 1; got 0.5",
        ),
        (
            lambda: HaarGrid(torch.eye(3, dtype=torch.float64)[None], torch.ones(2, dtype=torch.float64), 0, "C1"),
            r"weights must have shape \(1,\)",
        ),
    ],
)
def test_bad_requests_are_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("degree", [True, 5.0, "5"])
def test_a_degree_that_is_no_whole_number_is_refused(degree) -> None:
    with pytest.raises(TypeError, match="degree must be an int"):
        haar_grid(degree)


def test_a_matrix_that_is_not_orthogonal_is_refused_by_index() -> None:
    matrices = random_rotations(4, generator())
    matrices[2] *= 1.001
    with pytest.raises(ValueError, match=r"matrices must be orthogonal.*matrix 2 misses by 0\.002.*svd"):
        check_orthogonal(matrices)
    matrices[1, 0, 0] = math.nan
    with pytest.raises(ValueError, match="matrix 1 misses by nan"):
        check_orthogonal(matrices)
    with pytest.raises(ValueError, match=r"shape \(n, 3, 3\); got \(3, 3\)"):
        check_orthogonal(torch.eye(3))
    with pytest.raises(TypeError, match="floating-point"):
        check_orthogonal(torch.ones(1, 3, 3, dtype=torch.int64))
    check_orthogonal(random_rotations(4, generator()).to(torch.float32))
    assert Sector(0, 1) == (0, 1)
