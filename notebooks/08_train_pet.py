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
# # Training an unconstrained network on atoms
#
# **Question.** A network that has never been told about rotations learns the energy, the forces and the stress of
# crystals. How well does it learn them, and how much of its remaining error is broken symmetry?
#
# The network is PET, the point-edge transformer {cite:p}`pozdnyakov2023`: fast, accurate, and free. It respects
# translations and the order of the atoms by construction, and rotations not at all. Everything it knows about
# $\mathrm{O}(3)$ it has to find in turned copies of its training data. Two controls stand beside it: the same network
# before training, and a plain sum over pairs of atoms that is equivariant by construction.

# %% tags=["parameters"]
preset: str = "book"  # smoke, book or full
seed: int = 0  # first training seed; the others follow it
n_seeds: int | None = None  # networks trained, each from its own seed
n_crystals: int | None = None  # labelled crystals: 80 % train, 10 % validate, 10 % test
n_steps: int | None = None  # optimizer steps of each training
n_checkpoints: int | None = None  # checkpoints whose equivariance error is measured, from step 0 to the last
n_workers: int | None = None  # processes, one thread each

# %%
import torch

from symlab import plots
from symlab.data import load_crystals
from symlab.models import PairModel
from symlab.runs import Run
from symlab.training import force_field, survey, train_seeds

run = Run.start(
    globals(),
    presets={
        "smoke": {
            "n_seeds": 1,
            "n_crystals": 40,
            "n_steps": 30,
            "n_checkpoints": 3,
            "n_workers": 1,
        },
        "book": {
            "n_seeds": 3,
            "n_crystals": 800,
            "n_steps": 2200,
            "n_checkpoints": 6,
            "n_workers": 3,
        },
        "full": {
            "n_seeds": 5,
            "n_crystals": 3000,
            "n_steps": 60000,
            "n_checkpoints": 12,
            "n_workers": 8,
        },
    },
)
p = run.parameters
seeds = list(range(p.seed, p.seed + p.n_seeds))

# %% [markdown]
# **Time and memory** on two cores: `smoke` 20 s; in `book` three trainings side by side take 2 to 4 minutes, the
# labels 2 and the measurements 1.5, the first time; 0.9 GB for each of three processes. `full` has not been run.
#
# ## Labels from an engine
#
# The crystals are cubic cells of eight atoms, carbon, silicon carbide and silicon, each rattled by 0.02 to 0.06 Å and
# strained by up to 3 %. (Near 0.08 Å the electronic ground state of one carbon crystal in a hundred is another one, and
# its forces jump by more than their own size: nothing that hundreds of examples could teach.) Their energies (eV),
# forces (eV/Å) and stresses (eV/Å³) come from a semi-empirical electronic-structure method, GFN1-xTB
# {cite:p}`grimme2017` in the program tblite {cite:p}`tblite`. The Brillouin zone is sampled at the $\Gamma$ point only,
# so these are labels of a small periodic model system: smooth, consistent, and *exactly covariant* (turning a crystal
# turns its labels to ten digits; the tests say so), but not bulk properties.
#
# Splits are made before anything else: 80 % to train, 10 % to validate, 10 % held out. A label whose self-consistency
# fails is dropped and counted: {glue:text}`08_failed:.0f` of {glue:text}`08_crystals:.0f` here.

# %%
crystals = load_crystals(run.store, n=p.n_crystals)
held_out = crystals.split("test")
targets = {"energy": "0e", "forces": "1x1o", "stress": "ij"}
units = {"energy": "eV/atom", "forces": "eV/Å", "stress": "eV/Å³"}
run.key("08_crystals", len(crystals) + crystals.n_failed, text="crystals that were asked for")
run.key("08_failed", crystals.n_failed, text="crystals without labels")

