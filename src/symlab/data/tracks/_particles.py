"""The particles that are followed, with masses and lifetimes from the Particle Data Group (package `particle`)."""

import numpy as np
from particle import Particle

PDG = {"e-": 11, "e+": -11, "mu-": 13, "mu+": -13, "pi-": -211, "pi+": 211, "p": 2212, "gamma": 22, "pi0": 111}
NAMES = tuple(PDG)
ELECTRON, POSITRON, MUON, ANTIMUON, PION_MINUS, PION_PLUS, PROTON, PHOTON, PION_ZERO = range(len(NAMES))
MASS = np.array([Particle.from_pdgid(code).mass or 0.0 for code in PDG.values()])  # MeV
CHARGE = np.array([Particle.from_pdgid(code).charge or 0.0 for code in PDG.values()], dtype=float)  # of the positron
N_CHARGED = PHOTON  # kinds below it leave ionisation
MUON_LIFETIME = float(Particle.from_pdgid(13).lifetime or "nan")  # ns; 2197
