"""The last layer computed for the first token only: the same logits and gradients, or not done at all."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import BertForSequenceClassification

from diet_core.training.batches import Encoded
from diet_core.training.first_token import first_token_only, trim_last_layer
from diet_core.training.readout import read_out
from tests.training.tiny_encoders import encoded_of, fresh_model

LIKE_BERT = ("bert", "bert without sdpa", "roberta", "electra")
OTHERS = ("distilbert", "albert", "modernbert", "deberta-v2", "mpnet")


@pytest.fixture
def bert() -> torch.nn.Module:
    return fresh_model("bert")


@pytest.fixture
def encoded(bert) -> Encoded:
    return encoded_of(bert, n=30)


def is_trimmed(model: torch.nn.Module) -> bool:
    return any("forward" in vars(module) for module in model.modules())


@pytest.mark.parametrize("kind", LIKE_BERT)
def test_a_trimmed_model_gives_the_same_logits_and_features(kind):
    model = fresh_model(kind)
    encoded = encoded_of(model, n=30)
    expected = read_out(model, encoded, tokens=128, with_features=True)
    assert trim_last_layer(model, encoded)
    out = read_out(model, encoded, tokens=128, with_features=True)
    np.testing.assert_allclose(out.logits, expected.logits, rtol=0, atol=1e-5)
    np.testing.assert_allclose(out.feature_norm, expected.feature_norm, rtol=1e-5)


@pytest.mark.parametrize("kind", LIKE_BERT)
def test_a_trimmed_model_gives_the_same_gradients(kind):
    whole = fresh_model(kind)
    encoded = encoded_of(whole, n=30)
    trimmed = copy.deepcopy(whole)
    assert trim_last_layer(trimmed, encoded)
    labels = torch.arange(30) % 3
    batch = encoded.batch(np.arange(30), torch.device("cpu"))
    expected, found = (
        torch.autograd.grad(cross_entropy(model(**batch).logits, labels), list(model.parameters()))
        for model in (whole, trimmed)
    )
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", OTHERS)
def test_another_architecture_is_left_as_it_is(kind):
    model = fresh_model(kind)
    encoded = encoded_of(model, n=30)
    assert not trim_last_layer(model, encoded)
    assert not is_trimmed(model)


def test_a_classifier_that_looks_at_all_tokens_is_left_as_it_is(encoded):
    class Mean(torch.nn.Module):
        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            return hidden.mean(dim=1)

    model = fresh_model("bert")
    model.bert.pooler = Mean()
    expected = read_out(model, encoded, tokens=128).logits
    assert not trim_last_layer(model, encoded)
    assert not is_trimmed(model)
    np.testing.assert_array_equal(read_out(model, encoded, tokens=128).logits, expected)


def test_a_classifier_that_needs_the_second_token_is_left_as_it_is(encoded):
    class Second(torch.nn.Module):
        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            return hidden[:, 1]

    model = fresh_model("bert")
    model.bert.pooler = Second()
    assert not trim_last_layer(model, encoded)


def test_trimming_again_changes_nothing(encoded):
    model = fresh_model("bert")
    assert trim_last_layer(model, encoded)
    assert not trim_last_layer(model, encoded)
    assert is_trimmed(model)


def test_a_trimmed_model_keeps_the_names_of_its_weights(encoded, tmp_path):
    model = fresh_model("bert")
    names = list(model.state_dict())
    trim_last_layer(model, encoded)
    assert list(model.state_dict()) == names
    model.save_pretrained(tmp_path)
    again = BertForSequenceClassification.from_pretrained(tmp_path)
    assert not is_trimmed(again)
    np.testing.assert_allclose(
        read_out(again, encoded, tokens=128).logits,
        read_out(model, encoded, tokens=128).logits,
        rtol=0,
        atol=1e-5,
    )


def test_the_context_puts_the_layer_back_also_after_an_exception():
    model = fresh_model("bert")
    with first_token_only(model) as is_possible:
        assert is_possible
        assert is_trimmed(model)
    assert not is_trimmed(model)
    with pytest.raises(ZeroDivisionError), first_token_only(model):
        1 / 0  # noqa: B018
    assert not is_trimmed(model)
    with first_token_only(fresh_model("distilbert")) as is_possible:
        assert not is_possible