# %% [markdown]
# ## Where orientation enters
#
# PET looks at one neighbourhood at a time. The neighbours $j$ of an atom $i$ within the cutoff become *tokens*, plus one
# token for the atom itself. A token begins as
#
# $$
# t_{ij} = W\, \bigl(r_j - r_i,\; |r_j - r_i|\bigr) + \text{embedding of the species of } j ,
# $$
#
# four numbers through a matrix $W$: **the only place where a direction enters**. From there on, attention mixes the
# tokens of a neighbourhood, and messages travel between neighbours along reversed edges, $ij \leftrightarrow ji$. A
# factor that falls smoothly to zero at the cutoff keeps every prediction smooth. At the end, each target is read off
# linearly: three numbers per atom for the force, nine per cell for the stress, nothing that would tie them to a vector
# or a tensor. The force is *non-conservative*: it is not the gradient of the energy, and nothing makes it one.
#
# ## Turning the data
#
# Each time a crystal is visited it is first turned by a new random element of $\mathrm{O}(3)$, together with its
# cell, its forces ($f \mapsto g f$) and its stress ($S \mapsto g S g^\top$). The loss is the squared error of each
# target in units of its own spread; a crystal has 24 force components but one energy and one stress, which count a
# tenth. The spread is not centred, since subtracting a mean vector would itself break
# the symmetry.

# %%
model, config = force_field(seed=p.seed, n_steps=p.n_steps)
trained = train_seeds(model, config, crystals, run.store, seeds, n_workers=p.n_workers)
run.key(
    "08_parameters", sum(w.numel() for w in trained[0].model.parameters()), text="weights of the unconstrained network"
)
run.key(
    "08_training_seconds",
    sum(one.history[-1]["seconds"] for one in trained) / len(trained),
    unit="s",
    text="time of one training on one thread, mean over seeds",
)

# %% [markdown]
# ## The equivariant control
#
# The control is as simple as an equivariant model can be. Each target is a sum over pairs of atoms closer than 4 Å,
#
# $$
# E = \sum_{ij} \phi_E(r_{ij}), \qquad f_i = \sum_j \phi_f(r_{ij})\, \hat r_{ij}, \qquad
# S = \frac{1}{V} \sum_{ij} \bigl[\phi_0(r_{ij}) + \phi_2(r_{ij})\, \hat r_{ij} \hat r_{ij}^\top \bigr] ,
# $$
#
# with radial functions $\phi$ for each pair of species, written in Gaussians and fitted to the same training crystals by
# linear least squares. Distances are invariant, $\hat r$ is a vector and $\hat r \hat r^\top$ a tensor, so nothing can
# break the symmetry. Three-body forces are beyond it, and for crystals that only rattle it is a serious opponent.

# %%
training = crystals.split("train")
exact = PairModel((6, 14), cutoff=4.0, n_radial=20).fit(
    training.structures, *(training.labels[name] for name in ("energy", "forces", "stress"))
)

# %% [markdown]
# ## What was learned
#
# Errors are measured on the held-out crystals and averaged over orientations: each crystal is turned through the 168
# elements of the Haar grid of degree 5, so that no lucky or unlucky orientation counts.

# %%
options = {"l_max": 0, "degree": 5, "converge": False, "n_workers": p.n_workers, "progress": False}
final = [survey(one.model, held_out, run.store, targets, **options) for one in trained]
probe = held_out.subset(range(min(10, len(held_out))))
untrained = [survey(one.load_checkpoint(0), probe, run.store, targets, **options) for one in trained]
control = survey(exact, held_out, run.store, targets, **options)

# %% tags=["hide-input"]
per = {"energy": held_out.structures[0].n_atoms, "forces": 1, "stress": 1}  # all crystals have as many atoms


def pooled(errors, name):
    return float((errors[name] / per[name]).square().mean().sqrt())


