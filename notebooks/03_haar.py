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
# # Averages over all orientations
#
# **Question.** How many orientations are enough?
#
# Everything this book measures is an average over all rotations and reflections. A model can only be evaluated at
# finitely many of them, and every evaluation costs a forward pass. Random orientations always work and converge
# slowly. Well-chosen ones can be *exact*, with a few hundred evaluations, and can also go wrong in ways that look
# like physics. This chapter shows both, and how to tell.

# %% tags=["parameters"]
preset: str = "book"  # smoke, book or full
seed: int = 3  # seed of random orientations
n_repeats: int | None = None  # independent repetitions of each Monte Carlo average
n_turns: int | None = None  # random turns of each quadrature rule
largest_degree: int | None = None  # largest degree of a rule

# %%
import math

import torch
from scipy.special import iv

from symlab import plots
from symlab.groups import (
    Sector,
    Structure,
    character,
    finite_group,
    haar_grid,
    monte_carlo_grid,
    random_rotations,
    sectors,
    wigner_D,
)
from symlab.measure import UnderResolvedError, equivariance
from symlab.runs import Run

run = Run.start(
    globals(),
    presets={
        "smoke": {"n_repeats": 40, "n_turns": 16, "largest_degree": 19},
        "book": {"n_repeats": 400, "n_turns": 100, "largest_degree": 21},
        "full": {"n_repeats": 2000, "n_turns": 400, "largest_degree": 29},
    },
)
p = run.parameters
generator = torch.Generator().manual_seed(p.seed)

# %% [markdown]
# **Time and memory** on one core: `smoke` 9 s, `book` 13 s, `full` 30 s; 0.8 GB (`full`: 2.5 GB). Imports take about
# 4 s of it. What the published run took is in [](../status).

# %% [markdown]
# ## What an average over a group is
#
# We want $\int F(g)\,\mathrm{d}g$ of a number $F$ that depends on a group element $g$, such as the prediction of a
# model for a molecule turned by $g$. The **Haar measure** $\mathrm{d}g$ is the one way to average in which no
# orientation is special: turning everything by a fixed $h$ first, $F(hg)$ or $F(gh)$, changes nothing. In angles it
# is {eq}`eq-haar`.
#
# We replace the integral by a weighted sum over $N$ elements, {eq}`eq-grid`. Two ways to choose them:
#
# - **Monte Carlo.** $N$ independent, uniformly distributed elements {cite:p}`mezzadri2007`, all with weight $1/N$. The
#   error falls as $N^{-1/2}$, whatever $F$ is.
# - **Quadrature.** A rule that is exact for every $F$ up to some *degree* $D$: points and weights on the sphere for
#   the direction of the polar axis {cite:p}`lebedev1976,lebedev1999`, times $D + 1$ equally spaced in-plane angles,
#   times the two cosets.
#
# Degree is meant as for polynomials. The matrix elements of $g$ have degree 1, those of the Wigner matrix
# $D^{(\lambda\sigma)}$ have degree $\lambda$, and products add their degrees.
#
# ## A first average
#
# One atom sits at $(1, 2, 3)$ Å, and a (very bad) model says that its energy is its $x$ coordinate, in eV/Å. Turned
# over all orientations the prediction has mean zero. Its variance is a third of the squared distance from the origin,
# $(1 + 4 + 9)/3 = 14/3$. The variance is quadratic in a degree-1 function, so a rule of degree 2 must get it exactly.

# %%
atom = Structure(torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64), torch.tensor([1]))


def x_of_the_atom(structure):
    return structure.positions[:, 0, 0]


report = equivariance(x_of_the_atom, atom, output="scalar", degree=2)
random_estimates = torch.tensor(
    [
        float((x_of_the_atom(atom.stacked(monte_carlo_grid(report.grid_size, "O(3)", generator).matrices)) ** 2).mean())
        for _ in range(p.n_repeats)
    ]
)
# %% tags=["hide-input"]
run.key("03_variance_of_x", float(report.variance), unit="eV²", text="variance of an $x$ coordinate, exactly 14/3")
run.key("03_grid_of_degree_2", report.grid_size, text="orientations in the rule of degree 2")
run.key(
    "03_variance_of_x_random",
    float(random_estimates.mean()),
    unit="eV²",
    uncertainty=float(random_estimates.std()),
    text="the same from as many random orientations, with its scatter",
)

