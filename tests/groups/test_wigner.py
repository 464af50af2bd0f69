import math

import pytest
import torch
from e3nn import o3

from symlab.groups import (
    Sector,
    character,
    euler_zyz,
    random_rotations,
    rotation_y,
    rotation_z,
    sectors,
    small_d,
    wigner_D,
)


@pytest.fixture
def matrices() -> torch.Tensor:
    return random_rotations(20, torch.Generator().manual_seed(0), improper=True)


@pytest.fixture
def float64_default():
    # e3nn builds its generators in the default type.
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("l", range(13))
@pytest.mark.usefixtures("float64_default")
def test_agrees_with_e3nn(matrices: torch.Tensor, l: int) -> None:
    for irrep in (o3.Irrep(l, 1), o3.Irrep(l, -1)):
        sector = Sector(l, irrep.p * (-1) ** l)
        assert sector.irrep == str(irrep)
        torch.testing.assert_close(wigner_D(sector, matrices), irrep.D_from_matrix(matrices), atol=1e-12, rtol=0)


def test_composes_and_is_orthogonal(matrices: torch.Tensor) -> None:
    other = matrices.flip(0)
    for sector in sectors(12):
        d, e = wigner_D(sector, matrices), wigner_D(sector, other)
        torch.testing.assert_close(d @ e, wigner_D(sector, matrices @ other), atol=1e-12, rtol=0)
        torch.testing.assert_close(d.mT, wigner_D(sector, matrices.mT), atol=1e-12, rtol=0)
        trace = d.diagonal(dim1=1, dim2=2).sum(dim=-1)
        torch.testing.assert_close(character(sector, matrices), trace, atol=1e-12, rtol=0)


@pytest.mark.usefixtures("float64_default")
def test_harmonics_turn_with_it(matrices: torch.Tensor) -> None:
    points = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for l in range(7):
        turned = o3.spherical_harmonics(l, points @ matrices.mT, normalize=True)
        still = o3.spherical_harmonics(l, points, normalize=True)
        torch.testing.assert_close(turned, still @ wigner_D((l, 1), matrices).mT, atol=1e-12, rtol=0)


def test_vectors_are_the_matrix_itself_and_axial_vectors_ignore_the_inversion(matrices: torch.Tensor) -> None:
    assert torch.equal(wigner_D((1, 1), matrices), matrices)
    assert torch.equal(wigner_D((1, -1), matrices), wigner_D((1, -1), -matrices))


@pytest.mark.parametrize("l", [0, 1, 5, 12, 40])
def test_small_d_is_orthogonal_and_composes(l: int) -> None:
    beta = torch.tensor([0.0, 1e-9, 0.3, 1.7, math.pi / 2, math.pi], dtype=torch.float64)
    d = small_d(l, beta)
    identity = torch.eye(2 * l + 1, dtype=torch.float64).expand(len(beta), -1, -1)
    torch.testing.assert_close(d @ d.mT, identity, atol=1e-12, rtol=0)
    torch.testing.assert_close(small_d(l, beta * 2), d @ d, atol=1e-12, rtol=0)
    torch.testing.assert_close(small_d(l, -beta), d.mT, atol=1e-12, rtol=0)


def test_small_d_has_the_textbook_entries() -> None:
    beta = torch.tensor([0.4, 2.2], dtype=torch.float64)
    d = small_d(1, beta)
    c, s = torch.cos(beta), torch.sin(beta)
    torch.testing.assert_close(d[:, 1, 1], c)
    torch.testing.assert_close(d[:, 2, 2], (1 + c) / 2)
    torch.testing.assert_close(d[:, 2, 0], (1 - c) / 2)
    torch.testing.assert_close(d[:, 2, 1], -s / math.sqrt(2))  # d^1_{1,0}
    legendre4 = (35 * c**4 - 30 * c**2 + 3) / 8
    torch.testing.assert_close(small_d(4, beta)[:, 4, 4], legendre4)


def test_the_three_euler_factors_give_the_character() -> None:
    source = torch.Generator().manual_seed(4)
    matrices = random_rotations(30, source)
    alpha, beta, gamma = euler_zyz(matrices)
    for l in range(9):
        m = torch.arange(-l, l + 1)
        phase = torch.exp(-1j * (alpha + gamma)[:, None] * m)
        trace = (phase * small_d(l, beta).diagonal(dim1=1, dim2=2)).sum(dim=-1)
        torch.testing.assert_close(trace.real, character((l, 1), matrices), atol=1e-12, rtol=0)


def test_euler_angles_rebuild_the_matrix_at_the_poles_too() -> None:
    source = torch.Generator().manual_seed(4)
    angle = torch.rand(5, dtype=torch.float64, generator=source) * 6
    tiny = torch.tensor([0.0, 1e-17, 1e-12, 1e-8, math.pi - 1e-12], dtype=torch.float64)
    matrices = torch.cat(
        [
            random_rotations(20, source),
            rotation_z(angle) @ rotation_y(tiny) @ rotation_z(2 * angle),
            rotation_z(angle) @ rotation_y(torch.full_like(angle, math.pi)),
        ]
    )
    alpha, beta, gamma = euler_zyz(matrices)
    rebuilt = rotation_z(alpha) @ rotation_y(beta) @ rotation_z(gamma)
    torch.testing.assert_close(rebuilt, matrices, atol=3e-15, rtol=0)


def test_characters_follow_the_closed_form() -> None:
    theta = torch.linspace(0.01, 3.13, 40, dtype=torch.float64)
    for l in range(6):
        expected = torch.sin((2 * l + 1) * theta / 2) / torch.sin(theta / 2)
        for sigma in (1, -1):
            torch.testing.assert_close(character((l, sigma), rotation_y(theta)), expected, atol=1e-12, rtol=0)
            sign = sigma * (-1) ** l
            torch.testing.assert_close(character((l, sigma), -rotation_y(theta)), sign * expected, atol=1e-12, rtol=0)


def test_sectors_name_themselves() -> None:
    assert [str(s) for s in sectors(1)] == ["(0,+)", "(0,-)", "(1,+)", "(1,-)"]
    assert [s.irrep for s in sectors(2)] == ["0e", "0o", "1o", "1e", "2e", "2o"]
    assert Sector(2, -1).dim == 5
    assert {Sector(1, -1): 3}[(1, -1)] == 3


@pytest.mark.parametrize(
    ("l", "sigma", "message"), [(-1, 1, "l must be"), (1.5, 1, "l must be"), (1, 0, "sigma must be")]
)
def test_impossible_sectors_are_refused(l: float, sigma: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sector(l, sigma)
    if message.startswith("l"):
        with pytest.raises(ValueError, match="l_max must be"):
            sectors(l)
