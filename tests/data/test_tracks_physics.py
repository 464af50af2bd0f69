"""The simulator against published numbers: one process at a time, then whole particles and showers."""

import numpy as np
import pytest
from scipy.constants import value as codata
from scipy.integrate import quad
from scipy.optimize import brentq

from symlab.data.tracks import _argon as argon
from symlab.data.tracks import _bremsstrahlung as bremsstrahlung
from symlab.data.tracks import _ionisation as ionisation
from symlab.data.tracks import _photons as photons
from symlab.data.tracks._beam import Beam
from symlab.data.tracks._charged import bend
from symlab.data.tracks._decays import (
    DECAY_SHARE,
    ENDPOINT,
    HUFF_FACTOR,
    MUON_LIFETIME_IN_ARGON,
    decay_in_flight,
    sample_michel,
)
from symlab.data.tracks._flight import convert, fly, scatter_compton
from symlab.data.tracks._hadrons import interact
from symlab.data.tracks._particles import (
    ANTIMUON,
    ELECTRON,
    MASS,
    MUON,
    MUON_LIFETIME,
    NAMES,
    PHOTON,
    PION_PLUS,
    PION_ZERO,
    POSITRON,
    PROTON,
)
from symlab.data.tracks._rates import csda_range
from symlab.data.tracks._register import Process, Register
from symlab.data.tracks._scattering import scatter, scattering_power
from symlab.data.tracks._transport import transport
from symlab.data.tracks._voxels import voxelize

Z_AXIS = (0.0, 0.0, 1.0)


def aim(kind: int, energy: float, n: int, direction=Z_AXIS) -> tuple[Register, Beam]:
    """Enter n particles, one for each event, at the origin."""
    register = Register(n)
    directions = np.tile(direction, (n, 1))
    event, energies = np.arange(n), np.full(n, float(energy))
    return register, register.add(event, kind, Process.PRIMARY, -1, np.zeros((n, 3)), directions, energies)


def shoot(
    kind: int, energy: float, n: int, *, seed=0, half_width=1e5, direction=Z_AXIS, magnetic_field=0.0
) -> Register:
    """Simulate n particles to the end of all that they make."""
    register, beam = aim(kind, energy, n, direction)
    rng = np.random.default_rng(seed)
    transport(beam, register, rng, half_width=half_width, magnetic_field=magnetic_field)
    return register


def reach(register: Register, n: int, axis=Z_AXIS) -> np.ndarray:
    """How far along an axis each of the first n particles got, cm."""
    track, position, _ = register.deposits()
    furthest = np.zeros(n)
    np.maximum.at(furthest, track[track < n], position[track < n] @ np.array(axis))
    return furthest


def within(position: np.ndarray, energy: np.ndarray, share: float) -> float:
    """Radius of the cylinder about z that holds this share of the energy, cm."""
    radius = np.hypot(position[:, 0], position[:, 1])
    order = np.argsort(radius)
    held = np.cumsum(energy[order])
    return radius[order][np.searchsorted(held, share * held[-1])]


@pytest.fixture(scope="module")
def showers() -> Register:
    return shoot(ELECTRON, 500, 40)


def test_constants_agree_with_each_other():
    """X0 from Tsai's formula, Ec by Rossi's definition, R_M = 21.2 MeV X0 / Ec: PDG, section 34; CODATA."""
    per_atom = 4 * argon.FINE_STRUCTURE * argon.CLASSICAL_RADIUS**2
    per_atom *= argon.Z**2 * (bremsstrahlung.ELASTIC - bremsstrahlung.COULOMB) + argon.Z * bremsstrahlung.INELASTIC
    assert 1 / (per_atom * argon.ATOMS) == pytest.approx(argon.RADIATION_LENGTH, rel=1e-3)
    surplus = lambda e: e / argon.RADIATION_LENGTH - ionisation.electron_loss(np.array(e - argon.ELECTRON_MASS))  # noqa: E731
    assert brentq(surplus, 5, 100) == pytest.approx(argon.CRITICAL_ENERGY, rel=5e-3)
    assert pytest.approx(argon.MOLIERE_RADIUS, rel=1e-3) == argon.RADIATION_LENGTH * 21.2052 / argon.CRITICAL_ENERGY
    for value, name, unit in (
        (argon.ELECTRON_MASS, "electron mass energy equivalent in MeV", 1.0),
        (argon.CLASSICAL_RADIUS, "classical electron radius", 1e2),  # m to cm
        (argon.FINE_STRUCTURE, "fine-structure constant", 1.0),
        (argon.AVOGADRO, "Avogadro constant", 1.0),
    ):
        assert value == pytest.approx(codata(name) * unit, rel=1e-8), name
    assert pytest.approx(105.658, abs=1e-3) == MASS[MUON]
    assert pytest.approx(139.570, abs=1e-3) == MASS[PION_PLUS]


