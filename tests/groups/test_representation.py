import pytest
import torch
from e3nn.io import CartesianTensor
from e3nn.o3 import Irreps

from symlab.groups import Sector, parse_output, random_rotations, split_matrix, wigner_D

DECLARATIONS = [
    ("1x1o", False),
    ("2x0e+1o+2e+3x2o", False),
    ("3o", False),
    ("scalar", False),
    ("scalar", True),
    ("i", False),
    ("i", True),
    ("ij", False),
    ("ij=ji", True),
    ("ijk", False),
]


@pytest.fixture
def source() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(("output", "pseudo"), DECLARATIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-13), (torch.float32, 1e-5)])
def test_it_is_a_representation(output: str, pseudo: bool, dtype: torch.dtype, tolerance: float, source) -> None:
    representation = parse_output(output, pseudo)
    r, s = random_rotations(6, source, improper=True), random_rotations(6, source, improper=True)
    y = torch.randn(6, 4, *representation.shape, dtype=dtype, generator=source)
    twice = representation.apply(r, representation.apply(s, y))
    assert twice.dtype == dtype
    torch.testing.assert_close(twice, representation.apply(r @ s, y), atol=tolerance, rtol=0)
    back = representation.inverse_apply(r, representation.apply(r, y))
    torch.testing.assert_close(back, y, atol=tolerance, rtol=0)
    assert float(twice.norm()) == pytest.approx(float(y.norm()), rel=1e-5)


@pytest.mark.parametrize(("output", "pseudo"), [d for d in DECLARATIONS if d[0] != "ijk"])
def test_the_decomposition_is_orthonormal_and_turns_by_sector(output: str, pseudo: bool, source) -> None:
    representation = parse_output(output, pseudo)
    r = random_rotations(6, source, improper=True)
    y = torch.randn(6, 4, *representation.shape, dtype=torch.float64, generator=source)
    if output == "ij=ji":
        y = (y + y.mT) / 2
    parts, turned = representation.decompose(y), representation.decompose(representation.apply(r, y))
    assert sorted(parts) == sorted(representation.sectors())
    assert float(sum((part**2).sum() for part in parts.values())) == pytest.approx(float((y**2).sum()))
    for sector, part in parts.items():
        expected = torch.einsum("nij,nakj->naki", wigner_D(sector, r), part)
        torch.testing.assert_close(turned[sector], expected, atol=1e-13, rtol=0)


def test_closed_forms_of_the_cartesian_actions(source) -> None:
    r = random_rotations(5, source, improper=True)
    t = torch.randn(5, 3, 3, dtype=torch.float64, generator=source)
    sign = torch.linalg.det(r)[:, None, None]
    torch.testing.assert_close(parse_output("ij").apply(r, t), r @ t @ r.mT)
    torch.testing.assert_close(parse_output("ij", pseudo=True).apply(r, t), sign * (r @ t @ r.mT))
    torch.testing.assert_close(parse_output("1x1e").apply(r, t), sign * (t @ r.mT))
    a, b = t[:, 0], t[:, 1]
    cross = torch.linalg.cross(a, b)
    polar = parse_output("i")
    product = torch.linalg.cross(polar.apply(r, a), polar.apply(r, b))
    torch.testing.assert_close(product, parse_output("i", pseudo=True).apply(r, cross))
    third = torch.einsum("nia,njb,nkc,nabc->nijk", r, r, r, torch.einsum("na,nb,nc->nabc", a, b, a))
    torch.testing.assert_close(parse_output("ijk").apply(r, torch.einsum("na,nb,nc->nabc", a, b, a)), third)


def test_the_norm_of_a_symmetric_matrix_follows_the_textbook() -> None:
    s = torch.tensor([[1.0, 2.0, 3.0], [2.0, 5.0, 7.0], [3.0, 7.0, 11.0]], dtype=torch.float64)
    parts = split_matrix(s)
    assert float(parts[Sector(0, 1)] ** 2) == pytest.approx(17**2 / 3)
    c = [2.0, 7.0, (22 - 1 - 5) / (2 * 3**0.5), 3.0, (1 - 5) / 2]
    assert float((parts[Sector(2, 1)] ** 2).sum()) == pytest.approx(2 * sum(x * x for x in c))
    assert float(parts[Sector(1, -1)].abs().max()) == 0


@pytest.mark.parametrize("formula", ["i", "ij", "ij=ji", "ij=-ji", "ijk", "ijk=jki", "ijk=jik=ikj", "ijkl=jikl=klij"])
def test_sectors_of_a_formula_agree_with_e3nn(formula: str) -> None:
    irreps = {Sector(ir.l, ir.p * (-1) ** ir.l) for _, ir in Irreps(str(CartesianTensor(formula)))}
    assert set(parse_output(formula).sectors()) == irreps
    flipped = {Sector(s.l, -s.sigma) for s in irreps}
    assert set(parse_output(formula, pseudo=True).sectors()) == flipped


@pytest.mark.parametrize("text", ["1x1o", "0e+2e", "3x0o + 1e", "2o"])
def test_irreps_are_read_as_e3nn_reads_them(text: str) -> None:
    representation, irreps = parse_output(text), Irreps(text)
    assert representation.shape == (irreps.dim,)
    assert [(m, s.irrep) for m, s in representation.blocks] == [(m, str(ir)) for m, ir in irreps]
    assert parse_output(representation) is representation


def test_the_index_symmetries_of_a_formula_project(source) -> None:
    y = torch.randn(2, 3, 3, dtype=torch.float64, generator=source)
    torch.testing.assert_close(parse_output("ij=-ji").permutations.project(y), (y - y.mT) / 2)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("1x1z", "cannot read '1x1z'"),
        ("0x1o", "cannot read '0x1o'"),
        ("0e+", "cannot read ''"),
        ("ii", "distinct lower-case indices"),
        ("ij=ik", "distinct lower-case indices"),
        ("ij=-ij", "signs of the formula 'ij=-ij' contradict"),
        ("ijk=jki=-jki", "contradict"),
        ("", "distinct lower-case indices"),
    ],
)
def test_unreadable_declarations_are_refused(output: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_output(output)


def test_misuse_is_refused(source) -> None:
    vector, r = parse_output("1x1o"), random_rotations(4, source)
    with pytest.raises(TypeError, match='output must be a string such as "1x1o"'):
        parse_output(3)
    with pytest.raises(ValueError, match="irreps carry their parity"):
        parse_output("1o", pseudo=True)
    with pytest.raises(ValueError, match=r"output has shape \(4, 2\), but '1x1o' needs \(batch, \.\.\., 3\)"):
        vector.apply(r, torch.ones(4, 2))
    with pytest.raises(ValueError, match='a number without component axis is declared as "scalar"'):
        parse_output("0e").check(torch.ones(4))
    with pytest.raises(ValueError, match="same length; got 4 and 5"):
        vector.apply(r, torch.ones(5, 3))
    with pytest.raises(ValueError, match=r"matrix \d misses by 3"):
        vector.apply(2 * r, torch.ones(4, 3))
    with pytest.raises(NotImplementedError, match="rank 0, 1 and 2"):
        parse_output("ijk").decompose(torch.ones(3, 3, 3))
