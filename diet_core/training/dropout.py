"""Dropout at a fraction of its usual cost on a CPU: the same rate, other random numbers.

torch draws one Bernoulli number per value, which took 16 % of a fine-tuning step here. Sixteen random bits
per value, cut out of whole 64-bit draws of the same generator, do as well: the rate is met to 1/65536.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_BITS = 16
_VALUES_PER_DRAW = 64 // _BITS


class FastDropout(TorchFunctionMode):
    """Within this context, dropout on the CPU draws its mask from few random numbers.

    It takes the place of `dropout` and of the dropout within `scaled_dot_product_attention`; all else, and
    every other device, goes on as it was.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call the replacement of `func`, or `func` itself."""
        replacement = _REPLACEMENTS.get(func)
        if replacement is None:
            return func(*args, **(kwargs or {}))
        return replacement(*args, **(kwargs or {}))


def dropout_mask(shape: Sequence[int], rate: float, dtype: torch.dtype) -> torch.Tensor:
    """Return a mask of 0 (with probability `rate`) and 1 / (1 − rate), from torch's generator.

    Args:
        shape: Of the mask.
        rate: In [0, 1), met to 1/65536.
        dtype: Of the mask, any float type.
    """
    n = torch.Size(shape).numel()
    draws = torch.empty(-(-n // _VALUES_PER_DRAW), dtype=torch.int64).random_(-(2**63), None)
    bits = draws.view(torch.int16)[:n]  # uniform on -32768 … 32767
    is_kept = bits.ge_(round(rate * 2**_BITS) - 2 ** (_BITS - 1))
    return is_kept.to(dtype).mul_(1 / (1 - rate)).view(shape)


class _Masked(torch.autograd.Function):
    """A product with a mask, which needs the mask only to go back."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, rate: float) -> torch.Tensor:
        mask = dropout_mask(values.shape, rate, values.dtype)
        ctx.save_for_backward(mask)
        return values * mask

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        (mask,) = ctx.saved_tensors
        return gradient * mask, None


class _Attention(torch.autograd.Function):
    """softmax(q kᵀ · scale + bias), dropped out, times v: without the safeguards of the general form."""

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        bias: torch.Tensor | None,
        scale: float,
        rate: float,
    ) -> torch.Tensor:
        similarity = (query @ key.transpose(-1, -2)).mul_(scale)
        if bias is not None:
            similarity += bias
        weights = similarity.softmax(-1)
        mask = dropout_mask(weights.shape, rate, weights.dtype)
        ctx.save_for_backward(query, key, value, weights, mask)
        ctx.scale = scale
        return (weights * mask) @ value

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, weights, mask = ctx.saved_tensors
        of_value = (weights * mask).transpose(-1, -2) @ gradient
        of_weights = (gradient @ value.transpose(-1, -2)).mul_(mask)
        of_similarity = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype).mul_(ctx.scale)
        of_key = of_similarity.transpose(-1, -2) @ query
        return of_similarity @ key, of_key, of_value, None, None, None


def _dropout(
    input: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> torch.Tensor:
    if not training or inplace or not 0 < p < 1 or input.device.type != "cpu":
        return functional.dropout(input, p, training, inplace)
    masked: torch.Tensor = _Masked.apply(input, p)  # type: ignore[no-untyped-call]
    return masked


def _attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    **more: Any,
) -> torch.Tensor:
    is_plain = not is_causal and not any(more.values()) and query.device.type == "cpu"
    if not is_plain or not 0 < dropout_p < 1 or (attn_mask is not None and attn_mask.requires_grad):
        return functional.scaled_dot_product_attention(
            query, key, value, attn_mask, dropout_p, is_causal, scale=scale, **more
        )
    scale = 1 / sqrt(query.shape[-1]) if scale is None else scale
    bias = _bias(attn_mask, query.dtype)
    seen: torch.Tensor = _Attention.apply(query, key, value, bias, scale, dropout_p)  # type: ignore[no-untyped-call]
    return seen


def _bias(mask: torch.Tensor | None, dtype: torch.dtype) -> torch.Tensor | None:
    """Return what is added to the similarities: 0 where a token may look, the lowest number where not."""
    if mask is None or mask.dtype != torch.bool:
        return mask
    return torch.zeros(mask.shape, dtype=dtype).masked_fill_(~mask, torch.finfo(dtype).min)


_REPLACEMENTS: dict[Callable[..., Any], Callable[..., Any]] = {
    functional.dropout: _dropout,
    functional.scaled_dot_product_attention: _attention,
}
