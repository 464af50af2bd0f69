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
# # The character decomposition B
#
# **Question.** Which symmetries live inside a hidden layer that nobody ever gave a symmetry?
#
# The equivariance error needs to know how an output should transform. A hidden layer has no "should". What we can
# always do is watch how its numbers change as the input turns, and sort that dependence by sectors: how much of it is
# constant, how much behaves like a vector, how much knows left from right. This is $B$. We calibrate it on functions
# whose sectors are known, plant a violation and find it again, see what $B$ can *not* say, and then look into a
# network.

# %% tags=["parameters"]
preset: str = "book"  # smoke, book or full
seed: int = 5  # seed of structures and networks
l_max: int | None = None  # largest degree of the spectra
n_structures: int | None = None  # structures to average spectra over
n_random_networks: int | None = None  # random networks that test the inequality
n_train: int | None = None  # structures to fit the networks on
n_iterations: int | None = None  # iterations of the fits
n_networks: int | None = None  # networks that differ in their seed only

# %%
import math

import torch

from symlab import plots
from symlab.groups import (
    PointCloud,
    sectors,
    wigner_D,
)
from symlab.measure import UnderResolvedError, characters, equivariance
from symlab.runs import Run

run = Run.start(
    globals(),
    presets={
        "smoke": {
            "l_max": 3,
            "n_structures": 3,
            "n_random_networks": 12,
            "n_train": 250,
            "n_iterations": 60,
            "n_networks": 2,
        },
        "book": {
            "l_max": 4,
            "n_structures": 10,
            "n_random_networks": 60,
            "n_train": 1000,
            "n_iterations": 300,
            "n_networks": 3,
        },
        "full": {
            "l_max": 6,
            "n_structures": 50,
            "n_random_networks": 500,
            "n_train": 5000,
            "n_iterations": 1000,
            "n_networks": 5,
        },
    },
)
p = run.parameters
generator = torch.Generator().manual_seed(p.seed)
listed = sectors(p.l_max)

# %% [markdown]
# **Time and memory** on one core: `smoke` 15 s, `book` 40 s, `full` 5 min; 0.5 GB. Imports take about 4 s of it. What
# the published run took is in [](../status).

# %% [markdown]
# ## Definition
#
# Let $u(g) = f(gx)$ be the response of anything, an output or a hidden layer, to the input turned by $g$. Nothing is
# turned back. Seen as a function on the group, $u$ is a sum of sectors, as a sound is a sum of frequencies. The part
# in sector $\beta = (\lambda, \sigma)$ has the **power** $B_\beta$, {eq}`eq-power`, and the powers of all sectors add
# up to the mean of $|u|^2$, {eq}`eq-parseval`. Figures show the **fraction** $b_\beta$, and the **remainder** is the
# share that lies above the cutoff $\lambda_{\max}$, {eq}`eq-fraction`.
#
# ## Eight known answers
#
# Put three points at the tips of the unit vectors. Turned by $g$, they become the columns of $g$, so any function of
# the matrix elements is a function of the three points. Take the first row, $(x, y, z) = (g_{11}, g_{12}, g_{13})$,
# and the functions $1$, $x$, $xy$ and $xyz$, each plain and multiplied by the determinant. On the unit sphere their
# mean squares are $1$, $1/3$, $1/15$ and $1/105$. The plain ones are natural tensors of degree 0, 1, 2, 3; the
# determinant flips $\sigma$ and changes nothing else.

# %%
triad = PointCloud(torch.eye(3, dtype=torch.float64))


def eight(copies):
    x, y, z = copies.positions[..., 0].unbind(-1)  # first coordinate of each of the three points
    plain = torch.stack([torch.ones_like(x), x, x * y, x * y * z], -1)
    return {
        f"{name}{suffix}": values[:, i, None]
        for suffix, values in (("", plain), (" · det", plain * torch.linalg.det(copies.positions)[:, None]))
        for i, name in enumerate(("1", "x", "xy", "xyz"))
    }


spectra = characters(eight, triad, l_max=4)
table = torch.stack([spectrum.fraction for spectrum in spectra.values()])

