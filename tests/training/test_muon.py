import pytest
import torch
from torch import nn

from symlab.training._muon import Muon, orthogonalize


def test_singular_values_come_close_to_one() -> None:
    matrices = torch.randn(5, 8, 20, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalize(matrices))
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_direction_is_that_of_the_polar_factor() -> None:
    matrices = torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    u, _, vh = torch.linalg.svd(matrices)
    mapped = u.mT @ orthogonalize(matrices) @ vh.mT
    off = mapped - torch.diag_embed(mapped.diagonal(dim1=1, dim2=2))
    assert off.abs().max() < 1e-12


def test_steps_are_those_of_torch() -> None:
    """torch.optim.Muon works one matrix at a time, in bfloat16: agreement to that precision."""
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(shape, generator=generator) for shape in ((6, 10), (10, 6), (6, 10), (4, 4))]
    gradients = [[torch.randn(p.shape, generator=generator) for p in start] for _ in range(3)]
    results = []
    for make in (
        lambda p: Muon(p, lr=0.02, weight_decay=0.1),
        lambda p: torch.optim.Muon(p, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
    ):
        parameters = [nn.Parameter(p.clone()) for p in start]
        optimizer = make(parameters)
        for step in gradients:
            for parameter, gradient in zip(parameters, step, strict=True):
                parameter.grad = gradient.clone()
            optimizer.step()
        results.append(parameters)
    for ours, theirs, before in zip(*results, start, strict=True):
        moved = (theirs - before).norm()
        assert (ours - theirs).norm() < 0.03 * moved


def test_only_matrices() -> None:
    with pytest.raises(ValueError, match=r"must be matrices.*got shape \(3,\)"):
        Muon([nn.Parameter(torch.zeros(3))])
