"""The key numbers of the chapters: closed forms to round-off, measured ones within the margin of small runs."""

import math
from typing import Any

import pytest

from symlab.runs._execute import Processes, ensure
from symlab.runs._project import Project
from symlab.runs._record import read_record

ROUND_OFF = (0.0, 1e-12)
WITHOUT_SCATTER = ("02_groups", "08_train_pet", "12_tracks")  # identities are exact, and a single seed has no scatter

# For each notebook and key number the interval it must lie in, with the smoke preset.
EXPECTED: dict[str, dict[str, tuple[float, float]]] = {
    "02_groups": {
        "02_action_deviation": ROUND_OFF,
        "02_wrong_declaration": (1.0, 2.5),
        "02_pythagoras": ROUND_OFF,
        "02_homomorphism": ROUND_OFF,
        "02_schur_deviation": ROUND_OFF,
        "02_schur_short_rule": (0.1, 5.0),
        "02_pseudoscalars_of_three_vectors": (1 - 1e-12, 1 + 1e-12),
        "02_count_deviation": ROUND_OFF,
        "02_cell_turned": ROUND_OFF,
        "02_cell_forgotten": (0.1, 0.5),
    },
    "03_haar": {
        "03_variance_of_x": (14 / 3 - 1e-12, 14 / 3 + 1e-12),
        "03_exact_inside": ROUND_OFF,
        "03_wrong_outside": (0.05, 1.0),
        "03_slope_monte_carlo": (-0.6, -0.4),
        "03_slope_kink": (-1.2, -0.7),
        "03_slope_jump": (-0.85, -0.5),
        "03_evaluations_quadrature": (400, 1300),
        "03_evaluations_monte_carlo": (5e11, 5e12),
        "03_trap_degree_13": (-84.0, -83.0),
        "03_trap_degree_15": (123.834499 - 1e-6, 123.834499 + 1e-6),
        "03_largest_pull": (0.0, 4.0),
        "03_invariants_deviation": ROUND_OFF,
    },
    "04_equivariance_error": {
        "04_split_mismatch": ROUND_OFF,
        "04_fitted_rmse": (0.01, 0.3),
        "04_fitted_share": (0.05, 1.0),
        "04_handed_proper": ROUND_OFF,
        "04_handed_inversion": (0.05, 0.5),
        "04_exact_over_floor": (0.0, 10.0),
        "04_cast_over_floor": (1e4, 1e9),
        "04_error_degree_9": (0.0, 0.1),
        "04_lie_switch": ROUND_OFF,
        "04_a_switch": (0.005, 0.1),
        "04_a_ripple": (0.005, 0.01),
        "04_mistakes_caught": (4, 4),
    },
    "05_characters": {
        "05_norm_x": (1 / 3 - 1e-11, 1 / 3 + 1e-11),
        "05_norm_xy": (1 / 15 - 1e-11, 1 / 15 + 1e-11),
        "05_norm_xyz": (1 / 105 - 1e-11, 1 / 105 + 1e-11),
        "05_eight_deviation": (0.0, 1e-11),
        "05_planted_power": (1e-4 - 1e-14, 1e-4 + 1e-14),
        "05_planted_stray": (0.0, 1e-14),
        "05_reversed_ratio": (8 / 9 - 1e-10, 8 / 9 + 1e-10),
        "05_network_fraction": (0.8, 1.0),
        "05_network_ratio": (0.5, 1.0),
        "05_largest_ratio": (0.0, 1 + 1e-9),
        "05_linear_stray": ROUND_OFF,
        "05_pseudoscalar_fitted": (0.05, 1.0),
        "05_pseudoscalar_shuffled": (0.0, 0.05),
        "05_pseudoscalar_untrained": (0.0, 0.05),
    },
    "08_train_pet": {
        "08_energy_control": (0.0, 1e-9),
        "08_forces_control": (0.0, 1e-12),
        "08_stress_control": (0.0, 1e-12),
        "08_forces_percent": (10.0, 300.0),
        "08_forces_untrained": (0.1, 100.0),
        "08_share_first": (50.0, 100.0),
        "08_share_last": (0.0, 50.0),
        "08_native_over_averaged": (0.5, 2.0),
    },
    "09_pet_diagnostics": {
        "09_structures": (15, 15),
        "09_forces_share": (0.0, 1.0),
        "09_stress_share": (0.0, 1.0),
        "09_forces_leak_untrained": (50.0, 100.0),
        "09_embedding_leak": (0.0, 1e-5),
        "09_largest_bound": (0.0, 1.0),
        "09_noise_floor": (0.0, 1e-3),
    },
    "10_pseudoscalar": {
        "10_molecules": (40, 40),
        "10_rotation_std": (0.02, 0.4),
        "10_rotation_plain": (0.5, 1.5),
        "10_rotation_plain_b": (0.0, 1.0),
        "10_rotation_shuffled_b": (0.0, 1.0),
        "10_volume_plain": (0.5, 1.5),
        "10_untrained_b": (0.0, 1e-3),
        "10_untrained_axial": (0.0, 1.0),
    },
    "11_spectral": {
        "11_combinations": (4, 4),
        "11_size_spread": (0.0, 1.0),
        "11_inputs_plain": (4, 4),
        "11_inputs_8": (81, 81),
        "11_error_l0_mnone": (0.5, 2.0),
        "11_error_l6_mnone": (0.9, 1.5),
        "11_a_l6_mnone": (0.0, 0.3),
        "11_b_l0_mnone_before": (-0.1, 0.0),
        "11_b_l6_mnone_before": (-13.0, -7.0),
        "11_b_l6_m8_before": (-4.0, -1.5),
        "11_l6_mnone_g4_decades": (2.0, 8.0),
        "11_fit_l6_o": (0.1, 0.8),
        "11_fit_l6_h": (0.8, 1.0),
        "11_bond_correlation": (-1.0, -0.9),
        "11_bond_zero": (0.9, 1.05),
        "11_late": (0, 4),
    },
    "12_tracks": {
        "12_events": (45, 60),
        "12_share_shower": (20.0, 80.0),
        "12_share_track": (20.0, 80.0),
        "12_share_michel": (0.0, 8.0),
        "12_share_delta": (0.0, 5.0),
        "12_share_low_energy": (3.0, 40.0),
        "12_coverage": (92.0, 100.0),
        "12_coverage_original": (75.0, 95.0),
        "12_ties_on": (0.3, 50.0),
        "12_ties_beside": (0.0, 0.0),
        "12_chamfer_gain": (-20.0, 60.0),
        "12_energy_share": (0.5, 2.0),
        "12_f1_macro": (0.05, 1.0),
        "12_scratch_macro": (0.05, 1.0),
        "12_logits_untrained": (1e-4, 1.0),
        "12_logits_trained": (1e-4, 5.0),
        "12_noise_floor": (0.0, 1e-4),
    },
    "13_rotated_events": {
        "13_groups_changed": (0, 0),
        "13_flips": (0.0, 75.0),
        "13_auc_v": (0.3, 1.0),
        "13_parseval": (0.0, 1e-3),
        "13_control_frame_a": (0.0, 1e-5),
        "13_control_frame_flips": (0.0, 0.1),
        "13_charge_a": (0.5 - 1e-9, 0.5 + 1e-9),
        "13_charge_rule_a_axis": ROUND_OFF,
        "13_charge_mean": ROUND_OFF,
        "13_charge_error": (0.25 - 1e-9, 0.25 + 1e-9),
        "13_charge_rule_right": (75.0, 100.0),
        "13_charge_rule_half": (75.0, 100.0),
        "13_charge_plain_right": (0.0, 100.0),
        "13_charge_so3_a": (0.0, 0.5),
        "13_left_t_a": (0.0, 0.3),
        "13_left_t_flips": (0.0, 0.5),
    },
    "14_repair_ladder": {
        "14_crystals": (2, 2),
        "14_bias_forces_zeroed_left": (1.0, 1000.0),
        "14_bias_forces_recentred_left": (0.0, 1.2),
        "14_stress_predicted_c1": (1 - 1e-9, 1 + 1e-9),
        "14_stress_left_c1": (0.8, 1.2),
        "14_stress_left_ci": (0.8, 1.2),
        "14_stress_predicted_t": (0.0, 0.2),
        "14_stress_left_t": (0.0, 0.2),
        "14_forces_left_ci": (0.0, 0.6),
        "14_cheapest_size": (2, 12),
        "14_cheapest_left": (0.0, 0.5),
        "14_forces_gain": (0.0, 100.0),
        "14_stress_gain": (0.0, 100.0),
        "14_handed": (2, 2),
        "14_handed_plain_odd": (50.0, 100.0),
        "14_handed_plain_predicted_ci": (0.0, 0.5),
        "14_handed_plain_left_ci": (0.0, 0.5),
        "14_handed_plain_left_t": (0.5, 1.2),
    },
}


