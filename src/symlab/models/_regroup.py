"""How many groups change when a turned cloud is grouped afresh: an error of arithmetic, not of a network."""

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups import PointCloud
from symlab.models._grouping import group_points
from symlab.models._polar_config import PolarMAEConfig


def changed_groups(cloud: PointCloud, config: PolarMAEConfig, matrices: Float[Tensor, "n 3 3"]) -> float:
    """Measure the share of groups that get other members when the turned cloud is grouped afresh.

    Turned positions are rounded to the type of the cloud, so points that lie exactly on the sphere about a centre may
    change sides. A network is never given such groups: `GroupedCloud.stacked` reuses those of the original.

    Args:
        cloud: as for `group_points`.
        config: of the groups.
        matrices: orientations.

    Returns:
        Share in [0, 1], over groups and orientations; 1 for an orientation in which the centres are others.
    """
    reference = group_points(cloud, config)
    shares = []
    for matrix in matrices:
        turned = group_points(cloud.rotated(matrix), config)
        if torch.equal(turned.centres, reference.centres):
            shares.append(float((turned.members != reference.members).any(1).double().mean()))
        else:
            shares.append(1.0)
    return sum(shares) / len(shares)
