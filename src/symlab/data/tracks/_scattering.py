"""Many small deflections by nuclei: how the mean square angle grows along the path."""

import numpy as np
from jaxtyping import Float

from symlab.data.tracks._argon import RADIATION_LENGTH
from symlab.data.tracks._sampling import turn

Values = Float[np.ndarray, "..."]
REFERENCE = 0.1  # radiation lengths at which Highland's logarithm is evaluated
HIGHLAND = 13.6 * (1 + 0.038 * np.log(REFERENCE))  # MeV; 12.4


def scattering_power(energy: Values, mass: float) -> Values:
    """Give the variance of the angle in a plane per cm of path, for a particle of unit charge, rad^2/cm.

    ``theta_0 = (13.6 MeV / (beta c p)) sqrt(x / X_0) [1 + 0.038 ln(x / X_0)]``: Highland, Nucl. Instrum. Methods 129,
    497 (1975), with the constants of the PDG. The logarithm makes it depend on how a path is cut into steps; here
    it is evaluated at one thickness, a tenth of a radiation length, so that variances of steps add. The angle after a
    whole radiation length is then 9 % smaller than the formula's, after a hundredth of one 11 % larger.
    For electrons it lies 7 % below half of the scattering power of ICRU Report 35 (1984) at 10 MeV, 12 % above it at
    3 MeV and a third above it at 1 MeV; the difference moves the 90 % radius of showers by 6 %.
    """
    momentum2 = energy * (energy + 2 * mass)
    beta2 = momentum2 / (energy + mass) ** 2
    return HIGHLAND**2 / (momentum2 * beta2) / RADIATION_LENGTH


def scatter(
    directions: Float[np.ndarray, "n 3"], variance: Float[np.ndarray, " n"], rng: np.random.Generator
) -> Float[np.ndarray, "n 3"]:
    """Deflect each direction by two normal angles of this variance."""
    planes = rng.normal(size=(2, len(variance))) * np.sqrt(variance)
    polar = np.hypot(*planes)
    scale = np.sinc(polar / np.pi)  # sin(polar) / polar
    return turn(directions, np.cos(polar), scale * planes[0], scale * planes[1])
