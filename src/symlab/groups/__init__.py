"""O(3) and SO(3): Haar grids, sectors (l, sigma), and how each kind of quantity transforms."""

from symlab.groups._again import turned_again
from symlab.groups._averages import conjugated, n_invariants, retention
from symlab.groups._cartesian import split_matrix
from symlab.groups._generators import differential, generators, turn_about_axes
from symlab.groups._haar import (
    LEBEDEV_DEGREES,
    HaarGrid,
    ProductRule,
    haar_grid,
    lebedev_degree,
    rotation_y,
    rotation_z,
)
from symlab.groups._harmonics import solid_harmonics
from symlab.groups._orthogonal import check_orthogonal, determinant_signs
from symlab.groups._other_grids import finite_group, monte_carlo_grid
from symlab.groups._random import random_rotations
from symlab.groups._representation import Representation, parse_output
from symlab.groups._rotatable import Rotatable, invariant, rotates, rotates_as_declared
from symlab.groups._sectors import Sector, character, sectors
from symlab.groups._structure import PointCloud, Structure
from symlab.groups._wigner import euler_zyz, small_d, wigner_D

__all__ = [
    "LEBEDEV_DEGREES",
    "HaarGrid",
    "PointCloud",
    "ProductRule",
    "Representation",
    "Rotatable",
    "Sector",
    "Structure",
    "character",
    "check_orthogonal",
    "conjugated",
    "determinant_signs",
    "differential",
    "euler_zyz",
    "finite_group",
    "generators",
    "haar_grid",
    "invariant",
    "lebedev_degree",
    "monte_carlo_grid",
    "n_invariants",
    "parse_output",
    "random_rotations",
    "retention",
    "rotates",
    "rotates_as_declared",
    "rotation_y",
    "rotation_z",
    "sectors",
    "small_d",
    "solid_harmonics",
    "split_matrix",
    "turn_about_axes",
    "turned_again",
    "wigner_D",
]
