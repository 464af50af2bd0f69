"""Particles in liquid argon: transport of one block of events, and the voxels, classes and branching points it leaves.

Units: MeV, cm, tesla; momenta and masses in MeV. One file for each process, with the source of its coefficients.
"""