# %% tags=["hide-input"]
figure = plots.layer_spectrum(
    {"function": table},
    sectors(4),
    list(spectra),
    remainder={"function": [max(spectrum.remainder, 0.0) for spectrum in spectra.values()]},
)
run.figure(
    figure,
    name="05_eight",
    caption="Fractions of power, in percent, of eight functions of three points. Each lies wholly in its own sector: "
    "the degree is that of the polynomial, and a factor of the determinant moves it from $\\sigma = +1$ (left) to "
    "$\\sigma = -1$ (middle). Nothing is left over above degree 4 (right). Everything else is below $10^{-4}$, the "
    "end of the colour scale, and in fact at round-off.",
    alt="A heat map with eight rows, one for each function, and columns for degree and parity. Each row has a single "
    "bright cell of 100 percent: degrees 0 to 3 with sigma plus for the plain functions, with sigma minus for those "
    "multiplied by the determinant.",
)

# %% tags=["hide-input"]
expected = torch.zeros(8, len(sectors(4)), dtype=torch.float64)
for row, norm in enumerate((1, 1 / 3, 1 / 15, 1 / 105)):
    expected[row, 2 * row] = norm  # sectors come as (0,+), (0,-), (1,+), ...
    expected[row + 4, 2 * row + 1] = norm
powers = torch.stack([spectrum.power for spectrum in spectra.values()])
run.key("05_norm_x", float(powers[1, 2]), text="power of $x$ in (1,+), exactly 1/3")
run.key("05_norm_xy", float(powers[2, 4]), text="power of $xy$ in (2,+), exactly 1/15")
run.key("05_norm_xyz", float(powers[3, 6]), text="power of $xyz$ in (3,+), exactly 1/105")
run.key("05_eight_deviation", float((powers - expected).abs().max()), text="largest deviation of the 80 powers")

# %% [markdown]
# The measured powers of $x$, $xy$ and $xyz$ are {glue:text}`05_norm_x:.10f`, {glue:text}`05_norm_xy:.10f` and
# {glue:text}`05_norm_xyz:.10f`. The largest deviation among all 80 numbers is {glue:text}`05_eight_deviation:.0e`.
#
# ## Planting a violation
#
# Can $B$ find a small violation, and name it? We take an energy that is exactly invariant, and add one percent (in
# amplitude) of a single Wigner function of the orientation of a three-point frame. One percent in amplitude is
# $10^{-4}$ in power. We do this for every sector in turn.

# %%
plant_share = 0.01


def planted(sector):
    """An invariant of the three points plus one percent of a normalized Wigner function."""

    def energy(copies):
        frame = copies.positions.transpose(-1, -2)  # columns are the three points, so this is g
        violation = math.sqrt(sector.dim) * wigner_D(sector, frame)[:, 0, -1]
        return ((copies.positions**2).sum((-1, -2)) / 3 + plant_share * violation)[:, None]

    return energy


found = torch.stack([characters(planted(sector), triad, l_max=p.l_max).power for sector in listed])
invisible = torch.eye(len(listed), dtype=torch.float64) * plant_share**2
invisible[0, 0] = 0.0  # planted in (0,+), it is no violation: it adds to the energy itself
stray = found[:, 1:] - invisible[:, 1:]
chosen = listed.index((2, -1))

# %% tags=["hide-input"]
figure = plots.sector_bars(
    listed,
    found[chosen],
    expected=[1.0 if s == (0, 1) else plant_share**2 if s == (2, -1) else 0.0 for s in listed],
    log=True,
    smallest=1e-33,
    ylabel=r"power $B_{\lambda\sigma}$",
    unit="eV²",
)
run.figure(
    figure,
    name="05_planted",
    caption="Powers of an energy of 1 eV with one percent of a $(2,-)$ function planted in it, on a logarithmic scale "
    "that reaches down to the square of round-off. The invariant part appears in $(0,+)$ and the planted part, with "
    "its power of $10^{-4}$ eV², in $(2,-)$. Diamonds mark the expected powers. All other sectors are empty to more "
    "than twenty digits below.",
    alt="Bars on a logarithmic axis from ten to the minus 33 to one. (0,+) reaches one and (2,-) reaches ten to the "
    "minus four, both at their diamonds; all other bars are below ten to the minus 28.",
)

