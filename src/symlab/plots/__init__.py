"""Figures of the book: one function for each kind, one style for all.

Each function takes arrays (or sequences of sectors), checks that nothing is NaN, and returns a matplotlib `Figure`;
`event_gallery` and `training_slider` return plotly figures, which readers turn and slide.
"""

from symlab.plots._aligned import aligned_curves
from symlab.plots._binned import binned_curves
from symlab.plots._bound import bound_scatter
from symlab.plots._convergence import convergence
from symlab.plots._curves import curves
from symlab.plots._deformations import deformation_ladders
from symlab.plots._errors import error_boxes, error_scatter
from symlab.plots._events import EventView, event_panels
from symlab.plots._floor import noise_floors
from symlab.plots._gallery import event_gallery
from symlab.plots._groups import group_panels
from symlab.plots._ladder import ladder
from symlab.plots._layers import layer_spectrum
from symlab.plots._learning import learning_curve
from symlab.plots._maps import sweep_maps
from symlab.plots._matrix import matrix_table, tensor_parts
from symlab.plots._molecule import Snapshot, molecule_panels
from symlab.plots._panels import learning_panels
from symlab.plots._parity import parity
from symlab.plots._removal import sector_removal
from symlab.plots._roc import roc_curves
from symlab.plots._sectors import sector_bars, spectrum_comparison
from symlab.plots._series import PowerLaw, Series, fit_power_law
from symlab.plots._slider import training_slider
from symlab.plots._sphere import orientation_map
from symlab.plots._split import error_split
from symlab.plots._style import sector_label, style
from symlab.plots._threshold import hit_rates, threshold_scatter
from symlab.plots._tradeoff import tradeoff
from symlab.plots._training_maps import training_maps

__all__ = [
    "EventView",
    "PowerLaw",
    "Series",
    "Snapshot",
    "aligned_curves",
    "binned_curves",
    "bound_scatter",
    "convergence",
    "curves",
    "deformation_ladders",
    "error_boxes",
    "error_scatter",
    "error_split",
    "event_gallery",
    "event_panels",
    "fit_power_law",
    "group_panels",
    "hit_rates",
    "ladder",
    "layer_spectrum",
    "learning_curve",
    "learning_panels",
    "matrix_table",
    "molecule_panels",
    "noise_floors",
    "orientation_map",
    "parity",
    "roc_curves",
    "sector_bars",
    "sector_label",
    "sector_removal",
    "spectrum_comparison",
    "style",
    "sweep_maps",
    "tensor_parts",
    "threshold_scatter",
    "tradeoff",
    "training_maps",
    "training_slider",
]
