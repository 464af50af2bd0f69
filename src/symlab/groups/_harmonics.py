"""Solid harmonics of vectors, every degree of the same size as the vector itself."""

from functools import lru_cache
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from symlab.groups._haar import ProductRule, haar_grid, rotation_y, rotation_z
from symlab.groups._sectors import Sector
from symlab.groups._wigner import wigner_D


@lru_cache(maxsize=64)
def harmonic_coupling(l: int) -> Float[Tensor, "pairs d"]:
    """Matrix C that climbs one degree, ``Y_{l+1} = (Y_l (x) Y_1) C`` for the harmonics of a unit vector, ``|Y_l| = 1``.

    It is the Haar average of ``D^{l+1} (x) D^l (x) D^1`` at m = 0, where only the image of the polar axis (y in e3nn's
    basis) counts, scaled so that ``Y_l`` of that axis is the unit vector of m = 0.

    Args:
        l: degree below, >= 0.

    Returns:
        ``(3 (2 l + 1), 2 l + 3)`` float64; rows in the order of the flattened product.

    Cost: an average over the sphere, exact to degree 2 l + 2, once per l.
    """
    rule = cast(ProductRule, haar_grid(2 * l + 2, group="SO(3)").product)
    from_y_to_z = torch.tensor([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=torch.float64)
    rotations = rotation_z(rule.alpha) @ rotation_y(rule.beta) @ from_y_to_z
    up, here, one = (wigner_D(Sector(k, 1), rotations)[:, :, k] for k in (l + 1, l, 1))
    coupling = torch.einsum("g,gi,gm,gq->mqi", rule.node_weights, up, here, one)
    return (coupling / coupling[l, 1, l + 1]).flatten(0, 1)


def solid_harmonics(vectors: Float[Tensor, "*n 3"], l_max: int) -> Float[Tensor, "*n k"]:
    """Harmonics ``|r| Y_l(r / |r|)`` with ``|Y_l| = 1`` for l = 0 ... l_max: every block has the norm of the vector.

    Args:
        vectors: ``(..., 3)``, any unit; a zero vector gives zeros.
        l_max: highest degree, >= 0.

    Returns:
        ``(..., (l_max + 1)^2)``, blocks in increasing l, e3nn's basis; degree 0 is ``|r|`` and degree 1 is ``r``.

    Raises:
        ValueError: a negative l_max.

    Cost: ``3 (2 l + 1) (2 l + 3)`` multiplications per vector and degree. arXiv:2603.24638 leaves the scale open;
    this one is that of the edge embedding in metatrain's ``geometry_embedding_l_max``.
    """
    if l_max < 0:
        raise ValueError(f"l_max must be >= 0; got {l_max}")
    distance = vectors.norm(dim=-1, keepdim=True)
    unit = vectors / distance.clamp(min=torch.finfo(vectors.dtype).tiny)
    blocks = [distance, *([vectors] if l_max else [])]
    for l in range(1, l_max):
        blocks.append((blocks[l][..., :, None] * unit[..., None, :]).flatten(-2) @ harmonic_coupling(l).to(vectors))
    return torch.cat(blocks, dim=-1)
