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
# we give the network more or less of the angle to begin with: solid harmonics of its edges up to degree $\ell_{\max}$,
# in place of the plain edge vector. All else is free and of equal size. The map of what is learned has a sharp edge,
# and the edge can be seen in $B$ before the first step.

# %% tags=["parameters"]
preset: str = "book"  # smoke, book or full
seed: int = 0  # first training seed; the others follow it
target_l: int | list[int] = [0, 1, 2, 3, 4, 5, 6]  # degrees of the targets
l_max: int | list[int | None] | None = [None, 2, 4, 8]  # highest degrees of the edge embedding; None is the plain one
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
            "n_steps": 700,
            "n_probes": 2,
            "n_workers": 2,
        },
        "full": {
            "corners": False,
            "n_seeds": 5,
            "n_molecules": 2000,
            "n_steps": 10000,
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
# **Time and memory** on two cores: `smoke` 20 s; `book` 6 to 12 minutes, as the processor goes, and up to a minute for
# the labels, the first time; 0.9 GB for each of two processes. `full` has not been run.
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
# [the chapter on training](08_train_pet), trained on molecules turned at random by $\mathrm{O}(3)$; there is no
# harmonic, no Clebsch–Gordan coefficient and no other symmetry in it but for the embedding of the edges, which is a
# linear map of
#
# $$
# \bigl(|r|,\ r,\ |r|\,Y_2(\hat r),\ \dots,\ |r|\,Y_{\ell_{\max}}(\hat r)\bigr), \qquad r = r_j - r_i .
# $$
#
# **Plain** is what PET has: it ends at $r$, so it is $\ell_{\max} = 1$ under another name. Larger embeddings have more
# weights; the feed-forward layers of the edges are made narrower, so that all networks have the same number to 1 %. The
# initial size of an embedded edge is the same, too, shared evenly among the degrees. It is a small bias: the network is
# told which functions of an angle there are, and not what to do with them.

# %%
labels = load_densities(run.store, n=p.n_molecules, molecules=("peroxide",), seed=0)
cells = combinations(degrees, embeddings)
louder = [Combination(l, None, gain) for gain, wanted in ((4.0, (3, 4, 5, 6)), (8.0, (5, 6))) for l in wanted]
levers = louder + [Combination(l, 8, gain=0.25) for l in (2, 4)]
levers = [one for one in (louder[3:4] if p.corners else levers) if one.target_l in degrees and one.l_max in embeddings]
names = {cell: f"density_{cell.target_l}" for cell in [*cells, *levers]}
networks = {cell: spectral_network(cell, name, n_parameters=36000, d_pet=24) for cell, name in names.items()}
configs = [spectral_training(p.seed + k, p.n_steps) for k in range(p.n_seeds)]

# %%
jobs = {str(cell): (network, configs, labels) for cell, network in networks.items()}
by_job = train_ensembles(jobs, run.store, n_workers=p.n_workers, progress=False)
trained = {cell: by_job[str(cell)] for cell in networks}

# %% [markdown]
# ## What is learned, and when

# %% tags=["hide-input"]
run.key("11_molecules", len(labels), text="labelled molecules")
run.key("11_steps", p.n_steps, text="steps of each training")
run.key("11_seeds", p.n_seeds, text="networks of each combination")
run.key("11_combinations", len(cells), text="combinations of target and embedding")
steps = torch.tensor([float(row["step"]) for row in trained[cells[0]][0].history])
curves = {  # by combination (n_seeds, n_steps): error on the validation molecules, each turned at random
    cell: torch.tensor([[row[f"rmse_{names[cell]}"] for row in one.history] for one in members])
    for cell, members in trained.items()
}
shown = [0, 1]  # the records of the figure: steps that differ by a quarter at least
for k in range(2, len(steps)):
    shown += [k] if steps[k] >= 1.25 * steps[shown[-1]] or k == len(steps) - 1 else []
title = {m: "plain" if m is None else rf"$\ell_{{\max}} = {m}$" for m in embeddings}
run.figure(
    plots.learning_panels(
        steps[shown],
        {
            title[m]: {rf"$\lambda = {l}$": curves[cell][:, shown] for l in degrees for cell in combinations(l, m)}
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
# In {numref}`fig-11_learning` a network that does not know how to begin sits on a **plateau**: it answers zero, the
# best constant tensor of any degree but 0. Its **departure** is the first step at which the error is below 0.9 of the
# size of the labels. After it, learning is gradual; before it, nothing seems to happen. The departure is what we shall
# try to predict.

# %%
departure = {cell: torch.tensor([crossing(steps, one, 0.9) for one in table]) for cell, table in curves.items()}
error = {cell: table[:, -1] for cell, table in curves.items()}
moments = {
    "init": 0,
    "early": max(k for k in trained[cells[0]][0].steps if k <= max(1, p.n_steps // 20)),
    "end": p.n_steps,
}
layers = ["rounds.0.edge_embedding", "rounds.0.compressed", "rounds.0.blocks.0.edge", "rounds.0.message"]
layers += [name.replace("rounds.0", "rounds.1") for name in layers[1:]]
probes = labels.subset(labels.splits["test"][: p.n_probes])
patients = {
    (cell, k, moment): Patient(
        one.load_checkpoint(step),
        {names[cell]: f"1x{cell.target_l}{'eo'[cell.target_l % 2]}"},
        [*layers, f"heads.{names[cell]}.edge"],
    )
    for cell, members in trained.items()
    for k, one in enumerate(members)
    for moment, step in moments.items()
}
options = {"l_max": 6, "degree": 15, "batch_size": 256, "progress": False}
found = surveys(patients, probes, run.store, n_workers=p.n_workers, **options)
hardest = {key: one for key, one in patients.items() if key[0].target_l == degrees[-1] and key[1:] == (0, "end")}
checked = surveys(hardest, probes.subset([0]), run.store, n_workers=1, converge=True, **options)

# %% [markdown]
# All surveys share a Haar grid of degree 15. On a finer one, the equivariance error of the trained networks for the
# highest degree changes by {glue:text}`11_convergence_a:.1f` %, and no share $b$ of any of their layers by more than
# {glue:text}`11_convergence_b:.2f`: in layers that hold degree 8, the grid misjudges the whole a little, by which a
# share is divided. We shall count shares in decades, where that cannot be seen.

# %% tags=["hide-input"]
run.key(
    "11_convergence_a",
    100 * max(one.convergence[names[key[0]]] for key, one in checked.items()),
    unit="%",
    text="largest change of an equivariance error on a finer grid, highest degree, one molecule",
)
run.key(
    "11_convergence_b",
    max(max(one.character_convergence.values()) for one in checked.values()),
    text="largest change of a share on a finer grid, trained networks of the highest degree, one molecule",
)
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


for cell in cells:
    run.key(
        f"11_error_{cell}",
        error[cell].median(),
        uncertainty=spread(error[cell]),
        text=f"{cell}: error, median of seeds",
    )
    run.key(f"11_best_{cell}", error[cell].min(), text=f"{cell}: error, best seed")
    run.key(f"11_worst_{cell}", error[cell].max(), text=f"{cell}: error, worst seed")
    run.key(
        f"11_a_{cell}",
        equivariance[cell].median(),
        uncertainty=spread(equivariance[cell]),
        text=f"{cell}: equivariance error, median of seeds",
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
# Three things to see in {numref}`fig-11_map`.
#
# - **The lower left corner is not learned.** With the plain embedding $\lambda = 2$ is easy
#   ({glue:text}`11_error_l2_mnone:.2f`), $\lambda = 3$ is a lottery (best seed {glue:text}`11_best_l3_mnone:.2f`, worst
#   {glue:text}`11_worst_l3_mnone:.2f`), and $\lambda = 5$ and 6 are not learned at all
#   ({glue:text}`11_error_l5_mnone:.2f`, {glue:text}`11_error_l6_mnone:.2f`). Two more degrees in the embedding buy
#   about two more degrees of targets.
# - **$A$ does not see the failure.** The plain network at $\lambda = 6$ has an equivariance error of
#   {glue:text}`11_a_l6_mnone:.3f`, the smallest of its row, because it answers zero, and zero is a perfect tensor. A
#   small $A$ is a virtue only beside a small error.
# - **More is not better where it is not needed.** The scalar is learned to {glue:text}`11_error_l0_mnone:.3f` ±
#   {glue:text}`11_error_l0_mnone_uncertainty:.3f` with the plain embedding and to {glue:text}`11_error_l0_m8:.2f` ±
#   {glue:text}`11_error_l0_m8_uncertainty:.2f` with $\ell_{\max} = 8$.
#
# ## The starved sector
#
# Why is the corner where it is? The plain embedding is a linear map of $(|r|, r)$. Turn the edge, and $|r|$ stays while
# $r$ turns as a vector; a linear map of the two holds $(0,+)$ and $(1,+)$, and nothing else, whatever its weights.
# Every higher degree must be made by nonlinear layers out of products of vectors: $\lambda = 2$ from two of them,
# $\lambda = 3$ from three. If the part of a token that turns is a fraction $\epsilon$ of it, degree $\lambda$ begins
# with an amplitude of order $\epsilon^\lambda$, and its power falls by a constant factor from degree to degree. Here is
# the target's own sector in *untrained* networks, layer by layer.

# %%
rows = {name: f"{name.split('.')[-1].replace('_', ' ')} {int(name.split('.')[1]) + 1}" for name in layers} | {
    "head": "head"
}


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
    return tuple(torch.stack([torch.stack([f(one) for one in row]) for row in values]) for f in (torch.median, spread))


# %% tags=["hide-input"]
sector_maps = {
    "label": r"$\log_{10}$ of the share $b_{\lambda +}$ of the target's sector",
    "xlabel": r"degree $\lambda$ of the target",
    "ylabel": "layer",
    "limits": (-10.0, 0.0),
    "log": False,
    "side_by_side": 2,
    "decimals": 1,
}
run.figure(
    plots.sweep_maps(
        {title[m]: by_layer("init", m) for m in embeddings},
        list(rows.values()),
        [str(l) for l in degrees],
        **sector_maps,
    ),
    name="11_before",
    caption=(
        "Before training: the share of each layer's power that lies in the sector of the target, $b_{\\lambda +}$ "
        "({eq}`eq-fraction`), as its decadic logarithm, for each embedding. 1 and 2 "
        "are the rounds of message passing, *head* the last hidden layer of the edges. "
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
        {title[m]: by_layer("end", m) for m in embeddings},
        list(rows.values()),
        [str(l) for l in degrees],
        **sector_maps,
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
# The first row of each panel of {numref}`fig-11_before` is the theory: what is not given is not there. Below it the
# nonlinear layers go to work, and they leave steps: with $\ell_{\max} = 2$ the degrees 3 and 4 stand together, and so
# do 5 and 6; with $\ell_{\max} = 4$, 5 and 6. A product of harmonics of degrees $l_1$ and $l_2$ holds degrees up to
# $l_1 + l_2$, so a target of degree $\lambda$ takes
#
# $$
# n = \lceil \lambda / \ell_{\max} \rceil
# $$
#
# **factors**, and each factor costs its $\epsilon$. (We saw this after the sweep, not before.)

# %% tags=["hide-input"]
factors = {cell: -(-cell.target_l // cell.given) for cell in cells}
above = [cell for cell in cells if cell.target_l]
log_share = torch.tensor([float(decades[cell, "init", "head"].median()) for cell in above])
count = torch.tensor([float(factors[cell]) for cell in above])
if len(count.unique()) > 2:
    joint = torch.stack([count, log_share])
    run.key("11_decades", -joint.cov()[0, 1] / count.var(), text="decades of B lost for each factor, least squares")
    run.key(
        "11_collapse", joint.corrcoef()[0, 1] ** 2, text="share of the variance of log10 B that the factors explain"
    )
    run.key(
        "11_collapse_degree",
        torch.stack([torch.tensor([float(c.target_l) for c in above]), log_share]).corrcoef()[0, 1] ** 2,
        text="the same for the degree alone",
    )
for cell in cells:
    for told, moment in (("before", "init"), ("after", "end")):
        values = decades[cell, moment, "head"]
        text = f"{cell}: log10 of the share of the target's sector in the head, {told} training"
        run.key(f"11_b_{cell}_{told}", values.median(), uncertainty=spread(values), text=text)
if above:
    run.figure(
        plots.curves(
            [
                plots.Series(
                    title[m],
                    [factors[cell] for cell in members],
                    [float(decades[cell, "init", "head"].median()) for cell in members],
                    [float(decades[cell, "init", "head"].min()) for cell in members],
                    [float(decades[cell, "init", "head"].max()) for cell in members],
                )
                for m in embeddings
                for members in [[cell for cell in above if cell.l_max == m]]
            ],
            xlabel=r"factors, $\lceil \lambda / \ell_{\max} \rceil$",
            ylabel=r"$\log_{10} b_{\lambda +}$ of the untrained head",
            markers=True,
        ),
        name="11_factors",
        caption=(
            "Share of the target's sector in the untrained head against the number of harmonics that must be multiplied to "
            f"make its degree, $\\lambda = {min(c.target_l for c in above)}$ to {max(c.target_l for c in above)}, one curve for "
            f"each embedding; the plain one counts as 1. Medians over {p.n_seeds} seeds, bands from the smallest to the largest."
        ),
        alt=(
            "Four curves that fall on one line, from minus two decades at one factor to minus ten at six; the richer the "
            "embedding, the fewer factors it reaches."
        ),
    )

# %% [markdown]
# In {numref}`fig-11_factors` the factors explain {glue:text}`11_collapse:.2f` of the variance of
# $\log_{10} b_{\lambda +}$ over degrees and embeddings, at {glue:text}`11_decades:.1f` decades for each factor; the
# degree alone explains {glue:text}`11_collapse_degree:.2f`. The head of the plain network begins with a share of
# $10^{-10}$ in the sector of $\lambda = 6$, and the gradient has next to nothing to hold on to.
#
# {numref}`fig-11_after` shows what training made of it. Where a target was learned, its sector is full, from the head
# down into the layers before it. Asked for $\lambda = 6$, the plain network went from
# {glue:text}`11_b_l6_mnone_before:.1f` to {glue:text}`11_b_l6_mnone_after:.1f` decades in its head: it emptied the
# sector rather than fill it. Asked for $\lambda = 4$ it ended at {glue:text}`11_b_l4_mnone_after:.1f` (median), with an
# error of {glue:text}`11_error_l4_mnone:.2f`. A full sector is no promise, either: further down we meet networks that
# have all the power they need, and still the wrong tensor.
#
# ## A criterion
#
# The head is read off linearly, so what is not in it cannot be answered, and what is there in traces is learned from
# traces. That suggests a criterion:
#
# > **A target of degree $\lambda$ is learned late or never if, before the first step, the share $b_{\lambda +}$ of its
# > sector in the last hidden layer lies below a threshold.**
#
# *Late or never*: the median departure over the seeds comes after a fifth of the training, or not at all. We fixed
# this, and the level of 0.9, after seven pilot trainings and before the sweep. (Later the sweep was repeated with fewer
# steps and larger batches, to save time.) The threshold is fitted, and tested on combinations that it has not seen:
# all embeddings of one degree are held out and the threshold is fitted on the other degrees, for each degree in turn;
# then the same with each embedding held out. Seeds of one combination are not independent, so each combination counts
# once.
#
# The rivals get the same treatment. **Bookkeeping** knows no network: its score is the number of missing degrees,
# $\max(0, \lambda - \ell_{\max})$, with 1 for the plain embedding, and its threshold is fitted likewise. **Factors**
# counts $n$. **Degree** looks at $\lambda$ alone. **Majority** always answers what was more frequent. A criterion that
# needs a network and a Haar grid should beat those that need a pencil.

# %%
given = torch.tensor([float(cell.given) for cell in cells])
wanted = torch.tensor([float(cell.target_l) for cell in cells])
scores = {
    "B before training": torch.stack([decades[cell, "init", "head"].median() for cell in cells]),
    "B, early": torch.stack([decades[cell, "early", "head"].median() for cell in cells]),
    "bookkeeping": (given - wanted).clamp(max=0),
    "factors": -torch.tensor([float(factors[cell]) for cell in cells]),
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
groups = {title[m]: [one for one in cells if one.l_max == m] for m in embeddings}
for cell in levers:
    groups.setdefault(f"{title[cell.l_max]}, {'louder' if cell.gain > 1 else 'quieter'}", []).append(cell)
run.figure(
    plots.threshold_scatter(
        {
            group: (
                [10 ** float(decades[cell, "init", "head"].median()) for cell in members],
                [min(float(departure[cell].median()), never) for cell in members],
                [f"{cell.target_l}{'′' if cell.gain > 4 else ''}" for cell in members],
            )
            for group, members in groups.items()
        },
        xlabel="share of the target's sector, untrained head",
        ylabel="departure from the plateau",
        yunit="step",
        thresholds={"threshold": 10**threshold},
        level=("one fifth of the training", p.n_steps / 5),
        never=never,
    ),
    name="11_criterion",
    caption=(
        "Departure from the plateau against the share $b_{\\lambda +}$ of the target's sector in the last hidden layer "
        "before training; both are medians over the seeds. Numbers are degrees $\\lambda$. Networks that never left stand "
        f"on the dotted line. The threshold is fitted on the {len(cells)} combinations of the sweep; those that "
        "are louder (gain 4, or 8 where there is a prime) or quieter (1/4), see below, took no part."
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
                rule.replace("B", "$B$"): (rate.rate, rate.low, rate.high)
                for (rule, kind), rate in tested.items()
                if kind == next(kind for _, kind in tested)
            },
            xlabel="held-out combinations predicted rightly",
        ),
        name="11_hits",
        caption=(
            f"How often each rule says rightly whether one of {len(cells)} combinations is learned late or never, the "
            f"threshold being fitted without its {next(kind for _, kind in tested)}. Bars: Wilson's 95 % interval."
        ),
        alt=(
            "Bars with intervals for six rules. Bookkeeping is highest, the rules that use B or count factors are a little "
            "lower, degree and majority lowest; the intervals of the first four overlap widely."
        ),
    )

# %% tags=["hide-input"]
slug = {rule: rule.lower().replace(",", "").replace(" ", "_") for rule in scores}
run.key("11_late", int(late.sum()), text="combinations that are learned late or never")
for cell in networks:
    name = str(cell).replace(".", "")
    run.key(
        f"11_departure_{name}",
        departure[cell].median().clamp(max=never),
        unit="steps",
        text=f"{cell}: departure, median of the seeds; twice the steps if never",
    )
run.key("11_threshold", threshold, text="log10 of the threshold, fitted on all combinations")
run.key("11_early", moments["early"], text="step of the early measurement")
run.key(
    "11_error", torch.stack([error[cell].median() for cell in cells]).median(), text="error, median of combinations"
)
run.key(
    "11_share", scores["B before training"].median(), text="log10 of B in the untrained head, median of combinations"
)
run.key(
    "11_departure", when.median().clamp(max=never), text="departure, median of combinations; twice the steps if never"
)
for (rule, kind), rate in tested.items():
    run.key(f"11_told_{slug[rule]}_{kind}", str(rate), text=f"{rule}: hits, each {kind} held out, with 95 % interval")
    run.key(
        f"11_hits_{slug[rule]}_{kind}",
        100 * rate.rate,
        unit="%",
        uncertainty=50 * (rate.high - rate.low),
        text=f"{rule}: right on combinations whose {kind} was held out; half of Wilson's 95 % interval",
    )
draws = torch.randint(len(cells), (300, len(cells)), generator=torch.Generator().manual_seed(p.seed))
for rule, rank in ranks.items():
    resampled = torch.tensor([rank_correlation(-scores[rule][drawn], when[drawn]) for drawn in draws])
    run.key(
        f"11_rank_{slug[rule]}",
        rank,
        uncertainty=float(resampled.std()),
        text=f"{rule}: rank correlation with the departure; bootstrap over combinations",
    )
missed = {
    rule: [
        cell for cell, wrong in zip(cells, cross_validated(scores[rule], late, wanted)[0] != late, strict=True) if wrong
    ]
    for rule in ("B before training", "bookkeeping")
    if len(degrees) > 1
}
for rule, wrong in missed.items():
    told = ", ".join(f"{cell.target_l}/{'plain' if cell.l_max is None else cell.l_max}" for cell in wrong)
    run.key(f"11_missed_{slug[rule]}", told or "none", text=f"{rule}: missed, degree/embedding, each degree held out")
others = []
for level, part in ((level, part) for level in (0.95, 0.9, 0.8) for part in (0.1, 0.2, 0.5)):
    middle = [torch.tensor([crossing(steps, one, level) for one in curves[cell]]).median() for cell in cells]
    truth = torch.stack(middle) > part * p.n_steps
    if len(degrees) > 1:
        others.append(
            [
                int((cross_validated(scores[rule], truth, wanted)[0] == truth).sum())
                for rule in ("B before training", "bookkeeping")
            ]
        )
run.key("11_definitions", len(others), text="other definitions of late and of departure, ours among them")
run.key("11_definitions_b", sum(b > a for b, a in others), text="definitions under which B has more hits")
run.key(
    "11_definitions_bookkeeping", sum(b < a for b, a in others), text="definitions under which bookkeeping has more"
)
first = [
    decades[cell, "init", "head"].argmax() == departure[cell].argmin()
    for cell in networks
    if departure[cell].isfinite().any()
]
if first:
    run.key(
        "11_first_seed",
        str(hit_rate(torch.stack(first), torch.ones(len(first), dtype=torch.bool))),
        text="combinations whose seed with the largest B departs first, with 95 % interval",
    )

# %% [markdown]
# | rule | right, each degree held out | right, each embedding held out | rank correlation with the departure |
# | :--- | ---: | ---: | ---: |
# | $B$ before training | {glue:text}`11_told_b_before_training_degree` | {glue:text}`11_told_b_before_training_embedding` | {glue:text}`11_rank_b_before_training:.2f` ± {glue:text}`11_rank_b_before_training_uncertainty:.2f` |
# | $B$ after {glue:text}`11_early:.0f` steps | {glue:text}`11_told_b_early_degree` | {glue:text}`11_told_b_early_embedding` | {glue:text}`11_rank_b_early:.2f` ± {glue:text}`11_rank_b_early_uncertainty:.2f` |
# | bookkeeping | {glue:text}`11_told_bookkeeping_degree` | {glue:text}`11_told_bookkeeping_embedding` | {glue:text}`11_rank_bookkeeping:.2f` ± {glue:text}`11_rank_bookkeeping_uncertainty:.2f` |
# | factors | {glue:text}`11_told_factors_degree` | {glue:text}`11_told_factors_embedding` | {glue:text}`11_rank_factors:.2f` ± {glue:text}`11_rank_factors_uncertainty:.2f` |
# | degree | {glue:text}`11_told_degree_degree` | {glue:text}`11_told_degree_embedding` | {glue:text}`11_rank_degree:.2f` ± {glue:text}`11_rank_degree_uncertainty:.2f` |
# | majority | {glue:text}`11_told_majority_degree` | {glue:text}`11_told_majority_embedding` | {glue:text}`11_rank_majority:.2f` |
#
# Wilson's 95 % intervals in brackets; ± is the bootstrap over combinations. {glue:text}`11_late:.0f` of
# {glue:text}`11_combinations:.0f` combinations are learned late or never.
#
# So **the criterion works, and it is not better than counting**. $B$ before training is right more often than the
# majority, and so is the pencil, as often as $B$ or a little more often ({numref}`fig-11_hits`): what empties a sector
# can be counted. Nor does this hang on our definitions: over {glue:text}`11_definitions:.0f` of them (levels 0.95, 0.9,
# 0.8; a tenth, a fifth, half of the training) $B$ has more hits in {glue:text}`11_definitions_b:.0f` and bookkeeping in
# {glue:text}`11_definitions_bookkeeping:.0f`. Waiting for {glue:text}`11_early:.0f` steps of training adds little. The
# hard cases are those of two factors, at the threshold in {numref}`fig-11_criterion`: some depart at once and some
# late. Missed by $B$, as degree/embedding: {glue:text}`11_missed_b_before_training`; by bookkeeping:
# {glue:text}`11_missed_bookkeeping`. The last two are no matter of spectra at all, as we shall see.
#
# What a count cannot do is tell one network from another with the same degrees. But neither can $B$, here: the seed
# with the largest $B$ departs first in {glue:text}`11_first_seed` of the combinations, and chance would have one in
# {glue:text}`11_seeds:.0f`.
#
# ## Turning the knob
#
# In the sweep $B$ follows from $\lambda$ and $\ell_{\max}$, and so does bookkeeping. The two part when $B$ is changed
# and the degrees are not. There is a knob for that: the **gain**, a factor on the initial weights of the edge
# embedding. With a gain of 4 the directions are louder, the nonlinear layers bend more, and the plain network makes
# more of the high degrees, though it is given none. With a gain of 1/4 a network that is given everything hears little
# of it. These combinations took no part in any fit.

# %%
knob = {}
for cell in levers:
    before = Combination(cell.target_l, cell.l_max)  # the same with a gain of 1
    of_b, of_departure, of_error = (
        [float(values[one].median()) for one in (before, cell)]
        for values in ({one: decades[one, "init", "head"] for one in (before, cell)}, departure, error)
    )
    knob[str(cell)] = {
        "decades of B": round(of_b[1] - of_b[0], 1),
        "departure": [round(step, 0) for step in of_departure],
        "error": [round(value, 3) for value in of_error],
    }
knob

# %% tags=["hide-input"]
if levers:
    turned = torch.tensor([float(departure[cell].median()) > p.n_steps / 5 for cell in levers])
    tried = {
        "B before training": torch.stack([decades[cell, "init", "head"].median() for cell in levers]),
        "bookkeeping": torch.tensor([min(0.0, cell.given - cell.target_l) for cell in levers]),
    }
    for rule, score in tried.items():
        rate = hit_rate(fit_threshold(scores[rule], late)(score), turned)
        run.key(f"11_knob_{slug[rule]}", str(rate), text=f"{rule}: hits on the other gains, with 95 % interval")
    for cell in levers:
        name, row = str(cell).replace(".", ""), knob[str(cell)]
        run.key(f"11_{name}_decades", row["decades of B"], text=f"{cell}: decades of B that the gain adds")
        run.key(
            f"11_{name}_error",
            row["error"][1],
            uncertainty=spread(error[cell]),
            text=f"{cell}: error, median of the seeds",
        )

# %% [markdown]
# The gain of 4 adds {glue:text}`11_l3_mnone_g4_decades:.1f` decades to the sector of $\lambda = 3$ in the plain
# network, and the lottery is over: all seeds learn it, to {glue:text}`11_l3_mnone_g4_error:.2f` ±
# {glue:text}`11_l3_mnone_g4_error_uncertainty:.2f` instead of {glue:text}`11_error_l3_mnone:.2f` ±
# {glue:text}`11_error_l3_mnone_uncertainty:.2f`. $\lambda = 4$ goes from {glue:text}`11_error_l4_mnone:.2f` to
# {glue:text}`11_l4_mnone_g4_error:.2f` ± {glue:text}`11_l4_mnone_g4_error_uncertainty:.2f`. No degree was added; one
# number at initialization was changed. At $\lambda = 5$ and 6 a gain of 4 does not reach the threshold, and they are
# not learned. A gain of 8, which we added after seeing those of 4, adds {glue:text}`11_l5_mnone_g8_decades:.1f` and
# {glue:text}`11_l6_mnone_g8_decades:.1f` decades, up to the threshold; they begin to move, to
# {glue:text}`11_l5_mnone_g8_error:.2f` and {glue:text}`11_l6_mnone_g8_error:.2f`, but late. With $\ell_{\max} = 8$ a
# gain of 1/4 costs about one decade, which leaves $B$ above the threshold, and does no harm.
#
# The threshold of the sweep is right on {glue:text}`11_knob_b_before_training` of these, bookkeeping on
# {glue:text}`11_knob_bookkeeping`: too few to crown anybody. But the *intervention* says what the sweep cannot. With
# the degrees held fixed, filling the sector moves the departure, and networks with about the same power in it leave at
# similar times, whichever way they came by it: $\lambda = 4$ with the plain embedding and a gain of 4 after
# {glue:text}`11_departure_l4_mnone_g4:.0f` steps, with $\ell_{\max} = 2$ after {glue:text}`11_departure_l4_m2:.0f`;
# $\lambda = 3$ after {glue:text}`11_departure_l3_mnone_g4:.0f` and {glue:text}`11_departure_l3_m2:.0f`.

# %% [markdown]
# ## What each bias costs
#
# Weights are equal by construction. The time of a step is measured here, networks in turns so that all see the same
# mood of the machine, for the highest degree and all seeds of a combination in one pass.

# %%
timed = {cell: networks[cell] for cell in combinations(degrees[-1], embeddings)}
seconds = step_seconds(timed, configs, labels, n_steps=2 if p.corners else 7, n_rounds=3 if p.corners else 6)

# %% tags=["hide-input"]
sizes = {cell: count_parameters(network) for cell, network in networks.items()}
run.key("11_size_spread", 100 * (max(sizes.values()) / min(sizes.values()) - 1), unit="%", text="largest over smallest")
run.key("11_size", sizes[cells[0]], text="weights of the first network")
for cell, times in seconds.items():
    name, ratio = ("plain" if cell.l_max is None else cell.l_max), times / next(iter(seconds.values()))
    run.key(f"11_inputs_{name}", (cell.given + 1) ** 2, text=f"numbers that an edge begins with, embedding {name}")
    run.key(f"11_width_{name}", networks[cell].d_feedforward, text=f"feed-forward width of the edges, embedding {name}")
    run.key(
        f"11_weights_{name}",
        build(networks[cell]).rounds[0].edge_embedder.weight.numel() * networks[cell].n_gnn_layers,
        text=f"weights of the edge embeddings, embedding {name}",
    )
    run.key(f"11_ms_{name}", 1000 * float(times.median()), unit="ms", text=f"time of a step of {p.n_seeds} networks")
    run.key(
        f"11_time_{name}",
        float(ratio.median()),
        uncertainty=float(spread(ratio)),
        text=f"time of a step over that of the first embedding, embedding {name}; half of the range over rounds",
    )

# %% [markdown]
# | embedding | numbers per edge | weights of the embedding | width of the feed-forward | time of a step | over plain |
# | :--- | ---: | ---: | ---: | ---: | ---: |
# | plain | {glue:text}`11_inputs_plain:.0f` | {glue:text}`11_weights_plain:.0f` | {glue:text}`11_width_plain:.0f` | {glue:text}`11_ms_plain:.1f` ms | 1 |
# | $\ell_{\max} = 2$ | {glue:text}`11_inputs_2:.0f` | {glue:text}`11_weights_2:.0f` | {glue:text}`11_width_2:.0f` | {glue:text}`11_ms_2:.1f` ms | {glue:text}`11_time_2:.2f` ± {glue:text}`11_time_2_uncertainty:.2f` |
# | $\ell_{\max} = 4$ | {glue:text}`11_inputs_4:.0f` | {glue:text}`11_weights_4:.0f` | {glue:text}`11_width_4:.0f` | {glue:text}`11_ms_4:.1f` ms | {glue:text}`11_time_4:.2f` ± {glue:text}`11_time_4_uncertainty:.2f` |
# | $\ell_{\max} = 8$ | {glue:text}`11_inputs_8:.0f` | {glue:text}`11_weights_8:.0f` | {glue:text}`11_width_8:.0f` | {glue:text}`11_ms_8:.1f` ms | {glue:text}`11_time_8:.2f` ± {glue:text}`11_time_8_uncertainty:.2f` |
#
# Each network has {glue:text}`11_size:.0f` weights, to {glue:text}`11_size_spread:.1f` %. A network of this size spends
# its time on other things than harmonics: the ratios are near 1 and have no clear trend with $\ell_{\max}$, within what
# a busy machine lets us see. What the bias does cost is a part of the feed-forward width. The gain costs nothing at
# all.
#
# ## Degree is not all
#
# With $\ell_{\max} = 8$ nothing is missing, and still $\lambda = 5$ and 6 end at {glue:text}`11_error_l5_m8:.2f` and
# {glue:text}`11_error_l6_m8:.2f`. Is that the spectrum again? Take the simplest exact model: the coefficient of an atom
# is a sum of harmonics in the directions of the three others, with one constant for the nearest, the middle and the
# farthest, fitted by least squares for each element and degree. It has every degree that it needs, and no distance in
# it.

# %%
from symlab.groups import solid_harmonics

positions = torch.stack([one.positions for one in labels.structures])
species = labels.structures[0].species


def constant_fit(l, element):
    """Error that the best sum of harmonics of the other atoms leaves, with one constant for near, middle and far."""
    designs, answers = [], []
    for atom in (species == element).nonzero().flatten().tolist():
        arms = positions[:, [j for j in range(4) if j != atom]] - positions[:, [atom]]
        order = arms.norm(dim=-1).argsort(dim=1)[..., None].expand_as(arms)
        unit = torch.nn.functional.normalize(arms.gather(1, order), dim=-1)
        designs.append(solid_harmonics(unit, l)[..., l * l :].mT.flatten(0, 1))
        answers.append(torch.stack([one[atom] for one in labels.labels[f"density_{l}"]]).flatten())
    design, answer = torch.cat(designs), torch.cat(answers)
    rest = answer - design @ torch.linalg.lstsq(design, answer[:, None]).solution[:, 0]
    return float((rest.square().mean() / answer.square().mean()).sqrt())


fits = {l: {"H": constant_fit(l, 1), "O": constant_fit(l, 8)} for l in degrees if l}
bond = positions[:, 1] - positions[:, 0]  # from a hydrogen to its oxygen
length = bond.norm(dim=-1)
along = solid_harmonics(bond / length[:, None], 6)[:, 36:] * torch.stack([one[0] for one in labels.labels["density_6"]])
sixth = torch.stack([length, along.sum(1)])  # the length, and the coefficient of degree 6 in the direction of the bond
fits

# %% tags=["hide-input"]
for l, fit in fits.items():
    for element, rest in fit.items():
        run.key(
            f"11_fit_l{l}_{element.lower()}", rest, text=f"degree {l}, {element}: error of constant sums of harmonics"
        )
slope = sixth.cov()[0, 1] / length.var()
run.key(
    "11_bond", length.mean(), unit="Å", uncertainty=length.std(), text="length of an O-H bond, ± standard deviation"
)
run.key(
    "11_bond_zero", length.mean() - sixth[1].mean() / slope, unit="Å", text="length at which the H coefficient is zero"
)
run.key("11_bond_correlation", sixth.corrcoef()[0, 1], text="H, degree 6 along the bond: correlation with its length")

# %% [markdown]
# | error of constant sums of harmonics | $\lambda = 1$ | 2 | 3 | 4 | 5 | 6 |
# | :--- | ---: | ---: | ---: | ---: | ---: | ---: |
# | hydrogen | {glue:text}`11_fit_l1_h:.2f` | {glue:text}`11_fit_l2_h:.2f` | {glue:text}`11_fit_l3_h:.2f` | {glue:text}`11_fit_l4_h:.2f` | {glue:text}`11_fit_l5_h:.2f` | {glue:text}`11_fit_l6_h:.2f` |
# | oxygen | {glue:text}`11_fit_l1_o:.2f` | {glue:text}`11_fit_l2_o:.2f` | {glue:text}`11_fit_l3_o:.2f` | {glue:text}`11_fit_l4_o:.2f` | {glue:text}`11_fit_l5_o:.2f` | {glue:text}`11_fit_l6_o:.2f` |
#
# At $\lambda = 6$ on hydrogen the best constants explain nothing. The component along the O–H bond follows the length
# of the bond (correlation {glue:text}`11_bond_correlation:.2f`) and changes sign at {glue:text}`11_bond_zero:.3f` Å, in
# the middle of the lengths that occur, {glue:text}`11_bond:.3f` ± {glue:text}`11_bond_uncertainty:.3f` Å: what must be
# learned is a product of a small change of distance and a harmonic. $\lambda = 5$ is of the same kind for both
# elements, if less so. Thus there are two ways for a target to be late: its *sector* is empty, which $B$ sees and an
# embedding mends, or the *function* is hard, which neither sees nor mends. The misses at $\lambda = 5$ are of the
# second kind. A full sector is necessary, and not sufficient.
#
# ## The seed's claims
#
# - *High-order symmetries, and "higher-$\lambda$ descriptors which represent more intricate and challenging symmetry
#   targets".* **Supported.** With the plain embedding the error goes from {glue:text}`11_error_l1_mnone:.2f` at
#   $\lambda = 1$ to {glue:text}`11_error_l4_mnone:.2f` at 4 and {glue:text}`11_error_l6_mnone:.2f` at 6. Part of it is
#   the targets, not their symmetry; part is the empty sector, and harmonics in the embedding mend that part
#   ({glue:text}`11_error_l4_m4:.2f` at $\lambda = 4$ with $\ell_{\max} = 4$).
# - *"Architectural choices \[...\] can indeed lead systems down paths where symmetry learning is hindered."*
#   **Supported**, at equal weights and equal steps, by the same numbers. So does an initial scale, which is not even
#   architecture.
# - *The decomposition into characters is "a map of the current outage, not a preventative measure".* **Not supported**
#   as it stands: before the first step $B$ tells which targets will be late,
#   {glue:text}`11_told_b_before_training_degree` on held-out degrees against {glue:text}`11_told_majority_degree` for
#   the majority. But prevention did not need it: counting degrees does as well.
# - *Models that respect symmetry need fewer parameters.* **Out of reach** here: all networks have the same number.
# - That the paper's own "spectral failure mode" is this one, an empty sector, is our reading. We do not have its
#   networks.
#
# ## What would falsify this
#
# - Power above $\ell_{\max}$ in the edge embedding: a linear map would have made a degree. Asserted below.
# - A gain that fills the sector and does not bring the departure forward, or one that brings it forward and does not
#   fill the sector. Then $B$ would be a bystander.
# - A plain network that learns $\lambda = 6$ in a longer training as easily as $\lambda = 2$. Ours are short; *never*
#   means not in {glue:text}`11_steps:.0f` steps.

# %%
for cell in networks:
    if cell.target_l > cell.given:
        assert share(cell, "init", layers[0]).max() < 1e-12
    for k in range(p.n_seeds):
        one = found[cell, k, "end"]
        assert bool((one.equivariance[names[cell]] <= one.absolute[names[cell]] * (1 + 1e-9)).all())

# %% [markdown]
# ## The same as a sweep
#
# The two lists at the top are parameters, so one combination can be run alone, and a grid of them on as many processes
# as there are, here or on a cluster:
#
# ```sh
# symlab run 11_spectral -p target_l=3 -p l_max=2
# symlab sweep 11_spectral --grid target_l=0..6 l_max=none,2,4,8 n_seeds=1 --seeds 3
# ```
#
# Each run is one combination and one seed, and the table that the command prints has `11_error`, `11_share` (decadic
# logarithm of $b_{\lambda +}$ in the untrained head) and `11_departure` for each. A sweep that is killed goes on from
# its last finished run. It takes longer than this page, which trains a dozen networks and more in one pass.
#
# ## Conclusion
#
# What an unconstrained network does not hold at the start it learns late, and every factor that a degree takes costs
# {glue:text}`11_decades:.1f` decades of power; the plain embedding takes one factor per degree. Harmonics in the
# embedding fill the sectors for no weights and little time; so does, for one or two degrees, a larger initial gain, for
# nothing. To know which targets will fail, count degrees; to know why, and whether a remedy has reached the layer that
# needs it, measure $B$; and to know whether it was learned at all, look at the error beside $A$.
#
# ## Exercises
#
# ```{exercise} Write the symmetry test, then make it fail
# :label: ex-11-test
#
# Write a test that a linear map of $(|r|, r)$ of one bond has no power above $\lambda = 1$. Then make it fail with the
# smallest change that you can think of. Which sectors appear first?
# ```
#
# ```{solution-start} ex-11-test
# :class: dropdown
# ```

# %%
from symlab.measure import characters

weights = torch.randn(8, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) / 4


def embedded(stack):
    bond = stack.positions[:, 1] - stack.positions[:, 0]
    return torch.cat([bond, bond.norm(dim=-1, keepdim=True)], dim=-1) @ weights.T


spectra = {
    "linear": characters(embedded, probes.structures[0], l_max=4, tolerance=None),
    "bent: must fail": characters(
        lambda stack: torch.nn.functional.silu(embedded(stack)), probes.structures[0], l_max=4, tolerance=None
    ),
}
{name: [f"{one.of(l, 1):.0e}" for l in range(5)] for name, one in spectra.items()}

# %% [markdown]
# One nonlinear function, and every degree is there, each fainter than the one before. The bond has an axis of symmetry,
# so nothing appears in the sectors of pseudo-tensors: a single direction has natural parity only.
#
# ```{solution-end}
# ```
#
# ```{exercise} Two layers of products
# :label: ex-11-products
#
# A layer that multiplies pairs of its inputs, given degrees up to $\ell_{\max}$, makes degrees up to how many? What is
# the smallest number of such layers for $\lambda = 6$ from the plain embedding, and what from $\ell_{\max} = 4$? Find
# your answer in {numref}`fig-11_before`.
# ```
#
# ```{solution} ex-11-products
# :class: dropdown
#
# A product of degrees $l_1$ and $l_2$ holds $|l_1 - l_2|, \dots, l_1 + l_2$, so one layer doubles the top: 1, 2, 4, 8.
# $\lambda = 6$ takes three layers from the plain embedding and one from $\ell_{\max} = 4$. In the figure the first
# nonlinear layer of the plain network holds some of every degree, since SiLU is no product and its series does not end;
# but each power of the small part costs its factor, and that is what counts. With $\ell_{\max} = 4$ the degrees 5 and 6
# stand together, one factor below the given ones, as one product should have it.
# ```
#
# ```{exercise} How loud for six?
# :label: ex-11-gain
#
# The gain of 4 lifts $\lambda = 6$ by some decades. If decades grow with the logarithm of the gain, which gain would
# bring the plain network to the threshold? Compare with what a gain of 8 does.
# ```
#
# ```{solution-start} ex-11-gain
# :class: dropdown
# ```

# %%
loud = [cell for cell in levers if cell.target_l == 6 and cell.gain == 4]
{
    f"gain for degree {cell.target_l}": round(
        cell.gain
        ** float(
            (threshold - decades[Combination(6, None), "init", "head"].median())
            / (decades[cell, "init", "head"].median() - decades[Combination(6, None), "init", "head"].median())
        ),
        1,
    )
    for cell in loud
}

# %% [markdown]
# A gain of 8 should be enough, and falls somewhat short: the law does not hold for long. Once the turning part of a
# token is as large as the rest, a larger gain only makes the nonlinear layers steeper. The power then spreads over ever
# higher degrees, most of them useless. Harmonics are the quieter way.
#
# ```{solution-end}
# ```
#
# ```{exercise} Zero is a perfect tensor
# :label: ex-11-zero
#
# Show that a network that always answers zero has $A = 0$ for every target. Does $A$ divided by the size of the
# response help? Which two numbers of this page, together, cannot be fooled?
# ```
#
# ```{solution} ex-11-zero
# :class: dropdown
#
# $z(g) = \rho(g)^{-1}\,0 = 0$ for all $g$, so nothing scatters. The ratio is $0/0$, and for an answer that is small and
# constant, such as a bias, it is 1, which says "all broken" of a network that does no harm. By {eq}`eq-split` the
# squared error is that of the symmetrized prediction plus $v$: the error and $A$, side by side, tell ignorance from
# asymmetry.
# ```

# %%
run.finish()
