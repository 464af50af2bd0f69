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
# # Particle tracks and a masked autoencoder
#
# **Question.** A detector photographs particles in three dimensions. How much can a network learn about such pictures
# without being told what is in them, and through which doors does the orientation of a picture enter it?
#
# The detector is a tank of liquid argon, in which charged particles leave trails of charge; the network is PoLAr-MAE
# {cite:p}`young2025`, a transformer over groups of points that is trained by hiding groups and asking for them back.
# The original has 30 million weights and learned from a million events. Ours has {glue:text}`12_parameters_thousand:.0f`
# thousand, and its {glue:text}`12_events:.0f` events are **simulated here**: they are not PILArNet-M,
# the data set of the original, and nothing on this page is a number of the original.

# %% tags=["parameters"]
preset: str = "book"  # smoke, book or full
seed: int = 0  # first training seed; the others follow it
n_events: int | None = None  # simulated events: 80 % train, 10 % validate, 10 % test
n_pretrain: int | None = None  # steps of the masked pre-training
n_steps: int | None = None  # steps of each segmentation
n_seeds: int | None = None  # segmentations from the pre-trained weights
n_scratch: int | None = None  # segmentations from scratch
n_workers: int | None = None  # processes, one thread each

# %%
from dataclasses import replace

import torch

from symlab import plots
from symlab.data import SEMANTIC, load_events, pilarnet_comparison
from symlab.groups import random_rotations
from symlab.measure import equivariance, f1_scores
from symlab.models import PolarMAE, changed_groups, group_points
from symlab.runs import Run
from symlab.training import group_events, predict_classes, pretrain, segment_all, track_network

run = Run.start(
    globals(),
    presets={
        "smoke": {"n_events": 60, "n_pretrain": 20, "n_steps": 24, "n_seeds": 1, "n_scratch": 1, "n_workers": 1},
        "book": {"n_events": 1500, "n_pretrain": 500, "n_steps": 600, "n_seeds": 3, "n_scratch": 2, "n_workers": 2},
        "full": {
            "n_events": 20000,
            "n_pretrain": 20000,
            "n_steps": 20000,
            "n_seeds": 5,
            "n_scratch": 5,
            "n_workers": 5,
        },
    },
)
p = run.parameters
seeds = {
    "pre-trained": range(p.seed, p.seed + p.n_seeds),
    "from scratch": range(p.seed, p.seed + p.n_scratch),
}
shared = seeds["pre-trained"][: p.n_scratch]

# %% [markdown]
# **Time and memory** on two cores: `smoke` 20 s; in `book` the trainings take 6 to 10 minutes and the simulation up
# to a minute, the first time, and the rest half a minute; 1.3 GB. `full` has not been run.
#
# ## Events
#
# Muons, pions, protons, electrons and photons start at one point, with flat spectra of energy, and cosmic muons rain
# through. Each is followed step by step: ionisation, knock-on electrons, multiple scattering, bremsstrahlung, pair
# production and Compton scattering, decays, and a toy of hadronic interactions. What they deposit is collected in
# cubes (voxels) of 3 mm. The simulator is checked against published ranges, stopping powers and radiation lengths; its
# hadrons are crude, and there is no model of the read-out, nor of time. Pions and muons decay only when they have
# stopped. One negative muon in four then makes an electron; the others are captured by argon nuclei
# {cite:p}`suzuki1987`, here without a trace. Negative pions at rest are absorbed, and leave a few protons. The package
# `symlab.data.tracks` lists all that is left out.
#
# A voxel belongs to one of four classes: **shower** (electrons and photons), **track** (muons, pions, protons),
# **Michel** (the electron from the decay of a muon at rest) and **delta** (an electron that a fast particle has knocked
# out of an atom). Faint remote deposits are a fifth class, which we drop, as the original does. Coordinates are
# counted in voxels from the centroid of an event.

# %%
events = load_events(run.store, n=p.n_events, n_workers=p.n_workers)
held_out = events.split("test")
sizes = torch.tensor([float(len(cloud.positions)) for cloud in events.clouds])

# %% tags=["hide-input"]
run.key("12_asked", p.n_events, text="events that were asked for")
run.key("12_events", len(events), text="events that are neither too small nor too large")
run.key("12_held_out", len(held_out), text="events held out for the test")
for quantile in (5, 50, 95):
    run.key(f"12_voxels_{quantile}", float(sizes.quantile(quantile / 100)), text=f"voxels of an event, {quantile} %")