# %% [markdown]
# The rule has {glue:text}`03_grid_of_degree_2:.0f` orientations and gives {glue:text}`03_variance_of_x:.12f` eV². As
# many random orientations scatter by {glue:text}`03_variance_of_x_random_uncertainty:.1f` eV² from one draw to the
# next.
#
# ## Exact up to a degree, and then not at all
#
# The promise of a rule of degree $D$ is that it integrates products of Wigner functions exactly as long as the degrees
# of the factors add up to at most $D$. For orthonormal functions we know all integrals,
#
# $$
# \int D^{\alpha}_{mn}(g)\, D^{\beta}_{m'n'}(g)\,\mathrm{d}g
# = \frac{\delta_{\alpha\beta}\,\delta_{mm'}\,\delta_{nn'}}{d_\alpha} ,
# $$ (eq-wigner-orthogonality)
#
# so we can look for the worst violation among all products of a given total degree.


# %%
def worst_violation(grid, total):
    """Largest error of eq-wigner-orthogonality among products of this total degree and even parity."""
    worst = 0.0
    for l in range(total // 2 + 1):
        first, second = Sector(l, 1), Sector(total - l, (-1) ** total)
        left, right = (wigner_D(s, grid.matrices).flatten(1) for s in (first, second))
        integral = (left * grid.weights[:, None]).T @ right
        if first == second:
            integral = integral - torch.eye(len(integral), dtype=torch.float64) / first.dim
        worst = max(worst, float(integral.abs().max()))
    return worst


totals = range(1, 13)
exactness = {D: [worst_violation(haar_grid(D), total) for total in totals] for D in (3, 5, 7, 9)}

# %% tags=["hide-input"]
figure = plots.convergence(
    [plots.Series(f"rule of degree {D}", list(totals), errors) for D, errors in exactness.items()],
    xlabel="total degree of the integrand",
    ylabel="worst error of an integral",
    floor=1e-16,
    logx=False,
)
run.figure(
    figure,
    name="03_exactness",
    caption="Worst error among all products of two Wigner functions, against their total degree, for four rules. Up "
    "to its own degree a rule is exact to round-off; one step further it is wrong in the first digits. There is no "
    "gradual loss that would warn you.",
    alt="Four curves on a logarithmic scale. Each stays near ten to the minus sixteen up to the degree of its rule "
    "and then jumps to about one tenth.",
)

# %% tags=["hide-input"]
inside = max(e for D, errors in exactness.items() for t, e in zip(totals, errors, strict=True) if t <= D)
outside = min(errors[list(totals).index(D + 1)] for D, errors in exactness.items())
run.key("03_exact_inside", inside, text="worst error of a rule within its degree")
run.key("03_wrong_outside", outside, text="smallest of the worst errors one degree above")

# %% [markdown]
# Inside: {glue:text}`03_exact_inside:.0e`. One degree above: at least {glue:text}`03_wrong_outside:.3f`.
#
# A variance is quadratic. If a response has degrees up to $L$ (its **bandwidth**), its square has degrees up to $2L$,
# so variances and powers need $D \ge 2L$, {eq}`eq-degree`. A rule that is good enough for a *mean* is not good enough
# for a variance; rules that are built for averaging predictions have been used for measuring variances, with just
# this mistake.
#
# ## How fast, for functions that never end
#
# A neural network has no largest degree. What matters then is how fast its high degrees fade. Three integrands with
# known averages stand for the cases we will meet:
#
# | integrand | average over $\mathrm{O}(3)$ | high degrees |
# | :--- | :--- | :--- |
# | $e^{\operatorname{tr} g}$ | $\frac e2 (I_0 - I_1)(2) + \frac1{2e} (I_0 + I_1)(2)$ | fade faster than any power |
# | $\lvert\operatorname{tr} g\rvert$ | $3\sqrt3/(2\pi)$ | fade as a power: it has a kink |
# | $1$ if $\lvert\operatorname{tr} g\rvert > 1$, else $0$ | $1/2 - 1/\pi$ | fade slowly: it jumps |
#
# $I_0$ and $I_1$ are modified Bessel functions. The first is like a network with smooth activations and moderate
# weights, the second like one with ReLUs, the third like a class label. To have error bars, each rule is turned as a
# whole by random rotations, and the error shown is the root mean square over the turns.

# %%
smooth_mean = 0.5 * (math.e * (iv(0, 2) - iv(1, 2)) + (iv(0, 2) + iv(1, 2)) / math.e)
integrands = {
    "smooth": (torch.exp, smooth_mean),
    "kink": (torch.abs, 3 * math.sqrt(3) / (2 * math.pi)),
    "jump": (lambda trace: (trace.abs() > 1).double(), 0.5 - 1 / math.pi),
}


def trace(matrices):
    return matrices.diagonal(dim1=-2, dim2=-1).sum(-1)


degrees = [D for D in range(3, p.largest_degree + 1, 2) if D not in (13, 25, 27)]
rules = [haar_grid(D) for D in degrees]
sizes = [len(rule) for rule in rules]
turns = random_rotations(p.n_turns, generator)


def quadrature_errors(function, exact):
    """Errors of every rule, relative to the exact value; shape (n_turns, n_rules)."""
    columns = []
    for rule in rules:
        traces = torch.einsum("nij,tji->tn", rule.matrices, turns)
        columns.append(function(traces) @ rule.weights / exact - 1)
    return torch.stack(columns, 1).abs()


counts = torch.logspace(1, 3.5, 9).round().int().tolist()
draws = [trace(random_rotations(p.n_repeats * n, generator, improper=True)).reshape(p.n_repeats, n) for n in counts]
random_errors = torch.stack([(torch.exp(t).mean(1) / smooth_mean - 1).abs() for t in draws], 1)
errors = {name: quadrature_errors(*integrand) for name, integrand in integrands.items()}

# %%
laws = {
    "Monte Carlo, smooth": plots.fit_power_law(counts, random_errors),
    "quadrature, kink": plots.fit_power_law(sizes, errors["kink"]),
    "quadrature, jump": plots.fit_power_law(sizes, errors["jump"]),
}

# %% tags=["hide-input"]
figure = plots.convergence(
    [
        plots.Series.from_repeats("Monte Carlo, smooth", counts, random_errors),
        plots.Series.from_repeats("quadrature, smooth", sizes, errors["smooth"]),
        plots.Series.from_repeats("quadrature, kink", sizes, errors["kink"]),
        plots.Series.from_repeats("quadrature, jump", sizes, errors["jump"]),
    ],
    xlabel="evaluations $N$",
    ylabel="relative error of the average",
    slopes=laws,
    floor=1e-16,
)
run.figure(
    figure,
    name="03_convergence",
    caption="Relative error of averages over $\\mathrm{O}(3)$ against the number of evaluations. Points are root mean "
    "squares over independent draws (Monte Carlo) or random turns of the rule (quadrature), bands hold the middle 68 "
    "%, dashed lines are fitted power laws with the standard error of their exponent. Random orientations reach "
    "$N^{-1/2}$ for every integrand. Quadrature of the smooth integrand falls ever more steeply, to round-off; a kink "
    "or a jump reduces it to a power law.",
    alt="Log-log plot of error against evaluations. Monte Carlo falls with slope minus one half. Quadrature of a "
    "smooth function plunges below ten to the minus fourteen. With a kink or a jump, quadrature falls along straight "
    "lines.",
)

# %% tags=["hide-input"]
for name, key in (("Monte Carlo, smooth", "monte_carlo"), ("quadrature, kink", "kink"), ("quadrature, jump", "jump")):
    run.key(f"03_slope_{key}", laws[name].exponent, uncertainty=laws[name].uncertainty, text=f"slope of {name}")
smooth_rms = (errors["smooth"] ** 2).mean(0).sqrt()
enough = next(size for size, error in zip(sizes, smooth_rms.tolist(), strict=True) if error < 1e-6)
law = laws["Monte Carlo, smooth"]
run.key("03_evaluations_quadrature", enough, text="evaluations for a relative error below 1e-6, smooth, quadrature")
run.key(
    "03_evaluations_monte_carlo",
    (law.prefactor / 1e-6) ** 2,
    text="the same for Monte Carlo, extrapolated with slope -1/2",
)

# %% [markdown]
# The Monte Carlo slope is {glue:text}`03_slope_monte_carlo:.3f` ± {glue:text}`03_slope_monte_carlo_uncertainty:.3f`,
# as it must be. To bring the error of the smooth average below $10^{-6}$, quadrature takes
# {glue:text}`03_evaluations_quadrature:.0f` evaluations, and Monte Carlo would take
# {glue:text}`03_evaluations_monte_carlo:.1e`. With a kink the slope is {glue:text}`03_slope_kink:.2f` ±
# {glue:text}`03_slope_kink_uncertainty:.2f`, with a jump {glue:text}`03_slope_jump:.2f` ±
# {glue:text}`03_slope_jump_uncertainty:.2f`. (The group has three dimensions, so $N$ grows as the cube of the degree,
# and slopes in $N$ are a third of those in $D$.)
#
# ## A variance of minus eighty
#
# Some Lebedev rules have negative weights, among the small ones those of degree 13, 25 and 27. They are exact to their
# degree like all others. Beyond it, they can do something worse than being wrong. This energy of one atom at distance
# 1 Å is a polynomial of degree 7,
#
# $$
# E = 1000\,\text{eV} \cdot xyz\,\bigl[\tfrac58 (x^4 + y^4 + z^4) - (x^2y^2 + y^2z^2 + z^2x^2)\bigr] ,
# $$
#
# so that its square has degree 14. Its mean is zero, and its variance is $10^6 \cdot 17/137280 = 123.834499$ eV².


# %%
def trap(structure):
    x, y, z = structure.positions[..., 0, :].unbind(-1)
    quartic, mixed = x**4 + y**4 + z**4, (x * y) ** 2 + (y * z) ** 2 + (z * x) ** 2
    return 1000 * x * y * z * (0.625 * quartic - mixed)


exact_variance = 1e6 * 17 / 137280
north = Structure(torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64), torch.tensor([1]))
tried = list(range(5, 22, 2))
fixed, turned_mean, turned_error = [], [], []
for D in tried:
    grid = haar_grid(D)
    fixed.append(float(grid.weights @ trap(north.stacked(grid.matrices)) ** 2))
    samples = [trap(north.rotated(turn).stacked(grid.matrices)) ** 2 @ grid.weights for turn in turns]
    turned_mean.append(float(torch.stack(samples).mean()))
    turned_error.append(float(torch.stack(samples).std() / math.sqrt(p.n_turns)))
