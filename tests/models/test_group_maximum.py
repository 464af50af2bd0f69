import pytest
import torch

from symlab.models._polar_layers import group_maximum

GROUP = torch.tensor([0, 0, 0, 1, 2, 2])


def one_by_one(values: torch.Tensor) -> torch.Tensor:
    return torch.stack([values[k == GROUP].amax(0) for k in range(3)])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_is_the_maximum_of_each_group_to_the_last_bit(dtype: torch.dtype) -> None:
    values = torch.randn(6, 5, generator=torch.Generator().manual_seed(0)).to(dtype) - 3  # an empty start must not win
    assert torch.equal(group_maximum(values, GROUP, 3), one_by_one(values))


def test_of_many_members_in_any_order() -> None:
    """Large enough for the sorted path of torch; a permutation of the members changes no bit."""
    chance = torch.Generator().manual_seed(0)
    group = torch.arange(700).repeat_interleave(8)
    values = torch.randn(5600, 64, generator=chance)
    found = group_maximum(values, group, 700)
    assert torch.equal(found, values.view(700, 8, 64).amax(1))
    order = torch.randperm(5600, generator=chance)
    assert torch.equal(group_maximum(values[order], group[order], 700), found)


def test_gradient_reaches_the_highest_member_and_is_shared_among_equals() -> None:
    values = torch.randn(6, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: group_maximum(v, GROUP, 3), (values,))
    tied = torch.tensor([[1.0], [2.0], [2.0], [0.0], [5.0], [4.0]], requires_grad=True)
    group_maximum(tied, GROUP, 3).sum().backward()
    torch.testing.assert_close(tied.grad, torch.tensor([[0.0], [0.5], [0.5], [1.0], [1.0], [0.0]]))


def test_a_member_that_is_no_number_is_not_hidden() -> None:
    values = torch.zeros(6, 1)
    values[1] = torch.nan
    assert group_maximum(values, GROUP, 3).isnan().flatten().tolist() == [True, False, False]
