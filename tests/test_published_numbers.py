"""What the published chapters claim, checked on the runs that the pages show, where they have been made."""

import pytest

from symlab.runs._project import Project
from symlab.runs._record import read_record

# For each notebook and key number the interval in which the claims of its text hold, with the book preset.
CLAIMS: dict[str, dict[str, tuple[float, float]]] = {
    "09_pet_diagnostics": {
        "09_forces_share": (0.0, 0.5),
        "09_largest_bound": (0.0, 1.0),
    },
    "10_pseudoscalar": {
        "10_rotation_plain": (0.9, 1.1),
        "10_rotation_harmonics": (0.9, 1.1),
        "10_rotation_shuffled": (0.9, 1.1),
        "10_volume_plain": (0.9, 1.1),
        "10_rotation_triple_product": (0.0, 0.15),
        "10_rotation_cross_products": (0.0, 0.4),
        "10_rotation_ramp": (0.0, 0.7),
        "10_volume_cross_products": (0.0, 0.05),
        "10_together_cross": (-1.0, -0.8),
        "10_shuffled_most": (0.0, 1.0),
    },
    "11_spectral": {
        "11_size_spread": (0.0, 1.0),
        "11_error_l1_mnone": (0.0, 0.15),
        "11_error_l4_mnone": (0.8, 1.1),
        "11_error_l4_m4": (0.0, 0.5),
        "11_error_l6_mnone": (0.9, 1.1),
        "11_a_l6_mnone": (0.0, 0.1),
        "11_collapse": (0.9, 1.0),
        "11_hits_b_before_training_degree": (65.0, 100.0),
    },
    "12_tracks": {
        "12_f1_shower": (0.93, 1.0),
        "12_f1_track": (0.90, 1.0),
        "12_f1_michel": (0.5, 1.0),
        "12_f1_delta": (0.5, 1.0),
        "12_f1_macro": (0.72, 1.0),
        "12_chamfer_gain": (30.0, 100.0),
        "12_energy_share": (0.0, 1.0),
        "12_ties_beside": (0.0, 0.0),
    },
    "13_rotated_events": {
        "13_groups_changed": (0.0, 0.0),
        "13_ratio_class": (3.0, 100.0),
        "13_ratio_class_low": (3.0, 100.0),
        "13_auc_v": (0.85, 1.0),
        "13_parseval": (0.0, 1e-3),
        "13_relative_over_absolute_a": (0.0, 0.9),
        "13_left_t_flips": (0.0, 0.5),
        "13_charge_rule_right": (97.0, 100.0),
        "13_charge_plain_right": (90.0, 100.0),
        "13_charge_plain_a": (0.4, 0.5),
        "13_charge_axis_right": (90.0, 100.0),
        "13_charge_so3_right": (42.0, 58.0),
        "13_charge_so3_a": (0.0, 0.1),
        "13_charge_o3_right": (42.0, 58.0),
        "13_charge_o3_a": (0.0, 0.1),
    },
    "14_repair_ladder": {
        "14_cheapest_size": (2, 12),
        "14_cheapest_left": (0.0, 0.5),
        "14_deviation": (0.0, 10.0),
        "14_handed_plain_left_ci": (0.0, 0.1),
        "14_handed_plain_left_t": (0.7, 1.2),
    },
}


@pytest.mark.parametrize("name", CLAIMS)
def test_the_run_on_the_page_supports_its_text(name: str) -> None:
    project = Project.find()
    if not project.is_finished(name, "book"):
        pytest.skip("the book has not been made here, or its sources have changed since")
    found = read_record(project.folder(name, "book"))["key_numbers"]
    wrong = {
        key: (found[key]["value"] if key in found else "missing", (low, high))
        for key, (low, high) in CLAIMS[name].items()
        if key not in found or not low <= found[key]["value"] <= high
    }
    assert wrong == {}
