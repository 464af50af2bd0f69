"""Many small deflections by nuclei: Highland's formula, applied step by step."""

import numpy as np
from jaxtyping import Float

from symlab.data.tracks._argon import RADIATION_LENGTH
from symlab.data.tracks._sampling import turn

REFERENCE = 0.1  # radiation lengths at which the logarithm is evaluated
PER_ROOT_LENGTH = 13.6 * (1 + 0.038 * np.log(REFERENCE))  # MeV; 12.4


def scattering_angle(
    momentum: Float[np.ndarray, " n"], beta: Float[np.ndarray, " n"], step: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Give the standard deviation of the deflection in a plane, rad.

    ``theta_0 = (13.6 MeV / (beta c p)) sqrt(x / X_0) [1 + 0.038 ln(x / X_0)]``: Highland, Nucl. Instrum. Methods 129,
    497 (1975), with the constants of PDG eq. 34.16. The logarithm makes it depend on how a path is cut into steps; here
    it is evaluated at one thickness, a tenth of a radiation length, so that variances of steps add. The angle after a
    whole radiation length is then 9 % smaller than the formula's, after a hundredth of one 11 % larger.
    """
    return PER_ROOT_LENGTH / (momentum * beta) * np.sqrt(step / RADIATION_LENGTH)


def scatter(
    directions: Float[np.ndarray, "n 3"], angle: Float[np.ndarray, " n"], rng: np.random.Generator
) -> Float[np.ndarray, "n 3"]:
    """Deflect each direction by two normal angles of this standard deviation."""
    planes = rng.normal(size=(2, len(angle))) * angle
    polar = np.hypot(*planes)
    scale = np.sinc(polar / np.pi)  # sin(polar) / polar
    return turn(directions, np.cos(polar), scale * planes[0], scale * planes[1])
