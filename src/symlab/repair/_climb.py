"""Climb the repair ladder with a network and a data set: side by side on several processes, kept in the store."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from symlab.artifacts import Recipe, Store
from symlab.data import Dataset, fingerprint
from symlab.groups import HaarGrid, conjugated, parse_output, random_rotations, sectors
from symlab.measure import error_spectrum
from symlab.models import weights_digest
from symlab.repair._ladder import Ladder
from symlab.repair._parts import WithParts, part_outputs, parts
from symlab.repair._symmetrize import symmetrize
from symlab.training import in_chunks

MOST_DRAWS = 16


def climb(
    network: nn.Module,
    dataset: Dataset,
    store: Store,
    outputs: Mapping[str, str],
    grids: Mapping[str, HaarGrid],
    *,
    split: tuple[str, ...] = (),
    l_max: int = 6,
    n_evaluations: int = 200,
    seed: int = 0,
    batch_size: int = 128,
    n_workers: int | None = None,
    progress: bool = True,
) -> dict[str, Ladder]:
    """Measure what averaging over each group removes, and the spectrum that predicts it; or read it from the store.

    For each structure, v and its sectors come from one fine grid. Then, for each group H, orientations g and turns Q of
    H are drawn at random, the prediction averaged over ``Q H Q^-1`` is evaluated at ``g x``, turned back, and compared
    with the symmetrized prediction: the mean square is an unbiased estimate of what H leaves.

    Args:
        network: a PET or anything else with ``evaluate``; in evaluation mode.
        dataset: structures, with labels for each output.
        store: where the results are kept; a killed measurement resumes.
        outputs: by name how each output transforms, as for ``parse_output``.
        grids: the groups, by name.
        split: outputs whose irreducible parts are measured as well, as "stress (2,+)".
        l_max: highest degree of the spectrum.
        n_evaluations: of the model for each structure and group; between 1 and 16 draws of g and Q.
        seed: of the draws, which also depend on the structure.
        batch_size: copies per call.
        n_workers: processes; None for one per core. Changes the time, not the result.
        progress: show a bar.

    Returns:
        A Ladder for each output and part.

    Raises:
        ValueError: no structure, or an output without labels.

    Cost: that of `symlab.measure.error_spectrum` (2580 evaluations at l_max 6), and for each group the larger of its
    size and about n_evaluations, for each structure.
    """
    if len(dataset) == 0:
        raise ValueError("dataset holds no structure; choose a larger split")
    if missing := [name for name in outputs if name not in dataset.labels]:
        raise ValueError(f"dataset has labels {', '.join(dataset.labels)}; outputs ask for {', '.join(missing)}")
    job = _Job(network, dict(outputs), split, dict(grids), l_max, n_evaluations, seed, batch_size)
    recipe = Recipe(
        "repair-ladder",
        {"outputs": job.outputs, "split": list(split), "l_max": l_max, "evaluations": n_evaluations, "seed": seed}
        | {"grids": {name: _digest(grid) for name, grid in grids.items()}},
        code=(__name__, type(network).__module__),
        packages=("torch",),
        inputs=(weights_digest(network), fingerprint(dataset, outputs)),
    )
    return in_chunks(job, recipe, dataset, store, size=1, n_workers=n_workers, progress=progress)


@dataclass(frozen=True, eq=False)
class _Job:
    """What a worker needs to know besides its structures."""

    network: nn.Module
    outputs: dict[str, str]
    split: tuple[str, ...]
    grids: dict[str, HaarGrid]
    l_max: int
    n_evaluations: int
    seed: int
    batch_size: int

    @property
    def declared(self) -> dict[str, str]:
        """All outputs and parts, by name."""
        found = dict(self.outputs)
        for name in self.split:
            found |= part_outputs(name, self.outputs[name])
        return found

    def run(self, dataset: Dataset) -> dict[str, Tensor]:
        """Measure the structures of one chunk."""
        rows = [self._structure(dataset, row) for row in range(len(dataset))]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def _structure(self, dataset: Dataset, row: int) -> dict[str, Tensor]:
        dtype = next(self.network.parameters()).dtype
        x = dataset.structures[row].to(dtype=dtype)
        f = WithParts(cast(Any, self.network).evaluate, {name: self.outputs[name] for name in self.split})
        declared = self.declared
        spectra = error_spectrum(f, x, declared, self.l_max, batch_size=self.batch_size, progress=False)
        assert isinstance(spectra, dict)
        means = {name: spectrum.mean[0] for name, spectrum in spectra.items()}
        labels = {name: torch.as_tensor(dataset.labels[name][row]).reshape(means[name].shape) for name in self.outputs}
        for name in self.split:
            labels |= parts(name, labels[name], self.outputs[name])
        found = {}
        for name, spectrum in spectra.items():
            found[f"variance/{name}"] = spectrum.variance[0]
            found[f"power/{name}"] = spectrum.power[0]
            found[f"symmetrized/{name}"] = (means[name] - labels[name]).square().mean()
        # The draws belong to the structure: neither chunks nor neighbours in the data set change them.
        own = int(fingerprint(dataset.subset([row]), ())[:12], 16)
        generator = torch.Generator().manual_seed(own + self.seed)
        spent = next(iter(spectra.values())).n_evaluations
        for rung, grid in self.grids.items():
            n_draws = min(MOST_DRAWS, max(1, self.n_evaluations // len(grid)))
            squares: dict[str, list[Tensor]] = {}
            for _ in range(n_draws):
                g = random_rotations(1, generator, improper=True)
                turned = conjugated(grid, random_rotations(1, generator)[0])
                with torch.no_grad():
                    response = symmetrize(f, declared, turned, batch_size=self.batch_size)(x.stacked(g))
                for name, value in response.items():
                    z = parse_output(declared[name]).inverse_apply(g, value.double())[0]
                    squares.setdefault(f"left/{name}/{rung}", []).append((z - means[name]).square().mean())
                    squares.setdefault(f"error/{name}/{rung}", []).append((z - labels[name]).square().mean())
            found |= {name: torch.stack(values).mean() for name, values in squares.items()}
            spent += n_draws * len(grid)
        return found | {"n_evaluations": torch.tensor(spent)}

    def read(self, arrays: dict[str, Tensor]) -> dict[str, Ladder]:
        """Read the finished measurement."""
        return {
            name: Ladder(
                sectors(self.l_max)[1:],
                arrays[f"variance/{name}"],
                arrays[f"power/{name}"],
                arrays[f"symmetrized/{name}"],
                {rung: arrays[f"left/{name}/{rung}"] for rung in self.grids},
                {rung: arrays[f"error/{name}/{rung}"] for rung in self.grids},
                int(arrays["n_evaluations"].sum()),
            )
            for name in self.declared
        }


def _digest(grid: HaarGrid) -> str:
    """Hash the elements and weights of a grid, rounded so that all machines agree."""
    values = torch.cat([grid.matrices.flatten(), len(grid) * grid.weights])
    return hashlib.sha256((torch.round(values * 1e6) + 0.0).long().numpy().tobytes()).hexdigest()
