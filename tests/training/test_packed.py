"""Linear layers with packed weights: the same logits whatever the batch, or the usual layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

from diet_core.training import packed
from diet_core.training.packed import packed_linears
from diet_core.training.readout import read_out
from tests.training.tiny_encoders import CONFIGS, SIZES, encoded_of, fresh_model

needs_onednn = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this processor has no oneDNN; the usual layers serve"
)


@pytest.fixture(autouse=True)
def _pack_narrow_layers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "LEAST_WIDTH", 8)


def forwards_of(model: nn.Module) -> list[str]:
    return [name for name, module in model.named_modules() if "forward" in vars(module)]


@needs_onednn
@pytest.mark.parametrize("kind", CONFIGS)
def test_every_kind_of_encoder_gives_the_same_logits(kind):
    model = fresh_model(kind)
    batch = encoded_of(model, n=30).batch(np.arange(30), torch.device("cpu"))
    with torch.inference_mode():
        expected = model(**batch).logits
        with packed_linears(model) as n_packed:
            found = model(**batch).logits
    assert n_packed >= 8
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


@needs_onednn
def test_berts_gelu_is_packed_with_its_layer_and_other_activations_are_not():
    def packed_names(activation: str) -> list[str]:
        model = BertForSequenceClassification(BertConfig(**SIZES, hidden_act=activation)).eval()
        with packed_linears(model):
            return [name for name in forwards_of(model) if name.endswith("intermediate")]

    assert packed_names("gelu") == [f"bert.encoder.layer.{i}.intermediate" for i in (0, 1)]
    assert packed_names("gelu_new") == packed_names("relu") == []


@needs_onednn
def test_logits_do_not_depend_on_batch_size_order_and_padding():
    model = fresh_model("bert")
    encoded = encoded_of(model, n=40)
    together = read_out(model, encoded, tokens=10_000).logits
    backwards = np.arange(40)[::-1].copy()
    alone = read_out(model, encoded, tokens=1).logits
    turned = read_out(model, encoded.take(backwards), tokens=90).logits[backwards]
    for other in (alone, turned):
        np.testing.assert_allclose(other, together, rtol=0, atol=2e-6 * np.abs(together).max())


def test_afterwards_the_model_is_as_it_was_even_after_an_error():
    model = fresh_model("bert")
    with pytest.raises(KeyError), packed_linears(model):
        raise KeyError
    assert forwards_of(model) == []
    assert all(p.requires_grad for p in model.parameters())


@needs_onednn
def test_weights_changed_between_two_readings_count():
    model = fresh_model("bert")
    encoded = encoded_of(model, n=10)
    before = read_out(model, encoded, tokens=100).logits
    with torch.no_grad():
        model.bert.encoder.layer[0].output.dense.weight.mul_(2)
    after = read_out(model, encoded, tokens=100).logits
    expected = model(**encoded.batch(np.arange(10), torch.device("cpu"))).logits.detach().numpy()
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(after, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


class _Doubled(nn.Linear):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(inputs)


def test_layers_that_compute_something_else_stay():
    model = nn.Sequential(_Doubled(16, 16), nn.Linear(16, 16).double(), nn.Linear(4, 16))
    parametrized = nn.utils.parametrizations.weight_norm(nn.Linear(16, 16))
    with packed_linears(model) as n_packed, packed_linears(parametrized) as n_parametrized:
        assert (n_packed, n_parametrized) == (0, 0)


def test_a_layer_whose_packed_form_gives_something_else_stays(monkeypatch):
    layer = nn.Linear(16, 16)
    monkeypatch.setattr(
        packed._Packed, "__call__", lambda self, inputs: nn.functional.linear(inputs, layer.weight)
    )
    with packed_linears(layer) as n_packed:
        assert n_packed == 0


def test_without_onednn_nothing_is_packed(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    with packed_linears(nn.Linear(16, 16)) as n_packed:
        assert n_packed == 0


@needs_onednn
def test_no_random_number_is_drawn():
    state = torch.get_rng_state()
    with packed_linears(nn.Linear(16, 16).requires_grad_(False)):
        pass
    drawn = torch.get_rng_state()
    torch.set_rng_state(state)
    nn.Linear(16, 16)
    assert torch.equal(torch.get_rng_state(), drawn)
