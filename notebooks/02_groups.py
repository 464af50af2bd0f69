# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Groups, actions and characters
#
# **Question.** When a molecule turns, what turns with it, and how? And when it is replaced by its mirror image?
#
# A machine-learning model of atoms sees coordinates. An energy does not care how the molecule lies in space, a force
# turns along with it, and some quantities know left from right. Before we can measure whether a model respects any of
# this, we need to say exactly what there is to respect. This chapter does so with one molecule, one crystal, and one
# tool that counts everything: the character.
#
# Signs, orders and normalizations are fixed on the page [](../conventions.md); here we see them at work.

# %% tags=["parameters"]
preset: str = "book"  # smoke, book or full
seed: int = 2  # seed of the random group elements
n_elements: int | None = None  # random group elements in each test
l_max: int | None = None  # largest degree of the sectors in the tests

# %%
import math

import torch

from symlab import plots
from symlab.groups import (
    Structure,
    character,
    finite_group,
    haar_grid,
    parse_output,
    random_rotations,
    rotation_z,
    sectors,
    split_matrix,
    wigner_D,
)
from symlab.runs import Run

run = Run.start(
    globals(),
    presets={
        "smoke": {"n_elements": 50, "l_max": 3},
        "book": {"n_elements": 1000, "l_max": 4},
        "full": {"n_elements": 10000, "l_max": 6},
    },
)
p = run.parameters
generator = torch.Generator().manual_seed(p.seed)

# %% [markdown]
# **Time and memory** on one core: `smoke` 8 s, `book` 8 s, `full` 12 s; 0.4 GB (`full`: 0.7 GB). Imports take about 4
# s of it. What the published run took is in [](../status).

# %% [markdown]
# ## The group and its action
#
# The **orthogonal group** $\mathrm{O}(3)$ holds all real $3 \times 3$ matrices $g$ with $g^\top g = 1$: the rotations
# ($\det g = +1$, called *proper*; by themselves they form $\mathrm{SO}(3)$) and the rotations times the inversion
# $i = -1$ ($\det g = -1$, *improper*). A mirror is one of the latter: a half turn times the inversion.
#
# A group **acts** on molecules by moving their atoms, $r \mapsto g\,r$ as in {eq}`eq-action`. That is an action
# because doing nothing changes nothing, and because turning by $g_2$ and then by $g_1$ is the same as turning by $g_1
# g_2$. Everything that we compute from a molecule then inherits an action of its own. For a quantity $q$ with $d$
# components we write
#
# $$
# q(g x) = \rho(g)\, q(x) ,
# $$
#
# and call the $d \times d$ matrices $\rho(g)$ a **representation**: products must go to products,
# $\rho(g_1 g_2) = \rho(g_1)\,\rho(g_2)$.
#
# Our specimen is bromochlorofluoromethane, CHFClBr, the smallest molecule that everyone calls chiral. The geometry is
# an idealized tetrahedron with tabulated bond lengths, and charges and velocities are invented: we need
# something that is honest about its symmetry, not about its chemistry.

# %%
directions = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=torch.float64) / math.sqrt(3)
bond_lengths = torch.tensor([1.09, 1.36, 1.76, 1.94], dtype=torch.float64)  # Å, for H, F, Cl, Br
upright = torch.tensor([[0.86, -0.21, -0.46], [-0.06, 0.86, -0.50], [0.51, 0.46, 0.73]], dtype=torch.float64)
tilt = torch.linalg.qr(upright)[0]
positions = torch.cat([torch.zeros(1, 3, dtype=torch.float64), bond_lengths[:, None] * directions]) @ tilt.T
spin = torch.tensor([[-0.3, 0.9, 0.2]], dtype=torch.float64)  # rad/fs
molecule = Structure(
    positions=positions,
    species=torch.tensor([6, 1, 9, 17, 35]),
    vectors={"velocity": torch.linalg.cross(spin.expand_as(positions), positions)},
    scalars={"charge": torch.tensor([0.25, 0.12, -0.21, -0.10, -0.06], dtype=torch.float64)},
)