@pytest.fixture(scope="module", params=EXPECTED)
def numbers(request: pytest.FixtureRequest) -> tuple[str, dict[str, dict[str, Any]]]:
    """The notebook's name and what its smoke run recorded."""
    project = Project.find()
    ensure(project, request.param, "smoke", Processes())
    return request.param, read_record(project.folder(request.param, "smoke"))["key_numbers"]


def test_key_numbers_lie_where_they_must(numbers: tuple[str, dict[str, dict[str, Any]]]) -> None:
    name, found = numbers
    missing = set(EXPECTED[name]) - set(found)
    assert missing == set()
    wrong = {
        key: (found[key]["value"], (low, high))
        for key, (low, high) in EXPECTED[name].items()
        if not low <= found[key]["value"] <= high
    }
    assert wrong == {}


def test_uncertainties_are_stated_where_seeds_or_draws_differ(numbers: tuple[str, dict[str, dict[str, Any]]]) -> None:
    name, found = numbers
    stated = {key for key, entry in found.items() if entry["uncertainty"] is not None}
    assert stated or name in WITHOUT_SCATTER
    assert all(math.isfinite(found[key]["uncertainty"]) and found[key]["uncertainty"] >= 0 for key in stated)


def test_a_slope_agrees_with_theory_within_its_error() -> None:
    project = Project.find()
    ensure(project, "03_haar", "smoke", Processes())
    slope = read_record(project.folder("03_haar", "smoke"))["key_numbers"]["03_slope_monte_carlo"]
    assert abs(slope["value"] + 0.5) < 4 * slope["uncertainty"]