composition = trained[0].model.heads["energy"].baseline.double()
energies = torch.stack(
    [
        (energy - composition[structure.species].sum()) / structure.n_atoms
        for energy, structure in zip(held_out.labels["energy"], held_out.structures, strict=True)
    ]
)
spread = {
    "energy": float(energies.std()),
    "forces": float(torch.cat(held_out.labels["forces"]).std()),
    "stress": float(held_out.labels["stress"].std()),
}
for name in targets:
    errors = torch.tensor([pooled(one.absolute, name) for one in final])
    turns = torch.tensor([pooled(one.equivariance, name) for one in final])
    scatter, turns_scatter = (float(values.std()) if len(seeds) > 1 else None for values in (errors, turns))
    run.key(f"08_{name}_std", spread[name], unit=units[name], text=f"{name}: standard deviation of the held-out labels")
    run.key(
        f"08_{name}_rmse",
        float(errors.mean()),
        unit=units[name],
        text=f"{name}: error, mean and standard deviation over seeds",
        uncertainty=scatter,
    )
    run.key(f"08_{name}_percent", float(100 * errors.mean() / spread[name]), unit="%", text=f"{name}: error over std")
    run.key(f"08_{name}_percent_worst", float(100 * errors.max() / spread[name]), unit="%", text=f"{name}: worst seed")
    run.key(
        f"08_{name}_equivariance_rmse",
        float(turns.mean()),
        unit=units[name],
        text=f"{name}: equivariance error, mean and standard deviation over seeds",
        uncertainty=turns_scatter,
    )
    run.key(f"08_{name}_share", float((turns / errors).mean()), text=f"{name}: equivariance error over error")
    run.key(f"08_{name}_share_worst", float((turns / errors).max()), text=f"{name}: the same, worst seed")
    run.key(
        f"08_{name}_untrained",
        sum(pooled(one.equivariance, name) for one in untrained) / len(untrained),
        unit=units[name],
        text=f"{name}: equivariance error before training",
    )
    run.key(f"08_{name}_control_rmse", pooled(control.absolute, name), unit=units[name], text=f"{name}: control, error")
    run.key(
        f"08_{name}_control_percent",
        100 * pooled(control.absolute, name) / spread[name],
        unit="%",
        text=f"{name}: control, error over std",
    )
    run.key(
        f"08_{name}_control",
        pooled(control.equivariance, name),
        unit=units[name],
        text=f"{name}: control, equivariance error",
    )

# %% [markdown]
# | | energy (eV/atom) | force (eV/Å) | stress (eV/Å³) |
# | :--- | ---: | ---: | ---: |
# | standard deviation of the labels | {glue:text}`08_energy_std:.3f` | {glue:text}`08_forces_std:.2f` | {glue:text}`08_stress_std:.4f` |
# | PET, error | {glue:text}`08_energy_rmse:.4f` ± {glue:text}`08_energy_rmse_uncertainty:.4f` | {glue:text}`08_forces_rmse:.3f` ± {glue:text}`08_forces_rmse_uncertainty:.3f` | {glue:text}`08_stress_rmse:.4f` ± {glue:text}`08_stress_rmse_uncertainty:.4f` |
# | error over standard deviation | {glue:text}`08_energy_percent:.1f` % | {glue:text}`08_forces_percent:.1f` % | {glue:text}`08_stress_percent:.1f` % |
# | PET, equivariance error | {glue:text}`08_energy_equivariance_rmse:.4f` ± {glue:text}`08_energy_equivariance_rmse_uncertainty:.4f` | {glue:text}`08_forces_equivariance_rmse:.3f` ± {glue:text}`08_forces_equivariance_rmse_uncertainty:.3f` | {glue:text}`08_stress_equivariance_rmse:.4f` ± {glue:text}`08_stress_equivariance_rmse_uncertainty:.4f` |
# | equivariance error over error | {glue:text}`08_energy_share:.2f` | {glue:text}`08_forces_share:.2f` | {glue:text}`08_stress_share:.2f` |
# | untrained, equivariance error | {glue:text}`08_energy_untrained:.4f` | {glue:text}`08_forces_untrained:.3f` | {glue:text}`08_stress_untrained:.4f` |
# | equivariant control, error | {glue:text}`08_energy_control_rmse:.4f` | {glue:text}`08_forces_control_rmse:.3f` | {glue:text}`08_stress_control_rmse:.4f` |
# | equivariant control, equivariance error | {glue:text}`08_energy_control:.1e` | {glue:text}`08_forces_control:.1e` | {glue:text}`08_stress_control:.1e` |
#
# ± is the standard deviation over {glue:text}`08_seeds:.0f` seeds; the untrained networks were measured on
# {glue:text}`08_probe:.0f` of the crystals. The control's equivariance error is round-off in
# single precision: the instrument reads zero where there is zero.

