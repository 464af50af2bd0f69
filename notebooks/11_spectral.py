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
#   symlab:
#     workers: 2
# ---

# %% [markdown]
# # Spectral failure modes
#
# **Question.** An unconstrained network learns a scalar and a vector with ease. Does it learn a tensor of any degree
# $\lambda$, if only it is trained on it? If not: can we tell *before training* which ones it will learn late or never,
# and what is the smallest help?
#
# We ask for one degree at a time, $\lambda = 0$ to 6, of one and the same physical quantity, an electron density. And
# we give the network more or less of the angle to begin with: solid harmonics of its edges up to degree
# $\ell_{\max}$, in place of the plain edge vector. All else is free and of equal size. The map of what is learned has a
# sharp edge, and the edge can be seen in $B$ before the first step.

# %% tags=["parameters"]
preset: str = "book"  # smoke, book or full
seed: int = 0  # first training seed; the others follow it
target_l: int | list[int] = [0, 1, 2, 3, 4, 5, 6]  # degrees of the targets
l_max: int | None | list[int | None] = [None, 2, 4, 8]  # highest degrees of the edge embedding; None is the plain one
corners: bool | None = None  # of each of these lists, take the first and the last only
n_seeds: int | None = None  # networks of each combination, trained side by side
n_molecules: int | None = None  # labelled molecules: 80 % train, 10 % validate, 10 % test
n_steps: int | None = None  # optimizer steps of each training
n_probes: int | None = None  # test molecules on which A and B are measured
n_workers: int | None = None  # processes, one thread each

# %%
import torch

from symlab import plots
from symlab.data import load_densities
from symlab.measure import cross_validated, crossing, fit_threshold, hit_rate, rank_correlation
from symlab.models import build, count_parameters
from symlab.runs import Run
from symlab.training import (
    Combination,
    Patient,
    combinations,
    spectral_network,
    spectral_training,
    step_seconds,
    surveys,
    train_ensembles,
)

run = Run.start(
    globals(),
    presets={
        "smoke": {
            "corners": True,
            "n_seeds": 2,
            "n_molecules": 20,
            "n_steps": 30,
            "n_probes": 1,
            "n_workers": 1,
        },
        "book": {
            "corners": False,
            "n_seeds": 3,
            "n_molecules": 480,
            "n_steps": 1600,
            "n_probes": 3,
            "n_workers": 2,
        },
        "full": {
            "corners": False,
            "n_seeds": 5,
            "n_molecules": 2000,
            "n_steps": 20000,
            "n_probes": 30,
            "n_workers": 8,
        },
    },
)
p = run.parameters
degrees, embeddings = (
    ([*values[:1], *values[-1:]] if p.corners and len(values) > 1 else values)
    for values in (one if isinstance(one, list) else [one] for one in (p.target_l, p.l_max))
)

# %% [markdown]
# **Time and memory** on two cores: `smoke` 20 s; `book` 9 minutes and half a minute for the labels, 0.7 GB for each of
# two processes. `full` has not been run.
#
# ## One quantity, seven degrees
#
# The labels are the electron density of hydrogen peroxide, H₂O₂, as a sum of functions on the atoms: a *density fit*
# {cite:p}`eichkorn1995,weigend2002` of the RHF/6-31G** density. The coefficients of degree $\lambda$ on an atom are a
# spherical tensor $(\lambda, +1)$ with $2\lambda + 1$ components. {glue:text}`11_molecules:.0f` molecules, the dihedral
# angle uniform over the circle, every coordinate with 0.03 Å of noise. High degrees are small in a density; each degree
# and element is scaled to size 1, so that an error of 1 means to know nothing, and to answer zero.
#
# Every network has one target, the coefficients of one degree on all four atoms. It is a PET as in
# [the chapter on training](08_train_pet), trained on molecules turned at random by $\mathrm{O}(3)$; there is no harmonic,
# no Clebsch–Gordan coefficient and no other symmetry in it but for the embedding of the edges, which is a linear map of
#
# $$
# \bigl(|r|,\ r,\ |r|\,Y_2(\hat r),\ \dots,\ |r|\,Y_{\ell_{\max}}(\hat r)\bigr), \qquad r = r_j - r_i .
# $$
#
# **Plain** is what PET has: it ends at $r$, so it is $\ell_{\max} = 1$ under another name. The notes of the paper's
# authors on their experiments try $\ell_{\max} = 2, 4, 8, 10$ in the same place. Larger embeddings have more weights; the
# feed-forward layers of the edges are made narrower, so that all networks have the same number to 1 %. The initial size
# of an embedded edge is the same, too, shared evenly among the degrees.