def test_muons_lose_energy_and_stop_as_in_the_table_for_liquid_argon():
    """Groom, Mokhov and Striganov, At. Data Nucl. Data Tables 78, 183 (2001); PDG muon table 289."""
    energy = np.array([10.0, 20, 40, 100, 200, 300, 400, 800, 1000])
    ranges = np.array([0.9833, 3.321, 10.58, 42.50, 106.3, 172.5, 238.5, 493.4, 616.3])  # g/cm^2
    np.testing.assert_allclose(csda_range(MUON, energy) * argon.DENSITY, ranges, rtol=8e-3)
    grid = np.geomspace(50, 2000, 400)
    loss = ionisation.heavy_loss(grid, MASS[MUON]) / argon.DENSITY
    assert loss.min() == pytest.approx(1.508, rel=2e-3)  # MeV cm^2/g
    assert grid[loss.argmin()] == pytest.approx(266, rel=0.1)
    stopped = reach(shoot(MUON, 300, 60), 60)
    assert stopped.mean() == pytest.approx(172.5 / argon.DENSITY, rel=0.015)  # scattering shortens the reach by 0.6 %
    assert 1.5 < stopped.std() < 5


def test_protons_stop_where_pstar_says(monkeypatch):
    """The fit to PSTAR that LArSoft uses, T = 29.93 MeV (R/cm)^0.5863, good to 3 % from 100 to 400 MeV."""
    energy = np.array([100.0, 200, 300, 400])
    np.testing.assert_allclose(csda_range(PROTON, energy), (energy / 29.9317) ** (1 / 0.586304), rtol=0.03)
    monkeypatch.setattr("symlab.data.tracks._charged.INTERACTION_RATE", 0.0)
    assert reach(shoot(PROTON, 100, 40), 40).mean() == pytest.approx(7.83, rel=0.03)


def test_electrons_radiate_and_ionise_as_in_estar():
    """NIST ESTAR, argon; the gas has no density effect below 30 MeV, so collisions are compared where it is small."""
    energy = np.array([1.0, 2, 5, 10, 50, 100, 500, 1000])
    radiative = np.array([2.748e-2, 5.581e-2, 0.1600, 0.3595, 2.192, 4.614, 24.69, 50.07])  # MeV cm^2/g
    np.testing.assert_allclose(bremsstrahlung.radiative_loss(energy) / argon.DENSITY, radiative, rtol=0.025)
    energy = np.array([0.1, 0.2, 0.5, 1.0])
    collision = np.array([2.917, 2.004, 1.480, 1.376])
    np.testing.assert_allclose(ionisation.electron_loss(energy) / argon.DENSITY, collision, rtol=6e-3)


def test_photons_are_attenuated_as_in_xcom():
    """NIST XCOM, argon, cm^2/g: incoherent and photoelectric apart, and the total, coherent scattering left out."""
    energy = np.array([0.1, 0.3, 1.0])
    compton = np.array([0.1280, 0.09518, 0.05730])  # bound electrons, 4 % fewer than free ones at 0.1 MeV
    np.testing.assert_allclose(photons.compton_coefficient(energy) / argon.DENSITY, compton, rtol=0.05)
    energy = np.array([0.02, 0.05, 0.1, 0.2, 0.3])
    photoelectric = np.array([8.207, 0.4946, 5.564e-2, 6.280e-3, 1.832e-3])
    np.testing.assert_allclose(photons.photoelectric_coefficient(energy) / argon.DENSITY, photoelectric, rtol=0.04)
    energy = np.array([1.0, 2, 3, 5, 8, 10, 15, 20])
    total = np.array([5.762, 4.074, 3.384, 2.802, 2.517, 2.451, 2.418, 2.453]) * 1e-2
    found = photons.compton_coefficient(energy) + photons.pair_coefficient(energy)
    np.testing.assert_allclose(found / argon.DENSITY, total, rtol=8e-3)
    assert 1 / photons.pair_coefficient(np.array(1e5)) == pytest.approx(9 / 7 * argon.RADIATION_LENGTH, rel=0.01)


