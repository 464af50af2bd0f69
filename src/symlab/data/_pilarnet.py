"""How our events compare with PILArNet-M, the data set that they stand in for."""

import numpy as np

from symlab.data._event_set import EventSet
from symlab.data.tracks._fragments import SEMANTIC

VOXELS = (1.927e9, 2.038e9, 3.41e7, 9.20e7, 1.145e9)  # of each class in PILArNet-M, as PoLAr-MAE counts them


def pilarnet_comparison(events: EventSet) -> dict[str, tuple[float, float]]:
    """Give the share of each class among all voxels, here and in PILArNet-M.

    Args:
        events: with the class "low energy" kept, or dropped and counted in the column ``n_low_energy``.

    Returns:
        name of the class, "low energy" among them, to the share here and the share there.
    """
    counts = np.zeros(len(SEMANTIC))
    for semantic in events.semantic:
        counts += np.bincount(semantic.numpy(), minlength=len(SEMANTIC))
    counts[-1] = sum(events.columns["n_low_energy"])
    here, there = counts / counts.sum(), np.array(VOXELS) / sum(VOXELS)
    return {name: (float(a), float(b)) for name, a, b in zip(SEMANTIC, here, there, strict=True)}
