"""A sweep over what is asked for and what is given: degree of the target against degree of the edge embedding."""

from collections.abc import Sequence
from dataclasses import dataclass

from symlab.models import HarmonicPETConfig, PETConfig, Target, match_parameters
from symlab.training._config import TrainingConfig


@dataclass(frozen=True)
class Combination:
    """One cell of the sweep.

    Attributes:
        target_l: degree of the target, a tensor (l, +1) on each atom.
        l_max: highest degree of the edge embedding; None is the plain one, which begins with (|r|, r).
        gain: factor on the initial weights of the embedding, see `PETConfig.edge_gain`; 1 is the customary size.
    """

    target_l: int
    l_max: int | None
    gain: float = 1.0

    @property
    def given(self) -> int:
        """Highest degree that the edges begin with: the plain embedding has 1."""
        return 1 if self.l_max is None else self.l_max

    def __str__(self) -> str:
        loud = "" if self.gain == 1 else f"_g{self.gain:g}"
        return f"l{self.target_l}_m{'none' if self.l_max is None else self.l_max}{loud}"


def combinations(target_l: int | Sequence[int], l_max: int | Sequence[int | None] | None) -> list[Combination]:
    """List the cells of a sweep, embeddings varying fastest.

    Args:
        target_l: degrees of the targets, one or several.
        l_max: degrees of the embeddings, one or several; None is the plain one.

    Raises:
        ValueError: no value, one that is given twice, or one out of range.
    """
    targets = [target_l] if isinstance(target_l, int) else list(target_l)
    embeddings = [l_max] if l_max is None or isinstance(l_max, int | str) else list(l_max)
    for name, values, least in (("target_l", targets, 0), ("l_max", embeddings, 1)):
        if len(values) == 0 or len(set(values)) != len(values):
            raise ValueError(f"{name} must hold distinct values, at least one; got {list(values)}")
        if wrong := [
            value for value in values if value is not None and not (isinstance(value, int) and value >= least)
        ]:
            raise ValueError(f"{name} must hold whole numbers, at least {least}; got {wrong[0]!r}")
    return [Combination(l, m) for l in targets for m in embeddings]


def spectral_network(cell: Combination, target: str, *, n_parameters: int = 64000, d_pet: int = 32) -> PETConfig:
    """Give the network of one cell: a small PET for molecules of H and O with one target on each atom.

    The embedding and the read-out grow with the degrees; the feed-forward of the edges shrinks, so that every network
    has the same number of weights to 1 %.

    Args:
        cell: degree of the target and of the embedding, and the gain of the embedding.
        target: name of the label.
        n_parameters: wanted.
        d_pet: width of the edge tokens; the other widths follow it.

    Raises:
        ValueError: the number of weights cannot be met.
    """
    config = HarmonicPETConfig(
        species=(1, 8),
        targets={target: Target(f"{cell.target_l}{'eo'[cell.target_l % 2]}", per="atom")},
        cutoff=5.0,
        d_pet=d_pet,
        d_node=d_pet,
        d_head=d_pet,
        d_feedforward=2 * d_pet,
        n_heads=1,
        n_attention_layers=1,
        edge_gain=cell.gain,
        edge_l_max=cell.given,
    )
    return match_parameters(config, n_parameters)


def spectral_training(seed: int, n_steps: int, batch_size: int = 32) -> TrainingConfig:
    """Give the settings of every training of the sweep: O(3) augmentation, and enough checks to see when it learns."""
    return TrainingConfig(
        seed=seed, n_steps=n_steps, batch_size=batch_size, learning_rate=5e-3, n_checkpoints=8, n_validations=40
    )