mean, error = torch.tensor(turned_mean), torch.tensor(turned_error)

# %% tags=["hide-input"]
figure = plots.curves(
    [
        plots.Series("rule as it is", tried, fixed),
        plots.Series("mean over random turns, ± 2 standard errors", tried, mean, mean - 2 * error, mean + 2 * error),
    ],
    xlabel="degree of the rule",
    ylabel="mean square of the energy",
    yunit="eV²",
    levels={"exact": exact_variance},
    markers=True,
)
run.figure(
    figure,
    name="03_signed_weights",
    caption="Mean square of an energy of degree 7, whose exact value is 123.83 eV² (dotted). From degree 15 on, every "
    "rule is exact. Below, the rule as it is gives what its nodes happen to see, and the signed rule of degree 13 "
    "gives a *negative* mean square. Turned at random, every rule is right on average, whatever its degree; the band "
    "is two standard errors to either side.",
    alt="Mean square against degree. The untouched rules scatter between 149 and 347 up to degree 11, give minus 84 "
    "at degree 13, and 123.8 from degree 15. The mean over random turns stays near the dotted exact line throughout.",
)

# %% tags=["hide-input"]
run.key("03_trap_degree_13", fixed[tried.index(13)], unit="eV²", text="mean square from the signed rule of degree 13")
run.key("03_trap_degree_15", fixed[tried.index(15)], unit="eV²", text="mean square at degree 15, exactly 123.834499")
low = [i for i, D in enumerate(tried) if D < 15]
pulls = [(turned_mean[i] - exact_variance) / turned_error[i] for i in low]
run.key(
    "03_largest_pull", max(map(abs, pulls)), text="largest distance of a turned mean from the truth, in standard errors"
)

