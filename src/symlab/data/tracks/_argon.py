"""Liquid argon at 1 bar: the constants that every process shares.

Sources: PDG, Atomic and nuclear properties of materials, argon (Z, A, density of the liquid, radiation length,
critical energy, Moliere radius, interaction length); ICRU 37 (1984) for the mean excitation energy; Sternheimer, Berger
and Seltzer, Atomic Data and Nuclear Data Tables 30, 261 (1984), for the density effect; CODATA for constants of nature.
"""

import numpy as np

Z = 18
A = 39.948  # g/mol
DENSITY = 1.396  # g/cm^3, liquid at 87.3 K
RADIATION_LENGTH = 19.55 / DENSITY  # cm; 14.0
CRITICAL_ENERGY = 32.84  # MeV, electrons
MOLIERE_RADIUS = 12.62 / DENSITY  # cm; 9.04
INTERACTION_LENGTH = 119.7 / DENSITY  # cm, nuclear; 85.7
MEAN_EXCITATION = 188e-6  # MeV; 197 to 203 eV in arXiv 2212.06286 and 2501.10550, which moves dE/dx by 0.6 %
STERNHEIMER = {"a": 0.19559, "k": 3.0, "x0": 0.2, "x1": 3.0, "C": 5.2146}  # of the liquid

ELECTRON_MASS = 0.51099895  # MeV
CLASSICAL_RADIUS = 2.8179403e-13  # cm
FINE_STRUCTURE = 1 / 137.035999
AVOGADRO = 6.02214076e23  # 1/mol

ATOMS = AVOGADRO * DENSITY / A  # 1/cm^3
ELECTRONS = Z * ATOMS  # 1/cm^3
IONISATION = 2 * np.pi * CLASSICAL_RADIUS**2 * ELECTRON_MASS * ELECTRONS  # MeV/cm: half of PDG's K Z/A, 0.0966
VOXEL = 0.3  # cm
