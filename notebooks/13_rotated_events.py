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
#     needs: [12_tracks]
#     workers: 2
# ---

# %% [markdown]
# # Events under rotation
#
# **Question.** A particle does not know which way is up, and neither should the network that tells its track from a
# shower. Ours was never told. We turn events rigidly and watch its decisions: how many points change their class, where
# in the event do they lie, can we know them beforehand, and what does it cost to mend it?
#
# An event is a cloud of points $x$, and the network gives each point $i$ the probabilities $p_{ik}(x)$ of four
# classes $k$. A class has no direction, so the output is declared invariant: four times $(0,+)$ for each point. Its
# equivariance error $\sqrt{v_i}$, {eq}`eq-variance`, is the spread of a point's probabilities over orientations (root
# mean square, per class), and $\varphi_i$ is its **flip rate**, the share of orientations in which the decision is not
# that of the majority, {eq}`eq-flips`.

# %% tags=["parameters"]
preset: str = "book"  # smoke, book or full
seed: int = 0  # of the orientations; the networks have seeds of their own
n_events: int | None = None  # simulated events, as in the chapter on tracks
n_pretrain: int | None = None  # steps of masked pre-training, as in the chapter on tracks
n_steps: int | None = None  # steps of the segmentation, as in the chapter on tracks
n_seeds: int | None = None  # networks, as in the chapter on tracks
n_turned: int | None = None  # test events that are turned
n_orientations: int | None = None  # random orientations in each of two independent sets
n_decomposed: int | None = None  # events whose tokens are decomposed into sectors
l_max: int | None = None  # largest degree of the sectors
n_control_steps: int | None = None  # training steps of the control networks
n_controls: int | None = None  # test events that are turned for each control and repair
n_workers: int | None = None  # processes, one thread each