for name, shares in pilarnet_comparison(events).items():
    for where, share in zip(("share", "pilarnet"), shares, strict=True):
        run.key(f"12_{where}_{name.lower().replace(' ', '_')}", 100 * share, unit="%", text=f"{name}: share of voxels")

# %% [markdown]
# :::{table} Shares of the voxels. PILArNet-M: from the voxel counts in its authors' code.
# :name: tab-12-shares
#
# | | shower | track | Michel | delta | low energy |
# | :--- | ---: | ---: | ---: | ---: | ---: |
# | simulated here | {glue:text}`12_share_shower:.1f` % | {glue:text}`12_share_track:.1f` % | {glue:text}`12_share_michel:.1f` % | {glue:text}`12_share_delta:.1f` % | {glue:text}`12_share_low_energy:.1f` % |
# | PILArNet-M | {glue:text}`12_pilarnet_shower:.1f` % | {glue:text}`12_pilarnet_track:.1f` % | {glue:text}`12_pilarnet_michel:.1f` % | {glue:text}`12_pilarnet_delta:.1f` % | {glue:text}`12_pilarnet_low_energy:.1f` % |
# :::
#
# Half of our events have more than {glue:text}`12_voxels_50:.0f` voxels that are not of low energy, nine tenths between
# {glue:text}`12_voxels_5:.0f` and {glue:text}`12_voxels_95:.0f`; those of PILArNet-M have three to four thousand on
# average. Shower, track and delta have about the shares that they have there; Michel is more frequent here, and low
# energy rarer.

# %% tags=["hide-input"]
rich = sorted(
    range(len(held_out)),
    key=lambda row: (
        -int((torch.bincount(held_out.semantic[row], minlength=4) > 10).sum()),
        -held_out.columns["primaries"][row].count(" "),
    ),
)[:4]
run.interactive(
    plots.event_gallery(
        {
            f"event {number}": (
                held_out.clouds[row].positions.numpy(),
                held_out.semantic[row].numpy(),
                held_out.clouds[row].features["energy"].numpy(),
            )
            for number, row in enumerate(rich, start=1)
        },
        classes=SEMANTIC,
    ),
    name="12_gallery",
    caption=(
        "Four of the held-out events. Turn them; choose another from the menu; click a class in the legend to hide it. "
        "Each marker is a voxel of 3 mm, coordinates from the centroid; the pointer shows the energy in MeV. The "
        "events were chosen because they hold many particles and the rare classes."
    ),
    alt=(
        "Interactive scatter plot in three dimensions of four particle events: straight tracks, broad showers with "
        "detached fragments, short Michel stubs at the ends of tracks, and delta electrons along them."
    ),
)

# %% [markdown]
# ## From points to tokens
#
# A transformer wants a hundred tokens, not a thousand points. The tokenizer makes them in three steps.
#
# 1. **Centres.** Every point is a candidate. The one with most neighbours is kept, what lies within $2 R f$ of it is
#    struck off, and so on: *centrality-based non-maximum suppression*. Here $R$ is 5.1 voxels and $f$ is 0.5; the
#    original has $R = 5$ and $f = 0.72$.
# 2. **Groups.** The members of a group are the points within $R$ of its centre, at most {glue:text}`12_group_size:.0f`
#    of them, thinned by taking each time the farthest one that is left.
# 3. **Embedding.** A small network, the mini-PointNet {cite:p}`qi2017`, takes the *offset* of each member from the centre, divided by
#    $R$, and its energy on a logarithmic scale, and keeps the maximum over the members: one vector for each group.

# %%
model, masked, supervised = track_network(p.seed, n_pretrain=p.n_pretrain, n_steps=p.n_steps)
grouped = group_events(held_out, model, run.store, progress=False)
tokens = torch.tensor([float(one.n_tokens) for one in grouped])
original = [group_points(cloud, replace(model, overlap=0.72)) for cloud in held_out.clouds[:20]]

