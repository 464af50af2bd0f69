"""An exactly equivariant control: sums over pairs of atoms, fitted by least squares."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from symlab.groups import Structure
from symlab.models._batch import PETBatch
from symlab.models._layers import bump


class PairModel(nn.Module):
    """Energy, forces and stress as sums over pairs, ``sum_k c_k B_k(r)`` times 1, ``r_hat``, and ``(1, r_hat r_hat)``.

    Equivariant under O(3) by construction, whatever its coefficients: ``B_k`` depends on distances only, and the
    directions enter as vectors and dyads. Each target has coefficients of its own (the forces are not the gradient of
    the energy), one set for each ordered pair of species. Gaussians of width ``cutoff / n_radial`` make the radial
    basis, switched off smoothly at the cutoff.

    Args:
        species: atomic numbers.
        cutoff: Angstrom.
        n_radial: Gaussians for each pair of species.
    """

    centres: Tensor
    species_index: Tensor

    def __init__(self, species: Sequence[int], cutoff: float = 5.0, n_radial: int = 24) -> None:
        super().__init__()
        self.species, self.cutoff, self.n_radial = tuple(species), cutoff, n_radial
        index = torch.full((119,), -1)
        index[list(self.species)] = torch.arange(len(self.species))
        self.register_buffer("species_index", index)
        self.register_buffer("centres", torch.linspace(0.8, cutoff, n_radial, dtype=torch.float64))
        n_pairs = len(self.species) ** 2 * n_radial
        sizes = {"energy": n_pairs + len(self.species), "forces": n_pairs, "stress": 2 * n_pairs}
        self.coefficients = nn.ParameterDict(
            {name: nn.Parameter(torch.zeros(size, dtype=torch.float64)) for name, size in sizes.items()}
        ).requires_grad_(False)
        self.eval()  # there is nothing here that gradients would train

    def evaluate(self, stack: Structure, outputs: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Predict for each turned copy, as `PET.evaluate` does: energy (eV), forces (eV/A), stress (eV/A^3)."""
        batch, copies = PETBatch.from_stack(stack, self.cutoff), stack.n_copies
        designs = self._designs(batch)
        found = {name: designs[name] @ self.coefficients[name] for name in outputs or self.coefficients}
        return {
            name: value.unflatten(0, (copies, -1)) if name == "forces" else value.reshape(copies, *value.shape[1:])
            for name, value in found.items()
        }

    def fit(
        self,
        structures: Sequence[Structure],
        energy: Float[Tensor, " n"],
        forces: Sequence[Float[Tensor, "atoms 3"]],
        stress: Float[Tensor, "n 3 3"],
    ) -> "PairModel":
        """Fit all coefficients by least squares (minimum norm where the data leave them open), and return the model.

        Raises:
            ValueError: not one label per structure.
        """
        if not len(structures) == len(energy) == len(forces) == len(stress):
            raise ValueError(
                f"fit needs one label of each kind per structure; got {len(structures)} structures, {len(energy)} "
                f"energies, {len(forces)} forces and {len(stress)} stresses"
            )
        designs = [self._designs(PETBatch.from_structures([one], self.cutoff)) for one in structures]
        labels = {"energy": energy, "forces": torch.cat(list(forces)), "stress": stress}
        for name, coefficients in self.coefficients.items():
            matrix = torch.cat([one[name].flatten(0, -2) for one in designs])
            solution = torch.linalg.lstsq(matrix, labels[name].double().reshape(-1, 1), rcond=1e-8, driver="gelsd")
            coefficients.copy_(solution.solution[:, 0])
        return self

    def _designs(self, batch: PETBatch) -> dict[str, Tensor]:
        """Form what multiplies the coefficients: ``(s, 1, k)``, ``(n, 3, k)`` and ``(s, 3, 3, 2k)``."""
        vectors = batch.edge_vectors.double()
        distance = vectors.norm(dim=-1).clamp(min=1e-9)
        unit = vectors / distance[..., None]
        width = self.cutoff / self.n_radial
        radial = torch.exp(-0.5 * ((distance[..., None] - self.centres) / width) ** 2)
        radial = radial * (bump(distance, self.cutoff, 0.5) * batch.mask)[..., None]
        centre, neighbour = self.species_index[batch.species], self.species_index[batch.neighbour_species]
        kinds = len(self.species)
        pair = nn.functional.one_hot(centre[:, None] * kinds + neighbour, kinds**2).to(radial)
        scalars = torch.einsum("nmp,nmk->npk", pair, radial).flatten(1)
        vector = torch.einsum("nmi,nmp,nmk->nipk", unit, pair, radial).flatten(2)
        dyad = torch.einsum("nmi,nmj,nmp,nmk->nijpk", unit, unit, pair, radial).flatten(3)
        count = nn.functional.one_hot(centre, kinds).to(radial)
        energy = self._per_structure(torch.cat([scalars, count], dim=1), batch)[:, None]
        isotropic = torch.eye(3, dtype=torch.float64)[:, :, None] * scalars[:, None, None]
        stress = self._per_structure(torch.cat([isotropic, dyad], dim=-1), batch)
        volume = torch.where(batch.volume > 0, batch.volume.double(), torch.inf)
        return {"energy": energy, "forces": vector, "stress": stress / volume[:, None, None, None]}

    @staticmethod
    def _per_structure(atoms: Tensor, batch: PETBatch) -> Tensor:
        total = atoms.new_zeros(len(batch.n_atoms), *atoms.shape[1:])
        return total.index_add(0, batch.structure, atoms)
