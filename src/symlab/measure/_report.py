"""What a measurement of A says: one report per output."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

CONVERGED = 0.01
"""A result is called converged when a finer grid changes it by less than one percent."""


@dataclass(frozen=True)
class ErrorSplit:
    """Orientation-averaged MSE = MSE of the symmetrized prediction + equivariance MSE, as roots, pooled.

    Attributes:
        averaged_rmse: root of the orientation-averaged squared error, summed directly over all orientations.
        symmetrized_rmse: root mean square error of the symmetrized prediction Pi.
        equivariance_rmse: root of the part that averaging over the group removes.
    """

    averaged_rmse: float
    symmetrized_rmse: float
    equivariance_rmse: float


@dataclass(frozen=True)
class WorstOrientation:
    """The orientation that strays farthest from the unturned prediction.

    Attributes:
        matrix: R, ``(3, 3)``.
        rms: root mean square of ``rho(R)^-1 f(R x) - f(x)`` over samples and components, unit of the output.
        structure: position of the structure in the list (0 for a single one).
    """

    matrix: Float[Tensor, "3 3"]
    rms: float
    structure: int


@dataclass(frozen=True, eq=False)
class EquivarianceReport:
    """The equivariance error A of one output. All roots have the unit of the output; variances its square.

    Attributes:
        output: name of the output.
        mean: symmetrized prediction Pi, ``(..., *shape)`` float64; a list of them if a list was measured.
        variance: ``v = A^2 / d`` of each sample, ``(...)`` float64; a list if a list was measured.
        rmse: ``sqrt(mean v)`` over all samples of all structures.
        standard_error: of ``rmse``, from the independent turns of the grid; None for a fixed grid.
        noise_floor: the rmse that a perfect model would show in this arithmetic, the largest of ``noise``.
        noise: where the floor comes from: "identity repeated", "machine epsilon", "float32 against float64".
        convergence: ``|q' - q| / q'`` with q' the rmse on a finer grid, same structures; NaN if not measured.
        convergence_degree: degree of the finer grid.
        rms_output: root mean square of the response over orientations, samples and components.
        proper_rmse: error among rotations alone; None if the group has none.
        improper_rmse: error among improper elements alone; None if the group has none.
        inversion_rmse: error from the two cosets' means being different, ``|Pi_+ - Pi_-| / (2 sqrt d)``;
            ``rmse^2 = (proper^2 + improper^2) / 2 + inversion^2``. None for a group without inversion coset.
        structure_rmse: rmse of each structure, ``(n_structures,)``.
        worst: the orientation that strays farthest from the unturned prediction.
        split: the exact split of the error, if a target was given.
        degree: of the grid; None for a Monte Carlo grid.
        group: of the grid.
        grid_size: orientations per structure and turn.
        n_evaluations: copies evaluated in all, checks and finer grid included (shared by all outputs of a call).
    """

    output: str
    mean: Tensor | list[Tensor]
    variance: Tensor | list[Tensor]
    rmse: float
    standard_error: float | None
    noise_floor: float
    noise: dict[str, float]
    convergence: float
    convergence_degree: int | None
    rms_output: float
    proper_rmse: float | None
    improper_rmse: float | None
    inversion_rmse: float | None
    structure_rmse: Tensor
    worst: WorstOrientation
    split: ErrorSplit | None
    degree: int | None
    group: str
    grid_size: int
    n_evaluations: int

    @property
    def at_noise_floor(self) -> bool:
        """Whether the error is zero as far as this arithmetic can tell: below ten times the noise floor."""
        return self.rmse <= 10 * self.noise_floor

    @property
    def converged(self) -> bool:
        """Whether a finer grid changed the rmse by less than one percent, or there is nothing but noise."""
        return self.at_noise_floor or self.convergence < CONVERGED

    def __str__(self) -> str:
        error = "" if self.standard_error is None else f" +- {self.standard_error:.2g}"
        change = (
            "not measured" if math.isnan(self.convergence) else f"{self.convergence:.2%} at {self.convergence_degree}"
        )
        return (
            f"{self.output}: equivariance RMSE {self.rmse:.4g}{error} (noise floor {self.noise_floor:.2g}, RMS output "
            f"{self.rms_output:.4g}); {self.group}, degree {self.degree}; change on a finer grid: {change}"
        )