# %% [markdown]
# Degree 13 gives {glue:text}`03_trap_degree_13:.2f` eV², and degree 15 {glue:text}`03_trap_degree_15:.6f` eV². A
# negative mean square is at least easy to recognize. `symlab` refuses to report it:

# %%
try:
    equivariance(trap, north, output="scalar", degree=13)
except UnderResolvedError as refusal:
    print(refusal)

# %% [markdown]
# The 339 eV² of degree 11 is just as wrong and has no sign to give it away. That is why every result in this
# book is measured twice, at $D$ and at $D + 2$, and reported with the change, {eq}`eq-convergence`.
#
# ## Turned rules: an honest error bar
#
# Turn the whole rule by a random rotation $Q$, $g_n \to g_n Q$. Each element is then uniformly distributed, so the
# estimate is **unbiased** for any integrand, like Monte Carlo; and it is still exact up to its degree, unlike Monte
# Carlo. Repeating with several $Q$ gives an error bar that includes everything the rule misses. In
# {numref}`fig-03_signed_weights` the turned means of the under-resolved rules lie at most
# {glue:text}`03_largest_pull:.1f` standard errors from the truth.
#
# ## Finite groups are small rules
#
# The rotations of a tetrahedron (T, 12 elements), a cube (O, 24) or an icosahedron (I, 60), with or without the
# inversion (index h), are quadratures with equal weights. A finite group $G$ averages a sector to zero, as the full
# group does, unless something in the sector is invariant under $G$; and how many such invariants there are is counted
# by characters, $\frac{1}{|G|}\sum_{g \in G} \chi_\beta(g)$.

