"""Ways to learn a pseudoscalar: the same network and the same steps, and one thing added."""

from collections.abc import Sequence
from dataclasses import dataclass

from symlab.models import HarmonicPETConfig, PETConfig, Target
from symlab.training._ramp import RampedConfig

CO_TARGETS = {
    "bond_vectors": Target("3x1o", per="atom"),
    "bond_products": Target("3x1e", per="atom"),
    "axial_polar_tensor": Target("1x1e", per="atom"),
}


@dataclass(frozen=True)
class Remedy:
    """What is added to plain augmentation; nothing by default.

    Attributes:
        co_target: a label of `symlab.data.load_peroxides` that is learned beside: "bond_vectors" (polar),
            "bond_products" or "axial_polar_tensor" (axial).
        ramp: share of the steps during which the turns grow, see `RampedConfig`.
        edge_l_max: degree of the solid harmonics in the edge embedding; 1 is the plain one.
        triple_product: whether the edge embedding holds a pseudoscalar, see `HarmonicPETConfig`.

    Raises:
        ValueError: an unknown co-target.
    """

    co_target: str | None = None
    ramp: float = 0.0
    edge_l_max: int = 1
    triple_product: bool = False

    def __post_init__(self) -> None:
        if self.co_target is not None and self.co_target not in CO_TARGETS:
            raise ValueError(f"co_target must be one of {', '.join(CO_TARGETS)} or None; got {self.co_target!r}")


def pseudoscalar_training(
    target: str, remedy: Remedy, seeds: Sequence[int], n_steps: int, *, batch_size: int = 32
) -> tuple[PETConfig, list[RampedConfig]]:
    """Give network and settings, one for each seed, as ``train_ensemble`` takes them.

    The network is a PET for molecules of H and O, of width 32, with two rounds of message passing and one attention
    block in each. The loss is the mean squared error of the target in units of its size, plus that of the co-target.

    Args:
        target: a pseudoscalar of `symlab.data.load_peroxides`: "optical_rotation" or "signed_volume".
        remedy: what helps.
        seeds: of the networks.
        n_steps: optimizer steps.
        batch_size: molecules in a step; with 16 the gradient is too noisy to leave the plateau soon.
    """
    targets = {target: Target("1x0o")}
    if remedy.co_target is not None:
        targets[remedy.co_target] = CO_TARGETS[remedy.co_target]
    network = HarmonicPETConfig(
        species=(1, 8),
        targets=targets,
        cutoff=5.0,
        d_pet=32,
        d_node=32,
        d_head=32,
        d_feedforward=64,
        n_heads=1,
        n_attention_layers=1,
        edge_gain=1.0,
        edge_l_max=remedy.edge_l_max,
        triple_product=remedy.triple_product,
    )
    settings = [
        RampedConfig(
            seed=seed,
            n_steps=n_steps,
            batch_size=batch_size,
            learning_rate=5e-3,
            n_checkpoints=20,
            n_validations=20,
            ramp=remedy.ramp,
        )
        for seed in seeds
    ]
    return network, settings
