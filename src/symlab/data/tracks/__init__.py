"""Particles in liquid argon: transport of one block of events, and the voxels, classes and branching points it leaves.

Units: MeV, cm, tesla; momenta and masses in MeV. One file for each process, with the source of its coefficients; cuts
and step lengths are choices.

What is left out, so that nobody looks for it:

- **Time.** All that an event leaves is in one picture: a Michel electron, up to microseconds late, beside its muon.
- **Decay in flight.** Charged pions (c tau 7.8 m) and muons (659 m) decay when they have stopped, and only then.
- **Rare decays.** A positive pion makes a muon, never an electron (1.2e-4, PDG); neutral pions make two photons, never
  a photon and a pair (1.2 %, PDG); muons make no photon of their own.
- **Capture.** A captured negative muon ends without trace, and its mass is not counted: no photons of the muonic atom,
  no neutrons, protons or photons of the nucleus. A negative pion at rest is absorbed at once, into a few protons; its
  photons are missing. The electron from a muon that decays in orbit has the spectrum of a free muon's.
- **Electrons, muons and photons.** No annihilation in flight, no radiation of muons, no photonuclear reactions, no
  coherent scattering.
- **Neutral and strange particles.** Neutrons are not followed; there are no kaons or other hadrons.
- **Read-out.** No recombination, no scintillation, no noise; of the drift, only a smearing that can be switched on.
"""
