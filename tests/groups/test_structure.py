# ruff: noqa: RUF009 - the calls make dataclass fields
import math
from dataclasses import dataclass

import pytest
import torch

from symlab.groups import PointCloud, Rotatable, Structure, invariant, parse_output, random_rotations, rotates


@pytest.fixture
def matrices() -> torch.Tensor:
    return random_rotations(5, torch.Generator().manual_seed(0), improper=True)


def structure(dtype: torch.dtype = torch.float64, **changes) -> Structure:
    source = torch.Generator().manual_seed(1)
    values = {
        "positions": torch.randn(4, 3, dtype=dtype, generator=source),
        "species": torch.tensor([1, 6, 8, 1]),
        "cell": torch.randn(3, 3, dtype=dtype, generator=source),
        "vectors": {"field": torch.randn(3, dtype=dtype, generator=source)},
        "axial_vectors": {"spin": torch.randn(4, 3, dtype=dtype, generator=source)},
        "scalars": {"charge": torch.ones(4, dtype=dtype)},
        "tensors": {"strain": (torch.randn(3, 3, dtype=dtype, generator=source), "ij=ji")},
    }
    return Structure(**{**values, **changes})


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-14), (torch.float32, 1e-6)])
def test_everything_that_turns_turns(matrices: torch.Tensor, dtype: torch.dtype, tolerance: float) -> None:
    x = structure(dtype)
    stack = x.stacked(matrices)
    assert isinstance(stack, Structure)
    assert stack.n_copies == 5
    assert x.n_copies is None
    assert stack.positions.dtype == dtype
    assert stack.n_atoms == x.n_atoms == 4
    assert stack.periodic
    for i, r in enumerate(matrices.to(dtype)):
        det = torch.sign(torch.linalg.det(r))
        torch.testing.assert_close(stack.positions[i], x.positions @ r.T, atol=tolerance, rtol=0)
        torch.testing.assert_close(stack.cell[i], x.cell @ r.T, atol=tolerance, rtol=0)
        torch.testing.assert_close(stack.vectors["field"][i], r @ x.vectors["field"], atol=tolerance, rtol=0)
        spin = det * x.axial_vectors["spin"] @ r.T
        torch.testing.assert_close(stack.axial_vectors["spin"][i], spin, atol=tolerance, rtol=0)
        strain = r @ x.tensors["strain"][0] @ r.T
        torch.testing.assert_close(stack.tensors["strain"][0][i], strain, atol=tolerance, rtol=0)
        one = x.rotated(matrices[i])
        assert one.n_copies is None
        torch.testing.assert_close(one.cell, stack.cell[i], atol=tolerance, rtol=0)
    assert stack.species is x.species
    assert stack.scalars["charge"] is x.scalars["charge"]


def test_distances_and_fractional_coordinates_do_not_change(matrices: torch.Tensor) -> None:
    x = structure()
    stack = x.stacked(matrices)
    fractional = x.positions @ torch.linalg.inv(x.cell)
    turned = stack.positions @ torch.linalg.inv(stack.cell)
    torch.testing.assert_close(turned, fractional.expand_as(turned), atol=1e-12, rtol=0)
    torch.testing.assert_close(torch.cdist(stack.positions, stack.positions)[2], torch.cdist(x.positions, x.positions))


def test_a_move_keeps_integers_and_copies(matrices: torch.Tensor) -> None:
    stack = structure().stacked(matrices).to(dtype=torch.float32)
    assert stack.positions.dtype == stack.cell.dtype == stack.scalars["charge"].dtype == torch.float32
    assert stack.species.dtype == torch.int64
    assert stack.n_copies == 5


def test_rotating_tensors_can_be_replaced_by_name(matrices: torch.Tensor) -> None:
    stack = structure().stacked(matrices)
    names = ["positions", "cell", "vectors.field", "axial_vectors.spin", "tensors.strain"]
    assert list(stack.rotating_tensors()) == names
    other = stack.with_tensors({"vectors.field": torch.zeros(5, 3), "tensors.strain": torch.ones(5, 3, 3)})
    assert float(other.vectors["field"].abs().max()) == 0
    assert float(other.tensors["strain"][0].min()) == 1
    assert other.positions is stack.positions
    assert other.n_copies == 5
    with pytest.raises(ValueError, match=r"tensors must be named among positions, cell, .*; got 'species'"):
        stack.with_tensors({"species": torch.ones(4)})