def test_photons_fly_as_far_as_the_coefficients_say():
    register, beam = aim(PHOTON, 1000, 2000)
    fly(beam, 1e5, register, np.random.default_rng(0))
    tracks = register.tracks()
    electrons = tracks["kind"] == ELECTRON
    distance = tracks["origin"][electrons, 2]
    expected = 1 / (photons.pair_coefficient(np.array(1e3)) + photons.compton_coefficient(np.array(1e3)))
    assert expected == pytest.approx(18.8, rel=0.01)
    assert distance.mean() == pytest.approx(expected, abs=3 * expected / np.sqrt(2000))


@pytest.mark.parametrize("kind", [MUON, PROTON])
def test_restricted_loss_and_explicit_deltas_add_up(kind):
    """The deltas above the cut carry what the cut takes from the mean loss, and are drawn with that mean energy."""
    energy, cut = 600.0, ionisation.CUT
    mass = MASS[kind]
    gamma = 1 + energy / mass
    beta2, highest = 1 - 1 / gamma**2, float(ionisation.largest_transfer(np.array(energy), mass))
    density = lambda t: argon.IONISATION / beta2 * (1 - beta2 * t / highest) / t**2  # noqa: E731
    number, carried = quad(density, cut, highest)[0], quad(lambda t: t * density(t), cut, highest)[0]
    whole, restricted = (ionisation.heavy_loss(np.array(energy), mass, c) for c in (np.inf, cut))
    assert float(whole - restricted) == pytest.approx(carried, rel=1e-6)
    assert float(ionisation.heavy_delta_rate(np.array(energy), mass)) == pytest.approx(number, rel=1e-6)
    rng = np.random.default_rng(0)
    drawn = ionisation.sample_heavy_delta(np.full(20000, energy), np.full(20000, mass), rng)
    assert drawn.min() >= cut
    assert drawn.max() <= highest
    assert np.log(drawn).mean() == pytest.approx(
        quad(lambda t: np.log(t) * density(t), cut, highest)[0] / number, abs=0.02
    )


def test_restricted_loss_and_deltas_of_electrons_add_up():
    energy, cut = 20.0, ionisation.CUT
    gamma = 1 + energy / argon.ELECTRON_MASS
    beta2 = 1 - 1 / gamma**2

    def moller(t: float) -> float:
        x = t / energy
        shape = 1 / x**2 + 1 / (1 - x) ** 2 + ((gamma - 1) / gamma) ** 2 - (2 * gamma - 1) / gamma**2 / (x * (1 - x))
        return argon.IONISATION / beta2 / energy**2 * shape

    number, carried = quad(moller, cut, energy / 2)[0], quad(lambda t: t * moller(t), cut, energy / 2)[0]
    whole, restricted = (ionisation.electron_loss(np.array(energy), c) for c in (np.inf, cut))
    assert float(whole - restricted) == pytest.approx(carried, rel=1e-6)
    assert float(ionisation.electron_delta_rate(np.array(energy))) == pytest.approx(number, rel=1e-6)
    drawn = ionisation.sample_electron_delta(np.full(20000, energy), np.random.default_rng(0))
    assert np.log(drawn).mean() == pytest.approx(
        quad(lambda t: np.log(t) * moller(t), cut, energy / 2)[0] / number, abs=0.02
    )


def test_photon_energies_are_drawn_from_the_spectrum():
    energy, cut = np.full(20000, 50.0), bremsstrahlung.CUT
    drawn = bremsstrahlung.sample_photon(energy, np.random.default_rng(0))
    hard = bremsstrahlung.radiative_loss(energy[:1]) - bremsstrahlung.radiative_loss(energy[:1], cut)
    assert drawn.min() >= cut
    assert drawn.mean() == pytest.approx((hard / bremsstrahlung.photon_rate(energy[:1]))[0], rel=0.03)


