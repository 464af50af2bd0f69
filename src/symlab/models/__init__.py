"""Models: PET, and exactly equivariant controls."""

from symlab.models._batch import PETBatch
from symlab.models._config import PETConfig, Target, force_field_targets
from symlab.models._digest import weights_digest
from symlab.models._harmonic import (
    HarmonicPET,
    HarmonicPETConfig,
    build,
    count_parameters,
    match_parameters,
    read_config,
)
from symlab.models._layers import bump
from symlab.models._neighbours import Neighbours, neighbours
from symlab.models._pair import PairModel
from symlab.models._pet import PET

__all__ = [
    "PET",
    "HarmonicPET",
    "HarmonicPETConfig",
    "Neighbours",
    "PETBatch",
    "PETConfig",
    "PairModel",
    "Target",
    "build",
    "bump",
    "count_parameters",
    "force_field_targets",
    "match_parameters",
    "neighbours",
    "read_config",
    "weights_digest",
]
