"""How far each point lies from what may confuse a classifier: another class, a branching point."""

import torch
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from torch import Tensor


def distance_to(points: Float[Tensor, "n 3"], places: Float[Tensor, "k 3"]) -> Float[Tensor, " n"]:
    """Measure the distance from each point to the nearest of some places; infinite if there is none.

    Args:
        points: ``(n, 3)``, any unit of length.
        places: ``(k, 3)``, same unit.

    Raises:
        ValueError: NaN, or a wrong shape.

    Cost: ``(n + k) log k``.
    """
    for name, values in (("points", points), ("places", places)):
        if values.ndim != 2 or values.shape[1] != 3 or not bool(values.isfinite().all()):
            raise ValueError(f"{name} must be finite with shape (n, 3); got shape {tuple(values.shape)}")
    if len(places) == 0:
        return torch.full((len(points),), torch.inf, dtype=torch.float64)
    found, _ = cKDTree(places.double().numpy()).query(points.double().numpy())
    return torch.from_numpy(found)


def distance_to_other_class(points: Float[Tensor, "n 3"], classes: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Measure the distance from each point to the nearest point of another class; infinite if there is one class.

    Args:
        points: ``(n, 3)``, any unit of length.
        classes: of the points.

    Raises:
        ValueError: NaN, or lengths that differ.

    Cost: ``n log n`` for each class.
    """
    if classes.shape != points.shape[:1]:
        raise ValueError(f"classes must have shape ({len(points)},), one per point; got {tuple(classes.shape)}")
    distance = torch.zeros(len(points), dtype=torch.float64)
    for kind in classes.unique():
        own = classes == kind
        distance[own] = distance_to(points[own], points[~own])
    return distance
