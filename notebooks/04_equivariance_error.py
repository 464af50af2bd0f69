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
# # The equivariance error A
#
# **Question.** A model was never told about rotations. How wrong is it because of that, in the unit of its
# predictions?
#
# "Nearly equivariant" is not a number. This chapter builds one, $A$, which says how much a prediction depends on the
# orientation of its input. It has the unit of the prediction, it is an exact share of the total error, and it is
# exactly what averaging over orientations would remove. We meet it on networks so small that everything can be
# checked, with two controls: an untrained network, and a model that is equivariant by construction.

# %% tags=["parameters"]
preset: str = "book"  # smoke, book or full
seed: int = 4  # seed of the data and of the networks
n_train: int | None = None  # clusters to fit the network on
n_test: int | None = None  # clusters to measure on
width: int | None = None  # neurons in each hidden layer
n_iterations: int | None = None  # iterations of the fit
n_networks: int | None = None  # networks that differ in their seed only
n_turns: int | None = None  # random turns of each rule in the convergence plot

# %%
import math

import torch
from e3nn import o3

from symlab import plots
from symlab.groups import (
    Structure,
    haar_grid,
    monte_carlo_grid,
    parse_output,
    random_rotations,
    rotation_z,
)
from symlab.measure import HarnessError, equivariance, lie_derivative
from symlab.runs import Run

run = Run.start(
    globals(),
    presets={
        "smoke": {"n_train": 60, "n_test": 4, "width": 16, "n_iterations": 60, "n_networks": 3, "n_turns": 6},
        "book": {"n_train": 300, "n_test": 12, "width": 32, "n_iterations": 300, "n_networks": 3, "n_turns": 24},
        "full": {"n_train": 2000, "n_test": 50, "width": 64, "n_iterations": 1000, "n_networks": 5, "n_turns": 50},
    },
)
p = run.parameters
generator = torch.Generator().manual_seed(p.seed)

# %% [markdown]
# **Time and memory** on one core: `smoke` 13 s, `book` 30 s, `full` 8 min; 0.8 GB (`full`: 1.9 GB). Imports take
# about 4 s of it. What the published run took is in [](../status).

# %% [markdown]
# ## Something to predict
#
# The data are made up, so that the truth is known in closed form. Four equal atoms form a rattled tetrahedron, and
# between each two of them acts a Morse force of depth 0.3 eV, range 1.2 Å⁻¹ and length 2.6 Å. Positions are in Å,
# forces in eV/Å. The clusters lie at random in space, mirror images included.