# %%
labels = load_densities(run.store, n=p.n_molecules, molecules=("peroxide",), seed=0)
cells = combinations(degrees, embeddings)
levers = [Combination(l, None, gain=4.0) for l in (3, 4, 5, 6)] + [Combination(l, 8, gain=0.25) for l in (2, 4)]
levers = [one for one in (levers[1:6:4] if p.corners else levers) if one.target_l in degrees and one.l_max in embeddings]
names = {cell: f"density_{cell.target_l}" for cell in [*cells, *levers]}
networks = {cell: spectral_network(cell, name, n_parameters=36000, d_pet=24) for cell, name in names.items()}
configs = [spectral_training(p.seed + k, p.n_steps) for k in range(p.n_seeds)]
run.key("11_molecules", len(labels), text="labelled molecules")
run.key("11_combinations", len(cells), text="combinations of target and embedding")

# %%
jobs = {str(cell): (network, configs, labels) for cell, network in networks.items()}
by_job = train_ensembles(jobs, run.store, n_workers=p.n_workers, progress=False)
trained = {cell: by_job[str(cell)] for cell in networks}

# %% [markdown]
# ## What is learned, and when

# %% tags=["hide-input"]
steps = torch.tensor([float(row["step"]) for row in trained[cells[0]][0].history])
curves = {  # by combination (n_seeds, n_steps): error on the validation molecules, each turned at random
    cell: torch.tensor([[row[f"rmse_{names[cell]}"] for row in one.history] for one in members])
    for cell, members in trained.items()
}
title = {m: "plain" if m is None else rf"$\ell_{{\max}} = {m}$" for m in embeddings}
run.figure(
    plots.learning_panels(
        steps,
        {
            title[m]: {rf"$\lambda = {l}$": curves[cell] for l in degrees for cell in combinations(l, m)}
            for m in embeddings
        },
        ylabel="error over the size of the labels",
        level=("departure", 0.9),
    ),
    name="11_learning",
    caption=(
        "Error on the validation molecules (RMSE; labels have size 1) along training, one panel for each embedding, one "
        f"curve for each degree of the target. Lines are medians over {p.n_seeds} seeds, bands run from the best to the "
        "worst. A curve that stays at 1 has learned nothing. Dashed: 0.9, below which we say that a network has left "
        "the plateau."
    ),
    alt=(
        "Panels of learning curves on logarithmic axes, one for each embedding. With the plain embedding low degrees "
        "fall early and high degrees stay at one; with richer embeddings more and more curves fall, all at about the "
        "same early step."
    ),
)

# %% [markdown]
# A network that does not know how to begin sits on a **plateau**: it answers zero, for that is the best constant tensor
# of any degree but 0. The **departure** is the first step at which its error is below 0.9. After it, learning is gradual;
# before it, nothing happens. We shall try to predict the departure.