def test_compton_scattering_conserves_momentum_and_has_the_mean_of_klein_and_nishina():
    register, beam = aim(PHOTON, 2.0, 20000)
    scattered, electrons = scatter_compton(beam, register, np.random.default_rng(0))
    kept = np.isin(beam.track, scattered.track)
    momentum = scattered.energy[:, None] * scattered.direction
    size = np.sqrt(electrons.energy * (electrons.energy + 2 * argon.ELECTRON_MASS))[kept]
    np.testing.assert_allclose(momentum + size[:, None] * electrons.direction[kept], 2.0 * beam.direction, atol=1e-9)
    np.testing.assert_allclose(scattered.energy + electrons.energy[kept], 2.0, rtol=1e-12)

    def density(cosine: float) -> tuple[float, float]:
        ratio = 1 / (1 + 2.0 / argon.ELECTRON_MASS * (1 - cosine))
        return ratio**2 * (ratio + 1 / ratio - 1 + cosine**2), ratio

    norm = quad(lambda c: density(c)[0], -1, 1)[0]
    mean = quad(lambda c: np.prod(density(c)), -1, 1)[0] / norm
    assert scattered.energy.mean() / 2.0 == pytest.approx(mean, rel=0.01)


def test_pairs_share_the_energy_and_open_by_the_mass_over_the_energy():
    register, beam = aim(PHOTON, 100.0, 4000)
    electron, positron = convert(beam, register, np.random.default_rng(0))
    np.testing.assert_allclose(electron.energy + positron.energy + 2 * argon.ELECTRON_MASS, 100.0)
    assert electron.energy.mean() == pytest.approx(positron.energy.mean(), rel=0.05)
    angle = np.arccos(np.minimum(electron.direction @ np.array(Z_AXIS), 1))
    scaled = angle * (electron.energy + argon.ELECTRON_MASS) / argon.ELECTRON_MASS
    assert np.median(scaled) == pytest.approx(1, rel=0.06)
    assert (electron.direction[:, 0] * positron.direction[:, 0] <= 1e-15).all(), "on opposite sides of the photon"


def test_scattering_adds_up_to_highland_at_a_tenth_of_a_radiation_length():
    """The PDG's formula for 1 GeV muons, in seven steps; the loss is left out."""
    n, steps = 4000, 7
    length = 0.1 * argon.RADIATION_LENGTH
    variance = np.full(n, scattering_power(np.array(1000.0), MASS[MUON]) * length / steps)
    rng = np.random.default_rng(0)
    direction = np.tile(Z_AXIS, (n, 1))
    for _ in range(steps):
        direction = scatter(direction, variance, rng)
    total = 1000 + MASS[MUON]
    momentum = np.sqrt(total**2 - MASS[MUON] ** 2)
    expected = 13.6 / (momentum**2 / total) * np.sqrt(0.1) * (1 + 0.038 * np.log(0.1))
    assert direction[:, :2].std() == pytest.approx(expected, rel=0.03)
    np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1)


def test_michel_electrons_have_the_spectrum_and_its_endpoint():
    """PDG, Muon decay parameters: endpoint 52.83 MeV, mean 7/10 of it."""
    total = sample_michel(20000, np.random.default_rng(0)) + argon.ELECTRON_MASS
    assert pytest.approx(52.83, abs=5e-3) == ENDPOINT
    assert total.max() <= ENDPOINT
    assert total.max() > 0.99 * ENDPOINT
    assert total.mean() == pytest.approx(0.7 * ENDPOINT, rel=0.01)


def test_negative_muons_decay_and_are_captured_at_rates_that_add_up():
    """1/tau = Q/tau_0 + Lambda, with the errors of the sources.

    Lambda: Suzuki, Measday and Roalsvig, Phys. Rev. C 35, 2212 (1987), as Geant4 averages it; tau_0: PDG. The lifetime
    of 537 +- 32 ns in Blundell, De Renzi, Lancaster and Pratt, Muon Spectroscopy (2022), table C.1, comes from the same
    paper, and is 1.4 of its errors away.
    """
    decay = HUFF_FACTOR / MUON_LIFETIME
    capture = 1 / MUON_LIFETIME_IN_ARGON - decay
    assert 1e3 * capture == pytest.approx(1.2727, abs=0.0650)  # per microsecond
    assert pytest.approx(2196.981, abs=0.0022) == MUON_LIFETIME
    assert pytest.approx(0.9705, abs=5e-5) == HUFF_FACTOR
    assert pytest.approx(decay / (decay + capture)) == DECAY_SHARE
    assert pytest.approx(0.258, abs=0.010) == DECAY_SHARE
    assert pytest.approx(537, abs=1.5 * 32) == MUON_LIFETIME_IN_ARGON


