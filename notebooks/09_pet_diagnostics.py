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
#     needs: [08_train_pet]
# ---

# %% [markdown]
# # Diagnosing a trained network
#
# **Question.** We have a network that predicts energies, forces and stresses, and that was never told about rotations.
# Where does it keep its symmetry, where does it lose it, and does it lose it where it is used: on crystals deformed
# beyond what it has seen?
#
# Two instruments answer. $A$, the equivariance error of an output ({eq}`eq-variance`), says how much an answer depends
# on the orientation in which we ask. $B$, the character decomposition ({eq}`eq-power`), looks inside and says in
# which sectors $(\lambda, \sigma)$ each layer keeps its power. Here both come from one and the same set of forward
# passes, for each of the deformed crystals, before and after training.

# %% tags=["parameters"]
preset: str = "book"  # smoke, book or full
seed: int = 0  # training seed of the network under study, one of those of the chapter on training
n_crystals: int | None = None  # labelled crystals of the training, as in the chapter on training
n_steps: int | None = None  # optimizer steps of the training, as in the chapter on training
n_structures: int | None = None  # deformed crystals, diagnosed one by one
l_max: int | None = None  # largest degree of the character decomposition
n_workers: int | None = None  # processes, one thread each

# %%
import torch

from symlab import plots
from symlab.data import load_crystals, load_deformed_crystals
from symlab.runs import Run
from symlab.training import force_field, survey, train

run = Run.start(
    globals(),
    presets={
        "smoke": {"n_crystals": 40, "n_steps": 30, "n_structures": 15, "l_max": 2, "n_workers": 1},
        "book": {"n_crystals": 800, "n_steps": 2200, "n_structures": 96, "l_max": 4, "n_workers": 2},
        "full": {"n_crystals": 3000, "n_steps": 60000, "n_structures": 150, "l_max": 6, "n_workers": 8},
    },
)
p = run.parameters

# %% [markdown]
# **Time and memory** on two cores: `smoke` 35 s with the labels, 0.7 GB. In `book` each of the two surveys evaluates the
# network some 75 000 times, 2.5 minutes in all, 1.2 GB for each of two processes. `full` has not been run.
#
# ## The patient
#
# The network is the first one of [the chapter on training](08_train_pet): a PET of
# {glue:text}`09_parameters:.0f` parameters, trained on {glue:text}`09_training_crystals:.0f` rattled and
# strained crystals of carbon, silicon carbide and silicon. With the same parameters this page reads its weights from
# the store instead of training again. The weights of step 0, before the first update, are the control.

# %%
crystals = load_crystals(run.store, n=p.n_crystals)
trained = train(*force_field(seed=p.seed, n_steps=p.n_steps), crystals, run.store)
network, untrained = trained.model, trained.load_checkpoint(0)
run.key("09_parameters", sum(w.numel() for w in network.parameters()), text="weights of the network")
run.key("09_training_crystals", len(crystals.splits["train"]), text="crystals in the training set")

# %% [markdown]
# ## The ladders
#
# The test set climbs four ladders of deformation, rung by rung, for each of the three materials:
#
# - **rattle**, every coordinate displaced by a normal random number, 0.02 to 0.10 Å;
# - **shear** in random directions, strain 0.01 to 0.12;
# - **compression** and **expansion**, linear strain 0.01 to 0.06.
#
# The training set ends at a rattle of 0.06 Å and a strain of 0.03, so the upper half of each ladder lies outside. The
# labels come from the same engine as those of the training set (GFN1-xTB {cite:p}`grimme2017`, $\Gamma$ point only);
# {glue:text}`09_structures:.0f` of {glue:text}`09_structures_asked:.0f` converged.
#
# For every crystal $x$ the network sees $g x$ for all $g$ of a Haar grid, and we keep
#
# - the **absolute error**, the root of the squared error averaged over orientations and components,
# - the **equivariance error** $\sqrt{v}$, which is the part of it that turning the crystal reveals ({eq}`eq-split`),
# - the fractions $b_{\lambda\sigma}$ of every layer ({eq}`eq-fraction`).
#
# Energies are per atom. The stress head has all nine components, so that its antisymmetric part, which must vanish, can
# be seen to vanish or not.

# %%
deformed = load_deformed_crystals(run.store, n=p.n_structures)
run.key("09_structures", len(deformed), text="deformed crystals with labels")
run.key("09_structures_asked", p.n_structures, text="deformed crystals asked for")
targets = {"energy": "0e", "forces": "1x1o", "stress": "ij"}
layers = [name for name in network.layer_names() if not name.endswith("output")]
degree = max(2 * p.l_max, 5)
before, after = (
    survey(net, deformed, run.store, targets, layers, l_max=p.l_max, degree=degree, n_workers=p.n_workers)
    for net in (untrained, network)
)
run.key("09_evaluations", after.n_evaluations + before.n_evaluations, text="forward passes of both surveys")

