"""Random draws that several processes need."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

Values = Float[np.ndarray, " n"]
Vectors = Float[np.ndarray, "n 3"]


def rejection(
    n: int, propose: Callable[[Int[np.ndarray, " m"]], tuple[Values, Values]], rng: np.random.Generator
) -> Values:
    """Draw n values by rejection, all rows at once.

    Args:
        n: how many.
        propose: from row numbers, a value for each and its probability to be kept, at most 1.
        rng: of the proposals' fate.
    """
    values = np.empty(n)
    waiting = np.arange(n)
    while len(waiting):
        value, keep = propose(waiting)
        kept = rng.random(len(waiting)) < keep
        values[waiting[kept]] = value[kept]
        waiting = waiting[~kept]
    return values


def isotropic(n: int, rng: np.random.Generator) -> Vectors:
    """Draw n unit vectors, uniform on the sphere."""
    vectors = rng.normal(size=(n, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def deflect(directions: Vectors, cosine: Values, rng: np.random.Generator) -> Vectors:
    """Turn each unit vector by the polar angle arccos(cosine) about a random azimuth."""
    azimuth = 2 * np.pi * rng.random(len(directions))
    sine = np.sqrt(np.maximum(1 - cosine**2, 0))
    return turn(directions, cosine, sine * np.cos(azimuth), sine * np.sin(azimuth))


def turn(directions: Vectors, along: Values, first: Values, second: Values) -> Vectors:
    """Sum of a unit vector and two normals to it with these three weights; renormalized.

    The frame of the normals is that of Duff et al., Journal of Computer Graphics Techniques 6, 1 (2017).
    """
    x, y, z = directions.T
    sign = np.where(z < 0, -1.0, 1.0)
    a = -1 / (sign + z)
    b = x * y * a
    turned = np.stack(
        [
            along * x + first * (1 + sign * x * x * a) + second * b,
            along * y + first * sign * b + second * (sign + y * y * a),
            along * z - first * sign * x - second * y,
        ],
        axis=1,
    )
    return turned / np.sqrt(np.einsum("ij,ij->i", turned, turned))[:, None]
