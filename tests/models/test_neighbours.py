import itertools

import pytest
import torch

from symlab.groups import random_rotations
from symlab.models import neighbours

GENERATOR_SEED = 4


def cell_and_positions(n: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(GENERATOR_SEED)
    cell = 3.0 * torch.eye(3, dtype=torch.float64) + 0.3 * torch.randn(3, 3, dtype=torch.float64, generator=generator)
    return cell, torch.rand(n, 3, dtype=torch.float64, generator=generator) @ cell


@pytest.mark.parametrize("handedness", [1, -1])
def test_edges_are_those_of_brute_force(handedness: int) -> None:
    cell, positions = cell_and_positions()
    cell, positions = handedness * cell, handedness * positions
    item = neighbours(positions, cell, cutoff=4.2)
    found = {(i, int(item.atom[i, k]), *map(int, item.image[i, k])) for i, k in item.mask.nonzero().tolist()}
    expected = set()
    for i, j in itertools.product(range(5), repeat=2):
        for image in itertools.product(range(-3, 4), repeat=3):
            r = positions[j] - positions[i] + torch.tensor(image, dtype=torch.float64) @ cell
            if 0 < float(r.norm()) < 4.2:
                expected.add((i, j, *image))
    assert found == expected
    assert len(found) == int(item.mask.sum())


def test_reverse_edge_has_the_opposite_vector() -> None:
    cell, positions = cell_and_positions()
    item = neighbours(positions, cell, cutoff=4.2)
    vectors = positions[item.atom] - positions[:, None] + item.image @ cell
    back = vectors[item.atom, item.reverse_slot]
    torch.testing.assert_close(back[item.mask], -vectors[item.mask])
    assert (item.atom[item.atom, item.reverse_slot] == torch.arange(5)[:, None])[item.mask].all()
    rows = torch.arange(item.width).expand_as(item.mask)
    assert (item.reverse_slot[item.atom, item.reverse_slot] == rows).all()


def test_order_of_edges_does_not_turn() -> None:
    cell, positions = cell_and_positions()
    first = neighbours(positions, cell, cutoff=4.2)
    for matrix in random_rotations(5, torch.Generator().manual_seed(0), improper=True):
        turned = neighbours(positions @ matrix.T, cell @ matrix.T, cutoff=4.2)
        assert (turned.atom == first.atom).all()
        assert (turned.image == first.image).all()


def test_isolated_atom_has_one_padded_slot() -> None:
    item = neighbours(torch.zeros(1, 3), None, cutoff=4.0)
    assert item.mask.shape == (1, 1)
    assert not item.mask.any()