# %% [markdown]
# ## Absolute error and equivariance error

# %% tags=["hide-input"]
atoms = torch.tensor([structure.n_atoms for structure in deformed.structures])
share = {"energy": atoms, "forces": 1.0, "stress": 1.0}
units = {"energy": "eV/atom", "forces": "eV/Å", "stress": "eV/Å³"}
titles = {"energy": "energy", "forces": "force", "stress": "stress"}
run.figure(
    plots.deformation_ladders(
        {
            titles[name]: (
                units[name],
                {
                    "absolute": after.absolute[name] / share[name],
                    "equivariance": after.equivariance[name] / share[name],
                    "absolute, untrained": before.absolute[name] / share[name],
                    "equivariance, untrained": before.equivariance[name] / share[name],
                },
            )
            for name in targets
        },
        deformed.columns["kind"],
        deformed.columns["amplitude"],
        quiet=("absolute, untrained", "equivariance, untrained"),
    ),
    name="09_errors",
    caption=(
        f"Errors of energy, force and stress for {len(deformed)} deformed crystals (C, SiC, Si), averaged over all "
        "orientations. Blue circles: absolute error. Orange squares: equivariance error, the part that depends on the "
        "orientation. Lines are medians over the three materials, bands run from the smallest to the largest. Grey: "
        "the same network before training (dashed absolute, dotted equivariance). Within each block the deformation "
        "grows from left to right, and the upper half lies outside the training set. "
        f"Seed {p.seed}; the quadrature changes equivariance errors by at most "
        f"{100 * max(after.convergence.values()):.1g} %."
    ),
    alt=(
        "Three panels on logarithmic axes, one each for energy, force and stress, with the deformations rattle, shear, "
        "compression and expansion side by side. The equivariance error runs below the absolute error nearly "
        "everywhere, and both rise towards large deformations; the absolute errors of the untrained network lie far above."
    ),
)

# %% tags=["hide-input"]
ratio = {name: after.equivariance[name] / after.absolute[name] for name in targets}
for name in targets:
    error, spread = after.absolute[name] / share[name], after.equivariance[name] / share[name]
    run.key(f"09_{name}_rmse", float(error.square().mean().sqrt()), unit=units[name], text=f"{name}, absolute error")
    run.key(
        f"09_{name}_equivariance_rmse",
        float(spread.square().mean().sqrt()),
        unit=units[name],
        text=f"{name}, equivariance error",
    )
    run.key(
        f"09_{name}_share",
        float(ratio[name].median()),
        uncertainty=float((ratio[name].quantile(0.84) - ratio[name].quantile(0.16)) / 2),
        text=f"{name}, median of equivariance error over absolute error; half the 16-84 % range of the crystals",
    )
    fraction = (ratio[name] < 0.5).double().mean()
    run.key(f"09_{name}_minor", float(100 * fraction), unit="%", text=f"{name}: crystals with a share below one half")
run.key("09_noise_floor", max(after.noise_floor.values()), text="largest noise floor, in the unit of its output")

# %% [markdown]
# | | absolute RMSE | equivariance RMSE | share, median | crystals with share < ½ |
# | :--- | ---: | ---: | ---: | ---: |
# | energy (eV/atom) | {glue:text}`09_energy_rmse:.3f` | {glue:text}`09_energy_equivariance_rmse:.4f` | {glue:text}`09_energy_share:.2f` ± {glue:text}`09_energy_share_uncertainty:.2f` | {glue:text}`09_energy_minor:.0f` % |
# | force (eV/Å) | {glue:text}`09_forces_rmse:.3f` | {glue:text}`09_forces_equivariance_rmse:.3f` | {glue:text}`09_forces_share:.2f` ± {glue:text}`09_forces_share_uncertainty:.2f` | {glue:text}`09_forces_minor:.0f` % |
# | stress (eV/Å³) | {glue:text}`09_stress_rmse:.4f` | {glue:text}`09_stress_equivariance_rmse:.4f` | {glue:text}`09_stress_share:.2f` ± {glue:text}`09_stress_share_uncertainty:.2f` | {glue:text}`09_stress_minor:.0f` % |
#
# The *share* is the equivariance error over the absolute error of the same crystal; ± is half the range that holds the
# middle two thirds of the crystals. None of this is round-off: the noise floor of {glue:text}`09_noise_floor:.0e` lies
# orders of magnitude below.

