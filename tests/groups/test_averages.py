"""What averaging leaves: counts of invariants known by heart, brute force, and what random turns do."""

import pytest
import torch

from symlab.groups import (
    PointCloud,
    Sector,
    Structure,
    conjugated,
    finite_group,
    haar_grid,
    monte_carlo_grid,
    n_invariants,
    random_rotations,
    retention,
    sectors,
    turned_again,
    wigner_D,
)

# Invariants of the rotations of tetrahedron, cube and icosahedron by l; the generating functions are
# (1 + t^6) / ((1 - t^3)(1 - t^4)), (1 + t^9) / ((1 - t^4)(1 - t^6)) and (1 + t^15) / ((1 - t^6)(1 - t^10)).
KNOWN = {
    "C1": [2 * l + 1 for l in range(13)],
    "C2": [2 * (l // 2) + 1 for l in range(13)],
    "D2": [1, 0, 2, 1, 3, 2, 4, 3, 5, 4, 6, 5, 7],
    "T": [1, 0, 0, 1, 1, 0, 2, 1, 1, 2, 2, 1, 3],
    "O": [1, 0, 0, 0, 1, 0, 1, 0, 1, 1, 1, 0, 2],
    "I": [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1],
}
WITH_INVERSION = {"Ci": "C1", "Th": "T", "Oh": "O", "Ih": "I"}


def turn(seed: int = 0) -> torch.Tensor:
    return random_rotations(1, torch.Generator().manual_seed(seed))[0]


@pytest.mark.parametrize("name", [*KNOWN, *WITH_INVERSION])
def test_the_numbers_of_invariants_are_those_of_the_tables(name: str) -> None:
    group = finite_group(name)
    for sector in sectors(12):
        expected = KNOWN[WITH_INVERSION.get(name, name)][sector.l]
        if name in WITH_INVERSION and sector.parity == -1:
            expected = 0
        assert n_invariants(group, sector) == expected, str(sector)


@pytest.mark.parametrize("name", [*KNOWN, *WITH_INVERSION, "C5", "D3"])
def test_the_numbers_of_invariants_are_ranks_of_projectors(name: str) -> None:
    group = finite_group(name)
    for sector in sectors(7):
        projector = wigner_D(sector, group.matrices).mean(dim=0)
        torch.testing.assert_close(projector @ projector, projector, atol=1e-9, rtol=0)
        assert n_invariants(group, sector) == int(torch.linalg.matrix_rank(projector, atol=1e-6))
        assert retention(group, sector) == pytest.approx(n_invariants(group, sector) / sector.dim, abs=1e-12)


def test_a_turned_group_has_as_many_invariants() -> None:
    turned = conjugated(finite_group("Th"), turn())
    for sector in sectors(6):
        assert n_invariants(turned, sector) == n_invariants(finite_group("Th"), sector)
    products = (turned.matrices[:, None] @ turned.matrices[None]).reshape(-1, 9)
    assert float(torch.cdist(products, turned.matrices.reshape(-1, 9)).min(dim=1).values.max()) < 1e-7


def test_a_random_turn_leaves_the_stated_share_on_average() -> None:
    generator = torch.Generator().manual_seed(0)
    for grid in (finite_group("T"), finite_group("D2"), haar_grid(3)):
        for sector in (Sector(3, -1), Sector(4, 1)):
            vector = torch.randn(sector.dim, dtype=torch.float64, generator=generator)
            shares = []
            for q in random_rotations(400, generator):
                mean = torch.tensordot(grid.weights, wigner_D(sector, conjugated(grid, q).matrices), dims=1)
                shares.append(float((mean.T @ vector).square().sum() / vector.square().sum()))
            found = torch.tensor(shares)
            error = float(found.std()) / len(found) ** 0.5
            assert float(found.mean()) == pytest.approx(retention(grid, sector), abs=4 * error + 1e-12)


def test_a_haar_grid_leaves_nothing_up_to_its_degree_and_something_above() -> None:
    grid = haar_grid(5)
    assert max(retention(grid, sector) for sector in sectors(5)[1:]) < 1e-25
    assert max(retention(grid, sector) for sector in sectors(6)[-2:]) > 1e-3
    assert retention(grid, (0, 1)) == pytest.approx(1)


def test_random_elements_leave_one_over_their_number() -> None:
    generator = torch.Generator().manual_seed(3)
    shares = torch.tensor([retention(monte_carlo_grid(8, "O(3)", generator), (2, -1)) for _ in range(400)])
    assert float(shares.mean()) == pytest.approx(1 / 8, abs=4 * float(shares.std()) / 20)


def test_elements_that_are_no_group_have_no_count() -> None:
    with pytest.raises(ValueError, match=r"group must hold all elements .* invariants in \(1,\+\). .*use retention"):
        n_invariants(monte_carlo_grid(5, "O(3)", torch.Generator().manual_seed(0)), (1, 1))
    with pytest.raises(ValueError, match="turn must be orthogonal"):
        conjugated(finite_group("T"), 2 * turn())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_turning_a_stack_again_is_turning_by_the_products(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(1)
    x = Structure(
        torch.randn(4, 3, dtype=dtype, generator=generator),
        torch.tensor([1, 6, 7, 8]),
        cell=torch.eye(3, dtype=dtype) + 0.1,
        axial_vectors={"spin": torch.randn(4, 3, dtype=dtype, generator=generator)},
        tensors={"strain": (torch.eye(3, dtype=dtype).index_fill(0, torch.tensor(0), 2.0), "ij")},
    )
    g, h = random_rotations(3, generator, improper=True), random_rotations(5, generator, improper=True)
    again, at_once = turned_again(x.stacked(g), h), x.stacked((h[None] @ g[:, None]).flatten(0, 1))
    assert (type(again), again.n_copies) == (Structure, 15)
    tolerance = 1e-6 if dtype == torch.float32 else 1e-13
    for name, (tensor, _) in at_once.rotating_tensors().items():
        assert again.rotating_tensors()[name][0].dtype == dtype
        torch.testing.assert_close(again.rotating_tensors()[name][0], tensor, atol=tolerance, rtol=tolerance)
    assert again.species is x.species


def test_only_stacks_are_turned_again() -> None:
    cloud = PointCloud(torch.eye(3, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"stack must hold turned copies; this PointCloud .* x.stacked\(matrices\)"):
        turned_again(cloud, turn()[None])
    with pytest.raises(TypeError, match="stack must be a Structure"):
        turned_again(torch.eye(3), turn()[None])
