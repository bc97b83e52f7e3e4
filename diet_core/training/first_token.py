"""The last layer without what nobody reads: most classifiers look at the first token only.

The last layer's output at the other tokens is then computed, and differentiated, for nothing: of MiniLM's six
layers that is an eighth of all work. The logits stay the same but for the rounding of float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from diet_core.training.batches import Encoded
from diet_core.training.packed import is_close

# What another architecture's own way of reading the last layer may raise when it finds one token.
MISFITS = (RuntimeError, IndexError, TypeError, AttributeError, ValueError)


def trim_last_layer(model: nn.Module, encoded: Encoded) -> bool:
    """Let the last layer compute the first token only, if it is built like BERT's and the logits allow it.

    Weights, their names and `state_dict` stay as they are. Whether the classifier needs other tokens too is
    tried out, so that nothing has to be known of its architecture.

    Args:
        model: A sequence classifier on its device; left in eval mode.
        encoded: Texts; it is tried on the shortest beside the longest.

    Returns:
        Whether it was done.
    """
    layer = _last_layer(model)
    if layer is None:
        return False
    model.eval()
    torch.set_float32_matmul_precision("highest")  # the training before this one left TF32 on
    rows = np.array([encoded.lengths.argmin(), encoded.lengths.argmax()])
    inputs = encoded.batch(rows, next(model.parameters()).device)
    with torch.inference_mode():
        expected = model(**inputs).logits
        with first_token_only(model):
            is_same = _gives(model, inputs, expected)
    if is_same:
        layer.forward = MethodType(_first_token, layer)
    return is_same


@contextmanager
def first_token_only(model: nn.Module) -> Iterator[bool]:
    """Within, the last layer computes the first token only; yields whether it is built so that it can.

    Whether the logits stay the same is for the caller to find out.
    """
    layer = _last_layer(model)
    if layer is None:
        yield False
        return
    layer.forward = MethodType(_first_token, layer)
    try:
        yield True
    finally:
        del layer.forward


def _last_layer(model: nn.Module) -> nn.Module | None:
    """Return the last layer if it is built like BERT's and not trimmed yet."""
    layers = getattr(getattr(getattr(model, "base_model", None), "encoder", None), "layer", None)
    last = layers[-1] if isinstance(layers, nn.ModuleList) and len(layers) else None
    return last if last is not None and _is_like_bert(last) and "forward" not in vars(last) else None


def _is_like_bert(layer: nn.Module) -> bool:
    attention = getattr(layer, "attention", None)
    heads = getattr(attention, "self", None)
    has_parts = all(isinstance(getattr(heads, name, None), nn.Linear) for name in ("query", "key", "value"))
    is_decoder = getattr(layer, "is_decoder", True)
    return (
        has_parts and hasattr(attention, "output") and hasattr(layer, "feed_forward_chunk") and not is_decoder
    )


def _gives(model: nn.Module, inputs: dict[str, torch.Tensor], expected: torch.Tensor) -> bool:
    try:
        logits = model(**inputs).logits
    except MISFITS:
        return False
    return bool(expected.isfinite().all()) and is_close(logits, expected)


def _first_token(
    layer: Any, hidden: torch.Tensor, attention_mask: torch.Tensor | None = None, *_: Any, **__: Any
) -> torch.Tensor:
    """Return the layer's output at the first token, shape (n_examples, 1, width)."""
    heads, first = layer.attention.self, hidden[:, :1]
    query, key, value = (
        linear(at).unflatten(-1, (heads.num_attention_heads, -1)).transpose(1, 2)
        for linear, at in ((heads.query, first), (heads.key, hidden), (heads.value, hidden))
    )
    seen = functional.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=None if attention_mask is None else attention_mask[:, :, :1],
        dropout_p=heads.dropout.p if layer.training else 0.0,
    )
    attended = layer.attention.output(seen.transpose(1, 2).flatten(2), first)
    out: torch.Tensor = layer.feed_forward_chunk(attended)
    return out
