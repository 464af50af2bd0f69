import pytest
import torch

from symlab.data import CompositionBaseline
from symlab.groups import Structure


def of(*species: int) -> Structure:
    n = len(species)
    return Structure(positions=torch.arange(3.0 * n).reshape(n, 3).double(), species=torch.tensor(species))


def test_fit_recovers_planted_energies():
    structures = [of(6), of(6, 1), of(6, 1, 1, 8), of(8, 8)]
    planted = {1: -13.5, 6: -1030.0, 8: -2041.0}
    energies = torch.tensor([sum(planted[int(z)] for z in s.species) for s in structures], dtype=torch.float64)
    baseline = CompositionBaseline.fit(structures, energies)
    assert baseline.energies == pytest.approx(planted, rel=1e-10)
    torch.testing.assert_close(baseline(structures), energies)


def test_dependent_compositions_still_fit():
    structures, energies = [of(6, 1), of(6, 6, 1, 1)], torch.tensor([-10.0, -20.0])
    baseline = CompositionBaseline.fit(structures, energies)
    torch.testing.assert_close(baseline(structures), energies.double(), rtol=1e-6, atol=0)


def test_unknown_species_and_lengths_are_named():
    baseline = CompositionBaseline.fit([of(6)], torch.tensor([-1.0]))
    with pytest.raises(ValueError, match=r"species \[14\] were not in the fit, which knows \[6\]"):
        baseline([of(6, 14)])
    with pytest.raises(ValueError, match="energies must hold one value per structure, got 1 for 2 structures"):
        CompositionBaseline.fit([of(6), of(6)], torch.tensor([-1.0]))
