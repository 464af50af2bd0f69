import pytest
import torch
from e3nn import o3

from symlab.groups import random_rotations, solid_harmonics, wigner_D


@pytest.fixture
def vectors() -> torch.Tensor:
    return 2 * torch.randn(30, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_agree_with_e3nn(vectors: torch.Tensor) -> None:
    found = solid_harmonics(vectors, 9)
    lengths = vectors.norm(dim=1, keepdim=True)
    for l in range(10):
        theirs = o3.spherical_harmonics(l, vectors, normalize=True, normalization="norm") * lengths
        torch.testing.assert_close(found[:, l * l : (l + 1) ** 2], theirs, atol=1e-12, rtol=0)


def test_each_degree_has_the_norm_of_the_vector(vectors: torch.Tensor) -> None:
    for precision, tolerance in ((torch.float64, 1e-13), (torch.float32, 1e-5)):
        found = solid_harmonics(vectors.to(precision), 8)
        norms = torch.stack([block.norm(dim=1) for block in found.split([2 * l + 1 for l in range(9)], dim=1)], dim=1)
        expected = vectors.norm(dim=1, keepdim=True).expand(-1, 9).to(precision)
        torch.testing.assert_close(norms, expected, atol=tolerance, rtol=tolerance)


def test_turn_by_wigner_matrices(vectors: torch.Tensor) -> None:
    matrices = random_rotations(30, torch.Generator().manual_seed(1), improper=True)
    still, turned = (solid_harmonics(v, 6) for v in (vectors, (matrices @ vectors[..., None])[..., 0]))
    for l in range(7):
        part = slice(l * l, (l + 1) ** 2)
        expected = (wigner_D((l, 1), matrices) @ still[:, part, None])[..., 0]
        torch.testing.assert_close(turned[:, part], expected, atol=1e-12, rtol=0)


def test_low_degrees_zero_vectors_and_errors(vectors: torch.Tensor) -> None:
    found = solid_harmonics(vectors, 1)
    torch.testing.assert_close(found, torch.cat([vectors.norm(dim=1, keepdim=True), vectors], dim=1))
    assert solid_harmonics(vectors, 0).shape == (30, 1)
    assert not solid_harmonics(torch.zeros(2, 3), 4).any()
    with pytest.raises(ValueError, match="l_max must be >= 0; got -1"):
        solid_harmonics(vectors, -1)