def test_a_field_that_does_not_declare_itself_stops_the_class() -> None:
    with pytest.raises(
        TypeError, match=r"field 'cell' of Forgetful does not say how it transforms; write cell = rotates"
    ):

        @dataclass
        class Forgetful(Rotatable):
            positions: torch.Tensor = rotates("1x1o")
            cell: torch.Tensor | None = None

    with pytest.raises(TypeError, match="field 'extra' of Child"):

        @dataclass(frozen=True, eq=False)
        class Child(Structure):
            extra: torch.Tensor


def test_a_new_kind_of_input_turns_as_it_says(matrices: torch.Tensor) -> None:
    @dataclass(frozen=True, eq=False)
    class Track(Rotatable):
        points: torch.Tensor = rotates("i")
        handedness: torch.Tensor = rotates("scalar", pseudo=True)
        label: str = invariant(default="muon")

    x = Track(torch.ones(2, 3), torch.tensor(2.0))
    stack = x.stacked(matrices)
    assert stack.label == "muon"
    torch.testing.assert_close(stack.handedness, 2 * torch.sign(torch.linalg.det(matrices)).to(torch.float32))
    assert list(x.rotating_tensors()) == ["points", "handedness"]
    broken = Track([1.0, 2.0], torch.tensor(2.0))
    with pytest.raises(TypeError, match=r"field 'points' rotates, so it must hold a torch\.Tensor; got list"):
        broken.stacked(matrices)


def test_a_stack_is_not_stacked_again(matrices: torch.Tensor) -> None:
    stack = structure().stacked(matrices)
    with pytest.raises(ValueError, match="holds 5 copies already"):
        stack.stacked(matrices)
    with pytest.raises(ValueError, match="must be orthogonal"):
        structure().stacked(2 * matrices)
    with pytest.raises(ValueError, match="matrix must be orthogonal"):
        structure().rotated(2 * matrices[0])


NAN = torch.tensor([[0.0, 0.0, 0.0], [0.0, math.nan, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"positions": NAN}, ValueError, r"positions must be finite; positions\[1, 1\] is nan"),
        ({"positions": torch.ones(4, 2)}, ValueError, r"positions must have shape \(n, 3\).*got \(4, 2\)"),
        ({"positions": torch.ones(0, 3)}, ValueError, "n >= 1"),
        (
            {"positions": torch.ones(4, 3, dtype=torch.int64)},
            TypeError,
            r"floating-point torch\.Tensor; got torch\.int64",
        ),
        ({"positions": [[0.0, 0.0, 0.0]]}, TypeError, r"positions must be a floating-point torch\.Tensor; got list"),
        ({"species": torch.tensor([1, 1, 1])}, ValueError, r"species must have shape \(4,\).*got \(3,\)"),
        ({"species": torch.ones(4)}, TypeError, r"species must be an int64 tensor.*got torch\.float32"),
        ({"cell": torch.zeros(3, 3)}, ValueError, "cell is singular.*give cell=None"),
        ({"cell": torch.ones(3, 3)}, ValueError, "cell is singular"),
        ({"cell": torch.eye(2)}, ValueError, r"cell must have shape \(3, 3\)"),
        ({"cell": torch.eye(3) * math.inf}, ValueError, "cell must be finite"),
        ({"cell": [1, 2, 3]}, TypeError, "cell must be"),
        ({"vectors": {"field": torch.ones(2)}}, ValueError, r"vectors\.field has shape"),
        ({"vectors": {"field": torch.tensor([0, math.inf, 0])}}, ValueError, r"vectors\.field\[1\] is inf"),
        ({"tensors": {"t": (torch.ones(2, 3), "ij")}}, ValueError, r"tensors\.t has shape"),
    ],
)
def test_bad_structures_are_refused(changes: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        structure(**changes)


def test_a_left_handed_cell_and_a_free_molecule_are_fine() -> None:
    assert structure(cell=-torch.eye(3)).periodic
    assert not structure(cell=None).periodic
    assert structure(cell=None).stacked(torch.eye(3)[None]).cell is None


def test_a_point_cloud_checks_its_features(matrices: torch.Tensor) -> None:
    cloud = PointCloud(torch.ones(4, 3), {"energy": torch.ones(4)})
    assert cloud.stacked(matrices).positions.shape == (5, 4, 3)
    with pytest.raises(ValueError, match=r"features\['energy'\] must be a tensor whose first axis is 4"):
        PointCloud(torch.ones(4, 3), {"energy": torch.ones(3)})
    assert cloud.rotating_tensors()["positions"][1] == parse_output("1x1o")