# %% [markdown]
# The structure declares what turns (positions, velocities) and what does not (species, charges). From it we compute
# six quantities, from plain cross and dot products, so that nothing below is true by definition:


# %%
def dipole(x):
    return (x.scalars["charge"][:, None] * x.positions).sum(-2)  # e Å


def angular_momentum(x):
    return torch.linalg.cross(x.positions, x.vectors["velocity"]).sum(-2)  # unit masses


def signed_volume(x):
    carbon, _, fluorine, chlorine, bromine = x.positions.unbind(-2)
    return ((fluorine - carbon) * torch.linalg.cross(chlorine - carbon, bromine - carbon)).sum(-1)  # Å³


def size(x):
    return (x.positions**2).sum((-1, -2))  # Å²


def quadrupole(x):
    return torch.einsum("a,...ai,...aj->...ij", x.scalars["charge"], x.positions, x.positions)  # e Å²


def virial(x):
    return torch.einsum("...ai,...aj->...ij", x.positions, x.vectors["velocity"])  # Å²/fs


# %%
quarter = rotation_z(torch.tensor([math.pi / 2], dtype=torch.float64))[0]
inversion = -torch.eye(3, dtype=torch.float64)
mirror = torch.diag(torch.tensor([-1.0, 1, 1], dtype=torch.float64))


def snapshot(title, element):
    x = molecule.rotated(element)
    arrows = {"dipole (polar)": 8 * dipole(x), "angular momentum (axial)": 0.45 * angular_momentum(x)}
    volume = f"{signed_volume(x):+.2f}".replace("-", "−")
    return plots.Snapshot(title, x.positions, x.species.tolist(), arrows, f"signed volume {volume} Å³")


identity = torch.eye(3, dtype=torch.float64)
elements = {"as it is": identity, "a quarter turn": quarter, "inversion": inversion, "mirror, x → −x": mirror}

# %% tags=["hide-input"]
figure = plots.molecule_panels([snapshot(title, element) for title, element in elements.items()])
run.figure(
    figure,
    name="02_action",
    caption="CHFClBr seen along $z$, and what three elements of $\\mathrm{O}(3)$ make of it. The dipole is a polar "
    "vector: the inversion reverses it, the mirror reverses its $x$ component. The angular momentum is an axial "
    "vector: the inversion leaves it alone, and the mirror reverses all but its $x$ component. The signed volume of "
    "F, Cl and Br about C does not notice rotations, and changes sign under inversion and mirror. (Idealized "
    "geometry; charges and velocities are invented.)",
    alt="Four panels with the same five-atom molecule: as it is, turned by ninety degrees, inverted, and mirrored in "
    "x. A solid arrow for the dipole and a dashed arrow for the angular momentum; the signed volume is written below "
    "each.",
)

# %% [markdown]
# Five kinds of transformation explain all six quantities. Each has a declaration that the package understands: either
# a Cartesian formula, or the name of an irreducible representation in the notation of e3nn (`1o` is a vector, `1e` an
# axial vector, `0o` a pseudoscalar; {numref}`tab-sectors` has them all). We test the declarations on random group
# elements, half of them improper: compute the quantity of the turned molecule, and compare with the turned quantity
# of the molecule as it is.

# %%
declared = {
    size: "scalar",
    signed_volume: parse_output("scalar", pseudo=True),
    dipole: "1x1o",
    angular_momentum: "1x1e",
    quadrupole: "ij=ji",
    virial: "ij",
}
random_elements = random_rotations(p.n_elements, generator, improper=True)
turned = molecule.stacked(random_elements)


def deviation(quantity, output):
    """Largest relative difference between q(g x) and rho(g) q(x)."""
    rho = parse_output(output)
    expected = rho.apply(random_elements, quantity(molecule).expand(p.n_elements, *rho.shape))
    return float((quantity(turned) - expected).abs().max() / expected.abs().max())