# %% tags=["hide-input"]
run.key("08_seeds", len(seeds), text="training seeds")
run.key("08_probe", len(probe), text="crystals measured before and along training")
reference = torch.cat([forces.flatten() for forces in held_out.labels["forces"]])
with torch.no_grad():
    upright = [structure.stacked(torch.eye(3, dtype=torch.float64)[None]) for structure in held_out.structures]
    predictions = [
        torch.cat([net.evaluate(x)["forces"].flatten().double() for x in upright]) for net in (trained[0].model, exact)
    ]
run.figure(
    plots.parity(
        {
            f"PET, {p.n_steps} steps": (reference, predictions[0]),
            "equivariant control": (reference, predictions[1]),
        },
        quantity="force component",
        unit="eV/Å",
    ),
    name="08_parity",
    caption=(
        f"Predicted against reference force components of the {len(held_out)} held-out crystals, in the orientation "
        f"in which they were made, for the PET of seed {p.seed} and the equivariant control. The dashed line is "
        "perfection; the legend gives root-mean-square errors over all components."
    ),
    alt=(
        "Scatter plot of predicted against reference force components between about minus ten and ten electronvolt "
        "per ångström. Both clouds follow the diagonal closely, with a few stragglers at large forces."
    ),
)

# %% [markdown]
# ## How symmetry is learned
#
# Along each training we kept the weights on a logarithmic scale of steps. On {glue:text}`08_probe:.0f` of the held-out
# crystals we measure, at each of these, the error and the part of it that is equivariance error.

# %%
steps = trained[0].steps
chosen = sorted({steps[round(k * (len(steps) - 1) / (p.n_checkpoints - 1))] for k in range(p.n_checkpoints)})
along = [[survey(one.load_checkpoint(k), probe, run.store, targets, **options) for k in chosen] for one in trained]

# %% tags=["hide-input"]
run.figure(
    plots.learning_curve(
        chosen,
        {
            "error": [[pooled(one.absolute, "forces") for one in row] for row in along],
            "of symmetrized prediction": [[pooled(one.symmetrized, "forces") for one in row] for row in along],
            "equivariance error": [[pooled(one.equivariance, "forces") for one in row] for row in along],
        },
        ylabel="force RMSE",
        unit="eV/Å",
        reference={"label std": float(torch.cat(probe.labels["forces"]).std())},
    ),
    name="08_learning_curve",
    caption=(
        f"Force errors on {len(probe)} held-out crystals along training, averaged over orientations; step 0 is the "
        "untrained network. Blue: the error. Orange: the error that would remain if each prediction were averaged over "
        "the whole group. Green: the equivariance error; the squares of orange and green add up to the square of blue. "
        f"Lines are geometric means over {len(seeds)} seeds, bands run from the best to the worst. The dotted line is "
        "the standard deviation of the labels, the error of always answering zero."
    ),
    alt=(
        "Force errors against training step on logarithmic axes, with bands over seeds. All three curves fall. The "
        "equivariance error starts above the error of the symmetrized prediction and ends well below it."
    ),
)

# %% tags=["hide-input"]
for label, at in (("first", 0), ("last", -1)):
    shares = torch.tensor(
        [pooled(row[at].equivariance, "forces") / pooled(row[at].absolute, "forces") for row in along]
    )
    run.key(
        f"08_share_{label}",
        float(100 * shares.square().mean()),
        unit="%",
        text=f"share of the squared force error that is broken symmetry, {label} checkpoint, mean over seeds",
    )

