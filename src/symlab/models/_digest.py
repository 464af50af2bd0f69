"""One number for a network: its configuration and its weights."""

import hashlib
import json
from typing import Any

from safetensors.torch import save
from torch import nn


def weights_digest(network: nn.Module) -> str:
    """Hash the configuration and the weights of a network: sha256, 64 hex digits.

    Args:
        network: any module; the ``config`` of one that has it counts as well.
    """
    config: Any = getattr(network, "config", None)
    settings = json.dumps(config.to_dict(), sort_keys=True) if hasattr(config, "to_dict") else repr(config)
    weights = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    return hashlib.sha256(settings.encode() + save(weights)).hexdigest()