action_deviation = max(deviation(quantity, output) for quantity, output in declared.items())
{quantity.__name__: f"{deviation(quantity, output):.1e}" for quantity, output in declared.items()}

# %% tags=["hide-input"]
run.key("02_action_deviation", action_deviation, text="largest relative violation of the six declared actions")
run.key(
    "02_wrong_declaration",
    deviation(angular_momentum, "1x1o"),
    text="the same for an angular momentum that is declared polar",
)

# %% [markdown]
# The largest violation is {glue:text}`02_action_deviation:.1e`, which is round-off. Declare the angular momentum as a
# polar vector instead and it is {glue:text}`02_wrong_declaration:.2f`: the test can fail, as a test must. Note that on
# rotations alone it would *not* fail. Only improper elements tell an axial vector from a polar one, which is why this
# book measures on $\mathrm{O}(3)$.

# %% [markdown]
# ## Irreducible pieces
#
# A stress has nine components, but they do not all mix. Its trace stays a single number however we turn the body, and
# its antisymmetric part turns like an axial vector. What is left, symmetric and without trace, has five components
# that cannot be separated further. Such indivisible pieces are the **irreducible representations**, and for
# $\mathrm{O}(3)$ there is a complete list: one for each **sector** $(\lambda, \sigma)$, with degree $\lambda = 0, 1,
# 2, \dots$, sign $\sigma = \pm 1$, and $2\lambda + 1$ components. Under inversion a sector takes the sign
# $\sigma(-1)^\lambda$, {eq}`eq-parity`. Their matrices are the Wigner matrices $D^{(\lambda\sigma)}(g)$.

# %%
tensor = torch.tensor([[1.2, 0.5, -0.8], [-0.3, 0.4, 0.9], [0.6, 0.1, -0.7]], dtype=torch.float64)
trace = torch.eye(3, dtype=torch.float64) * tensor.trace() / 3
antisymmetric = (tensor - tensor.T) / 2
traceless = (tensor + tensor.T) / 2 - trace

# %% tags=["hide-input"]
figure = plots.tensor_parts(
    [
        ("whole tensor", tensor),
        ("trace: (0,+), one number", trace),
        ("antisymmetric: (1,−), three", antisymmetric),
        ("symmetric, traceless: (2,+), five", traceless),
    ],
    unit="arbitrary unit",
)
run.figure(
    figure,
    name="02_tensor",
    caption="A $3 \\times 3$ tensor with arbitrary entries is the sum of a scalar (sector $(0,+)$), an axial vector "
    "$(1,-)$ and a quadrupole $(2,+)$: $9 = 1 + 3 + 5$. The parts never mix under any element of $\\mathrm{O}(3)$, "
    "and are orthogonal: their squares add up to the square of the whole. A symmetric stress has no $(1,-)$ part.",
    alt="Four three-by-three matrices with numbers: a tensor, and the three parts that add up to it: a multiple of "
    "the identity, an antisymmetric matrix, and a symmetric matrix with vanishing trace.",
)

# %%
parts = split_matrix(tensor)
pythagoras = abs(float((tensor**2).sum()) - sum(float((part**2).sum()) for part in parts.values()))
run.key("02_pythagoras", pythagoras, text="difference between the square of the tensor and of its parts")

largest = 0.0
for sector in sectors(p.l_max):
    first, second = wigner_D(sector, random_elements), wigner_D(sector, random_elements.flip(0))
    together = wigner_D(sector, random_elements @ random_elements.flip(0))
    largest = max(largest, float((first @ second - together).abs().max()))
run.key("02_homomorphism", largest, text="largest entry of D(g1) D(g2) - D(g1 g2)")

# %% [markdown]
# Two checks: the squares of the parts add up to that of the whole (they differ by {glue:text}`02_pythagoras:.0e`), and
# products of group elements go to products of Wigner matrices in every sector (largest difference
# {glue:text}`02_homomorphism:.0e`).
#
# ## Characters count
#
# The Wigner matrices depend on a choice of basis, and every library makes its own. Their traces do not. The trace of a
# representation matrix is its **character** $\chi(g)$, and for $\mathrm{O}(3)$ it depends on nothing but the angle
# $\omega$ of the rotation and on whether the inversion takes part, {eq}`eq-character`.

