"""How our events compare with PILArNet-M, the data set that they stand in for."""

import numpy as np

from symlab.data._event_set import EventSet
from symlab.data.tracks._fragments import SEMANTIC

VOXELS = (1926651899, 2038240940, 34083197, 92015482, 1145363125)  # of each class in PILArNet-M's training split


def pilarnet_comparison(events: EventSet) -> dict[str, tuple[float, float]]:
    """Give the share of each class among all voxels, here and in PILArNet-M, the set that PoLAr-MAE is trained on.

    Counts there: the class weights in the authors' code. Its training split has 1.08 or 1.20 million events, by
    version, so an event has 3400 to 3800 voxels that are not "low energy"; it is kept if it has at least 1024.

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
