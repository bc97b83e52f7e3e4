"""Squared gradient lengths of a layer's parameters per example, from its inputs and its output's gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

# Of a batch's full gradient matrices at a time, in numbers: 64 MB in float32.
DIRECT_NUMBERS = 16 * 2**20


class Use(NamedTuple):
    """One call of a layer, examples first.

    Attributes:
        module: The layer.
        inputs: What it was given, shape (n_examples, ...).
        gradient: Of the summed loss by its output, shape (n_examples, ..., width).
    """

    module: nn.Module
    inputs: Tensor
    gradient: Tensor


Formula = Callable[[Sequence[Use]], Tensor]


def kind_of(module: nn.Module) -> type[nn.Module] | None:
    """Return Linear, LayerNorm or Embedding if `module` computes what they do, else None."""
    for kind in (nn.Linear, nn.LayerNorm, nn.Embedding):
        if isinstance(module, kind) and type(module).forward is kind.forward:
            return kind if _is_plain(module) else None
    return None


def _is_plain(module: nn.Module) -> bool:
    """Return whether the formulas below hold: no gradient scaled by the batch, one dimension normalised."""
    return (
        not getattr(module, "scale_grad_by_freq", False)
        and len(getattr(module, "normalized_shape", "1")) == 1
    )


def squared_product_norms(inputs: Tensor, gradient: Tensor) -> Tensor:
    """Return ‖Σ_t B_t A_tᵀ‖²_F per example, by whichever way multiplies less.

    Args:
        inputs: A, shape (n_examples, n_tokens, n_in).
        gradient: B, shape (n_examples, n_tokens, n_out).

    Returns:
        Shape (n_examples,), ≥ 0.

    >>> a, b = torch.tensor([[[1.0, 2.0], [3.0, 0.0]]]), torch.tensor([[[1.0], [2.0]]])
    >>> squared_product_norms(a, b).tolist()  # 1·(1, 2) + 2·(3, 0) = (7, 2)
    [53.0]
    """
    n_tokens, n_in, n_out = inputs.shape[1], inputs.shape[2], gradient.shape[2]
    if n_tokens * (n_in + n_out) <= n_in * n_out:
        products = (inputs @ inputs.mT).mul_(gradient @ gradient.mT)
        return products.sum(dim=(1, 2)).clamp_min_(0.0)
    at_once = max(1, DIRECT_NUMBERS // (n_in * n_out))
    parts = zip(torch.split(inputs, at_once), torch.split(gradient, at_once), strict=True)
    return torch.cat([(b.mT @ a).square_().sum(dim=(1, 2)) for a, b in parts])


def squared_token_norms(ids: Tensor, gradient: Tensor) -> Tensor:
    """Return the squared length of an embedding's gradient per example: equal tokens are summed first.

    Args:
        ids: Shape (n_examples, n_tokens); those below 0 have no gradient.
        gradient: Of the embedded tokens, shape (n_examples, n_tokens, width).

    Returns:
        Shape (n_examples,), ≥ 0.

    >>> ids, b = torch.tensor([[5, 7, 5, -1]]), torch.tensor([[[1.0], [3.0], [1.0], [9.0]]])
    >>> squared_token_norms(ids, b).tolist()  # 5: 1 + 1, 7: 3
    [13.0]
    """
    is_equal = ids[:, :, None] == ids[:, None, :]
    is_first = is_equal.int().argmax(dim=-1) == torch.arange(ids.shape[1], device=ids.device)
    sums = is_equal.to(gradient.dtype) @ gradient
    return sums.square_().sum(dim=-1).mul_(is_first & (ids >= 0)).sum(dim=-1)


def _linear_weight(uses: Sequence[Use]) -> Tensor:
    return squared_product_norms(_joined(use.inputs for use in uses), _joined(use.gradient for use in uses))


def _embedding_weight(uses: Sequence[Use]) -> Tensor:
    ids = torch.cat([_ids_with_gradient(use) for use in uses], dim=1)
    return squared_token_norms(ids, _joined(use.gradient for use in uses))


def _ids_with_gradient(use: Use) -> Tensor:
    """Return the tokens, −1 in place of the padding, which an embedding does not learn from."""
    ids, padding_idx = use.inputs.flatten(1), cast(nn.Embedding, use.module).padding_idx
    return ids if padding_idx is None else ids.masked_fill(ids == padding_idx, -1)


def _norm_weight(uses: Sequence[Use]) -> Tensor:
    return _joined(use.gradient * _normalised(use) for use in uses).sum(dim=1).square_().sum(dim=-1)


def _bias(uses: Sequence[Use]) -> Tensor:
    return _joined(use.gradient for use in uses).sum(dim=1).square_().sum(dim=-1)


def _normalised(use: Use) -> Tensor:
    """Return a LayerNorm's input with mean 0 and variance 1, before its weight and bias."""
    return layer_norm(use.inputs, use.inputs.shape[-1:], eps=cast(nn.LayerNorm, use.module).eps)


def _joined(calls: Iterable[Tensor]) -> Tensor:
    """Return what several calls saw as one, shape (n_examples, n_tokens, width)."""
    rows = [call.reshape(len(call), -1, call.shape[-1]) for call in calls]
    return rows[0] if len(rows) == 1 else torch.cat(rows, dim=1)


# Per kind of layer and parameter, of all uses of a parameter at once: they are summed before the norm.
FORMULAS: dict[tuple[type[nn.Module], str], Formula] = {
    (nn.Linear, "weight"): _linear_weight,
    (nn.Linear, "bias"): _bias,
    (nn.LayerNorm, "weight"): _norm_weight,
    (nn.LayerNorm, "bias"): _bias,
    (nn.Embedding, "weight"): _embedding_weight,
}