# %%
angles = torch.linspace(0, math.pi, 181, dtype=torch.float64)
turns = rotation_z(angles)
series = [plots.Series(rf"$\lambda = {l}$", torch.rad2deg(angles), character((l, 1), turns)) for l in range(4)]

# %% tags=["hide-input"]
figure = plots.curves(series, xlabel=r"rotation angle $\omega$", xunit="°", ylabel=r"character $\chi_{\lambda\sigma}$")
run.figure(
    figure,
    name="02_character_curves",
    caption="Characters of proper rotations, {eq}`eq-character`, for degrees $\\lambda = 0$ to $3$. At $\\omega = 0$ "
    "they equal the dimension $2\\lambda + 1$. For improper elements the curve is multiplied by "
    "$\\sigma(-1)^\\lambda$, which is the only place where $\\sigma$ enters.",
    alt="Four curves against the rotation angle from 0 to 180 degrees. They start at 1, 3, 5 and 7 and oscillate "
    "faster the higher the degree.",
)

# %% [markdown]
# Characters of different sectors are orthogonal under the average over the group,
#
# $$
# \int \chi_\alpha(g)\, \chi_\beta(g)\,\mathrm{d}g = \delta_{\alpha\beta} ,
# $$ (eq-schur)
#
# which is Schur's lemma in one line {cite:p}`serre1977`. The next chapter is about computing such averages; for now we
# take one from the shelf. `haar_grid(degree)` gives matrices and weights that are exact as long as the degrees of the
# two factors add up to no more than `degree`.

# %%
chosen = sectors(p.l_max)


def overlaps(grid):
    table = torch.stack([character(sector, grid.matrices) for sector in chosen])
    return (table * grid.weights) @ table.T


exact_rule, short_rule = haar_grid(2 * p.l_max), haar_grid(2 * p.l_max - 3)
overlap = overlaps(exact_rule)
names = [plots.sector_label(*sector) for sector in chosen]

# %% tags=["hide-input"]
figure = plots.matrix_table(overlap, names, label=r"$\int \chi_\alpha \chi_\beta\,\mathrm{d}g$", xlabel="sector")
run.figure(
    figure,
    name="02_orthogonality",
    caption="Averages of products of characters over $\\mathrm{O}(3)$, by a quadrature that is exact for them. The "
    "result is the identity matrix up to round-off: each sector overlaps with itself and with nothing else.",
    alt="A square table of overlaps between sectors. Ones on the diagonal and zeros everywhere else.",
)

# %% tags=["hide-input"]
unit = torch.eye(len(chosen), dtype=torch.float64)
run.key(
    "02_schur_deviation", float((overlap - unit).abs().max()), text="largest violation of orthogonality, {eq}`eq-schur`"
)
run.key(
    "02_schur_short_rule",
    float((overlaps(short_rule) - unit).abs().max()),
    text="the same with a rule of too low a degree",
)

# %% [markdown]
# The identity holds to {glue:text}`02_schur_deviation:.0e`. With a rule whose degree is three too low, the largest
# violation is {glue:text}`02_schur_short_rule:.2f`: sectors seem to overlap that do not. An under-resolved grid does
# not fail loudly, it invents physics.
#
# Orthogonality turns questions about structure into counting. How often does sector $\beta$ occur in a representation
# with character $\chi$? Exactly $\int \chi\,\chi_\beta\,\mathrm{d}g$ times, and the answer must be an integer. The
# character of a product of representations is the product of their characters, so we can ask what two, three, four
# vectors can be combined into.

# %%
counting = haar_grid(8)
vector = character((1, 1), counting.matrices)
listed = sectors(4)


def content(values):
    """How often each sector occurs in the representation with this character."""
    return torch.stack([(counting.weights * values * character(sector, counting.matrices)).sum() for sector in listed])