# %%
listed = sectors(7)


def invariants(name):
    group = finite_group(name)
    return [float(group.weights @ character(sector, group.matrices)) for sector in listed]


groups = ("Th", "Oh", "Ih")

# %% tags=["hide-input"]
figure = plots.spectrum_comparison(
    listed,
    [(f"{name}, {len(finite_group(name))} elements", invariants(name)) for name in groups],
    ylabel="invariants in the sector",
)
run.figure(
    figure,
    name="03_finite_groups",
    caption="Number of invariants in each sector for three finite groups. The full group $\\mathrm{O}(3)$ would have "
    "one in $(0,+)$ and none elsewhere. Every further bar is a sector that averaging over the finite group does not "
    "remove: for the cube it begins with $(4,+)$, the sector of $x^4 + y^4 + z^4$, for the icosahedron with $(6,+)$.",
    alt="Three bar charts of invariants by degree and parity. All have one invariant in (0,+). The tetrahedral group "
    "has the next ones at degree 3, the octahedral group at degree 4, and the icosahedral group at degree 6.",
)

# %% tags=["hide-input"]
product_rule = len(haar_grid(5))
assert (len(finite_group("Ih")), finite_group("Ih").degree, product_rule) == (120, 5, 168)
distance = max(abs(value - round(value)) for name in groups for value in invariants(name))
run.key("03_invariants_deviation", distance, text="largest distance of a number of invariants from an integer")

# %% [markdown]
# The 120 elements of Ih have degree 5, for which the product rule takes 168. Finite groups are the cheapest rules of
# all up to there, and since they *are* groups, averaging over one makes a model exactly symmetric under it, which no
# other rule does. Beyond degree 5 there is nothing: no finite rotation group is larger than the icosahedral one, apart
# from those that keep an axis.
#
# ## What would prove this chapter wrong
#
# - A Monte Carlo slope that differs from $-1/2$ by more than a few of its standard errors
#   ({glue:text}`03_slope_monte_carlo:.3f` ± {glue:text}`03_slope_monte_carlo_uncertainty:.3f`).
# - A rule that errs within its degree by more than round-off ({glue:text}`03_exact_inside:.0e`).
# - Turned means that keep away from the exact value by many standard errors ({glue:text}`03_largest_pull:.1f` is our
#   worst of five).
#
# ## What to remember
#
# Use a rule of degree $2L$ for variances of bandwidth $L$; measure again at $D + 2$; distrust 13, 25 and 27; turn the
# rule at random when you want an error bar. Random orientations are the honest fallback for functions with jumps.
#
# ## Exercises

