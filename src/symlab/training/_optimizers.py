"""The optimizers of a training, of one network or of a stack of them."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn

from symlab.training._config import TrainingConfig
from symlab.training._muon import Muon


def make_optimizers(
    parameters: Iterable[nn.Parameter],
    hidden: Sequence[nn.Parameter],
    config: TrainingConfig,
    muon: type[Muon] = Muon,
    **options: Any,
) -> list[torch.optim.Optimizer]:
    """Make AdamW, and for "muon" Muon for the hidden matrices; weight decay on matrices only.

    Args:
        parameters: all weights.
        hidden: those that Muon takes, if it is asked for.
        config: settings.
        muon: ``Muon`` for matrices, ``StackedMuon`` for stacks of them.
        options: of ``muon``.
    """
    hidden = hidden if config.optimizer == "muon" else []
    chosen = {id(weight) for weight in hidden}
    rest = [weight for weight in parameters if id(weight) not in chosen]
    groups = [
        {"params": [w for w in rest if w.ndim >= muon.n_axes], "weight_decay": config.weight_decay},
        {"params": [w for w in rest if w.ndim < muon.n_axes], "weight_decay": 0.0},
    ]
    adam = torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, fused=True)
    if not hidden:
        return [adam]
    return [adam, muon(hidden, lr=config.learning_rate, weight_decay=config.weight_decay, **options)]