counts = {n: content(vector**n) for n in (1, 2, 3, 4)}

# %% tags=["hide-input"]
figure = plots.spectrum_comparison(
    listed,
    [(f"product of {n} vectors, {3**n} components", counts[n]) for n in (2, 3, 4)],
    ylabel="how often the sector occurs",
)
run.figure(
    figure,
    name="02_products",
    caption="What products of vectors contain, counted by characters. Two vectors make one scalar (the dot product), "
    "one axial vector (the cross product) and one quadrupole, which is also the content of a $3 \\times 3$ tensor. "
    "The pseudoscalar $(0,-)$ appears for the first time at three vectors: the triple product. Its parity is the "
    "reason: an even number of vectors is always even under inversion.",
    alt="Three bar charts of how often each sector occurs in products of two, three and four vectors. For two vectors "
    "there is one each of (0,+), (1,-) and (2,+). Three vectors contain (0,-) once.",
)

# %% tags=["hide-input"]
not_integer = max(float((values - values.round()).abs().max()) for values in counts.values())
dimension = {n: float(sum(k * s.dim for k, s in zip(values, listed, strict=True))) for n, values in counts.items()}
assert all(round(dimension[n]) == 3**n for n in counts)
run.key("02_pseudoscalars_of_three_vectors", float(counts[3][1]), text="pseudoscalars in a product of three vectors")
run.key("02_count_deviation", not_integer, text="largest distance of a count from an integer")

# %% [markdown]
# The counts are integers to {glue:text}`02_count_deviation:.0e`, and the dimensions add up to $3^n$. A product of
# three vectors holds {glue:text}`02_pseudoscalars_of_three_vectors:.0f` pseudoscalar, one or two vectors hold none.
# So a network that should learn a pseudoscalar has to multiply at least three directions together;
# {numref}`fig-05_layers` shows one that does, layer by layer.

# %% [markdown]
# ## What the targets of this book are
#
# :::{table} The quantities that models in this book predict, how they are declared, and the sectors they live in.
# :name: tab-targets
#
# | quantity | declared as | sectors |
# | :--- | :--- | :--- |
# | energy $E$ | `"scalar"` or `"0e"` | $(0,+)$ |
# | force on each atom, dipole | `"1x1o"` | $(1,+)$ |
# | stress from a symmetric head | `"ij=ji"` | $(0,+) + (2,+)$ |
# | stress from an unconstrained $3 \times 3$ head | `"ij"` | $(0,+) + (1,-) + (2,+)$ |
# | signed volume, chirality | `"0o"` | $(0,-)$ |
# | any hidden layer | nothing to declare | all of them: that is what $B$ is for |
# :::
#
# A true stress is symmetric. A head that predicts nine free numbers can make an error in $(1,-)$, and any power that
# we find there is error and nothing else.

# %% [markdown]
# ## Turn the cell, too
#
# A crystal is not only its atoms. Its cell, three lattice vectors, turns with them, `cell @ g.T`. Forgetting this is
# the most common mistake in tests of equivariance, and it has been reported as a fault of the model more than once.
# What makes it treacherous is that it can hide. We take a crystal, sum a smooth pair interaction over periodic
# images, and turn it about $z$, once properly and once with the cell left behind.

# %%
crystal = Structure(
    positions=torch.tensor([[0.0, 0.0, 0.0], [1.6, 1.3, 1.1]], dtype=torch.float64),
    species=torch.tensor([14, 6]),
    cell=3.0 * torch.eye(3, dtype=torch.float64),
)
images = torch.cartesian_prod(*[torch.arange(-2.0, 3.0, dtype=torch.float64)] * 3)


def pair_energy(positions, cell):
    """Sum of exp(-r^2 / (2 Å^2)) over all pairs and periodic images, in eV."""
    shifts = images @ cell
    between = positions[:, None, :, None, :] - positions[:, :, None, None, :] + shifts[:, None, None, :, :]
    return torch.exp(-(between**2).sum(-1) / 2.0).sum((-1, -2, -3)) / 2


