"""One row of the set of densities: water or hydrogen peroxide, with fit coefficients of every degree."""

import numpy as np

from symlab.data._density import density_coefficients
from symlab.data._molecules import PEROXIDE, WATER, peroxide, water
from symlab.data._tables import Row, TablePlan

BASIS = "6-31G**"
MOLECULES = ("water", "peroxide")


def density_row(plan: TablePlan, index: int) -> Row:
    """Make and label row number `index`, drawn from ``(seed, index)``: the molecules of the plan in turn."""
    rng = np.random.default_rng([plan.seed, 5, index])
    names = plan.parameters["molecules"]
    name = names[index % len(names)]
    numbers, positions = (WATER, water()) if name == "water" else (PEROXIDE, peroxide(rng.uniform(-180, 180)))
    positions = positions + plan.parameters["rattle"] * rng.normal(size=positions.shape)
    coefficients = density_coefficients(numbers, positions, BASIS, plan.max_iterations)
    labels = {f"density_{l}": value for l, value in enumerate(coefficients)}
    return Row({}, {"species": numbers, "positions": positions} | labels, {"molecule": name})
