"""Training: PET on labelled structures and PoLAr-MAE on events, turned at each visit, with checkpoints on the way."""

from symlab.training._batches import Samples, draw_matrices, epoch_rows, rmse
from symlab.training._charge_network import charge_network, event_probabilities
from symlab.training._chunks import ChunkJob, in_chunks
from symlab.training._config import TrainingConfig
from symlab.training._ensemble import train_ensemble, train_ensembles
from symlab.training._euler import euler_rotations
from symlab.training._events import Events, events_fingerprint, group_events
from symlab.training._focal import class_weights, focal_loss
from symlab.training._force_field import force_field
from symlab.training._polar_train import TrainedPolarMAE, pretrain, segment, segment_all
from symlab.training._predictions import predict_classes
from symlab.training._pseudoscalar import Remedy, pseudoscalar_training
from symlab.training._ramp import RampedConfig, shrink
from symlab.training._sector_sweep import Combination, combinations, spectral_network, spectral_training
from symlab.training._segmentation_config import SegmentationConfig
from symlab.training._step_time import step_seconds
from symlab.training._survey import Survey, survey
from symlab.training._surveys import Patient, surveys
from symlab.training._targets import fit_scales
from symlab.training._token_survey import TokenSurvey, survey_tokens
from symlab.training._track_network import track_network
from symlab.training._train import train, train_seeds
from symlab.training._trained import TrainedModel

__all__ = [
    "ChunkJob",
    "Combination",
    "Events",
    "Patient",
    "RampedConfig",
    "Remedy",
    "Samples",
    "SegmentationConfig",
    "Survey",
    "TokenSurvey",
    "TrainedModel",
    "TrainedPolarMAE",
    "TrainingConfig",
    "charge_network",
    "class_weights",
    "combinations",
    "draw_matrices",
    "epoch_rows",
    "euler_rotations",
    "event_probabilities",
    "events_fingerprint",
    "fit_scales",
    "focal_loss",
    "force_field",
    "group_events",
    "in_chunks",
    "predict_classes",
    "pretrain",
    "pseudoscalar_training",
    "rmse",
    "segment",
    "segment_all",
    "shrink",
    "spectral_network",
    "spectral_training",
    "step_seconds",
    "survey",
    "survey_tokens",
    "surveys",
    "track_network",
    "train",
    "train_ensemble",
    "train_ensembles",
    "train_seeds",
]