full_turn = torch.linspace(0, 2 * math.pi, 121, dtype=torch.float64)
copies = crystal.stacked(rotation_z(full_turn))
right = pair_energy(copies.positions, copies.cell)
wrong = pair_energy(copies.positions, crystal.cell.expand(len(full_turn), 3, 3))
degrees = torch.rad2deg(full_turn)

# %% tags=["hide-input"]
figure = plots.curves(
    [
        plots.Series("positions and cell turned", degrees, right - right[0]),
        plots.Series("positions turned, cell forgotten", degrees, wrong - right[0]),
    ],
    xlabel="turn about z",
    xunit="°",
    ylabel="change of energy",
    yunit="eV",
)
run.figure(
    figure,
    name="02_cell",
    caption="Pair energy of a two-atom cubic crystal that is turned about $z$. With the cell turned along, nothing "
    "changes. With the cell forgotten the energy changes by a good part of an electronvolt, except at multiples of "
    "90°, where the cube looks as before: a test that only tries quarter turns of a cubic crystal sees nothing wrong.",
    alt="Energy change against the angle of the turn from 0 to 360 degrees. One curve stays at zero. The other swings "
    "away and returns to zero at 0, 90, 180, 270 and 360 degrees.",
)

# %% tags=["hide-input"]
run.key("02_cell_turned", float((right - right[0]).abs().max()), unit="eV", text="energy change, cell turned")
run.key("02_cell_forgotten", float((wrong - right[0]).abs().max()), unit="eV", text="energy change, cell forgotten")

# %% [markdown]
# With the cell turned the energy changes by {glue:text}`02_cell_turned:.0e` eV, without by
# {glue:text}`02_cell_forgotten:.2f` eV. In this package the mistake takes effort: `Structure.stacked` turns every
# field that turns, and a class with a field that does not say how it transforms cannot even be defined. We had to
# take the structure apart to get it wrong.

# %% [markdown]
# ## What would prove this chapter wrong
#
# - One random element of $\mathrm{O}(3)$ for which a declared quantity and the turned quantity differ by more than
#   round-off ({glue:text}`02_action_deviation:.0e` was the most we saw).
# - A count that is not an integer, or dimensions that do not add up.
# - A quantity of positions and velocities that is neither even nor odd under inversion in all its pieces: then the
#   list of sectors would be incomplete.
#
# ## What to remember
#
# A quantity is declared by how it transforms. Every declaration is a sum of sectors $(\lambda, \sigma)$; characters
# count them, without a basis. Rotations alone cannot see $\sigma$: that takes improper elements. And what turns is the
# whole structure, cell included.
#
# ## Exercises

# %% [markdown]
# ```{exercise} The sector of a torque
# :label: ex-02-torque
#
# The torque on a molecule is $\sum_a r_a \times F_a$, with forces $F_a$. In which sector does it live? What about the
# dot product of torque and dipole? Answer by counting factors, then check on random elements.
# ```
#
# ```{solution-start} ex-02-torque
# :class: dropdown
# ```
#
# Two polar vectors make an even product, and the cross product is the $\lambda = 1$ part: $(1,-)$, an axial vector.
# With the dipole it makes three polar factors and $\lambda = 0$, so it is odd: a pseudoscalar, $(0,-)$. The
# velocities of our molecule can stand in for forces.

# %%
handedness = lambda x: (angular_momentum(x) * dipole(x)).sum(-1)  # noqa: E731
deviation(angular_momentum, "1x1e"), deviation(handedness, parse_output("scalar", pseudo=True))

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} Write the symmetry test, then make it fail
# :label: ex-02-test
#
# Write a function `obeys(quantity, output, elements)` that returns whether a quantity transforms as declared. Check
# that it accepts `dipole` as `"1x1o"`. Then find (a) a wrong declaration that it rejects, (b) a wrong declaration
# that it *accepts* when `elements` are rotations only, (c) a wrong quantity that it accepts when `elements` is the
# group `"Oh"`.
# ```
#
# ```{solution-start} ex-02-test
# :class: dropdown
# ```