# %% tags=["hide-input"]
run.key("05_planted_power", float(found[chosen, chosen]), unit="eV²", text="power found in (2,-), planted 1e-4")
run.key(
    "05_planted_stray", float(stray.abs().max()), unit="eV²", text="largest deviation in any sector, for any planting"
)

# %% [markdown]
# Planted 1e-4, found {glue:text}`05_planted_power:.12f` eV². Over all sectors in which we planted, no sector deviates
# from what it should hold by more than {glue:text}`05_planted_stray:.0e` eV². The violation is found in its own
# sector and in no other.
#
# ## B is not A
#
# Now the warning. Let a model of forces return the exact force with its $z$ component reversed, $f = M F$ with $M =
# \operatorname{diag}(1, 1, -1)$. As a function of orientation it is made of matrix elements of $g$, so all of its
# power is in $(1,+)$, the sector where a force belongs. Yet it is hopeless. Turning back and averaging keeps a third
# of the trace of $M$ only, $\Pi = \tfrac13 F$, and
#
# $$
# \frac{A^2}{|F|^2} = \frac{\operatorname{tr} M^\top M}{3} - \Bigl(\frac{\operatorname{tr} M}{3}\Bigr)^2
# = 1 - \frac19 = \frac89 .
# $$
#
# **Everything in the right sector, and eight ninths of it error.** Not only constructed functions do this. A random
# network with one hidden layer, which maps five points to three numbers that we choose to call a vector:


# %%
def random_network(n_inputs, width, gain, number, outputs=3):
    torch.manual_seed(100 * p.seed + number)
    first, second = torch.nn.Linear(n_inputs, width), torch.nn.Linear(width, outputs, bias=False)
    first.weight.data *= gain
    return torch.nn.Sequential(first, torch.nn.Tanh(), second).double().eval()


def on_positions(network):
    return lambda x: network(x.positions.flatten(-2))


def reversed_z(x):
    return x.positions.sum(-2) * torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)


cloud = PointCloud(torch.randn(5, 3, dtype=torch.float64, generator=generator))
network = random_network(15, 32, 1.0, 0)
both = {}
for name, f in {"vector with z reversed": reversed_z, "random tanh network": on_positions(network)}.items():
    spectrum = characters(f, cloud, l_max=p.l_max, tolerance=None, n_converge=0)
    report = equivariance(f, cloud, output="1x1o", degree=15)
    both[name] = (spectrum, 3 * float(report.variance) / float(spectrum.mean_square_by_structure[0]))

# %% tags=["hide-input"]
figure = plots.spectrum_comparison(
    listed,
    [(f"{name}: $A^2/\\langle|u|^2\\rangle$ = {ratio:.2f}", s.fraction) for name, (s, ratio) in both.items()],
)
run.figure(
    figure,
    name="05_b_is_not_a",
    caption="Fractions of power of two vector-valued functions, with the share of their power that is equivariance "
    "error in the titles. By $B$ both look like vectors: all or nearly all of the power is in $(1,+)$. By $A$ nearly "
    "all of it is error. The right sector says nothing about the right components.",
    alt="Two bar charts of fractions by sector. In both the bar at degree 1, sigma plus, is by far the largest. The "
    "titles give equivariance error shares of 0.89 and above 0.8.",
)

# %% tags=["hide-input"]
spectrum, ratio = both["random tanh network"]
run.key("05_reversed_ratio", both["vector with z reversed"][1], text="$A^2$ over mean power, z reversed, exactly 8/9")
run.key("05_network_fraction", spectrum.of(1, 1), text="fraction of a random network in (1,+)")
run.key("05_network_ratio", ratio, text="its $A^2$ over its mean power")

# %% [markdown]
# For the reversed vector the share is {glue:text}`05_reversed_ratio:.6f`, as calculated. The random network has
# {glue:text}`05_network_fraction:.0%` of its power in the sector of a vector, and {glue:text}`05_network_ratio:.0%`
# of its power is equivariance error. $B$ alone is never a statement about equivariance.
#
# ## What B does say: an inequality
#
# One direction holds. The equivariant part of a response lies wholly in the declared sector $\alpha$, so what lies in
# other sectors can only be error, {eq}`eq-inequality`:
#
# $$
# \sum_{\beta \ne \alpha} B_\beta \le A^2 .
# $$
#
# We test it on random networks with widths from 2 to 64 and gains from 0.1 to 10, and on the same networks added,
# with a weight from $10^{-3}$ to 1, to an exact vector.