# %%
departure = {cell: torch.tensor([crossing(steps, one, 0.9) for one in table]) for cell, table in curves.items()}
error = {cell: table[:, -1] for cell, table in curves.items()}
moments = {"init": 0, "early": max(k for k in trained[cells[0]][0].steps if k <= max(1, p.n_steps // 20)), "end": p.n_steps}
layers = ["rounds.0.edge_embedding", "rounds.0.compressed", "rounds.0.blocks.0.edge", "rounds.0.message"]
layers += [name.replace("rounds.0", "rounds.1") for name in layers[1:]]
probes = labels.subset(labels.splits["test"][: p.n_probes])
found = surveys(
    {
        (cell, k, moment): Patient(
            one.load_checkpoint(step),
            {names[cell]: f"1x{cell.target_l}{'eo'[cell.target_l % 2]}"},
            [*layers, f"heads.{names[cell]}.edge"],
        )
        for cell, members in trained.items()
        for k, one in enumerate(members)
        for moment, step in moments.items()
    },
    probes,
    run.store,
    l_max=6,
    degree=15,
    batch_size=256,
    n_workers=p.n_workers,
    progress=False,
)

# %% tags=["hide-input"]
equivariance = {
    cell: torch.stack(
        [found[cell, k, "end"].equivariance[names[cell]].square().mean().sqrt() for k in range(p.n_seeds)]
    )
    for cell in trained
}


def spread(values):
    """Half of the range over seeds."""
    return (values.max() - values.min()) / 2


def table(values, statistic):
    """One number for each target (row) and embedding (column)."""
    return torch.stack(
        [torch.stack([statistic(values[cell]) for cell in combinations(l, embeddings)]) for l in degrees]
    )


columns = ["plain" if m is None else str(m) for m in embeddings]
run.figure(
    plots.sweep_maps(
        {
            "error": (table(error, torch.median), table(error, spread)),
            "equivariance error $A$": (table(equivariance, torch.median), table(equivariance, spread)),
        },
        [str(l) for l in degrees],
        columns,
        xlabel=r"embedding, $\ell_{\max}$",
        ylabel=r"degree $\lambda$ of the target",
        label="RMSE over the size of the labels",
        limits=(0.03, 1.0),
        side_by_side=2,
    ),
    name="11_map",
    caption=(
        f"After {p.n_steps} steps. Left: error on the validation molecules. Right: equivariance error, the part of the "
        f"error that depends on the orientation ({{eq}}`eq-rmse`), on {p.n_probes} test molecules. Medians over "
        f"{p.n_seeds} seeds, and half of the range. All networks have the same number of weights to 1 %. A network that "
        "never left the plateau answers zero: its equivariance error is small, and its error is 1."
    ),
    alt=(
        "Two heat maps with degree of the target down and embedding across. Errors are small at the upper right and "
        "near one in the lower left corner, where the degree exceeds what the embedding gives; the equivariance error "
        "is small in both corners."
    ),
)

# %% [markdown]
# ## The starved sector
#
# The plain embedding is a linear map of $(|r|, r)$. In terms of {eq}`eq-coefficients`, the response of a linear map to a
# turned edge holds the degrees of its input, here $(0,+)$ and $(1,+)$, and nothing else, whatever its weights. Degree 2
# and above must be made by the nonlinear layers, out of products of vectors: to first order nothing, to second order
# $\lambda = 2$, to order $\lambda$ at last $\lambda$. If the part of a token that turns is a fraction $\epsilon$ of it, degree
# $\lambda$ comes with an amplitude of about $\epsilon^\lambda$, and $B$ falls by a constant factor from degree to degree. Here is $B$
# of the target's own sector in *untrained* networks.

# %%
rows = {name: name.replace("rounds.", "").replace("blocks.0.", "").replace("_", " ") for name in layers} | {"head": "head"}


def share(cell, moment, layer="head"):
    """Power of the target's sector in one layer, as a share of its whole power, for each seed."""
    name = f"heads.{names[cell]}.edge" if layer == "head" else layer
    of_seed = (found[cell, k, moment] for k in range(p.n_seeds))
    return torch.stack([one.fraction[name][:, one.sectors.index((cell.target_l, 1))].nanmean() for one in of_seed])


decades = {
    (cell, moment, layer): share(cell, moment, layer).clamp(min=1e-14).log10()
    for cell in networks
    for moment in moments
    for layer in rows
}


def by_layer(moment, m):
    """Decadic logarithm of the target's share: layers down, degrees across, and half of the range over seeds."""
    values = [[decades[cell, moment, layer] for l in degrees for cell in combinations(l, m)] for layer in rows]
    return tuple(
        torch.stack([torch.stack([f(one) for one in row]) for row in values]) for f in (torch.median, spread)
    )


# %% tags=["hide-input"]
sector_maps = {
    "label": r"$\log_{10}$ of the share $b_{\lambda +}$ of the target's sector",
    "xlabel": r"degree $\lambda$ of the target",
    "ylabel": "layer",
    "limits": (-10.0, 0.0),
    "log": False,
    "side_by_side": 2,
}
run.figure(
    plots.sweep_maps(
        {title[m]: by_layer("init", m) for m in embeddings}, list(rows.values()), [str(l) for l in degrees], **sector_maps
    ),
    name="11_before",
    caption=(
        "Before training: the share of each layer's power that lies in the sector of the target, $b_{\\lambda +}$ "
        "({eq}`eq-fraction`), as its decadic logarithm, for each embedding. 0 and 1 are the rounds of message passing. "
        f"Medians over {p.n_seeds} seeds and half of the range, means over {p.n_probes} test molecules. In the first row "
        "of each panel everything above $\\ell_{\\max}$ is zero; what stands there is round-off, cut off at $-14$."
    ),
    alt=(
        "Four heat maps with layers down and degrees across, dark where the share is small. With the plain embedding "
        "each degree above one loses one to two decades; with richer embeddings the dark region starts above their "
        "highest degree, and with eight there is none."
    ),
)

# %% tags=["hide-input"]
run.figure(
    plots.sweep_maps(
        {title[m]: by_layer("end", m) for m in embeddings}, list(rows.values()), [str(l) for l in degrees], **sector_maps
    ),
    name="11_after",
    caption=(
        f"The same as {{numref}}`fig-11_before` after {p.n_steps} steps of training. Networks that left the plateau have "
        "filled the sector of their target in the head, and in layers before it; those that did not have not."
    ),
    alt=(
        "Four heat maps as before. The head row is now bright wherever the target was learned, and dark in the columns "
        "of high degree under the plain embedding."
    ),
)

# %% [markdown]
# ## A criterion
#
# The last hidden layer is read off linearly. If its share $b_{\lambda +}$ in the target's sector is $10^{-10}$, the gradient
# has next to nothing to hold on to. So here is the criterion, stated before looking:
#
# > **A target of degree $\lambda$ is learned late or never if, before the first step, $b_{\lambda +}$ in the last hidden layer lies
# > below a threshold.**
#
# *Late or never* means: the median departure over the seeds comes after one fifth of the training, or not at all. The
# threshold is fitted, and tested on combinations it has not seen: all embeddings of one degree are held out, the
# threshold is fitted on the six other degrees, and so on for each degree in turn. Then the same with one embedding held
# out. Since seeds of one combination are not independent, each combination counts once.
#
# The rivals get the same treatment. **Bookkeeping** knows no network at all: its score is $\ell_{\max} - \lambda$, with
# 1 for the plain embedding, and its threshold is fitted likewise. **Degree** has the score $-\lambda$. **Majority** always
# answers what was more frequent. A criterion that needs a network and a Haar grid should beat those that need a pencil.

# %%
given = torch.tensor([float(cell.given) for cell in cells])
wanted = torch.tensor([float(cell.target_l) for cell in cells])
scores = {
    "B before training": torch.stack([decades[cell, "init", "head"].median() for cell in cells]),
    "B, early": torch.stack([decades[cell, "early", "head"].median() for cell in cells]),
    "bookkeeping": given - wanted,
    "degree": -wanted,
    "majority": torch.zeros(len(cells)),
}
when = torch.stack([departure[cell].median() for cell in cells])
late = when > p.n_steps / 5
folds = {"degree": wanted, "embedding": given}
tested = {
    (rule, kind): hit_rate(cross_validated(score, late, fold)[0], late)
    for rule, score in scores.items()
    for kind, fold in folds.items()
    if len(fold.unique()) > 1
}
ranks = {rule: rank_correlation(-score, when) for rule, score in scores.items() if len(cells) > 1}
threshold = fit_threshold(scores["B before training"], late).threshold
{f"{rule}, held out by {kind}": str(rate) for (rule, kind), rate in tested.items()}

# %% tags=["hide-input"]
never = 2.0 * p.n_steps
short = {cell: f"{cell.target_l}" + ("" if cell.gain == 1 else f"×{cell.gain:g}") for cell in networks}
groups = {("plain" if m is None else f"embedding to {m}"): [one for one in cells if one.l_max == m] for m in embeddings}
if levers:
    groups["other gain"] = levers
run.figure(
    plots.threshold_scatter(
        {
            group: (
                [10 ** float(decades[cell, "init", "head"].median()) for cell in members],
                [min(float(departure[cell].median()), never) for cell in members],
                [short[cell] for cell in members],
            )
            for group, members in groups.items()
        },
        xlabel="share of the target's sector in the last hidden layer, before training",
        ylabel="departure from the plateau",
        yunit="step",
        thresholds={"threshold": 10**threshold},
        level=("one fifth of the training", p.n_steps / 5),
    ),
    name="11_criterion",
    caption=(
        "Departure from the plateau against the share $b_{\\lambda +}$ of the target's sector in the last hidden layer "
        "before training; both are medians over the seeds. Numbers are degrees $\\lambda$; black: other gains of the "
        f"embedding, see text. Those that never left stand at {never:.0f}, twice the length of the training. Dashed: "
        "threshold fitted on all combinations but the black ones."
    ),
    alt=(
        "Scatter plot on logarithmic axes. Points with a large share depart within some hundred steps; points to the "
        "left of the threshold depart late or never, the more so the smaller the share."
    ),
)

# %% tags=["hide-input"]
if tested:
    run.figure(
        plots.hit_rates(
            {
                f"{rule},\none {kind} held out": (rate.rate, rate.low, rate.high)
                for kind in folds
                for rule in scores
                for rate in [tested.get((rule, kind))]
                if rate is not None
            },
            xlabel="held-out combinations predicted rightly",
        ),
        name="11_hits",
        caption=(
            f"How often each rule says rightly whether one of {len(cells)} combinations is learned late or never, with "
            "its threshold fitted on other degrees or other embeddings only. Bars: Wilson's 95 % interval."
        ),
        alt=(
            "Bars with intervals for five rules, twice. The rules that use B and the bookkeeping rule are far above the "
            "majority; their intervals overlap."
        ),
    )

# %% tags=["hide-input"]
run.key("11_late", int(late.sum()), text="combinations that are learned late or never")
run.key("11_threshold", threshold, text="log10 of the threshold, fitted on all combinations")
slug = {rule: rule.lower().replace(",", "").replace(" ", "_") for rule in scores}
for (rule, kind), rate in tested.items():
    run.key(
        f"11_hits_{slug[rule]}_{kind}",
        100 * rate.rate,
        unit="%",
        uncertainty=50 * (rate.high - rate.low),
        text=f"{rule}: right on combinations whose {kind} was held out; half of Wilson's 95 % interval",
    )
    run.key(f"11_told_{slug[rule]}_{kind}", str(rate), text=f"{rule}: hits, {kind} held out, with the 95 % interval")
for rule, rank in ranks.items():
    draws = torch.randint(len(cells), (300, len(cells)), generator=torch.Generator().manual_seed(p.seed))
    resampled = torch.tensor([rank_correlation(-scores[rule][drawn], when[drawn]) for drawn in draws])
    run.key(
        f"11_rank_{slug[rule]}",
        rank,
        uncertainty=float(resampled.std()),
        text=f"{rule}: rank correlation with the departure; bootstrap over combinations",
    )
run.key("11_error", float(torch.stack([error[cell].median() for cell in cells]).median()), text="median error")

# %%
run.finish()
