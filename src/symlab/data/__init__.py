"""Structures with labels from electronic structure, and simulated particle events: units stated, failures counted."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symlab.data._baseline import CompositionBaseline
    from symlab.data._dataset import Dataset
    from symlab.data._density_set import compute_density, load_densities
    from symlab.data._engine import ScfError
    from symlab.data._event_rows import EventError
    from symlab.data._event_set import SEMANTIC, EventSet
    from symlab.data._events import draw_events, load_events, simulate_events
    from symlab.data._fingerprint import fingerprint
    from symlab.data._labels import compute_labels
    from symlab.data._molecules import dihedral_angle, peroxide
    from symlab.data._muons import MUONS, MuonSet, load_muons
    from symlab.data._peroxide_set import compute_response, load_peroxides
    from symlab.data._pilarnet import pilarnet_comparison
    from symlab.data._sets import load_crystals, load_deformed_crystals, load_molecules
    from symlab.data.tracks._branching import BRANCHES
    from symlab.data.tracks._guns import Primary

__all__ = [
    "BRANCHES",
    "MUONS",
    "SEMANTIC",
    "CompositionBaseline",
    "Dataset",
    "EventError",
    "EventSet",
    "MuonSet",
    "Primary",
    "ScfError",
    "compute_density",
    "compute_labels",
    "compute_response",
    "dihedral_angle",
    "draw_events",
    "fingerprint",
    "load_crystals",
    "load_deformed_crystals",
    "load_densities",
    "load_events",
    "load_molecules",
    "load_muons",
    "load_peroxides",
    "peroxide",
    "pilarnet_comparison",
    "simulate_events",
]

# Names are loaded on first use: the processes that label structures then start without torch, three seconds sooner.
_MODULES = {
    "BRANCHES": "symlab.data.tracks._branching",
    "MUONS": "symlab.data._muons",
    "SEMANTIC": "symlab.data._event_set",
    "CompositionBaseline": "symlab.data._baseline",
    "Dataset": "symlab.data._dataset",
    "EventError": "symlab.data._event_rows",
    "EventSet": "symlab.data._event_set",
    "MuonSet": "symlab.data._muons",
    "Primary": "symlab.data.tracks._guns",
    "ScfError": "symlab.data._engine",
    "compute_density": "symlab.data._density_set",
    "compute_labels": "symlab.data._labels",
    "compute_response": "symlab.data._peroxide_set",
    "dihedral_angle": "symlab.data._molecules",
    "draw_events": "symlab.data._events",
    "fingerprint": "symlab.data._fingerprint",
    "load_crystals": "symlab.data._sets",
    "load_deformed_crystals": "symlab.data._sets",
    "load_densities": "symlab.data._density_set",
    "load_events": "symlab.data._events",
    "load_molecules": "symlab.data._sets",
    "load_muons": "symlab.data._muons",
    "load_peroxides": "symlab.data._peroxide_set",
    "peroxide": "symlab.data._molecules",
    "pilarnet_comparison": "symlab.data._pilarnet",
    "simulate_events": "symlab.data._events",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