# %% tags=["hide-input"]
run.figure(
    plots.error_scatter(
        torch.cat([after.absolute["forces"], before.absolute["forces"]]),
        torch.cat([after.equivariance["forces"], before.equivariance["forces"]]),
        [*deformed.columns["kind"], *["untrained, all kinds"] * len(deformed)],
        quantity="force",
        unit="eV/Å",
    ),
    name="09_forces_split",
    caption=(
        "Equivariance error against absolute error of the forces, one marker for each deformed crystal, colour and "
        "marker by kind. On the dashed diagonal, all of the error would be broken symmetry. The untrained network is "
        "shown for comparison: its random forces have nothing to do with the crystal's orientation."
    ),
    alt=(
        "Scatter plot on logarithmic axes. The crystals of the trained network lie below the diagonal, in a cloud that "
        "rises to the right; those of the untrained network lie at larger errors, near the diagonal."
    ),
)

# %% [markdown]
# ## Beyond the training set
#
# Does symmetry break first when a network leaves the ground it knows? We compare the crystals inside the training
# range with those outside, by the ratio of their median errors.

# %% tags=["hide-input"]
limit = {"rattle": 0.06, "shear": 0.06, "compression": 0.03, "expansion": 0.03}
outside = torch.tensor(
    [a > limit[k] for k, a in zip(deformed.columns["kind"], deformed.columns["amplitude"], strict=True)]
)
for name in targets:
    for measure, values in (("absolute", after.absolute[name]), ("equivariance", after.equivariance[name])):
        run.key(
            f"09_{name}_{measure}_growth",
            float((values / share[name])[outside].median() / (values / share[name])[~outside].median()),
            text=f"{name}: median {measure} error outside the training range over that inside",
        )

# %% [markdown]
# | growth of the median error | absolute | equivariance |
# | :--- | ---: | ---: |
# | energy | × {glue:text}`09_energy_absolute_growth:.1f` | × {glue:text}`09_energy_equivariance_growth:.1f` |
# | force | × {glue:text}`09_forces_absolute_growth:.1f` | × {glue:text}`09_forces_equivariance_growth:.1f` |
# | stress | × {glue:text}`09_stress_absolute_growth:.1f` | × {glue:text}`09_stress_equivariance_growth:.1f` |
#
# If symmetry were the first thing to go, the right column would be much larger than the left one. {cite:t}`langer2024`
# found that for a water model far off its distribution; how far our ladders go is told by the table.
#
# ## What the layers hold
#
# Now inside. Each row of {numref}`fig-09_b_by_layer` is one layer, from the first embedding of the edges down to the
# three outputs; each cell is the share of the layer's power in one sector, averaged over the deformed crystals after
# normalization for each crystal. Natural sectors ($\sigma = +1$) stand left, pseudo-sectors right; the last column is
# the remainder above $\lambda = $ {glue:text}`09_l_max:.0f`.

# %% tags=["hide-input"]
short = {name: name.replace("rounds.", "").replace("blocks.", "b").replace("heads.", "") for name in layers}
rows = [*layers, *targets]
states = {"before training": before, "after training": after}
run.key("09_l_max", p.l_max, text="largest degree of the character decomposition")
run.figure(
    plots.layer_spectrum(
        {
            state: torch.stack([found.fraction[name].nanmean(0) for name in rows]).clamp(min=0)
            for state, found in states.items()
        },
        after.sectors,
        [short.get(name, name.upper()) for name in rows],
        remainder={
            state: torch.stack([1 - found.fraction[name].nanmean(0).sum() for name in rows]).clamp(min=0)
            for state, found in states.items()
        },
    ),
    name="09_b_by_layer",
    caption=(
        r"Normalized character projections $b_{\lambda\sigma}$ by layer, before and after training, mean over "
        f"{len(deformed)} deformed crystals; numbers are percent, and blank cells hold less than 0.1 %. Rows: the "
        "rounds of message passing 0 and 1 with their edge embedding, compressed edge, node and edge states of the "
        "attention blocks b0 and b1 and the exchanged message; then the hidden states of the heads; then the outputs. "
        "Quadrature changes a fraction by at most "
        f"{max(found.character_convergence[name] for found in states.values() for name in rows):.0e}."
    ),
    alt=(
        "Two heat maps with layers as rows and sectors as columns, before and after training. Before training most "
        "power sits in the scalar sector and the rest in the vector sector of the edge layers. After training the edge "
        "layers in the heads of force and stress hold vectors and tensors of degree two, the force output is almost "
        "wholly a vector, and the stress shares its power between scalar and degree two."
    ),
)

