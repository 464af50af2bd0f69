"""A and B of one network over a whole data set: side by side on several processes, kept in the store."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from symlab.artifacts import Recipe, Store
from symlab.data import Dataset, fingerprint
from symlab.groups import Sector, sectors
from symlab.measure import diagnose
from symlab.models import weights_digest
from symlab.training._chunks import in_chunks

CHUNK = 15


@dataclass(frozen=True, eq=False)
class Survey:
    """A of each target and B of each layer, structure by structure.

    Attributes:
        absolute: by target ``(n_structures,)``, root of the orientation-averaged squared error per component, in the
            unit of the target; ``absolute^2 = symmetrized^2 + equivariance^2``.
        symmetrized: the same for the prediction averaged over the group.
        equivariance: the equivariance RMSE of each structure.
        rms_output: by target, root mean square of the response over orientations and components, of each structure.
        noise_floor: by target, the largest equivariance RMSE that arithmetic alone explains.
        convergence: by target, largest relative change of the equivariance RMSE on a finer grid; NaN if not measured.
        sectors: (l, sigma), the last axis of `fraction`.
        fraction: by layer ``(n_structures, n_sectors)``, ``B / mean |u|^2``.
        character_convergence: by layer, largest change of a fraction on a finer grid.
        n_evaluations: forward passes (copies) in all.
    """

    absolute: dict[str, Float[Tensor, " structures"]]
    symmetrized: dict[str, Float[Tensor, " structures"]]
    equivariance: dict[str, Float[Tensor, " structures"]]
    rms_output: dict[str, Float[Tensor, " structures"]]
    noise_floor: dict[str, float]
    convergence: dict[str, float]
    sectors: list[Sector]
    fraction: dict[str, Float[Tensor, "structures sectors"]]
    character_convergence: dict[str, float]
    n_evaluations: int


def survey(
    network: nn.Module,
    dataset: Dataset,
    store: Store,
    targets: Mapping[str, str],
    layers: Sequence[str] = (),
    *,
    l_max: int = 4,
    degree: int | None = None,
    batch_size: int = 128,
    converge: bool = True,
    n_workers: int | None = None,
    progress: bool = True,
) -> Survey:
    """Diagnose a network on every structure of a data set, or read the survey from the store.

    Args:
        network: a PET or anything else with ``evaluate``; in evaluation mode.
        dataset: structures and labels; labels are needed for each target.
        store: where surveys are kept; one that was killed resumes.
        targets: name of each target and how it transforms, as for `symlab.measure.equivariance`.
        layers: names of layers whose characters are measured; the targets themselves always are.
        l_max: highest degree of the characters.
        degree: of the grid; None takes the larger of 9 and 2 l_max.
        batch_size: copies per forward pass.
        converge: check the harness on the first of every fifteen structures, and measure it on a finer grid as well.
        n_workers: processes; None for one per core. Changes the time, not the result. Starting them takes seconds.
        progress: show a bar.

    Returns:
        The survey.

    Raises:
        ValueError: no structure, or a target without labels.
        HarnessError, ResponseError: see `symlab.measure.preflight`.

    Cost: ``2 M (degree + 1)`` forward passes per structure, 760 at degree 9. See arXiv:2603.24638, Sec. II.
    """
    if len(dataset) == 0:
        raise ValueError("dataset holds no structure; choose a larger split")
    if missing := [name for name in targets if name not in dataset.labels]:
        raise ValueError(f"dataset has labels {', '.join(dataset.labels)}; targets ask for {', '.join(missing)}")
    job = _Job(network, dict(targets), list(layers), l_max, degree, batch_size, converge)
    recipe = Recipe(
        "survey",
        {"targets": job.targets, "layers": job.layers, "l_max": l_max, "degree": degree, "converge": converge},
        code=(__name__, type(network).__module__),
        packages=("torch",),
        inputs=(weights_digest(network), fingerprint(dataset, targets)),
    )
    return in_chunks(job, recipe, dataset, store, size=CHUNK, n_workers=n_workers, progress=progress)


@dataclass(frozen=True, eq=False)
class _Job:
    """What a worker needs to know besides its structures."""

    network: nn.Module
    targets: dict[str, str]
    layers: list[str]
    l_max: int
    degree: int | None
    batch_size: int
    converge: bool

    def run(self, dataset: Dataset) -> dict[str, Tensor]:
        """Diagnose some structures."""
        dtype = next(self.network.parameters()).dtype
        labels = {
            name: [torch.atleast_1d(torch.as_tensor(value)) for value in dataset.labels[name]] for name in self.targets
        }
        found = diagnose(
            cast(Any, self.network).evaluate,
            [structure.to(dtype=dtype) for structure in dataset.structures],
            self.targets,
            self.layers,
            self.l_max,
            self.degree,
            batch_size=self.batch_size,
            target=labels,
            tolerance=None,
            n_converge=int(self.converge),
            check=self.converge,
            progress=False,
        )
        arrays: dict[str, Tensor] = {"n_evaluations": torch.tensor([found.n_evaluations])}
        for name, report in found.equivariance.items():
            means = report.mean if isinstance(report.mean, list) else [report.mean]
            errors = [
                (mean - label.reshape(mean.shape)).square().mean().sqrt()
                for mean, label in zip(means, labels[name], strict=True)
            ]
            arrays[f"symmetrized/{name}"] = torch.stack(errors)
            arrays[f"equivariance/{name}"] = report.structure_rmse
            power = torch.stack([mean.square().mean() for mean in means])
            arrays[f"rms_output/{name}"] = (power + report.structure_rmse**2).sqrt()
            arrays[f"noise_floor/{name}"] = torch.tensor([report.noise_floor])
            arrays[f"convergence/{name}"] = torch.tensor([report.convergence])
        for name, spectrum in found.characters.items():
            arrays[f"fraction/{name}"] = spectrum.fraction_by_structure
            arrays[f"character_convergence/{name}"] = torch.tensor(
                [math.nan if spectrum.convergence is None else spectrum.convergence]
            )
        return arrays

    def read(self, arrays: dict[str, Tensor]) -> Survey:
        """Read the finished survey."""

        def group(kind: str) -> dict[str, Tensor]:
            return {
                name.removeprefix(kind + "/"): value for name, value in arrays.items() if name.startswith(kind + "/")
            }

        symmetrized, equivariance = group("symmetrized"), group("equivariance")
        fraction = group("fraction")
        order = [name for name in [*self.layers, *self.targets] if name in fraction]
        return Survey(
            {name: (symmetrized[name] ** 2 + equivariance[name] ** 2).sqrt() for name in self.targets},
            {name: symmetrized[name] for name in self.targets},
            {name: equivariance[name] for name in self.targets},
            group("rms_output"),
            {name: float(value.max()) for name, value in group("noise_floor").items()},
            {name: float(value.max()) for name, value in group("convergence").items()},
            sectors(self.l_max),
            {name: fraction[name] for name in order},
            {name: float(value.max()) for name, value in group("character_convergence").items()},
            int(arrays["n_evaluations"].sum()),
        )
