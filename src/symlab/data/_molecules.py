"""Hydrogen peroxide and water: geometries, their mirror images, and the dihedral angle."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Equilibrium bond lengths (Angstrom) and angles (degree).
OO, OH, OOH = 1.453, 0.967, 102.3
WATER_OH, HOH = 0.957, 104.5
PEROXIDE = np.array([1, 8, 8, 1])
WATER = np.array([8, 1, 1])
MIRROR = np.array([1.0, -1.0, 1.0])  # reflects in the xz plane, which turns the dihedral angle round


def peroxide(dihedral: float) -> Array:
    """Place H, O, O, H (Angstrom): O-O along z about the origin, the H atoms at azimuth -dihedral/2 and +dihedral/2.

    Args:
        dihedral: of H-O-O-H, degree; 0 is planar (cis), 180 planar (trans), and the sign is the handedness.

    Returns:
        ``(4, 3)``, Angstrom.
    """
    half, angle = math.radians(dihedral) / 2, math.radians(OOH)
    out, up = OH * math.sin(angle), OO / 2 - OH * math.cos(angle)
    x, y = out * math.cos(half), out * math.sin(half)
    return np.array([[x, -y, -up], [0, 0, -OO / 2], [0, 0, OO / 2], [x, y, up]])


def water() -> Array:
    """Place O, H, H (Angstrom) in the xz plane, O at the origin, z the axis."""
    half = math.radians(HOH) / 2
    x, z = WATER_OH * math.sin(half), WATER_OH * math.cos(half)
    return np.array([[0, 0, 0], [x, 0, z], [-x, 0, z]])


def dihedral_angle(positions: Array) -> float:
    """Measure the dihedral angle of four atoms in a chain, in degree, between -180 and 180.

    Seen along the middle bond, it is positive if the last bond lies clockwise of the first.
    """
    first, middle, last = np.diff(positions, axis=0)
    left, right = np.cross(first, middle), np.cross(middle, last)
    return math.degrees(math.atan2(np.linalg.norm(middle) * (first @ right), left @ right))


def signed_volume(positions: Array) -> float:
    """Triple product ``b_1 . (b_2 x b_3)`` of the three bonds of a chain of four atoms, in the cube of their unit.

    It has the sign of the dihedral angle, does not change if the chain is read backwards, and vanishes where the four
    atoms lie in a plane: a pseudoscalar whose value everyone can compute.
    """
    first, middle, last = np.diff(positions, axis=0)
    return float(first @ np.cross(middle, last))