# %% [markdown]
# How to read it:
#
# - The **edge embedding** is linear in the edge vector and its length, so it holds $(0,+)$ and $(1,+)$ and nothing
#   else, before and after training. Whatever else is needed must be built by the nonlinear layers.
# - **Before training** the random outputs are nearly constant: almost all of their power is scalar, also in the force,
#   where a scalar has no business. **After training** the force lies in the vector sector, and the stress in
#   $(0,+)$ and $(2,+)$.
# - **The heads** ask for what they need: {glue:text}`09_forces_head_vector:.0f` % of the power of the force head's
#   edges is in $(1,+)$, {glue:text}`09_stress_head_tensor:.0f` % of the stress head's in $(2,+)$, where the first
#   embedding has nothing at all.
# - **Pseudo-sectors** ($\sigma = -1$) stay close to empty. Nothing in these targets asks for them.

# %% tags=["hide-input"]
correct = {"energy": [(0, 1)], "forces": [(1, 1)], "stress": [(0, 1), (2, 1)]}
for name, allowed in correct.items():
    for state, found in (("untrained", before), ("trained", after)):
        wrong = [i for i, sector in enumerate(found.sectors) if tuple(sector) not in allowed]
        run.key(
            f"09_{name}_leak_{state}",
            float(100 * found.fraction[name][:, wrong].sum(1).mean()),
            unit="%",
            uncertainty=float(100 * found.fraction[name][:, wrong].sum(1).std() / len(deformed) ** 0.5),
            text=f"{name}, {state}: power in sectors where the target has none; standard error over crystals",
        )
for name, sector, what in (("forces", (1, 1), "vector"), ("stress", (2, 1), "tensor")):
    run.key(
        f"09_{name}_head_{what}",
        float(100 * after.fraction[f"heads.{name}.edge"][:, after.sectors.index(sector)].mean()),
        unit="%",
        text=f"power of the edge states of the {name} head in {sector}, trained",
    )
antisymmetric = after.sectors.index((1, -1))
run.key(
    "09_stress_antisymmetric",
    float(100 * after.fraction["stress"][:, antisymmetric].mean()),
    unit="%",
    text="stress, trained: power in (1,-), where an antisymmetric part would be",
)

# %% [markdown]
# | power in forbidden sectors | untrained | trained |
# | :--- | ---: | ---: |
# | energy | {glue:text}`09_energy_leak_untrained:.2g` % | {glue:text}`09_energy_leak_trained:.2g` % |
# | force | {glue:text}`09_forces_leak_untrained:.1f` % | {glue:text}`09_forces_leak_trained:.2f` % |
# | stress | {glue:text}`09_stress_leak_untrained:.1f` % | {glue:text}`09_stress_leak_trained:.2f` % |
#
# The forbidden power is a lower bound for the equivariance error, not a measure of it ({eq}`eq-inequality`): a response can
# sit in the right sector and still have its components mixed up. The untrained stress is the best example: it is all but
# constant, so all of its power is in $(0,+)$, a sector that a stress does have, and it passes this test while its
# equivariance error is enormous. That is why $A$ stands beside $B$ on this page. The antisymmetric part of the stress holds {glue:text}`09_stress_antisymmetric:.1e` % of its power.
#
# ## The seed's claims, one by one
#
# - *"The model accurately predicts energy, non-conservative forces and non-conservative stress across deformations, as
#   evidenced by low absolute and equivariance errors."* The table above has our numbers, for a network thousands of
#   times smaller than a universal potential and trained for minutes.
# - *"Equivariance error frequently constitutes a smaller portion of the overall error."* Counted in the last column of
#   the first table: **the share of crystals for which it is less than half of the absolute error**.
# - *"Consistent normalized character projections."* The spread over the crystals is in the exercise below; the mean is
#   the heat map.
#
# ## What would falsify this
#
# - An equivariance error at the noise floor: the network would be equivariant, and there would be nothing to diagnose.
# - An equivariance error above the absolute error. That is impossible by {eq}`eq-split`, so it would be a bug of ours.
# - Power in the first edge embedding outside $(0,+)$ and $(1,+)$. That, too, is impossible for a linear layer.
# - An output whose power in sectors that it does not declare exceeds $A^2$: it would break {eq}`eq-inequality`.

