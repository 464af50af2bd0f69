"""Models: PET, PoLAr-MAE, and exactly equivariant controls."""

from symlab.models._batch import PETBatch
from symlab.models._config import PETConfig, Target, force_field_targets
from symlab.models._digest import weights_digest
from symlab.models._grouped_batch import GroupedBatch
from symlab.models._grouping import GroupedCloud, energy_scale, group_points
from symlab.models._harmonic import (
    HarmonicPET,
    HarmonicPETConfig,
    build,
    count_parameters,
    match_parameters,
    read_config,
)
from symlab.models._layers import bump
from symlab.models._local_shape import local_shape
from symlab.models._neighbours import Neighbours, neighbours
from symlab.models._pair import PairModel
from symlab.models._pet import PET
from symlab.models._polar import PolarMAE
from symlab.models._polar_config import PolarMAEConfig
from symlab.models._reconstruct import Reconstruction
from symlab.models._regroup import changed_groups

__all__ = [
    "PET",
    "GroupedBatch",
    "GroupedCloud",
    "HarmonicPET",
    "HarmonicPETConfig",
    "Neighbours",
    "PETBatch",
    "PETConfig",
    "PairModel",
    "PolarMAE",
    "PolarMAEConfig",
    "Reconstruction",
    "Target",
    "build",
    "bump",
    "changed_groups",
    "count_parameters",
    "energy_scale",
    "force_field_targets",
    "group_points",
    "local_shape",
    "match_parameters",
    "neighbours",
    "read_config",
    "weights_digest",
]