# %% [markdown]
# ```{exercise} Count first
# :label: ex-03-count
#
# How many evaluations does a variance of bandwidth 6 take on $\mathrm{O}(3)$? How many on $\mathrm{SO}(3)$? By which
# power of $L$ does the number grow?
# ```
#
# ```{solution-start} ex-03-count
# :class: dropdown
# ```

# %%
{L: (len(haar_grid(2 * L)), len(haar_grid(2 * L, group="SO(3)"))) for L in (3, 6, 12)}

# %% [markdown]
# Degree 12 has no Lebedev rule of its own, and the next one is 13, the signed one: 74 nodes times 13 angles times two
# cosets. A Lebedev rule has about $(D+1)^2/3$ nodes, so the total is about $\tfrac23 (2L+1)^3$: the third power.
#
# ```{solution-end}
# ```
#
# ```{exercise} Write the symmetry test, then make it fail
# :label: ex-03-test
#
# Write a test that a grid resolves variances up to bandwidth $L$: for every sector with $\lambda \le L$, the mean
# square of each Wigner function is $1/(2\lambda + 1)$. Let it pass for `haar_grid(2 * L)`. Then find a grid with
# *more* elements that fails it.
# ```
#
# ```{solution-start} ex-03-test
# :class: dropdown
# ```


# %%
def resolves(grid, L, tolerance=1e-12):
    squares = [(grid.weights @ wigner_D(s, grid.matrices).flatten(1) ** 2 - 1 / s.dim).abs().max() for s in sectors(L)]
    return bool(max(squares) < tolerance)


many = monte_carlo_grid(100_000, "O(3)", generator)
resolves(haar_grid(6), 3), resolves(haar_grid(5), 3), resolves(many, 3)

# %% [markdown]
# A rule of degree 5 is one short, and a hundred thousand random orientations are exact for nothing but constants.
#
# ```{solution-end}
# ```
#
# ```{exercise} Pairs
# :label: ex-03-pairs
#
# Draw random rotations and use each one twice, as $g$ and as $ig$. What happens to the Monte Carlo error of an *odd*
# function, $F(ig) = -F(g)$? Of an even one? Check with $x$ and $x^2$ of the atom at $(1, 2, 3)$.
# ```
#
# ```{solution-start} ex-03-pairs
# :class: dropdown
# ```

# %%
single = random_rotations(1000, generator, improper=True)
half = random_rotations(500, generator)
pairs = torch.cat([half, -half])
{
    name: [float((atom.stacked(g).positions[:, 0, 0] ** power).mean()) for g in (single, pairs)]
    for name, power in (("x, exactly 0", 1), ("x², exactly 14/3", 2))
}

# %% [markdown]
# The odd part cancels exactly in each pair. For an even function the second half repeats the first, and the same
# number of evaluations is worth half as much. Since {eq}`eq-cosets` is often dominated by one of the two, it pays to
# know which.
#
# ```{solution-end}
# ```
#
# ```{exercise} Fooled by an icosahedron
# :label: ex-03-fooled
#
# Find a function whose variance over $\mathrm{O}(3)$ is positive, and zero over Ih for *every* orientation of the
# molecule. Is there one of bandwidth 2?
# ```
#
# ```{solution} ex-03-fooled
# :class: dropdown
#
# Zero variance over Ih means that the function does not change under its 120 elements. An Ih-invariant polynomial of
# degree 6 (there is one, the bar at $(6,+)$ in {numref}`fig-03_finite_groups`) does that for a molecule of one atom,
# in every orientation. With bandwidth 2 it cannot happen: the square has degree 4, below the degree 5 of Ih, so the
# variance is the exact one.
# ```
#
# ```{exercise} Too few in-plane angles
# :label: ex-03-angles
#
# Some codes pair a Lebedev rule of degree $L$ with $2L + 1$ in-plane angles. Is that exact for means of bandwidth
# $L$? For variances? Predict, then build it from `haar_grid(L)` and `haar_grid(2 * L)`.
# ```
#
# ```{solution} ex-03-angles
# :class: dropdown
#
# The sphere part is exact to degree $L$ only. A mean of bandwidth $L$ needs no more, and is exact. A variance of
# bandwidth $L$ needs degree $2L$ in *both* factors, so it is wrong, no matter how many in-plane angles there are.
# ```

# %%
run.finish()