# %%
few = PointCloud(torch.randn(3, 3, dtype=torch.float64, generator=generator))


def both_sides(f):
    """A^2 and the power outside (1,+), as shares of the total power."""
    spectrum = characters(f, few, l_max=2, degree=11, tolerance=None, n_converge=0, progress=False)
    report = equivariance(f, few, output="1x1o", degree=11, n_converge=0, check=False, progress=False)
    return 3 * float(report.variance) / float(spectrum.mean_square_by_structure[0]), 1 - spectrum.of(1, 1)


def nearly_vector(network, weight):
    return lambda x: x.positions.sum(-2) + weight * on_positions(network)(x)


samples = torch.linspace(0, 1, p.n_random_networks).tolist()
drawn = [random_network(9, 2 ** (1 + i % 6), 10 ** (2 * s - 1), i) for i, s in enumerate(samples)]
sides = {
    "random network": [both_sides(on_positions(network)) for network in drawn],
    "vector + weight × random network": [
        both_sides(nearly_vector(network, 10 ** (-3 * s))) for network, s in zip(reversed(drawn), samples, strict=True)
    ],
}
points = {label: tuple(zip(*pairs, strict=True)) for label, pairs in sides.items()}

# %% tags=["hide-input"]
figure = plots.bound_scatter(
    points,
    xlabel=r"$A^2$ / total power",
    ylabel="power outside (1,+) / total power",
    unit="",
    bound="excluded",
)
run.figure(
    figure,
    name="05_inequality",
    caption="Power outside the declared sector against $A^2$, both as shares of the total power, for random tanh "
    "networks of different widths and gains, alone and as small disturbances of an exact vector. No point lies above "
    "the diagonal, as {eq}`eq-inequality` demands, over eight decades. Points far below it are responses that sit in "
    "the right sector with the wrong components.",
    alt="Scatter plot on logarithmic axes. All points lie on or below the diagonal; the region above is shaded as "
    "excluded. The disturbed vectors spread along it over several decades, the random networks gather at the right "
    "edge.",
)

# %% tags=["hide-input"]
ratios = [b / a for a_values, b_values in points.values() for a, b in zip(a_values, b_values, strict=True)]
run.key("05_largest_ratio", max(ratios), text="largest power outside the sector over $A^2$, at most 1")
run.key("05_smallest_ratio", min(ratios), text="smallest power outside the sector over $A^2$")

# %% [markdown]
# The ratio of the two sides reaches {glue:text}`05_largest_ratio:.3f` and goes down to
# {glue:text}`05_smallest_ratio:.2f`. So power outside the declared sector proves an error; its absence proves nothing.
#
# ## Through the layers of a network
#
# Finally the layers. The task is the signed volume of four points, $V = a \cdot (b \times c)$ with the edge vectors
# $a, b, c$ from the first point: a pseudoscalar, sector $(0,-)$, and a product of three vectors. The network gets the
# nine components of the edges and has two hidden layers. Its layers are read by forward hooks while it runs; no line
# of the network is changed. What should we expect? The first layer is linear in the edges, so it can hold $\lambda =
# 0$ (its bias) and $(1,+)$, and nothing else. Everything beyond must be made by the activations.


# %%
def edges(positions):
    return (positions[..., 1:, :] - positions[..., :1, :]).flatten(-2)


def signed_volume(positions):
    a, b, c = edges(positions).unflatten(-1, (3, 3)).unbind(-2)
    return (a * torch.linalg.cross(b, c)).sum(-1, keepdim=True)


def points_like(n):
    return torch.randn(n, 4, 3, dtype=torch.float64, generator=generator)


layers = {"0": "linear 1", "1": "tanh 1", "2": "linear 2", "3": "tanh 2", "4": "output"}


def new_network(number):
    torch.manual_seed(1000 * p.seed + number)
    parts = (torch.nn.Linear(9, 48), torch.nn.Tanh(), torch.nn.Linear(48, 48), torch.nn.Tanh(), torch.nn.Linear(48, 1))
    return torch.nn.Sequential(*parts).double().eval()