# %%
def obeys(quantity, output, elements, tolerance=1e-10):
    rho = parse_output(output)
    expected = rho.apply(elements, quantity(molecule).expand(len(elements), *rho.shape))
    return bool((quantity(molecule.stacked(elements)) - expected).abs().max() < tolerance)


def cubic(x):
    """Sum of x^4 + y^4 + z^4 over atoms: no scalar, but the symmetry of the cube does not see it."""
    return (x.positions**4).sum((-1, -2))


rotations = random_rotations(20, generator)
{
    "dipole is a vector": obeys(dipole, "1x1o", random_elements[:20]),
    "(a) dipole declared axial": obeys(dipole, "1x1e", random_elements[:20]),
    "(b) the same, rotations only": obeys(dipole, "1x1e", rotations),
    "(c) cubic, group Oh only": obeys(cubic, "scalar", finite_group("Oh").matrices),
    "    cubic, random elements": obeys(cubic, "scalar", random_elements[:20]),
}

# %% [markdown]
# (a) fails as it should. (b) passes although it is wrong, because rotations cannot see parity. (c) passes because
# $x^4 + y^4 + z^4$ is invariant under all 48 elements of the cube's group: a test is no better than the elements it
# tries.
#
# ```{solution-end}
# ```
#
# ```{exercise} What rotations cannot see
# :label: ex-02-so3
#
# Repeat {numref}`fig-02_orthogonality` with `haar_grid(8, group="SO(3)")`. Which overlaps that were zero become one,
# and why?
# ```
#
# ```{solution-start} ex-02-so3
# :class: dropdown
# ```

# %%
proper_only = overlaps(haar_grid(2 * p.l_max, group="SO(3)")).round(decimals=10) + 0.0
proper_only[:4, :4]

# %% [markdown]
# Each $(\lambda, +)$ overlaps fully with $(\lambda, -)$: restricted to rotations the two are the same representation,
# since $\sigma$ enters through the inversion only.
#
# ```{solution-end}
# ```
#
# ```{exercise} Elastic constants
# :label: ex-02-elastic
#
# The elastic tensor $C_{ijkl}$ does not change when $i$ and $j$ are exchanged, or $k$ and $l$, or the two pairs. How
# many independent constants has it, and in which sectors do they live? How many remain in a cubic crystal?
# ```
#
# ```{solution-start} ex-02-elastic
# :class: dropdown
# ```

# %%
elastic = parse_output("ijkl=jikl=klij")
times = elastic.permutations.multiplicities()
cube = finite_group("Oh")
invariants = sum(k * float((cube.weights * character((l, 1), cube.matrices)).sum()) for l, k in times.items())
times, sum(k * (2 * l + 1) for l, k in times.items()), round(invariants)

# %% [markdown]
# Two scalars, two quadrupoles and one $(4,+)$: $2 \cdot 1 + 2 \cdot 5 + 9 = 21$ constants. An isotropic body keeps
# the two scalars (bulk and shear modulus). Averaging over the cube's group keeps those and one invariant from
# $(4,+)$: three constants, $C_{11}$, $C_{12}$ and $C_{44}$.
#
# ```{solution-end}
# ```
#
# ```{exercise} Hidden mistakes
# :label: ex-02-hidden
#
# In {numref}`fig-02_cell` the mistake is invisible at multiples of 90°. For which turns would it be invisible in a
# hexagonal cell with its axis along $z$? In a triclinic one? What should a test use?
# ```
#
# ```{solution} ex-02-hidden
# :class: dropdown
#
# A lattice of periodic images is left alone by the point group of the *lattice*: multiples of 60° for the hexagonal
# one, half turns about $z$ only if the lattice has them, and for a triclinic lattice nothing but the identity and the
# inversion. The inversion maps every lattice onto itself, so a test that inverts without the cell never notices. Use
# generic elements: random ones, or a Haar grid.
# ```

# %%
run.finish()
