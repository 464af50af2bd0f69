"""What a PET is made of: its targets and its sizes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from symlab.groups import Representation, parse_output


@dataclass(frozen=True)
class Target:
    """One quantity that the network predicts with free numbers: no symmetry is built in.

    Attributes:
        output: how it transforms, as for ``symlab.groups.parse_output``. Irreps give 2 l + 1 numbers per block,
            a Cartesian tensor all its components, projected on its index symmetry (``"ij"`` keeps the
            antisymmetric part).
        per: ``"structure"`` (a sum over atoms) or ``"atom"``.
        density: whether the sum is divided by the volume of the cell (stress).

    Raises:
        ValueError: an output that cannot be read, an unknown ``per``, or a density per atom.
    """

    output: str
    per: Literal["structure", "atom"] = "structure"
    density: bool = False

    def __post_init__(self) -> None:
        parse_output(self.output)
        if self.per not in ("structure", "atom"):
            raise ValueError(f'per must be "structure" or "atom"; got {self.per!r}')
        if self.density and self.per == "atom":
            raise ValueError('density=True divides a sum over atoms by the volume, so it needs per="structure"')

    @property
    def representation(self) -> Representation:
        """The action of O(3) on the target."""
        return parse_output(self.output)


def force_field_targets(antisymmetric_stress: bool = False) -> dict[str, Target]:
    """Energy (eV), non-conservative forces (eV/Angstrom) and non-conservative stress (eV/Angstrom^3).

    Args:
        antisymmetric_stress: keep all nine components of the stress instead of its symmetric part.
    """
    return {
        "energy": Target("0e"),
        "forces": Target("i", per="atom"),
        "stress": Target("ij" if antisymmetric_stress else "ij=ji", density=True),
    }


@dataclass(frozen=True)
class PETConfig:
    """Sizes of a PET.

    Attributes:
        species: atomic numbers that may occur.
        targets: by name, see ``Target``.
        cutoff: radius of a neighbourhood, Angstrom.
        cutoff_width: width of the bump that switches neighbours off, Angstrom.
        d_pet: width of an edge token.
        d_node: width of the centre token between attentions; usually 2 d_pet.
        d_head: width of the heads.
        d_feedforward: hidden width of the edge feed-forward.
        n_heads: attention heads; divides d_pet. On a CPU 16 or more numbers per head are much faster than 8.
        n_gnn_layers: rounds of message passing.
        n_attention_layers: attention blocks in each round.
        edge_gain: factor on the initial weights that see ``(r, |r|)``. Neighbours move by a few hundredths of an
            Angstrom about places that all crystals share; a larger gain makes such shifts visible from the first step.

    Raises:
        ValueError: a size that is not positive, heads that do not divide d_pet, or a width beyond the cutoff.
    """

    species: tuple[int, ...]
    targets: Mapping[str, Target]
    cutoff: float = 4.5
    cutoff_width: float = 0.5
    d_pet: int = 32
    d_node: int = 64
    d_head: int = 32
    d_feedforward: int = 64
    n_heads: int = 2
    n_gnn_layers: int = 2
    n_attention_layers: int = 2
    edge_gain: float = 5.0

    def __post_init__(self) -> None:
        if not self.species or len(set(self.species)) != len(self.species) or min(self.species) < 1:
            raise ValueError(f"species must be distinct atomic numbers, at least one; got {self.species}")
        if not self.targets:
            raise ValueError("targets is empty; name at least one, for example force_field_targets()")
        for name in self.targets:
            if not name.isidentifier():
                raise ValueError(
                    f"targets must have names that are identifiers, because layers are named so; got {name!r}"
                )
        for name in ("d_pet", "d_node", "d_head", "d_feedforward", "n_heads", "n_gnn_layers", "n_attention_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}")
        if not self.edge_gain > 0:
            raise ValueError(f"edge_gain must be positive; got {self.edge_gain}")
        if self.d_pet % self.n_heads:
            raise ValueError(f"n_heads must divide d_pet; got n_heads = {self.n_heads}, d_pet = {self.d_pet}")
        if not 0 < self.cutoff_width <= self.cutoff:
            raise ValueError(
                f"cutoff_width must lie in (0, cutoff]; got cutoff_width = {self.cutoff_width}, cutoff = {self.cutoff}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values, read back by ``from_dict``."""
        return asdict(self) | {"targets": {name: asdict(target) for name, target in self.targets.items()}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PETConfig":
        """Make a configuration from what ``to_dict`` gave."""
        targets = {name: Target(**target) for name, target in values["targets"].items()}
        return cls(**{**values, "species": tuple(values["species"]), "targets": targets})