# %% [markdown]
# At step 0 broken symmetry makes up {glue:text}`08_share_first:.0f` % of the squared force error, because the untrained
# answer points in an arbitrary fixed direction. At the end it is {glue:text}`08_share_last:.0f` %. {cite:t}`shen2025`
# report the same order of events for many models: the symmetry part of the loss is learned first, and fast.
#
# ## What would falsify this
#
# - A control whose equivariance error is not round-off: the instrument, not the network, would break the symmetry.
# - A symmetrized prediction that errs more than the plain one. By {eq}`eq-split` that cannot be.
# - Errors that are small only in the orientation of the data set. They are averaged over orientations here, and the
#   parity plot, in the original orientation, must agree with them.

# %% tags=["hide-input"]
native = float((predictions[0] - reference).square().mean().sqrt())
run.key("08_native_rmse", native, unit="eV/Å", text="force error in the original orientation, first seed")
run.key(
    "08_native_over_averaged", native / pooled(final[0].absolute, "forces"), text="the same over the averaged error"
)

# %% [markdown]
# It does: the error in the original orientation is {glue:text}`08_native_over_averaged:.2f` times the averaged one.
#
# ## Conclusion
#
# Minutes on one core, three materials, and no symmetry built in: the network predicts forces to
# {glue:text}`08_forces_percent:.0f` % of their spread, and broken symmetry is {glue:text}`08_forces_share:.2f` of that
# error. It is a small network and a small data set; the numbers of published potentials are better by far. Beside
# it, a sum over pairs, fitted to the same crystals in seconds, reaches {glue:text}`08_forces_control_percent:.0f` % with
# no broken symmetry at all. What
# carries over is the accounting: the equivariance error is measured beside the error, in the same unit, as a part of
# it. [The next chapter](09_pet_diagnostics) takes the trained network apart.
#
# ## Exercises
#
# ```{exercise} Write the symmetry test, then make it fail
# :label: ex-08-test
#
# Write a test that PET does not care about the order of the atoms: permute the atoms of a crystal and compare energy
# and forces. Then make it fail, by forgetting to permute the forces back.
# ```
#
# ```{solution-start} ex-08-test
# :class: dropdown
# ```

# %%
from symlab.groups import Structure

crystal = held_out.structures[0].to(dtype=torch.float32)
order = torch.randperm(crystal.n_atoms, generator=torch.Generator().manual_seed(0))
shuffled = Structure(crystal.positions[order], crystal.species[order], crystal.cell)
with torch.no_grad():
    straight, mixed = (trained[0].model(trained[0].model.batch([x])) for x in (crystal, shuffled))
{
    "energy": float((straight["energy"] - mixed["energy"]).abs()),
    "forces, permuted": float((straight["forces"][order] - mixed["forces"]).abs().max()),
    "forces, not permuted: must fail": float((straight["forces"] - mixed["forces"]).abs().max()),
}

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} Without turning
# :label: ex-08-none
#
# Train one network with `augmentation="none"` and the same settings. Predict first: which of the three curves of
# {numref}`fig-08_learning_curve` changes most? Is the error in the original orientation better or worse?
# ```
#
# ```{solution} ex-08-none
# :class: dropdown
#
# Replace the field, `dataclasses.replace(config, augmentation="none")`, and call `train`. The equivariance error stays
# large, because nothing asks the network to answer alike in other orientations; these are simply other inputs that it
# has never seen. In the original orientation it has an easier task and often does better. Which of the two numbers you
# would report says what you want the model for.
# ```
#
# ```{exercise} A bias that breaks the symmetry
# :label: ex-08-bias
#
# The read-out of the force is linear with a bias $b$, three free numbers. Show that a nonzero $b$ is broken symmetry
# whatever the rest of the network does, and that it costs at least $|b|^2$ in $A^2$ if the rest is equivariant. Print
# the biases of the trained network.
# ```
#
# ```{solution-start} ex-08-bias
# :class: dropdown
# ```

# %%
head = trained[0].model.heads["forces"]
(head.node_readout.bias * head.scale).tolist()

# %% [markdown]
# Turned back, the bias becomes $g^{-1} b$, with mean zero over the group and squared length $|b|^2$ for every $g$. If
# the rest is equivariant it does not vary, so $A^2 = |b|^2$. Leaving the bias out is the cheapest repair there is.
#
# ```{solution-end}
# ```

# %%
run.finish()
