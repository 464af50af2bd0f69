"""What the fronts of a measurement share: structures as a list, and the finer grid that tells convergence."""

from collections.abc import Sequence

from symlab.groups import LEBEDEV_DEGREES, HaarGrid, Rotatable, haar_grid


def as_list(x: Rotatable | Sequence[Rotatable]) -> list[Rotatable]:
    """Give one structure or many as a list.

    Raises:
        ValueError: an empty list.
        TypeError: anything that cannot be rotated.
    """
    structures = [x] if isinstance(x, Rotatable) else list(x)
    if not structures:
        raise ValueError("x must hold at least one structure; got an empty list")
    for structure in structures:
        if not isinstance(structure, Rotatable):
            raise TypeError(
                f"x must be a Structure, a PointCloud or another Rotatable, or a list of them; "
                f"got {type(structure).__name__}"
            )
    return structures


def next_degree(grid: HaarGrid) -> int | None:
    """Degree of the finer grid: + 2, or + 4 where that rule is signed; None for a grid that is no Haar rule."""
    if grid.product is None or grid.degree is None or grid.degree + 2 > LEBEDEV_DEGREES[-1]:
        return None
    return grid.degree + (4 if haar_grid(grid.degree + 2, grid.group).has_negative_weights else 2)