# %% tags=["hide-input"]
run.key("12_group_size", model.group_size, text="points that a group keeps at most")
run.key("12_tokens", float(tokens.median()), text="groups of an event, median")
run.key("12_coverage", 100 * sum(one.coverage for one in grouped) / len(grouped), unit="%", text="points in a group")
run.key(
    "12_coverage_original",
    100 * sum(one.coverage for one in original) / len(original),
    unit="%",
    text="points in a group at the overlap of the original, 20 events",
)
shown = rich[0]
example = grouped[shown]
inside = torch.zeros(example.n_points, dtype=torch.bool)
inside[example.members[example.mask]] = True
picked = example.positions[held_out.semantic[shown] == 2]
focus = (picked if len(picked) else example.positions)[
    len(picked) // 2
]  # a voxel of a Michel electron, if there is one
run.figure(
    plots.group_panels(
        example.positions.numpy(),
        example.positions[example.centres].numpy(),
        inside.numpy(),
        radius=model.group_radius,
        focus=focus.numpy(),
        reach=22.0,
    ),
    name="12_groups",
    caption=(
        f"The first event of the gallery and its {example.n_tokens} groups, seen along z: all of it (left) and the part "
        "in the square, only as deep as it is wide (right). Each circle is a sphere of 5.1 voxels, 15 mm, about a "
        "point that was kept as a centre (orange, on the right only). Purple points are in no group: they were left out "
        "of full ones."
    ),
    alt=(
        "Left: a particle event as grey points covered by small blue circles like a chain. Right: an enlarged part, "
        "where each circle has an orange centre and overlaps its neighbours."
    ),
)

# %% [markdown]
# An event of ours has about {glue:text}`12_tokens:.0f` tokens. At the overlap of the original
# {glue:text}`12_coverage_original:.0f` % of the points would be in a group; with more overlap it is
# {glue:text}`12_coverage:.0f` %. The others are not lost, for every point reads its five nearest tokens at the end.
#
# ### Where orientation enters
#
# Who is a centre and who is a member depends on distances only. Distances do not change when an event turns, so we
# find the groups **once** and turn the points inside them. This leaves three doors for orientation, and no fourth:
#
# - the offsets in the mini-PointNet,
# - the position of a token: an MLP of the coordinates of its centre, added to the token before *every* block,
# - the offset from the nearest centre, which each point sees when it is classified.
#
# Nothing ties the answers in two orientations to each other.
# The seed article that prompted this book says in passing that PoLAr-MAE incorporates equivariance. **Not supported**:
# the network is unconstrained, and trained on turned copies.
#
# Grouping could be a hidden fourth door. Voxels lie on a lattice, and with $R = 5$ many of them lie *exactly* on the
# sphere, since $3^2 + 4^2 = 5^2$. Turned in single precision, they fall in or out by round-off. No sum of three
# squares is $5.1^2 = 26.01$.

# %%
turns = random_rotations(4, torch.Generator().manual_seed(p.seed), improper=True)
changed = {}
for radius in (5.0, 5.1):
    config = replace(model, group_radius=radius, overlap=0.72)
    shares = [changed_groups(cloud, config, turns) for cloud in held_out.clouds[:5]]
    changed[radius] = 100 * sum(shares) / len(shares)

# %% tags=["hide-input"]
for name, radius in (("on", 5.0), ("beside", 5.1)):
    run.key(f"12_ties_{name}", changed[radius], unit="%", text=f"groups that change under rotation, R = {radius}")

# %% [markdown]
# At the overlap of the original, grouping turned events afresh changes {glue:text}`12_ties_on:.1f` % of the groups at
# $R = 5$ and {glue:text}`12_ties_beside:.1f` % at $R = 5.1$. (With $f = 0.5$ and $R = 5$ even the centres change, for
# then they are struck off at a distance of 5.) Who measured such a network would take arithmetic for something that it
# had learned.
#
# ## Learning without labels
#
# Pre-training {cite:p}`pang2022` hides {glue:text}`12_mask:.0f` % of the groups of an event. The encoder sees the others; a decoder of two
# blocks gets an empty token for each hidden group, with its position, and has to answer two questions. *Where are the
# points?* It proposes 24 points of four numbers, offset and energy, which are judged by the Chamfer distance
# {cite:p}`fan2017`: with $x_i$ the $n$ members and $y_j$ the $k$ proposals,
#
# $$
# \frac1n \sum_i \min_j |x_i - y_j|^2 + \frac1k \sum_j \min_i |x_i - y_j|^2 .
# $$ (eq-chamfer)
#
# *How much energy is here?* Given the place of each member, it fills in the energies, judged by their mean squared
# error. Each event is turned by a new random rotation at each visit. The original draws three uniform Euler angles,
# which is not uniform on the group (an exercise below); we draw from the Haar measure.
#
# The segmentations of the section after this one begin here too: those from scratch need not wait for the pre-training.