def test_muons_and_pions_end_as_they_should():
    """Mu+ decay, a quarter of the mu- do; a pi+ at rest makes a muon of 4.12 MeV that decays in turn."""
    for kind, share in ((ANTIMUON, 1.0), (MUON, DECAY_SHARE)):
        tracks = shoot(kind, 30, 300).tracks()
        michel = (tracks["process"] == Process.DECAY) & np.isin(tracks["kind"], (ELECTRON, POSITRON))
        assert michel.sum() / 300 == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 300) + 1e-9)
    tracks = shoot(PION_PLUS, 10, 50).tracks()
    muon = (tracks["kind"] == ANTIMUON) & (tracks["process"] == Process.DECAY)
    assert tracks["energy"][muon] == pytest.approx(4.12, abs=0.01)
    assert muon.sum() > 45
    assert ((tracks["kind"] == POSITRON) & (tracks["process"] == Process.DECAY)).sum() == muon.sum()


def test_neutral_pions_become_two_photons_of_their_mass():
    register, beam = aim(PION_ZERO, 200.0, 50)
    both = decay_in_flight(beam, register, np.random.default_rng(0))
    one, two = both.take(both.event < 50), both
    one, two = both.take(np.arange(50)), both.take(np.arange(50, 100))
    cosine = np.einsum("ij,ij->i", one.direction, two.direction)
    mass = np.sqrt(2 * one.energy * two.energy * (1 - cosine))
    np.testing.assert_allclose(mass, MASS[PION_ZERO], rtol=1e-9)
    np.testing.assert_allclose(one.energy + two.energy, 200 + MASS[PION_ZERO])


def test_hadrons_meet_nuclei_after_the_interaction_length():
    """PDG: 85.7 cm. Protons of 2 GeV would go further."""
    n = 200
    tracks = shoot(PROTON, 2000, n, half_width=55).tracks()
    struck = np.zeros(n, dtype=bool)
    first = (tracks["process"] == Process.HADRONIC) & (tracks["parent"] < n) & (tracks["origin"][:, 2] < 50)
    struck[tracks["parent"][first]] = True
    assert struck.mean() == pytest.approx(1 - np.exp(-50 / argon.INTERACTION_LENGTH), abs=0.12)
    register, beam = aim(PION_PLUS, 300.0, 200)
    born = Beam.join(interact(beam, register, np.random.default_rng(0)))
    assert set(np.array(NAMES)[born.kind]) == {"p", "pi+", "pi0"}


def test_energy_is_conserved():
    """Primaries and released mass equal deposits, escapes and what is counted as invisible, in every event."""
    for kind, energy, half_width in ((ELECTRON, 300, 50), (PHOTON, 300, 50), (MUON, 200, 1e5), (PION_PLUS, 250, 80)):
        register = shoot(kind, energy, 20, half_width=half_width)
        track, _, deposit = register.deposits()
        deposited = np.bincount(register.tracks()["event"][track], deposit, 20)
        balance = deposited + register.escaped + register.invisible - register.released
        np.testing.assert_allclose(balance, energy, atol=1e-6)


def test_showers_have_the_depth_of_the_pdg(showers):
    """Maximum at ln(E / Ec) - 1/2 radiation lengths: PDG; mean depth of Grindhammer and Peters, 3.9."""
    _, position, energy = showers.deposits()
    depth = position[:, 2] / argon.RADIATION_LENGTH
    profile, edges = np.histogram(depth, np.arange(0, 8.1, 0.5), weights=energy)
    expected = np.log(500 / argon.CRITICAL_ENERGY) - 0.5
    assert edges[profile.argmax()] + 0.25 == pytest.approx(expected, abs=0.6)
    log = np.log(500 / argon.CRITICAL_ENERGY)
    alpha = 0.21 + (0.492 + 2.38 / argon.Z) * log  # hep-ex/0001020
    mean = alpha / (alpha - 1) * (log - 0.858)
    assert mean == pytest.approx(3.9, abs=0.05)
    assert np.average(depth, weights=energy) == pytest.approx(mean, rel=0.1)


