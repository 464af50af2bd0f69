import pytest
import torch

from symlab.measure import UnderResolvedError
from symlab.measure._moments import Moments, merged, non_negative, squared_mean


@pytest.fixture
def source() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_streamed_moments_are_the_plain_sums(source) -> None:
    z = torch.randn(20, 4, 3, dtype=torch.float64, generator=source)
    w = torch.rand(20, dtype=torch.float64, generator=source)
    moments = Moments(z[0])
    for part in torch.arange(20).split(7):
        moments.add(w[part], z[part])
    mean = torch.tensordot(w / w.sum(), z, dims=1)
    torch.testing.assert_close(moments.reference + moments.mean, mean)
    variance = torch.einsum("n,nsd->s", w / w.sum(), (z - mean) ** 2)
    torch.testing.assert_close(moments.mean_square - squared_mean(moments.mean[None]), variance)


def test_a_huge_common_offset_does_not_spoil_the_variance(source) -> None:
    z = torch.randn(50, 2, 1, dtype=torch.float64, generator=source)
    w = torch.full((50,), 0.02, dtype=torch.float64)

    def variance(offset: float) -> torch.Tensor:
        shifted = z + offset
        moments = Moments(shifted[0])
        moments.add(w, shifted)
        return moments.mean_square - squared_mean(moments.mean[None])

    torch.testing.assert_close(variance(1e8), variance(0.0), rtol=1e-6, atol=0)


def test_parts_add_up(source) -> None:
    z = torch.randn(10, 1, 3, dtype=torch.float64, generator=source)
    w = torch.rand(10, dtype=torch.float64, generator=source)
    whole, left, right = Moments(z[0]), Moments(z[0]), Moments(z[0])
    whole.add(w, z)
    left.add(w[:4], z[:4])
    right.add(w[4:], z[4:])
    both = merged([left, right])
    torch.testing.assert_close(both.mean, whole.mean)
    torch.testing.assert_close(both.mean_square, whole.mean_square)
    assert both.n == 10
    assert left.add(w[:0], z[:0]).shape == (0, 1)


def test_pairs_of_turns_give_the_square_of_the_mean_without_bias(source) -> None:
    truth = torch.tensor([[1.0, -2.0, 0.5]], dtype=torch.float64)
    scattered = truth + torch.randn(4000, 4, 1, 3, dtype=torch.float64, generator=source)
    estimates = torch.stack([squared_mean(turns) for turns in scattered])
    assert float(estimates.mean()) == pytest.approx(5.25, abs=4 * float(estimates.std()) / 4000**0.5)
    naive = scattered.mean(dim=1).square().sum(dim=-1)
    assert float(naive.mean()) > 5.25 + 0.5  # Must fail: |mean|^2 is too large by d / T = 3/4.


def test_only_round_off_is_set_to_zero() -> None:
    allowance = torch.tensor([1e-12, 1e-12], dtype=torch.float64)
    small = torch.tensor([-1e-13, 2.0], dtype=torch.float64)
    assert non_negative(small, allowance, "the variance", "").tolist() == [0.0, 2.0]
    with pytest.raises(UnderResolvedError, match=r"the variance came out as -1e-11 < 0 \(sample 0.*Take more"):
        non_negative(100 * small, allowance, "the variance", "Take more points")


def test_the_allowance_grows_with_the_type_of_the_response() -> None:
    z = torch.ones(8, 1, 1, dtype=torch.float64)
    moments = Moments(z[0])
    moments.add(torch.full((8,), 1 / 8, dtype=torch.float64), z)
    assert float(moments.allowance(torch.finfo(torch.float32).eps)) == pytest.approx((64 * 2**-23) ** 2)
    assert float(moments.allowance(torch.finfo(torch.float64).eps)) < 1e-27