# %%
origins = {"pre-trained": masked, "from scratch": None}  # settings of a pre-training: it is made first, once
jobs = {
    (kind, one): (model, replace(supervised, seed=one), events, origin)
    for kind, origin in origins.items()
    for one in seeds[kind]
}
trained = segment_all(jobs, run.store, n_workers=p.n_workers)
start = pretrain(model, masked, events, run.store)

# %% tags=["hide-input"]
run.key("12_mask", 100 * model.mask_ratio, unit="%", text="groups that are hidden")
run.key("12_parameters_thousand", sum(w.numel() for w in start.model.parameters()) / 1000, text="weights, in thousands")
end = start.history[-1]
for name in ("chamfer", "energy"):
    run.key(f"12_{name}", end[name], text=f"{name}, validation events")
    run.key(f"12_{name}_trivial", end[f"{name}_trivial"], text=f"{name} without learning")
    run.key(f"12_{name}_gain", 100 * (1 - end[name] / end[f"{name}_trivial"]), unit="%", text=f"{name}: better by")
run.figure(
    plots.learning_curve(
        [row["step"] for row in start.history],
        {
            "Chamfer distance": [row["chamfer"] / row["chamfer_trivial"] for row in start.history],
            "energies": [row["energy"] / row["energy_trivial"] for row in start.history],
        },
        ylabel="error over that of no learning",
        unit="",
        reference={"no learning": 1.0},
    ),
    name="12_pretraining",
    caption=(
        "Errors of hidden groups of validation events along pre-training, one network, over what answers without "
        "learning give. For the Chamfer distance that is another hidden group in place of each; for the energies the "
        "mean over all points, whose squared error is their variance. Step 0 is the untrained network."
    ),
    alt=(
        "Two falling curves on logarithmic axes. The Chamfer distance falls well below the dotted line of no learning; "
        "the energies come down to the line and hardly below it."
    ),
)

# %% [markdown]
# The Chamfer distance ends {glue:text}`12_chamfer_gain:.0f` % below that of answering with another group: the network
# knows which way a track goes on. The energies end {glue:text}`12_energy_gain:.1f` % below their variance.

# %% tags=["hide-input"]
if end["energy"] < 0.9 * end["energy_trivial"]:
    verdict = "Energy infilling is learned, as far as a tenth of the variance and more"
elif end["energy"] < end["energy_trivial"]:
    verdict = "Energy infilling has barely begun: it beats the trivial answer, and by less than a tenth of the variance"
else:
    verdict = "Energy infilling is not learned: the trivial answer is as good"
run.key("12_energy_share", end["energy"] / end["energy_trivial"], text=verdict)
print(f"{verdict}.")

# %% tags=["hide-input"]
with torch.no_grad():
    batch = start.model.batch(example).to(dtype=torch.float32)
    found = start.model.reconstruct(batch, torch.Generator().manual_seed(p.seed))
middle = batch.positions[batch.centres[found.hidden]][:, None]
truly = (middle + model.group_radius * found.true[..., :3])[found.mask]
proposed = (middle + model.group_radius * found.predicted[..., :3]).flatten(0, 1)
visible = batch.positions[batch.member[~found.hidden[batch.group]]].unique(dim=0)
views = []
for title, points in (("the truth", truly), ("reconstructed", proposed)):
    places = torch.cat([visible, points]) - focus
    kinds = torch.cat([torch.zeros(len(visible)), torch.full((len(points),), 1 + (title != "the truth"))]).long()
    near = (places.abs() < 40).all(1)
    views.append(plots.EventView(title, places[near].numpy(), kinds[near].numpy()))
run.figure(
    plots.event_panels(views, classes=("visible", "hidden", "reconstructed")),
    name="12_reconstruction",
    caption=(
        "Hidden groups of the first event of the gallery, a cube of 80 voxels (24 cm) seen along z. Left: what the encoder sees "
        "(blue) and what is hidden (black). Right: the points that the pre-trained network proposes for the hidden groups "
        "(green), given their centres."
    ),
    alt=(
        "Two panels with the same blue points. On the left black points fill the gaps of the tracks; on the right green "
        "points lie in the same gaps, rounder and less sharp than the black ones."
    ),
)