# %%
others = torch.tensor([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
corners = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=torch.float64) * 2.6 / math.sqrt(8)


def clusters(n):
    rattled = corners + 0.15 * torch.randn(n, 4, 3, dtype=torch.float64, generator=generator)
    return torch.einsum("nij,naj->nai", random_rotations(n, generator, improper=True), rattled)


def bonds(positions):
    """Vectors from each atom to the three others, (..., 4, 3, 3)."""
    return positions[..., others, :] - positions[..., :, None, :]


def true_forces(positions):
    lines = bonds(positions)
    length = lines.norm(dim=-1, keepdim=True)
    decay = torch.exp(-1.2 * (length - 2.6))
    return (2 * 0.3 * 1.2 * (decay - decay**2) * lines / length).sum(-2)


train, test = clusters(p.n_train), clusters(p.n_test)
structures = [Structure(positions, torch.full((4,), 18)) for positions in test]
targets = list(true_forces(test))

# %% [markdown]
# The model is the simplest unconstrained one: a network takes the bond vector, three plain numbers, returns three
# plain numbers, and these are summed over the bonds of an atom. Nothing in it knows that the three numbers are a
# vector. (The point-edge transformer of the later chapters starts from the same idea, and puts attention on top.)


# %%
def new_network(number):
    torch.manual_seed(1000 * p.seed + number)
    first, second = torch.nn.Linear(3, p.width), torch.nn.Linear(p.width, p.width)
    for layer in (first, second):
        layer.weight.data *= 2.0  # leave the linear regime, for a faster fit
    return torch.nn.Sequential(first, torch.nn.SiLU(), second, torch.nn.SiLU(), torch.nn.Linear(p.width, 3)).double()


def forces_of(network):
    return lambda x: network(bonds(x.positions)).sum(-2)


def fit(network):
    """Fit all weights to the forces of the training clusters, by full-batch L-BFGS, with a small weight penalty."""
    optimizer = torch.optim.LBFGS(network.parameters(), max_iter=p.n_iterations, line_search_fn="strong_wolfe")
    lines, forces = bonds(train), true_forces(train)

    def loss():
        optimizer.zero_grad()
        value = ((network(lines).sum(-2) - forces) ** 2).mean()
        value = value + 1e-5 * sum((weight**2).sum() for weight in network.parameters())
        value.backward()
        return value

    optimizer.step(loss)
    return network


untrained, networks = new_network(0), [fit(new_network(number)) for number in range(p.n_networks)]
fitted = forces_of(networks[0])

# %% [markdown]
# The exact control is built with e3nn {cite:p}`geiger2022`: spherical harmonics of the bond vectors times Gaussians of
# their length, mixed by a linear layer that e3nn keeps equivariant. Its eight weights are found by least squares. Note
# that it has the form of the true law, which makes it very accurate here; we use it for its symmetry.

# %%
centres = torch.linspace(1.6, 4.4, 8, dtype=torch.float64)


def harmonic_features(positions, irreps="1o"):
    lines = bonds(positions)
    radial = torch.exp(-((lines.norm(dim=-1, keepdim=True) - centres.to(lines)) ** 2) / 0.32)
    angular = o3.spherical_harmonics(o3.Irreps(irreps), lines, normalize=True)
    return (radial[..., :, None] * angular[..., None, :]).sum(-3).flatten(-2)


mix = o3.Linear("8x1o", "1x1o", internal_weights=False, shared_weights=True).eval()
columns = harmonic_features(train).unflatten(-1, (8, 3)).transpose(-1, -2).reshape(-1, 8)
weights = torch.linalg.lstsq(columns, true_forces(train).reshape(-1, 1)).solution.flatten()
weights = weights * math.sqrt(8)  # e3nn divides by the root of the number of inputs


def exact(x):
    features = harmonic_features(x.positions)
    return mix(features, weights.to(features))


# %% [markdown]
# ## Definition
#
# Turn the input by $g$, ask the model, and turn the answer back: $z(g) = \rho(g)^{-1} f(g x)$, where $\rho$ is the
# representation in which the output should transform; for forces, $\rho(g) = g$. A perfect model answers the same for
# every $g$. The mean $\Pi$ of $z$ over the group is the **symmetrized prediction**, and the scatter about it is
#
# $$
# A^2 = \int |z(g) - \Pi|^2\,\mathrm{d}g, \qquad v = A^2 / d ,
# $$
#
# with $d$ the number of components, {eq}`eq-back-rotated` to {eq}`eq-variance`. Pooled over samples, the square root
# of the mean of $v$ is the **equivariance RMSE**. Three lines measure it:

# %%
report = equivariance(fitted, structures, output="1x1o", target=targets)
print(report)

# %% [markdown]
# The report has more to say, and the rest of the chapter goes through it.
#
# ## An exact share of the error
#
# If the truth is equivariant, the error of a model, averaged over orientations, is the sum of two parts that do not
# interfere, {eq}`eq-split`: the error of the symmetrized prediction, which no averaging can remove, and the
# equivariance error, which averaging removes completely. We measure all three separately and compare. Beside the
# fitted network stand the controls, and a fourth model for later: the exact one plus a small axial vector, the sum of
# $r_{ij} \times r_{ik}$ over neighbours $j, k$ in a fixed cyclic order, which knows left from right.


# %%
def handed(x):
    first, second, third = bonds(x.positions).unbind(-2)
    twist = torch.linalg.cross(first, second) + torch.linalg.cross(second, third) + torch.linalg.cross(third, first)
    return exact(x) + 0.05 * twist


models = {"untrained": forces_of(untrained), "fitted": fitted, "handed": handed, "exact (e3nn)": exact}
reports = {name: equivariance(f, structures, output="1x1o", target=targets) for name, f in models.items()}
splits = [one.split for one in reports.values()]

# %% tags=["hide-input"]
figure = plots.error_split(
    list(models),
    [split.symmetrized_rmse for split in splits],
    [split.equivariance_rmse for split in splits],
    [split.averaged_rmse for split in splits],
    unit="eV/Å",
)
run.figure(
    figure,
    name="04_split",
    caption="Mean-square force error of four models, averaged over all orientations, and the shares of its two parts. "
    "Plain: error of the symmetrized prediction. Hatched: equivariance error. The root of the whole is written below "
    "each name. The diamonds mark the whole, summed independently over all orientations: the bars end there, as "
    "{eq}`eq-split` demands. The model that is equivariant by construction has no hatched part. (Invented Morse "
    "clusters; quadrature of degree 9.)",
    alt="Four horizontal bars split into a plain and a hatched part. The untrained and the fitted network have a "
    "large hatched part, the handed model nothing but a hatched part, and the e3nn model none.",
)

# %% tags=["hide-input"]
mismatch = max(
    abs(s.averaged_rmse**2 - s.symmetrized_rmse**2 - s.equivariance_rmse**2) / s.averaged_rmse**2 for s in splits
)
again = [equivariance(forces_of(one), structures, output="1x1o", target=targets).split for one in networks]
share = torch.tensor([s.equivariance_rmse**2 / s.averaged_rmse**2 for s in again])
rmse = torch.tensor([s.equivariance_rmse for s in again])
run.key("04_split_mismatch", mismatch, text="largest relative violation of the split, {eq}`eq-split`")
run.key("04_force_std", float(true_forces(test).std()), unit="eV/Å", text="standard deviation of the true forces")
run.key(
    "04_fitted_rmse",
    float(rmse.mean()),
    unit="eV/Å",
    uncertainty=float(rmse.std()),
    text="equivariance RMSE of the fitted networks, with the standard deviation over seeds",
)
run.key(
    "04_fitted_share",
    float(share.mean()),
    uncertainty=float(share.std()),
    text="share of the mean-square error that is equivariance error, with the standard deviation over seeds",
)

# %% [markdown]
# The two sides of the identity agree to {glue:text}`04_split_mismatch:.0e`. The forces have a standard deviation of
# {glue:text}`04_force_std:.2f` eV/Å. Networks that differ only in their seed have an equivariance RMSE of
# {glue:text}`04_fitted_rmse:.3f` ± {glue:text}`04_fitted_rmse_uncertainty:.3f` eV/Å, which is
# {glue:text}`04_fitted_share:.2f` ± {glue:text}`04_fitted_share_uncertainty:.2f` of their squared error. That share is
# what a user gains, at most, from symmetrizing this model. The identity also says that the equivariance RMSE can never
# exceed the orientation-averaged error: $A$ is a lower bound that needs *no reference data*.
#
# ## Left and right
#
# $v$ splits once more, {eq}`eq-cosets`: into the scatter among rotations, the scatter among improper elements, and the
# distance between the two means. The handed model shows why the last one matters.

# %%
for name in ("fitted", "handed"):
    one = reports[name]
    print(
        f"{name}: rotations {one.proper_rmse:.2g}, improper {one.improper_rmse:.2g}, between {one.inversion_rmse:.2g}"
    )
# %% tags=["hide-input"]
run.key("04_handed_proper", reports["handed"].proper_rmse, unit="eV/Å", text="handed model, scatter among rotations")
run.key(
    "04_handed_inversion", reports["handed"].inversion_rmse, unit="eV/Å", text="handed model, distance of the cosets"
)

# %% [markdown]
# Among rotations the handed model scatters by {glue:text}`04_handed_proper:.0e` eV/Å: a test with rotations alone
# calls it perfect. All of its error, {glue:text}`04_handed_inversion:.3f` eV/Å, lies between a cluster and its mirror
# image.
#
# ## What is zero?
#
# Round-off makes even a perfect model scatter. The **noise floor** is the smallest error that could have been told
# from zero: the report finds it by repeating the unturned input, from machine epsilon, and by running in single and
# double precision where it can. Five cases, all but the last equivariant on paper:


# %%
def tensor_product(dtype):
    """An untrained e3nn tensor product whose constants are made in this type."""
    torch.manual_seed(p.seed)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    product = o3.FullyConnectedTensorProduct("8x0e+8x1o+8x2e", "8x0e+8x1o+8x2e", "1x1o").eval()
    torch.set_default_dtype(before)
    return product


def ordered_features(positions):
    """Harmonic features up to degree 2, sorted by degree as e3nn wants them."""
    blocks = harmonic_features(positions, "0e+1o+2e").unflatten(-1, (8, 9)).split([1, 3, 5], dim=-1)
    return torch.cat([block.flatten(-2) for block in blocks], dim=-1)


def product_model(single, double):
    """Works in the type of its input, with the module that is meant for it."""
    modules = {torch.float32: single, torch.float64: double}
    return lambda x: modules[x.positions.dtype](*[ordered_features(x.positions)] * 2)


single, double = tensor_product(torch.float32), tensor_product(torch.float64)
careful, careless = product_model(single, double), product_model(single, tensor_product(torch.float32).double())
few = structures[:3]
few_single = [x.to(dtype=torch.float32) for x in few]
candidates = {
    "e3nn linear, float64": (exact, few),
    "e3nn product, float64": (careful, few),
    "e3nn product, float32": (careful, few_single),
    "built in float32, cast to float64": (careless, few),
    "fitted network, float64": (fitted, few),
}
floors = {name: equivariance(f, x, output="1x1o") for name, (f, x) in candidates.items()}

# %% tags=["hide-input"]
figure = plots.noise_floors(
    list(candidates),
    [max(one.rmse, one.noise_floor) for one in floors.values()],
    [one.noise_floor for one in floors.values()],
    unit="eV/Å",
)
run.figure(
    figure,
    name="04_noise_floor",
    caption="Equivariance RMSE (dots) beside the noise floor (ticks). Two e3nn models in double precision and one in "
    "single precision lie within a factor of ten of their floors: zero, as far as their arithmetic can tell. The "
    "fourth is the same e3nn model, built in single precision and then cast to double. It is millions of times above "
    "its floor: its Clebsch-Gordan constants kept the round-off of float32.",
    alt="Five rows on a logarithmic axis. Three e3nn models have dots close to their noise floors. The cast model "
    "lies near ten to the minus ten, far above its floor. The fitted network lies between one hundredth and one tenth.",
)

# %% tags=["hide-input"]
cast = floors["built in float32, cast to float64"]
run.key(
    "04_exact_over_floor",
    floors["e3nn product, float64"].rmse / floors["e3nn product, float64"].noise_floor,
    text="equivariance RMSE over noise floor, e3nn model in float64",
)
run.key("04_cast_over_floor", cast.rmse / cast.noise_floor, text="the same for the model that was cast to float64")

# %% [markdown]
# An exactly equivariant model sits at its floor (a factor {glue:text}`04_exact_over_floor:.1f`). The model that was
# cast does not (a factor {glue:text}`04_cast_over_floor:.0e`), and no accuracy test would have noticed.
#
# ## Enough orientations?
#
# A network has no largest degree, so every measurement is repeated on a finer rule. How fast does it converge? We turn
# each rule at random to get an error bar, and compare with as many random orientations. The reference is a rule of
# degree 23.

# %%
one = structures[0]


def variance_on(grid):
    z = parse_output("1x1o").inverse_apply(grid.matrices, fitted(one.stacked(grid.matrices)).detach())
    mean = torch.einsum("n,nai->ai", grid.weights, z)
    return float(grid.weights @ ((z - mean) ** 2).mean((-1, -2)))


reference = variance_on(haar_grid(23))
degrees = (3, 5, 7, 9, 11, 15)
sizes = [len(haar_grid(D)) for D in degrees]
by_rule = torch.tensor(
    [[abs(variance_on(haar_grid(D, generator=generator)) / reference - 1) for D in degrees] for _ in range(p.n_turns)]
)
by_chance = torch.tensor(
    [
        [abs(variance_on(monte_carlo_grid(n, "O(3)", generator)) * n / (n - 1) / reference - 1) for n in sizes]
        for _ in range(p.n_turns)
    ]
)
law = plots.fit_power_law(sizes, by_chance)

# %% tags=["hide-input"]
figure = plots.convergence(
    [
        plots.Series.from_repeats("random orientations", sizes, by_chance),
        plots.Series.from_repeats("quadrature", sizes, by_rule),
    ],
    xlabel="evaluations of the model",
    ylabel="relative error of $v$",
    slopes={"random orientations": law},
)
run.figure(
    figure,
    name="04_convergence",
    caption="Relative error of the variance $v$ of the fitted network on one cluster, against the number of model "
    "evaluations. Root mean square over independent draws or random turns of the rule; bands hold the middle 68 %, "
    "the dashed line is a fitted power law. With a few dozen evaluations neither choice is better. From about a "
    "thousand on, quadrature wins by a growing margin, because the high degrees of the network fade fast.",
    alt="Log-log plot. The error of random orientations falls with slope minus one half. The error of quadrature "
    "starts at a similar height and falls more and more steeply beyond a thousand evaluations.",
)

# %% tags=["hide-input"]
nine = degrees.index(9)
run.key("04_error_degree_9", float((by_rule[:, nine] ** 2).mean().sqrt()), text="relative error of $v$ at degree 9")
run.key(
    "04_error_random", float((by_chance[:, nine] ** 2).mean().sqrt()), text="the same with as many random orientations"
)
run.key("04_reported_convergence", report.convergence, text="change of the RMSE from degree 9 to 11, as reported")

# %% [markdown]
# With the 760 orientations of degree 9, $v$ is right to {glue:text}`04_error_degree_9:.1e`; as many random ones give
# {glue:text}`04_error_random:.1e`. The report of the first section stated its own convergence,
# {glue:text}`04_reported_convergence:.1e`.
#
# ## Where is it worst?
#
# The mean hides the extremes. A single bond has a direction and nothing else, so for the force along one bond we can
# look at all orientations at once: the deviation $|z - \Pi|$ is a function on the sphere.

# %%
fine = haar_grid(35)
by_node = fine.weights.reshape(2, -1, 36).sum((0, 2))
directions = fine.matrices[: len(fine) // 2 : 36, :, 2]
panels = {}
for length in (2.2, 3.2):
    force = networks[0](length * directions).detach()
    radial_mean = by_node @ (force * directions).sum(-1)  # the symmetrized force can only point along the bond
    panels[f"bond of {length} Å"] = (force - radial_mean * directions).norm(dim=-1)

# %% tags=["hide-input"]
figure = plots.orientation_map(directions, panels, quantity="deviation $|z - \\Pi|$", unit="eV/Å")
run.figure(
    figure,
    name="04_worst",
    caption="Deviation of the fitted network's force from its symmetrized force, for one bond, by the direction of "
    "the bond (equal-area map, nearest of 434 directions): a short bond, which pushes, and a long one, which pulls. "
    "Stars mark the worst direction. All directions were equally frequent in the training data; the network learned "
    "some better than others.",
    alt="Two maps of the sphere, coloured by the deviation, with bright and dark patches a few tens of degrees wide "
    "and a star at the brightest place of each.",
)

# %% tags=["hide-input"]
worst = max(float(values.max() / (by_node @ values**2).sqrt()) for values in panels.values())
run.key("04_worst_over_typical", worst, text="largest deviation over directions, over the root mean square")

# %% [markdown]
# The worst direction errs {glue:text}`04_worst_over_typical:.1f` times as much as the typical one.
#
# ## Local is not global
#
# Equivariance can also be tested at small angles only. The **Lie derivative** is the rate at which $z$ changes as a
# rotation sets in {cite:p}`gruver2023`. It costs a few evaluations instead of hundreds, and if it vanishes for every
# input, the model is equivariant under rotations. For a *given* input it can be fooled both ways. Two more models: one
# adds a tiny, rapid ripple to the exact forces; the other scales them up by 10 % while a certain bond points up, and
# down by 10 % otherwise, a switch that a small rotation never flips.


# %%
steepest = int(bonds(one.positions)[..., 2].abs().argmax())


def ripple(x):
    return exact(x) + 0.01 * torch.sin(30 * x.positions)


def switch(x):
    height = bonds(x.positions).flatten(-3, -2)[..., steepest, 2]
    return exact(x) * (1 + 0.1 * torch.sign(height))[..., None, None]


angles = torch.linspace(0, math.pi, 181, dtype=torch.float64)
about_x = rotation_z(angles)[:, [2, 0, 1]][:, :, [2, 0, 1]]
tested = {"fitted network": fitted, "ripple": ripple, "switch": switch}
series = []
for name, f in tested.items():
    z = parse_output("1x1o").inverse_apply(about_x, f(one.stacked(about_x)).detach())
    series.append(plots.Series(name, torch.rad2deg(angles), ((z - z[0]) ** 2).mean((-1, -2)).sqrt()))

# %% tags=["hide-input"]
figure = plots.curves(
    series, xlabel="turn about the x axis", xunit="°", ylabel="root-mean-square change of $z$", yunit="eV/Å"
)
run.figure(
    figure,
    name="04_local_global",
    caption="Root-mean-square change of the back-rotated forces $z$ as one cluster is turned about $x$. The ripple "
    "starts steeply and goes nowhere; the switch does nothing at all, until it flips. The slope at zero angle is what "
    "a Lie derivative sees, the scatter over all angles and axes is $A$.",
    alt="Three curves against the angle from 0 to 180 degrees. One grows smoothly. One rises at once and then "
    "oscillates at a small height. One is exactly zero and then jumps.",
)

# %% tags=["hide-input"]
for name, f in tested.items():
    key = name.split()[0]
    run.key(
        f"04_lie_{key}", lie_derivative(f, one, "1x1o").rmse, unit="eV/Å per radian", text=f"Lie derivative, {name}"
    )
    run.key(f"04_a_{key}", equivariance(f, one, "1x1o").rmse, unit="eV/Å", text=f"equivariance RMSE, {name}")

# %% [markdown]
# | model | Lie derivative, eV/Å per radian | equivariance RMSE, eV/Å |
# | :--- | ---: | ---: |
# | fitted network | {glue:text}`04_lie_fitted:.3f` | {glue:text}`04_a_fitted:.4f` |
# | ripple | {glue:text}`04_lie_ripple:.3f` | {glue:text}`04_a_ripple:.4f` |
# | switch | {glue:text}`04_lie_switch:.0e` | {glue:text}`04_a_switch:.4f` |
#
# Ranked by the Lie derivative at this cluster the switch is perfect; ranked by $A$ the ripple is the better one. The
# local measure is cheap and differentiable, which makes it useful as a penalty in training. The global one says what a
# user will see.
#
# ## Mistakes of the harness
#
# Most broken symmetries that people report are broken tests. Before it measures, `equivariance` tries to catch the
# usual ones. Four of them, made on purpose:

# %%
crystal = Structure(
    torch.tensor([[0.1, 0.0, 0.0], [1.6, 1.3, 1.1]], dtype=torch.float64),
    torch.tensor([14, 6]),
    cell=3.0 * torch.eye(3, dtype=torch.float64),
)
images = torch.cartesian_prod(*[torch.arange(-2.0, 3.0, dtype=torch.float64)] * 3)


def forgotten_cell(x):
    between = x.positions[:, 0] - x.positions[:, 1]
    return torch.exp(-((between[:, None] + images @ crystal.cell) ** 2).sum(-1)).sum(-1, keepdim=True)


def transposed(x):
    matrix = torch.linalg.lstsq(one.positions.expand_as(x.positions), x.positions).solution  # R^T, from the rows
    return true_forces(one.positions @ matrix.mT)


def with_dropout(x):
    return torch.nn.functional.dropout(fitted(x), 0.1)


def reordered(x):
    order = x.positions[..., 2].argsort(dim=-1)
    return true_forces(x.positions.gather(-2, order[..., None].expand_as(x.positions)))


mistakes = [
    (forgotten_cell, crystal, "scalar"),
    (transposed, one, "1x1o"),
    (with_dropout, one, "1x1o"),
    (reordered, one, "1x1o"),
]
caught = 0
for f, x, output in mistakes:
    try:
        equivariance(f, x, output=output)
    except HarnessError as error:
        caught += 1
        print(f"{f.__name__}: {error}\n")
# %% tags=["hide-input"]
run.key("04_mistakes_caught", caught, text="mistakes of the harness that were caught, of four")

# %% [markdown]
# All {glue:text}`04_mistakes_caught:d` of 4 are caught, and each message names the remedy.
#
# ## What would prove this chapter wrong
#
# - A model and an equivariant reference for which the split, {eq}`eq-split`, fails by more than round-off and the
#   quadrature error ({glue:text}`04_split_mismatch:.0e` was the most we saw).
# - An equivariance RMSE above the orientation-averaged RMSE.
# - A model that is equivariant in exact arithmetic and lies far above its noise floor. We found one, and it turned out
#   that its constants had been rounded: the measurement was right.
#
# ## What to remember
#
# Back-rotate, average, take the scatter. $A$ is in the unit of the output, is an exact part of the error, needs no
# reference data, and means nothing without its noise floor and its convergence. Use improper elements, or you will
# call a handed model perfect.
#
# ## Exercises

# %% [markdown]
# ```{exercise} A constant bias
# :label: ex-04-bias
#
# A model of forces returns the exact force plus a constant vector $c$, the same in every orientation, which is what an
# output layer with a bias does. Calculate $\Pi$, $A^2$ and $v$ by hand. Then check with $c = (0.3, 0, 0)$ eV/Å.
# ```
#
# ```{solution-start} ex-04-bias
# :class: dropdown
# ```
#
# Turned back, the bias becomes $g^{-1} c$, whose mean over the group is zero and whose length is always $|c|$. So
# $\Pi$ is the exact force, $A^2 = |c|^2$ for each atom, and $v = |c|^2/3 = 0.03$. A covariant bias is pure
# equivariance error.

# %%
bias = torch.tensor([0.3, 0.0, 0.0], dtype=torch.float64)
biased = equivariance(lambda x: exact(x) + bias, one, output="1x1o")
[round(value, 12) for value in biased.variance.tolist()]

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} Write the symmetry test, then make it fail
# :label: ex-04-test
#
# Write `is_equivariant(f, x, output)` from a report alone, without a hand-made tolerance. It should accept the exact
# model in single precision and in double precision. Find two models from this chapter that it rejects, and one that it
# accepts wrongly when you measure with `group="SO(3)"`.
# ```
#
# ```{solution-start} ex-04-test
# :class: dropdown
# ```


# %%
def is_equivariant(f, x, output, group="O(3)"):
    return equivariance(f, x, output=output, group=group).at_noise_floor


{
    "exact": is_equivariant(exact, one, "1x1o"),
    "product, float32": is_equivariant(careful, few_single, "1x1o"),
    "fitted": is_equivariant(fitted, one, "1x1o"),
    "cast": is_equivariant(careless, one, "1x1o"),
    "handed": is_equivariant(handed, one, "1x1o"),
    "handed, rotations only": is_equivariant(handed, one, "1x1o", "SO(3)"),
}

# %% [markdown]
# The noise floor is the tolerance, and it follows the arithmetic of the model. On rotations alone the handed model
# passes, and nothing is wrong with the test: it is equivariant under $\mathrm{SO}(3)$.
#
# ```{solution-end}
# ```
#
# ```{exercise} The cheapest repair
# :label: ex-04-inversion
#
# Average a model over the identity and the inversion only: two evaluations. Use {eq}`eq-cosets` to predict which part
# of the error goes away for the handed model. Then look at the fitted network: by how much does its $v$ fall, and why
# is it not zero although the difference between the cosets is tiny?
# ```
#
# ```{solution-start} ex-04-inversion
# :class: dropdown
# ```


# %%
def inversion_averaged(f):
    """Mean of f(x) and -f(-x), both turned back."""

    def averaged(x):
        mirrored = x.with_tensors({"positions": -x.positions})
        return (f(x) - f(mirrored)) / 2

    return averaged


{
    name: (reports[name].rmse, equivariance(inversion_averaged(models[name]), structures, output="1x1o").rmse)
    for name in ("fitted", "handed")
}

# %% [markdown]
# The handed model becomes exact: its whole error lay between the cosets. The fitted network loses only the part of its
# scatter that is even under inversion (for its forces, sectors of the wrong parity). What remains has the right parity
# and the wrong orientation dependence. The gap of {eq}`eq-cosets` compares the two *means*, and cannot see this.
#
# ```{solution-end}
# ```
#
# ```{exercise} A projection, nearly
# :label: ex-04-projection
#
# The symmetrized prediction $\Pi$ of a turned cluster should be the turned $\Pi$. With a finite rule it is so up to
# what the rule misses. Measure the violation for the fitted network at degrees 5, 9 and 15. For which averaging rules
# would it be exactly zero?
# ```
#
# ```{solution-start} ex-04-projection
# :class: dropdown
# ```

# %%
turn = random_rotations(1, generator)[0]


def projection_error(degree):
    here = equivariance(fitted, one, "1x1o", degree, n_converge=0).mean
    there = equivariance(fitted, one.rotated(turn), "1x1o", degree, n_converge=0).mean
    return float((there - here @ turn.T).abs().max())


{degree: projection_error(degree) for degree in (5, 9, 15)}

# %% [markdown]
# It falls with the degree, and is never exactly zero, since the rule is not a group. Averaging over a finite group is
# exactly equivariant under the elements of that group, and under no others.
#
# ```{solution-end}
# ```

# %%
run.finish()
