"""Dropout with cheap random numbers: the same rate and gradients, or torch's own where it does not apply."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from diet_core.training.dropout import FastDropout, dropout_mask

N = 200_000


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9])
def test_a_mask_drops_at_the_rate_and_keeps_the_mean(rate):
    mask = dropout_mask((N,), rate, torch.float64)
    assert sorted(mask.unique().tolist()) == pytest.approx([0, 1 / (1 - rate)])
    # Four standard deviations of the share of N draws.
    assert float((mask == 0).double().mean()) == pytest.approx(rate, abs=4 * (rate * (1 - rate) / N) ** 0.5)


def test_the_values_of_a_mask_are_independent():
    """Neighbours, which share a 64-bit draw, and columns are dropped together as often as chance has it."""
    dropped = (dropout_mask((N // 8, 8), 0.3, torch.float64) == 0).numpy()
    together = np.corrcoef(dropped, rowvar=False)[np.triu_indices(8, 1)]
    assert np.abs(together).max() < 4 / (N // 8) ** 0.5
    assert abs(np.corrcoef(dropped[1:, 0], dropped[:-1, 7])[0, 1]) < 4 / (N // 8) ** 0.5


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 5, 7), (0,)])
def test_a_mask_has_the_shape_it_is_asked_for(shape):
    assert dropout_mask(shape, 0.5, torch.bfloat16).shape == shape


def test_the_same_seed_draws_the_same_mask_and_the_next_draw_another():
    first = dropout_mask((N,), 0.1, torch.float32)
    second = dropout_mask((N,), 0.1, torch.float32)
    torch.manual_seed(0)
    assert torch.equal(dropout_mask((N,), 0.1, torch.float32), first)
    assert not torch.equal(first, second)


def test_a_dropout_layer_scales_what_it_keeps_and_its_gradient_alike():
    values = torch.randn(1000, dtype=torch.float64, requires_grad=True)
    with FastDropout():
        out = torch.nn.Dropout(0.4)(values)
    kept = out != 0
    assert 0.5 < float(kept.double().mean()) < 0.7
    torch.testing.assert_close(out[kept], values[kept] / 0.6)
    (gradient,) = torch.autograd.grad(out.sum(), values)
    torch.testing.assert_close(gradient, kept.double() / 0.6)


@pytest.mark.parametrize("layer", [torch.nn.Dropout(0.4).eval(), torch.nn.Dropout(0.0)])
def test_nothing_is_dropped_in_eval_mode_or_at_rate_zero(layer):
    values = torch.randn(100)
    with FastDropout():
        assert torch.equal(layer(values), values)


def test_all_is_dropped_at_rate_one():
    with FastDropout():
        assert torch.equal(functional.dropout(torch.ones(5), 1.0), torch.zeros(5))


def heads(requires_grad: bool = True) -> list[torch.Tensor]:
    """Query, key and value of two texts, three heads, five tokens."""
    return [torch.randn(2, 3, 5, 4, dtype=torch.float64, requires_grad=requires_grad) for _ in range(3)]


MASKS = {
    "none": None,
    "padding": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], dtype=torch.bool)[:, None, None, :],
    "full": torch.rand(2, 1, 5, 5, generator=torch.Generator().manual_seed(1)) > 0.2,
    "bias": torch.randn(1, 3, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1)),
}


@pytest.mark.parametrize("scale", [None, 0.7])
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_attention_equals_its_definition(mask, scale):
    """With the same random mask, written out: softmax(q kᵀ · scale + bias), dropped out, times v."""
    query, key, value = heads()
    torch.manual_seed(1)
    with FastDropout():
        out = functional.scaled_dot_product_attention(query, key, value, mask, dropout_p=0.3, scale=scale)
    torch.manual_seed(1)
    dropped = dropout_mask((2, 3, 5, 5), 0.3, torch.float64)
    similarity = query @ key.transpose(-1, -2) * (scale or 0.5)
    if mask is not None:
        hidden = mask.logical_not() if mask.dtype == torch.bool else torch.zeros_like(mask, dtype=torch.bool)
        added = torch.zeros_like(mask, dtype=torch.float64) if mask.dtype == torch.bool else mask
        similarity = (similarity + added).masked_fill(hidden, -torch.inf)
    expected = (similarity.softmax(-1) * dropped) @ value
    torch.testing.assert_close(out, expected)
    weights = torch.randn_like(out)
    found, wanted = (torch.autograd.grad((o * weights).sum(), (query, key, value)) for o in (out, expected))
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("more", [{}, {"is_causal": True}, {"dropout_p": 0.0, "is_causal": True}])
def test_attention_without_dropout_or_with_more_to_it_is_torch_s_own(more):
    query, key, value = heads(requires_grad=False)
    torch.manual_seed(1)
    expected = functional.scaled_dot_product_attention(query, key, value, **more)
    torch.manual_seed(1)
    with FastDropout():
        out = functional.scaled_dot_product_attention(query, key, value, **more)
    assert torch.equal(out, expected)


def test_attention_drops_out_as_much_as_torch_does():
    """The variance of the output over draws, which the rate decides, is torch's within a few percent."""
    query, key, value = heads(requires_grad=False)

    def spread() -> float:
        outs = [
            functional.scaled_dot_product_attention(query, key, value, dropout_p=0.2) for _ in range(3000)
        ]
        return float(torch.stack(outs).var(dim=0).mean())

    expected = spread()
    with FastDropout():
        assert spread() == pytest.approx(expected, rel=0.1)