# %% [markdown]
# ## Learning with labels
#
# For segmentation the decoder goes and a head comes. A point reads its five nearest tokens, averaged over three depths
# of the encoder and weighted by inverse squared distance, a summary of the event, and itself as the mini-PointNet sees
# it. To this we add what the original does not have: fifteen numbers about the neighbourhood of each point, such as how
# many points there are within 2.3, 5.1 and 10.3 voxels and how linear they lie. Tokens and head read them; they are
# invariant, cost little, and the rare classes, smaller than a group, live on them. (Pre-training does without: the
# neighbourhood of a visible point would tell of hidden ones.) The loss is the focal loss {cite:p}`lin2017`, with classes
# weighted by the square root of their inverse frequency.
#
# There are {glue:text}`12_seeds:.0f` networks that began with the pre-trained weights, and
# {glue:text}`12_scratch_seeds:.0f` from scratch.

# %%
scores = {}
for (kind, _), network in trained.items():
    predicted, true = predict_classes(network.model, held_out, run.store)
    scores.setdefault(kind, []).append(f1_scores(predicted, true, len(SEMANTIC)))

# %% tags=["hide-input"]
run.key("12_seeds", p.n_seeds, text="training seeds, pre-trained")
run.key("12_scratch_seeds", p.n_scratch, text="training seeds, from scratch")


def scatter(values):
    """Standard deviation over seeds; a single seed has none."""
    return float(values.std()) if len(values) > 1 else None


predicted, true = predict_classes(trained["pre-trained", p.seed].model, held_out, run.store)
for k, name in enumerate(SEMANTIC):
    hits = float(((predicted == k) & (true == k)).sum())
    run.key(f"12_precision_{name.lower()}", hits / max(1, int((predicted == k).sum())), text=f"{name}: precision")
    run.key(f"12_recall_{name.lower()}", hits / max(1, int((true == k).sum())), text=f"{name}: recall")
for kind, key in (("pre-trained", "f1"), ("from scratch", "scratch")):
    table = torch.stack(scores[kind]).nan_to_num()
    table = torch.cat([table, table.mean(1, keepdim=True)], 1)
    for name, column in zip((*SEMANTIC, "macro"), table.T, strict=True):
        run.key(
            f"12_{key}_{name.lower()}",
            float(column.mean()),
            text=f"F1 {name}, {kind}, test events, mean and standard deviation over seeds",
            uncertainty=scatter(column),
        )

# %% [markdown]
# :::{table} Segmentation of the held-out events, each turned by a random element of $\mathrm{O}(3)$: F1, mean ± standard deviation over seeds; precision and recall of the first seed, pre-trained.
# :name: tab-12-f1
#
# | | shower | track | Michel | delta | macro |
# | :--- | ---: | ---: | ---: | ---: | ---: |
# | F1, pre-trained | {glue:text}`12_f1_shower:.3f` ± {glue:text}`12_f1_shower_uncertainty:.3f` | {glue:text}`12_f1_track:.3f` ± {glue:text}`12_f1_track_uncertainty:.3f` | {glue:text}`12_f1_michel:.2f` ± {glue:text}`12_f1_michel_uncertainty:.2f` | {glue:text}`12_f1_delta:.2f` ± {glue:text}`12_f1_delta_uncertainty:.2f` | {glue:text}`12_f1_macro:.3f` ± {glue:text}`12_f1_macro_uncertainty:.3f` |
# | F1, from scratch | {glue:text}`12_scratch_shower:.3f` ± {glue:text}`12_scratch_shower_uncertainty:.3f` | {glue:text}`12_scratch_track:.3f` ± {glue:text}`12_scratch_track_uncertainty:.3f` | {glue:text}`12_scratch_michel:.2f` ± {glue:text}`12_scratch_michel_uncertainty:.2f` | {glue:text}`12_scratch_delta:.2f` ± {glue:text}`12_scratch_delta_uncertainty:.2f` | {glue:text}`12_scratch_macro:.3f` ± {glue:text}`12_scratch_macro_uncertainty:.3f` |
# | precision | {glue:text}`12_precision_shower:.2f` | {glue:text}`12_precision_track:.2f` | {glue:text}`12_precision_michel:.2f` | {glue:text}`12_precision_delta:.2f` | |
# | recall | {glue:text}`12_recall_shower:.2f` | {glue:text}`12_recall_track:.2f` | {glue:text}`12_recall_michel:.2f` | {glue:text}`12_recall_delta:.2f` | |
# :::

