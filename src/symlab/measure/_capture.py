"""Outputs of named submodules, read by forward hooks that are always removed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MethodType

from torch import Tensor, nn


def module_of(f: object) -> nn.Module | None:
    """Find the module behind a callable: itself, or the module whose bound method it is."""
    if isinstance(f, nn.Module):
        return f
    if isinstance(f, MethodType) and isinstance(f.__self__, nn.Module):
        return f.__self__
    return None


class Captured:
    """Hands the outputs of hooked layers to whoever listens during one call; made by `capture`."""

    def __init__(self, layers: Sequence[str]) -> None:
        self._layers = tuple(layers)
        self._n_copies = 0
        self._consume: Callable[[str, Tensor], None] | None = None
        self._called: dict[str, list[tuple[str, Tensor, int]]] = {}

    @contextmanager
    def into(self, n_copies: int, consume: Callable[[str, Tensor], None]) -> Iterator[None]:
        """Listen during one call of the model on ``n_copies`` copies.

        Raises:
            ValueError: at the end, if a layer was never called.
        """
        self._n_copies, self._consume, self._called = n_copies, consume, {}
        try:
            yield
        finally:
            self._consume = None
        missing = [layer for layer in self._layers if layer not in self._called]
        if missing:
            raise ValueError(
                f"layers {missing} exist but were not called in this forward pass. "
                "Choose layers that the model runs, or call it through f so that it does"
            )

    def receive(self, layer: str, output: object) -> None:
        """Take the output of one layer: the body of its hook."""
        if self._consume is None:
            return
        if layer in self._called:
            raise ValueError(
                f"layer {layer!r} is called more than once in one forward pass, so its B is not defined. "
                "Give each use its own submodule, for example a torch.nn.Identity"
            )
        self._called[layer] = []
        tensors = _floating_tensors(layer, output)
        if not tensors:
            raise TypeError(f"layer {layer!r} returns no real floating-point tensor; got {type(output).__name__}")
        for name, tensor in tensors.items():
            self._consume(name, _copies_first(name, tensor.detach(), self._n_copies))


@contextmanager
def capture(module: nn.Module | None, layers: Sequence[str]) -> Iterator[Captured]:
    """Read named submodules by hooks for the length of a ``with`` block; they go even when it ends by an exception.

    Args:
        module: the model; may be None if there are no layers.
        layers: names as in ``module.named_modules()``.

    Raises:
        ValueError: unknown name (the message lists the valid ones), a name given twice, or no module.
    """
    captured = Captured(layers)
    if not layers:
        yield captured
        return
    if module is None:
        raise ValueError(
            "layers need a torch.nn.Module: pass the module itself, one of its methods, or module= beside f"
        )
    if isinstance(layers, str):
        raise TypeError(f"layers must be a list of names; got the string {layers!r}. Write [{layers!r}]")
    known = dict(module.named_modules())
    unknown = [layer for layer in layers if layer not in known]
    if unknown:
        raise ValueError(f"layers {unknown} are not submodules; valid names: {', '.join(filter(None, known))}")
    if len(set(layers)) != len(layers):
        raise ValueError(f"layers must be different from each other; got {list(layers)}")
    handles = []
    try:
        for layer in layers:
            handles.append(
                known[layer].register_forward_hook(
                    lambda _module, _inputs, output, layer=layer: captured.receive(layer, output)
                )
            )
        yield captured
    finally:
        for handle in handles:
            handle.remove()


def _floating_tensors(name: str, output: object) -> dict[str, Tensor]:
    """Name the floating-point tensors of an output: ``layer``, ``layer[0]``, ``layer[key]``; masks are left out."""
    if isinstance(output, Tensor):
        return {name: output} if output.is_floating_point() else {}
    if isinstance(output, Mapping):
        items = list(output.items())
    elif isinstance(output, (tuple, list)):
        items = list(enumerate(output))
    else:
        return {}
    return {key: value for i, part in items for key, value in _floating_tensors(f"{name}[{i}]", part).items()}


def _copies_first(name: str, tensor: Tensor, n_copies: int) -> Tensor:
    """Give ``(n_copies, k, ...)`` from ``(n_copies k, ...)``, the samples of one copy contiguous."""
    if tensor.ndim == 0 or tensor.shape[0] == 0 or tensor.shape[0] % n_copies:
        raise ValueError(
            f"layer {name!r}: the first axis must hold the {n_copies} copies, or a multiple of them with the samples "
            f"of one copy together; got shape {tuple(tensor.shape)}"
        )
    if tensor.shape[0] == n_copies:
        return tensor
    return tensor.reshape(n_copies, -1, *tensor.shape[1:])
