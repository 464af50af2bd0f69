"""Rotations by three uniform angles, which are not uniform rotations."""

import torch
from jaxtyping import Float
from scipy.spatial.transform import Rotation
from torch import Tensor


def euler_rotations(n: int, generator: torch.Generator) -> Float[Tensor, "n 3 3"]:
    """Draw ``R_x(a) R_y(b) R_z(c)`` with each angle uniform on (-pi, pi), as PoLAr-MAE augments its data.

    Not the Haar measure: the turned z axis has latitude b above the plane of y and z, and uniform latitudes crowd the
    poles, so its mean square along x is 1/2 in place of 1/3.

    Args:
        n: how many.
        generator: the explicit source of randomness.

    Returns:
        ``(n, 3, 3)`` float64, all proper.
    """
    angles = torch.pi * (2 * torch.rand(n, 3, dtype=torch.float64, generator=generator) - 1)
    return torch.from_numpy(Rotation.from_euler("XYZ", angles.numpy()).as_matrix())