# %% tags=["hide-input"]
edge = after.fraction["rounds.0.edge_embedding"]
low = [after.sectors.index(sector) for sector in ((0, 1), (1, 1))]
run.key(
    "09_embedding_leak", float((1 - edge[:, low].sum(1)).abs().max()), text="edge embedding: power outside (0,+), (1,+)"
)
declared = {"energy": [(0, 1)], "forces": [(1, 1)], "stress": [(0, 1), (1, -1), (2, 1)]}
bounds = {}
for name, own in declared.items():
    for state, found in (("untrained", before), ("trained", after)):
        foreign = [i for i, sector in enumerate(found.sectors) if tuple(sector) not in own]
        power = found.fraction[name][:, foreign].sum(1) * found.rms_output[name] ** 2
        bounds[name, state] = float((power / found.equivariance[name] ** 2).max())
run.key("09_largest_bound", max(bounds.values()), text="largest forbidden power over variance, any target and crystal")
assert max(bounds.values()) < 1 + 1e-3
assert all(bool((after.equivariance[name] <= after.absolute[name] * (1 + 1e-9)).all()) for name in targets)

# %% [markdown]
# None of them happened: the edge embedding holds {glue:text}`09_embedding_leak:.0e` outside its two sectors, and the
# largest forbidden power of any target and crystal, before or after training, is {glue:text}`09_largest_bound:.2f` of
# the variance that bounds it.

# %% [markdown]
# ## Conclusion
#
# Training gives each output its sector. What is left of broken symmetry is a part of the error, seldom the larger part,
# and it grows with the deformation, more slowly than the error does. Inside, atoms carry scalars and edges scalars and
# vectors; what has a higher degree is made in the heads that need it, and pseudo-character is hardly made at all: the
# network holds what its targets ask for.
# What happens when a target asks for more, a pseudoscalar or a tensor of high degree, is a question for another day.
#
# ## Exercises
#
# ```{exercise} Write the symmetry test, then make it fail
# :label: ex-09-test
#
# Write a test, with `equivariance`, that the trained network's forces are equivariant to 10 % of their size on the
# first deformed crystal. Then make it fail on purpose, by scaling one component of the predicted force by 1.5. Which
# sector does the sabotage show up in?
# ```
#
# ```{solution-start} ex-09-test
# :class: dropdown
# ```

# %%
from symlab.measure import characters, equivariance

crystal = deformed.structures[0].to(dtype=torch.float32)


def sabotaged(stack):
    return network.evaluate(stack, ("forces",))["forces"] * torch.tensor([1.0, 1.0, 1.5])


def honest(stack):
    return network.evaluate(stack, ("forces",))["forces"]


{
    f.__name__: (
        round(report.rmse / report.rms_output, 3),
        round(characters(f, crystal, l_max=2, tolerance=None).of(1, 1), 4),
    )
    for f in (honest, sabotaged)
    for report in [equivariance(f, crystal, "1x1o", degree=5)]
}

# %% [markdown]
# The relative equivariance error jumps; the share in $(1,+)$ does not move. A vector with one component stretched is
# still linear in the rotation matrix, so $B$ is blind to this sabotage and $A$ is not.
#
# ```{solution-end}
# ```
#
# ```{exercise} Spread
# :label: ex-09-spread
#
# The heat map shows means over crystals. For which sector and layer does the share vary most from crystal to crystal?
# Predict first: where can a crystal's own symmetry, or its lack of it, matter?
# ```
#
# ```{solution-start} ex-09-spread
# :class: dropdown
# ```

# %%
spread = {name: after.fraction[name].std(0) for name in rows}
layer = max(spread, key=lambda name: float(spread[name].max()))
layer, tuple(after.sectors[int(spread[layer].argmax())]), float(spread[layer].max())

# %% [markdown]
# The stress varies most between $(0,+)$ and $(2,+)$: a compressed crystal has a large pressure, a sheared one has a
# large traceless stress, and the share follows.
#
# ```{solution-end}
# ```
#
# ```{exercise} Before the first step
# :label: ex-09-untrained
#
# The untrained force is nearly a constant vector. Show with one line of algebra that a constant output has all of its
# power in $(0,+)$, whatever it is declared to be, and that its equivariance error is as large as the output itself.
# ```
#
# ```{solution} ex-09-untrained
# :class: dropdown
#
# $u(g) = c$ does not depend on $g$, so only the coefficient of $\lambda = 0$, $\sigma = +1$ survives in
# {eq}`eq-coefficients`. Turned back, $z(g) = g^{-1} c$ has mean zero over the group, so $\Pi = 0$ and
# $A^2 = |c|^2$.
# ```

# %%
run.finish()
