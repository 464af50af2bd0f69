"""Energy of the composition alone: what a model need not learn."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups import Structure


class CompositionBaseline:
    """Linear energy per species, ``E_0(x) = sum_Z N_Z(x) e_Z``, fitted by least squares; exactly invariant.

    Fit it on training structures only. With as many species as independent compositions or more, the fit is the
    minimum-norm one.

    Attributes:
        energies: atomic number to e_Z, in the unit of the energies it was fitted to.
    """

    def __init__(self, energies: dict[int, float]) -> None:
        self.energies = dict(energies)

    @classmethod
    def fit(cls, structures: Sequence[Structure], energies: Float[Tensor, " n"]) -> "CompositionBaseline":
        """Fit to total energies ``(n,)``.

        Raises:
            ValueError: not one energy per structure.
        """
        if len(structures) != len(energies) or not len(structures):
            raise ValueError(
                f"energies must hold one value per structure, got {len(energies)} for {len(structures)} structures"
            )
        species = sorted({int(z) for structure in structures for z in structure.species})
        counts = _counts(structures, species)
        solution = torch.linalg.lstsq(counts, energies.to(torch.float64)[:, None], driver="gelsd").solution[:, 0]
        return cls(dict(zip(species, solution.tolist(), strict=True)))

    def __call__(self, structures: Sequence[Structure]) -> Float[Tensor, " n"]:
        """Return ``E_0`` of each structure, float64.

        Raises:
            ValueError: a species that was not in the fit.
        """
        unknown = {int(z) for structure in structures for z in structure.species} - set(self.energies)
        if unknown:
            raise ValueError(
                f"species {sorted(unknown)} were not in the fit, which knows {sorted(self.energies)}; fit on "
                "structures that hold them"
            )
        species = sorted(self.energies)
        values = torch.tensor([self.energies[z] for z in species], dtype=torch.float64)
        return _counts(structures, species) @ values


def _counts(structures: Sequence[Structure], species: Sequence[int]) -> Tensor:
    rows = [[int((structure.species == z).sum()) for z in species] for structure in structures]
    return torch.tensor(rows, dtype=torch.float64)