def test_showers_have_the_width_that_voxels_see(showers):
    """Ninety per cent of what voxels record lies within the Moliere radius of 9.04 cm, to 20 %.

    The rule of thumb counts what a detector sees. Followed to the last photon, 85 % of the energy lies within one
    Moliere radius and 90 % within 1.4 of them. That is no fault of this simulator: Geant4's own reference output for
    5 GeV in PbWO4 (example TestEm2) puts 90 % within 2.72 cm, 1.39 times the 1.96 cm of the PDG; the fit of Grindhammer
    and Peters, hep-ex/0001020, puts 0.73 (0.5 GeV) to 0.82 (5 GeV) of the energy within one Moliere radius of argon.
    """
    image, _, _ = voxelize(showers, half_width=115.2, threshold=0.05)
    seen = (image.voxel + 0.5) * argon.VOXEL - 115.2
    assert within(seen, image.energy, 0.9) == pytest.approx(argon.MOLIERE_RADIUS, rel=0.2)
    _, position, energy = showers.deposits()
    radius = np.hypot(position[:, 0], position[:, 1])
    assert energy[radius < argon.MOLIERE_RADIUS].sum() / energy.sum() == pytest.approx(0.85, abs=0.02)
    assert energy[radius < 3.5 * argon.MOLIERE_RADIUS].sum() / energy.sum() > 0.965  # PDG: about 99 %
    assert 1.3 < within(position, energy, 0.9) / argon.MOLIERE_RADIUS < 1.6


def test_no_direction_is_preferred():
    """Muons and showers along three axes go equally far."""
    far = [reach(shoot(MUON, 100, 100, direction=axis, seed=i), 100, axis) for i, axis in enumerate(np.eye(3))]
    error = np.std(far[0]) / np.sqrt(100)
    assert np.ptp([values.mean() for values in far]) < 5 * error
    register = shoot(ELECTRON, 100, 60, direction=(0, 1, 0))
    _, position, energy = register.deposits()
    across = np.abs(np.average(position[:, [0, 2]], weights=energy, axis=0))
    assert (across < 1.0).all()  # cm; a shower of 100 MeV is 9 cm wide


def test_tracks_have_no_handedness():
    """The triple product of three pieces of a track is as often positive as negative: no mirror image is preferred."""
    n = 300
    track, position, _ = shoot(MUON, 60, n, seed=2).deposits()
    twist = []
    for number in range(n):
        path = position[track == number]
        a, b, c = np.diff(path[np.linspace(0, len(path) - 1, 4).astype(int)], axis=0)
        twist.append(a @ np.cross(b, c) / np.linalg.norm(a) / np.linalg.norm(b) / np.linalg.norm(c))
    assert abs(np.mean(twist)) < 4 * np.std(twist) / np.sqrt(n)
    assert abs(np.mean(np.sign(twist))) < 4 / np.sqrt(n)
    assert np.std(twist) > 1e-4


def test_a_magnetic_field_bends_by_the_textbook_radius_and_knows_left_from_right():
    """p[GeV] = 0.2998 B[T] R[m]: after s = 20 cm a muon of 500 MeV is off by s^2 / 2R, to -y in a field along z."""
    n = 100
    for kind, sign in ((ANTIMUON, -1), (MUON, 1)):
        register = shoot(kind, 500, n, direction=(1, 0, 0), magnetic_field=2.0, half_width=21)
        track, position, _ = register.deposits()
        near = (track < n) & (np.abs(position[:, 0] - 20) < 0.2)
        momentum = np.sqrt(500 * (500 + 2 * MASS[MUON])) - 25  # MeV, halfway through 20 cm
        radius = momentum / (2.998 * 2.0)  # cm
        assert position[near, 1].mean() * sign == pytest.approx(20**2 / (2 * radius), rel=0.1)
        assert abs(position[near, 2].mean()) < 0.1
    turned = bend(np.array([[1.0, 0, 0], [0, 0, 1.0]]), np.full(2, 0.1))
    np.testing.assert_allclose(turned[1], [0, 0, 1])
    assert turned[0, 1] == pytest.approx(np.sin(-0.2998), abs=1e-4)
