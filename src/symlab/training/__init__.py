"""Training: PET on labelled structures, augmented by O(3), with checkpoints along the way."""

from symlab.training._batches import Samples, draw_matrices, epoch_rows, rmse
from symlab.training._chunks import in_chunks, write_chunk
from symlab.training._config import TrainingConfig
from symlab.training._ensemble import train_ensemble, train_ensembles
from symlab.training._force_field import force_field
from symlab.training._pseudoscalar import Remedy, pseudoscalar_training
from symlab.training._ramp import RampedConfig, shrink
from symlab.training._sector_sweep import Combination, combinations, spectral_network, spectral_training
from symlab.training._step_time import step_seconds
from symlab.training._survey import Survey, survey
from symlab.training._surveys import Patient, surveys
from symlab.training._targets import fit_scales
from symlab.training._train import train, train_seeds
from symlab.training._trained import TrainedModel

__all__ = [
    "Combination",
    "Patient",
    "RampedConfig",
    "Remedy",
    "Samples",
    "Survey",
    "TrainedModel",
    "TrainingConfig",
    "combinations",
    "draw_matrices",
    "epoch_rows",
    "fit_scales",
    "force_field",
    "in_chunks",
    "pseudoscalar_training",
    "rmse",
    "shrink",
    "spectral_network",
    "spectral_training",
    "step_seconds",
    "survey",
    "surveys",
    "train",
    "train_ensemble",
    "train_ensembles",
    "train_seeds",
    "write_chunk",
]
