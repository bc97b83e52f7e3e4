"""Linear layers with weights laid out for the processor once per forward pass over all texts, not per batch.

On a CPU that takes a quarter off a float32 pass (MiniLM on two cores; BERT's GELU is applied while the
products are still in the cache). The sums are taken in another order: logits change by float32's rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeGuard

import torch
from torch import Tensor, nn
from transformers.activations import GELUActivation

# Smaller ones are not worth it. A layout serves every batch; it is made for one of this many tokens.
LEAST_WIDTH = 64
TOKENS = 2048
# Of the outputs' size; float32 sums in another order change them by about 1e-6.
TOLERANCE = 1e-5

# oneDNN's own operators, which torch.compile emits for inference on a CPU.
_ONEDNN = torch.ops.mkldnn


class _Packed:
    """A Linear's forward pass, perhaps with the GELU that follows it.

    Attributes:
        width: Of its inputs.
    """

    def __init__(self, linear: nn.Linear, activation: str = "none") -> None:
        self.width = linear.in_features
        self._weight = _ONEDNN._reorder_linear_weight(linear.weight.detach(), TOKENS)
        self._bias = linear.bias
        self._activation = activation

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return what the Linear does, shape (..., out_features)."""
        # The last argument names the kind of GELU: the exact one, not tanh's.
        out: Tensor = _ONEDNN._linear_pointwise(
            inputs, self._weight, self._bias, self._activation, [], "none"
        )
        return out


@contextmanager
def packed_linears(model: nn.Module) -> Iterator[int]:
    """Within, the Linear layers of a float32 model on a CPU use packed weights; yields how many do.

    Weights must not change within, and nothing be differentiated. Whether a layer gives the same is tried out
    on it; the others, and all where oneDNN does not serve this processor, stay as they are.

    Args:
        model: Any, in eval mode; left as it was.
    """
    packed = _packed(model)
    for module, forward in packed.items():
        module.forward = forward
    try:
        yield len(packed)
    finally:
        for module in packed:
            del module.forward


def _packed(model: nn.Module) -> dict[nn.Module, _Packed]:
    """Return the forward passes that give the same as their layers, faster."""
    is_there = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not is_there or not hasattr(_ONEDNN, "_linear_pointwise"):
        return {}
    linears: dict[nn.Module, _Packed] = {
        module: _Packed(module) for module in model.modules() if _is_plain_linear(module)
    }
    with_gelu = {
        module: _Packed(dense, "gelu")
        for module in model.modules()
        if _is_gelu_of_dense(module) and isinstance(dense := module.dense, nn.Linear) and dense in linears
    }
    return {
        module: packed for module, packed in (linears | with_gelu).items() if _gives_the_same(module, packed)
    }


def _is_plain_linear(module: nn.Module) -> TypeGuard[nn.Linear]:
    return (
        type(module) is nn.Linear
        and "forward" not in vars(module)
        and module.weight.device.type == "cpu"
        and module.weight.dtype == torch.float32
        and min(module.weight.shape) >= LEAST_WIDTH
    )


def _is_gelu_of_dense(module: nn.Module) -> bool:
    """Return whether a layer is built like BERT's first half of the feed-forward part."""
    parts = dict(module.named_children())
    return parts.keys() == {"dense", "intermediate_act_fn"} and isinstance(
        parts["intermediate_act_fn"], GELUActivation
    )


def _gives_the_same(module: nn.Module, packed: _Packed) -> bool:
    rows = torch.arange(2.0 * packed.width).cos_().reshape(2, -1)  # no generator is drawn from
    with torch.inference_mode():
        expected = module(rows)
        try:
            out = packed(rows)
        except (RuntimeError, NotImplementedError):
            return False
    return is_close(out, expected)  # weights that are not finite go through the usual layers


def is_close(out: Tensor, expected: Tensor) -> bool:
    """Return whether finite outputs of one shape are equal but for the rounding of float32."""
    return out.shape == expected.shape and torch.allclose(
        out, expected, rtol=0, atol=TOLERANCE * float(expected.abs().max())
    )
