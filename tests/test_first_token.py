"""The last layer computed for the first token only: the same logits and gradients, or not done at all."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DebertaV2Config,
    DebertaV2ForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from diet_core.training.batches import Encoded
from diet_core.training.first_token import first_token_only, trim_last_layer
from diet_core.training.readout import read_out

SIZE = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
    "num_labels": 3,
}
LIKE_BERT = {
    "bert": lambda: BertForSequenceClassification(BertConfig(**SIZE)),
    "bert eager": lambda: BertForSequenceClassification(BertConfig(**SIZE, attn_implementation="eager")),
    "roberta": lambda: RobertaForSequenceClassification(RobertaConfig(**SIZE, pad_token_id=0)),
    "electra": lambda: ElectraForSequenceClassification(ElectraConfig(**SIZE, embedding_size=8)),
}
OTHERS = {
    "distilbert": lambda: DistilBertForSequenceClassification(
        DistilBertConfig(vocab_size=50, dim=16, n_layers=2, n_heads=2, hidden_dim=32, num_labels=3)
    ),
    "deberta": lambda: DebertaV2ForSequenceClassification(DebertaV2Config(**SIZE)),
}


@pytest.fixture
def encoded() -> Encoded:
    """Thirty texts of three to thirty tokens."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 31, 30)
    ids = [rng.integers(5, 50, n) for n in lengths]
    columns = {"input_ids": ids, "attention_mask": [np.ones(n, dtype=np.int64) for n in lengths]}
    return Encoded(columns, lengths, {"input_ids": 0, "attention_mask": 0})


def made(make) -> torch.nn.Module:
    torch.manual_seed(0)
    model = make()
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return model.eval()


def is_trimmed(model: torch.nn.Module) -> bool:
    return any("forward" in vars(module) for module in model.modules())


@pytest.mark.parametrize("make", LIKE_BERT.values(), ids=LIKE_BERT)
def test_a_trimmed_model_gives_the_same_logits_and_features(make, encoded):
    model = made(make)
    expected = read_out(model, encoded, tokens=128, with_features=True)
    assert trim_last_layer(model, encoded)
    out = read_out(model, encoded, tokens=128, with_features=True)
    np.testing.assert_allclose(out.logits, expected.logits, rtol=0, atol=1e-5)
    np.testing.assert_allclose(out.feature_norm, expected.feature_norm, rtol=1e-5)


@pytest.mark.parametrize("make", LIKE_BERT.values(), ids=LIKE_BERT)
def test_a_trimmed_model_gives_the_same_gradients(make, encoded):
    whole = made(make)
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


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_another_architecture_is_left_as_it_is(make, encoded):
    model = made(make)
    assert not trim_last_layer(model, encoded)
    assert not is_trimmed(model)


def test_a_classifier_that_looks_at_all_tokens_is_left_as_it_is(encoded):
    class Mean(torch.nn.Module):
        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            return hidden.mean(dim=1)

    model = made(LIKE_BERT["bert"])
    model.bert.pooler = Mean()
    expected = read_out(model, encoded, tokens=128).logits
    assert not trim_last_layer(model, encoded)
    assert not is_trimmed(model)
    np.testing.assert_array_equal(read_out(model, encoded, tokens=128).logits, expected)


def test_a_classifier_that_needs_the_second_token_is_left_as_it_is(encoded):
    class Second(torch.nn.Module):
        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            return hidden[:, 1]

    model = made(LIKE_BERT["bert"])
    model.bert.pooler = Second()
    assert not trim_last_layer(model, encoded)


def test_trimming_again_changes_nothing(encoded):
    model = made(LIKE_BERT["bert"])
    assert trim_last_layer(model, encoded)
    assert not trim_last_layer(model, encoded)
    assert is_trimmed(model)


def test_a_trimmed_model_keeps_the_names_of_its_weights(encoded, tmp_path):
    model = made(LIKE_BERT["bert"])
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
    model = made(LIKE_BERT["bert"])
    with first_token_only(model) as is_possible:
        assert is_possible
        assert is_trimmed(model)
    assert not is_trimmed(model)
    with pytest.raises(ZeroDivisionError), first_token_only(model):
        1 / 0  # noqa: B018
    assert not is_trimmed(model)
    with first_token_only(made(OTHERS["distilbert"])) as is_possible:
        assert not is_possible
