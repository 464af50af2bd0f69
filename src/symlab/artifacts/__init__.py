"""Content-addressed store: what a computation made, found again by what made it."""

from symlab.artifacts._errors import ArtifactError
from symlab.artifacts._recipe import Recipe
from symlab.artifacts._source import source_digest
from symlab.artifacts._store import Store, default_root

__all__ = ["ArtifactError", "Recipe", "Store", "default_root", "source_digest"]