# %% tags=["hide-input"]
steps = [row["step"] for row in next(iter(trained.values())).history]
run.figure(
    plots.learning_curve(
        steps,
        {
            kind: [[1 - row["f1_macro"] for row in trained[kind, one].history] for one in chosen]
            for kind, chosen in seeds.items()
        },
        ylabel="1 − macro F1",
        unit="",
    ),
    name="12_finetuning",
    caption=(
        f"One minus the macro F1 on validation events, turned at random, along the segmentation training. Lines are "
        f"geometric means over {p.n_seeds} (pre-trained) and {p.n_scratch} seeds, bands run from the best to the worst."
    ),
    alt=(
        "Two falling curves on logarithmic axes, pre-trained and from scratch, with bands over seeds. They end close to "
        "each other."
    ),
)
macro = {kind: torch.stack(table[: len(shared)]).nan_to_num().mean(1) for kind, table in scores.items()}
gain = macro["pre-trained"] - macro["from scratch"]
early = next(k for k, step in enumerate(steps) if step >= p.n_steps / 6)
lead = torch.tensor(
    [
        trained["pre-trained", one].history[early]["f1_macro"] - trained["from scratch", one].history[early]["f1_macro"]
        for one in shared
    ]
)
run.key("12_early_step", steps[early], text="step of the early comparison")
run.key(
    "12_early_macro",
    float(lead.mean()),
    text="macro F1 that pre-training gains early, validation events, seeds that both have",
    uncertainty=scatter(lead),
)
run.key(
    "12_gain_macro",
    float(gain.mean()),
    text="macro F1 that pre-training gains, seeds that both have, mean and standard deviation",
    uncertainty=scatter(gain),
)

# %% [markdown]
# Shower and track are found; Michel and delta, one voxel in thirty between them, are mostly found too, and called too
# often, a price of weighting classes. The original reports the same order, and that things smaller than a token are its
# difficulty.
#
# Pre-training gives a head start: {glue:text}`12_early_macro:+.2f` ± {glue:text}`12_early_macro_uncertainty:.2f` in
# macro F1 after {glue:text}`12_early_step:.0f` steps. It does not last: at the end the difference on test events is
# {glue:text}`12_gain_macro:+.3f` ± {glue:text}`12_gain_macro_uncertainty:.3f` (the {glue:text}`12_scratch_seeds:.0f` seeds
# that both kinds have: enough to see that it is small, not to say its sign). With every training event labelled there is
# little left for it to give. It was made for the opposite case, a million events and few labels, which is out of our reach.
#
# ## Is it equivariant?
#
# The logits of a point should not change when the event turns. Their equivariance error {eq}`eq-rmse`, on five
# held-out events and the Haar grid of degree 3, says how much they do.

# %%
untrained = PolarMAE(model, torch.Generator().manual_seed(p.seed)).eval()
reports = {
    name: equivariance(network, grouped[:5], output="4x0e", degree=3, n_converge=0, progress=False)
    for name, network in (("untrained", untrained), ("trained", trained["pre-trained", p.seed].model))
}

# %% tags=["hide-input"]
for name, report in reports.items():
    share = 100 * report.rmse / report.rms_output
    run.key(f"12_logits_{name}", report.rmse, text=f"equivariance RMSE of the logits, {name}")
    run.key(f"12_logits_{name}_share", share, unit="%", text=f"the same over the size of the logits, {name}")
run.key("12_noise_floor", reports["trained"].noise_floor, text="noise floor of the logits, trained")