training = points_like(p.n_train)


def fit(network, targets):
    """Fit all weights by full-batch L-BFGS."""
    optimizer = torch.optim.LBFGS(network.parameters(), max_iter=p.n_iterations, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = ((network(edges(training)) - targets) ** 2).mean()
        value = value + 1e-5 * sum((weight**2).sum() for weight in network.parameters())
        value.backward()
        return value

    optimizer.step(loss)
    return network


volumes = signed_volume(training)
shuffled = volumes[torch.randperm(len(volumes), generator=generator)]
states = {
    "untrained": [new_network(number) for number in range(p.n_networks)],
    "fitted": [fit(new_network(number), volumes) for number in range(p.n_networks)],
    "shuffled labels": [fit(new_network(number), shuffled) for number in range(p.n_networks)],
}
# %% tags=["hide-input"]
fresh = points_like(1000)
accuracy = [
    float(1 - ((network(edges(fresh)) - signed_volume(fresh)) ** 2).mean().detach() / signed_volume(fresh).var())
    for network in states["fitted"]
]
run.key(
    "05_explained",
    sum(accuracy) / len(accuracy),
    uncertainty=float(torch.tensor(accuracy).std()),
    text="share of the variance of the signed volume that the fitted networks explain, new points",
)

# %%
probes = [PointCloud(positions) for positions in points_like(p.n_structures)]


def by_layer(network):
    return characters(
        lambda x: network(edges(x.positions)),
        probes,
        l_max=p.l_max,
        layers=list(layers),
        module=network,
        tolerance=None,
        n_converge=0,
    )


measured = {state: [by_layer(network) for network in group] for state, group in states.items()}
fractions = {
    state: torch.stack([torch.stack([one[layer].fraction for layer in layers]) for one in group])
    for state, group in measured.items()
}
rest = {
    state: torch.tensor([[max(one[layer].remainder, 0.0) for layer in layers] for one in group]).mean(0)
    for state, group in measured.items()
}

# %% tags=["hide-input"]
figure = plots.layer_spectrum(
    {state: values.mean(0) for state, values in fractions.items()}, listed, list(layers.values()), remainder=rest
)
run.figure(
    figure,
    name="05_layers",
    caption="Fractions of power by layer, in percent, for networks that map four points to a number: untrained, "
    "fitted to the signed volume, and fitted to shuffled volumes as a control. Average over structures and seeds. The "
    "first linear layer holds nothing but its bias, $(0,+)$, and vectors, $(1,+)$. In the fitted network a trace of "
    "the pseudoscalar $(0,-)$ appears in the second layer, about a percent of its power, and the read-out picks it. "
    "Neither control has it. The right column is the remainder above the cutoff.",
    alt="Three heat maps of sectors by layer. In all of them the first linear layer is bright only at (0,+) and "
    "(1,+). In the fitted network the output row is brightest at (0,-); in the untrained network and the one fitted "
    "to shuffled labels that cell is dark.",
)

# %% tags=["hide-input"]
pseudo = listed.index((0, -1))
outputs = {state: values[:, -1, pseudo] for state, values in fractions.items()}
for state, values in outputs.items():
    run.key(
        f"05_pseudoscalar_{state.split()[0]}",
        float(values.mean()),
        uncertainty=float(values.std()),
        text=f"fraction of the output in (0,-), {state}, with the standard deviation over seeds",
    )
allowed = [listed.index((0, 1)), listed.index((1, 1))]
first = torch.cat([values[:, 0] for values in fractions.values()])
run.key("05_linear_stray", float((1 - first[:, allowed].sum(1)).abs().max()), text="first layer outside (0,+), (1,+)")

# %% [markdown]
# The prediction for the first layer holds to {glue:text}`05_linear_stray:.0e`. The fitted networks explain
# {glue:text}`05_explained:.2f` ± {glue:text}`05_explained_uncertainty:.2f` of the variance on new points, and
# {glue:text}`05_pseudoscalar_fitted:.2f` ± {glue:text}`05_pseudoscalar_fitted_uncertainty:.2f` of the power of their
# output is pseudoscalar. Untrained it is {glue:text}`05_pseudoscalar_untrained:.4f` ±
# {glue:text}`05_pseudoscalar_untrained_uncertainty:.4f`; with shuffled labels
# {glue:text}`05_pseudoscalar_shuffled:.4f` ± {glue:text}`05_pseudoscalar_shuffled_uncertainty:.4f`. The sector lights
# up because of the task, not because of the fit.
#
# ## The remainder
#
# A spectrum up to $\lambda_{\max}$ says nothing about what lies above. The remainder does. For random networks we
# watch it fall as the cutoff grows; the gain multiplies the weights of the first layer, and with them the bandwidth.

# %%
cutoffs = list(range(7))
series = []
remainders = {}
for gain in (0.5, 1.0, 2.0, 4.0):
    rows = []
    for number in range(max(3, p.n_networks)):
        f = on_positions(random_network(9, 32, gain, number, outputs=1))
        spectrum = characters(f, few, l_max=6, degree=15, tolerance=None, n_converge=0, progress=False)
        by_degree = spectrum.fraction.reshape(-1, 2).sum(1)
        rows.append((1 - by_degree.cumsum(0)).clamp_min(1e-14))
    remainders[gain] = torch.stack(rows)
    middle = remainders[gain].log().mean(0).exp()
    low, high = remainders[gain].min(0).values, remainders[gain].max(0).values
    series.append(plots.Series(f"gain {gain:g}", cutoffs, middle, low, high))

# %% tags=["hide-input"]
figure = plots.convergence(series, xlabel=r"cutoff $\lambda_{\max}$", ylabel="remainder", logx=False)
run.figure(
    figure,
    name="05_remainder",
    caption="Share of the power above the cutoff, for random tanh networks with different gains. Lines are geometric "
    "means over seeds, bands run from the smallest to the largest. With small gain the response is almost linear and "
    "ends at degree 1. With large gain the activations saturate, the response gets edges, and the spectrum has a long "
    "tail: a cutoff of 4 that is plenty for the one misses a visible share of the other.",
    alt="Four falling curves on a logarithmic axis against cutoffs from 0 to 6. The curve for gain 0.5 falls "
    "steepest, the one for gain 4 stays highest.",
)

# %% tags=["hide-input"]
run.key("05_remainder_smooth", float(remainders[0.5][:, 4].mean()), text="remainder above degree 4, gain 0.5")
run.key("05_remainder_rough", float(remainders[4.0][:, 4].mean()), text="remainder above degree 4, gain 4")

# %% [markdown]
# Above degree 4 there is {glue:text}`05_remainder_smooth:.1e` of the power at gain 0.5, and
# {glue:text}`05_remainder_rough:.3f` at gain 4. When the tail is long the grid must follow: `characters` measures
# again at two degrees more and refuses when the numbers move.

# %%
try:
    characters(on_positions(random_network(9, 32, 30.0, 0)), few, l_max=1)
except UnderResolvedError as refusal:
    print(refusal)

# %% [markdown]
# ## What would prove this chapter wrong
#
# - One of the eight functions with power outside its sector beyond round-off ({glue:text}`05_eight_deviation:.0e` was
#   the most).
# - A network above the diagonal of {numref}`fig-05_inequality`. One would do.
# - Anything but $(0,+)$ and $(1,+)$ in the first linear layer.
# - A pseudoscalar at the output of the network that was fitted to shuffled labels.
#
# ## What to remember
#
# $B$ sorts the dependence on orientation by sector, for any response, without a declaration. Power in the wrong
# sector is error; power in the right sector is not yet right. Always publish the remainder. Use $A$ for outputs and
# $B$ for everything in between.
#
# ## Exercises

# %% [markdown]
# ```{exercise} Guess the sector
# :label: ex-05-guess
#
# In which sectors are these functions of three points $a$, $b$, $c$: (a) $a \cdot b$, (b) $a \times b$ (three
# components), (c) $a \cdot (b \times c)$, (d) $(a \cdot b)\, c$, (e) $a_x b_x$? Guess, then measure.
# ```
#
# ```{solution-start} ex-05-guess
# :class: dropdown
# ```


# %%
def five(x):
    a, b, c = x.positions.unbind(-2)
    return {
        "(a)": (a * b).sum(-1, keepdim=True),
        "(b)": torch.linalg.cross(a, b),
        "(c)": (a * torch.linalg.cross(b, c)).sum(-1, keepdim=True),
        "(d)": (a * b).sum(-1, keepdim=True) * c,
        "(e)": (a * b)[..., :1],
    }


{
    name: {str(sector): round(float(b), 3) for sector, b in zip(listed, spectrum.fraction, strict=True) if b > 1e-12}
    for name, spectrum in characters(five, few, l_max=p.l_max).items()
}

# %% [markdown]
# (a) $(0,+)$; (b) $(1,-)$; (c) $(0,-)$; (d) $(1,+)$: an invariant times a vector is a vector. (e) is one component of
# a $3 \times 3$ tensor, and holds a scalar and a quadrupole. It is symmetric in its two equal indices, so there is no
# $(1,-)$.
#
# ```{solution-end}
# ```
#
# ```{exercise} Odd networks
# :label: ex-05-odd
#
# A network of linear layers *without biases* and tanh activations is an odd function of its input. Which sectors can
# its layers hold? Could it learn an energy? Check on a random network.
# ```
#
# ```{solution-start} ex-05-odd
# :class: dropdown
# ```

# %%
torch.manual_seed(p.seed)
odd = torch.nn.Sequential(
    torch.nn.Linear(9, 32, bias=False), torch.nn.Tanh(), torch.nn.Linear(32, 3, bias=False)
).double()
spectrum = characters(on_positions(odd), few, l_max=p.l_max, tolerance=None)
{str(s): (s.parity, round(float(b), 4)) for s, b in zip(listed, spectrum.fraction, strict=True) if b > 1e-12}

# %% [markdown]
# Odd under inversion means parity $\sigma(-1)^\lambda = -1$: $(0,-)$, $(1,+)$, $(2,-)$, $(3,+)$, and so on. The
# energy's sector $(0,+)$ is even, so such a network can predict an energy of zero and no other. For a pseudoscalar it
# is well made.
#
# ```{solution-end}
# ```
#
# ```{exercise} Write the symmetry test, then make it fail
# :label: ex-05-test
#
# Write a test that a function returns nothing but scalars and vectors: the power outside $(0,+)$ and $(1,+)$ is below
# $10^{-10}$. Let it pass for a linear layer. Make it fail with the smallest change to that layer that you can think
# of. Then write a function that passes although it is *not* an equivariant vector.
# ```
#
# ```{solution-start} ex-05-test
# :class: dropdown
# ```


# %%
def only_scalars_and_vectors(f):
    spectrum = characters(f, few, l_max=2, tolerance=None)
    return spectrum.of(0, 1) + spectrum.of(1, 1) > 1 - 1e-10


linear = torch.nn.Linear(9, 3).double()
{
    "linear layer": only_scalars_and_vectors(on_positions(linear)),
    "with a tanh": only_scalars_and_vectors(lambda x: torch.tanh(0.1 * on_positions(linear)(x))),
    "z reversed, no equivariant vector": only_scalars_and_vectors(reversed_z),
}

# %% [markdown]
# Even a weak activation makes higher degrees. And the reversed vector passes, since $B$ does not look at components.
#
# ```{solution-end}
# ```
#
# ```{exercise} Parseval as an accountant
# :label: ex-05-parseval
#
# For `few` and a random network, add up the fractions to $\lambda_{\max} = 1, \dots, 6$ on the *same* rule of degree
# 12. Then repeat $\lambda_{\max} = 4$ on the rules of degree 8, 10 and 15. Which of the two series would you use to
# decide whether a spectrum is complete, and which to decide whether it is resolved?
# ```
#
# ```{solution} ex-05-parseval
# :class: dropdown
#
# The first tells whether it is complete: the remainder falls as sectors are added, while the total stays. The second
# tells whether it is resolved: with the cutoff fixed, the numbers themselves must not move when the rule gets finer.
# A spectrum can be resolved and incomplete (an honest remainder), or seem complete and be unresolved (power from high
# degrees folded down into low ones).
# ```

# %%
run.finish()
