"""Measure, explain and repair the symmetries that machine-learning models learn."""

__version__ = "0.1.0"