# %% [markdown]
# It is {glue:text}`12_logits_trained_share:.0f` % of the size of the logits
# ({glue:text}`12_logits_untrained_share:.0f` % before training, when the answers hardly depend on anything), and arithmetic
# explains {glue:text}`12_noise_floor:.0e`. Augmentation has taught a good deal, and not invariance. Where in an event the
# remainder sits, and which decisions it turns over, is [the next chapter](13_rotated_events).
#
# ## What would falsify this
#
# - Groups that change when an event turns: the offsets would not be the only door. At $R = 5.1$ none does.
# - A reconstruction that is as good from another event's tokens: the Chamfer distance would then say nothing about
#   context. It would sit on the line of no learning in {numref}`fig-12_pretraining`.
# - An F1 that falls when test events are turned. They *are* turned here, each by its own rotation or reflection.
#
# ## Conclusion
#
# | claim | verdict |
# | :--- | :--- |
# | PoLAr-MAE incorporates equivariance | not supported: {glue:text}`12_logits_trained_share:.0f` % of the size of the logits turns with the event |
# | masked pre-training learns how tracks go on | supported: Chamfer distance {glue:text}`12_chamfer_gain:.0f` % below no learning |
# | it learns energies | {glue:text}`12_energy_gain:.1f` % below the variance |
# | it improves segmentation | early, {glue:text}`12_early_macro:+.2f` ± {glue:text}`12_early_macro_uncertainty:.2f` in macro F1; at the end, with all labels, not supported: {glue:text}`12_gain_macro:+.3f` ± {glue:text}`12_gain_macro_uncertainty:.3f` |
# | the F1 of the original | out of reach: other data, forty times the weights |
#
# ## Exercises
#
# ```{exercise} Write the symmetry test, then make it fail
# :label: ex-12-groups
#
# Write a test that grouping commutes with rotations: group an event, turn it, group it again, and compare the members.
# Then make it fail by the choice of one number.
# ```
#
# ```{solution-start} ex-12-groups
# :class: dropdown
# ```

# %%
cloud, matrix = held_out.clouds[0], turns[0]
outcome = {}
for radius in (5.1, 5.0):
    config = replace(model, group_radius=radius)
    before, after = group_points(cloud, config), group_points(cloud.rotated(matrix), config)
    same = torch.equal(before.centres, after.centres) and torch.equal(before.members, after.members)
    outcome[f"R = {radius}"] = "same groups" if same else "other groups: must fail"
outcome

# %% [markdown]
# The test has to group the turned event *afresh*. Comparing `grouped.rotated(matrix)` with itself would pass for every
# radius, for it reuses the groups: a test that cannot fail.
#
# ```{solution-end}
# ```
#
# ```{exercise} Three uniform angles
# :label: ex-12-euler
#
# The original turns its events by $R_x(a) R_y(b) R_z(c)$ with all three angles uniform. Which mean square has the $x$
# component of the turned $z$ axis, and which should it have? Predict, then draw a thousand of them.
# ```
#
# ```{solution-start} ex-12-euler
# :class: dropdown
# ```

# %%
from symlab.training import euler_rotations

generator = torch.Generator().manual_seed(0)
{
    name: [round(float(value), 2) for value in matrices[:, :, 2].square().mean(0)]
    for name, matrices in (
        ("Euler", euler_rotations(1000, generator)),
        ("Haar", random_rotations(1000, generator)),
    )
}

# %% [markdown]
# The turned axis is $(\sin b,\ -\sin a \cos b,\ \cos a \cos b)$, so its mean square along $x$ is $\langle \sin^2 b \rangle
# = \tfrac12$ where a uniform direction has $\tfrac13$: directions crowd about the poles of $x$. A network trained so has
# seen some orientations twice as often as others. [The next chapter](13_rotated_events) measures what that does.
#
# ```{solution-end}
# ```
#
# ```{exercise} Statistics over the batch
# :label: ex-12-norm
#
# The original normalizes its tokens with the mean and variance over *all tokens of the batch*. Why would that ruin a
# measurement of $A$ that evaluates 64 turned copies of one event at once, and would it make $A$ larger or smaller?
# ```
#
# ```{solution} ex-12-norm
# :class: dropdown
#
# The answer for one copy would depend on the other 63. The copies share the statistics, so a shift of the tokens that
# goes with the orientation is subtracted in part from all of them, and the answers move together: $A$ comes out
# otherwise than for one copy at a time, and it changes with the batch size. `symlab.measure.preflight` compares the two
# and refuses such a network. We normalize each token by itself.
# ```
#
# ```{exercise} How much to hide
# :label: ex-12-mask
#
# Pre-train with `replace(model, mask_ratio=0.3)` and with 0.9. Predict the order of the three Chamfer distances. Is the
# easiest task the best preparation?
# ```
#
# ```{solution} ex-12-mask
# :class: dropdown
#
# The less is hidden, the nearer a visible group is and the lower the Chamfer distance. That makes the task easier, and
# one that can be solved by copying the next group teaches little about the event. The comparison that counts is the F1
# after fine-tuning, over seeds: hand each pre-training to `segment` as `start`, and see whether the three differ by more
# than the scatter of {numref}`tab-12-f1`.
# ```

# %%
run.finish()
