"""Logits and feature norms: the same in any batch, and GraNd from them as autograd has it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import (
    AutoModelForSequenceClassification,
    FNetConfig,
    GPT2Config,
    RobertaConfig,
)

from diet_core.errors import ModelError, SettingError
from diet_core.scoring.el2n import el2n, grand
from diet_core.training.batches import Encoded
from diet_core.training.loop import fine_tune
from diet_core.training.models import classifier_of
from diet_core.training.readout import check_reads_alone, read_out
from tests.training.tiny_encoders import SIZES, encoded_of, fresh_model, model_of

N = 23
LARGE = 100_000
CPU = torch.device("cpu")

KINDS = ("bert", "roberta", "distilbert", "electra", "albert", "deberta-v2", "mpnet")


def labels_of(n: int = N) -> np.ndarray:
    return np.arange(n) % 3


def one_at_a_time(model: torch.nn.Module, encoded: Encoded) -> torch.Tensor:
    """The logits of each example alone and unpadded."""
    with torch.no_grad():
        rows = [model(**encoded.batch(np.array([i]), CPU)).logits[0] for i in range(len(encoded.lengths))]
    return torch.stack(rows)


@pytest.fixture(params=KINDS)
def model(request) -> torch.nn.Module:
    """A two-layer encoder of random weights with three classes, one of each kind."""
    return model_of(request.param)


@pytest.fixture
def bert() -> torch.nn.Module:
    """As `model`, but BERT only and free to be changed."""
    return fresh_model("bert")


def test_the_random_models_tell_examples_apart(model):
    """Else the tests below would show nothing."""
    assert read_out(model, encoded_of(model), tokens=LARGE).logits.std(axis=0).min() > 1e-3


def test_read_out_equals_each_example_alone(model):
    encoded = encoded_of(model)
    out = read_out(model, encoded, tokens=LARGE)
    np.testing.assert_allclose(out.logits, one_at_a_time(model, encoded).numpy(), atol=1e-5)


@pytest.mark.parametrize("tokens", [1, 7 * 12, 300])
def test_read_out_does_not_depend_on_the_batch(model, tokens):
    """A budget of 1 token is a batch of one, 84 tokens are batches of 4 to 28 examples."""
    encoded = encoded_of(model)
    whole, parts = read_out(model, encoded, tokens=LARGE), read_out(model, encoded, tokens=tokens)
    np.testing.assert_allclose(parts.logits, whole.logits, atol=1e-5)
    np.testing.assert_allclose(parts.feature_norm, whole.feature_norm, rtol=1e-5)


def test_scores_do_not_depend_on_the_batch(model):
    encoded, labels = encoded_of(model), labels_of()
    outs = [read_out(model, encoded, tokens=tokens) for tokens in (1, 84, LARGE)]
    for out in outs[1:]:
        np.testing.assert_allclose(el2n(out.logits, labels), el2n(outs[0].logits, labels), rtol=1e-5)
        np.testing.assert_allclose(
            grand(out.logits, labels, out.feature_norm),
            grand(outs[0].logits, labels, outs[0].feature_norm),
            rtol=1e-5,
        )


def test_read_out_follows_the_order_of_the_rows(model):
    encoded = encoded_of(model)
    order = np.random.default_rng(1).permutation(N)
    before, after = read_out(model, encoded, tokens=84), read_out(model, encoded.take(order), tokens=84)
    np.testing.assert_allclose(after.logits, before.logits[order], atol=1e-5)
    np.testing.assert_allclose(after.feature_norm, before.feature_norm[order], rtol=1e-5)


def test_grand_of_the_facts_equals_autograd(model):
    """The loss gradient of weight and bias of the classifier, one example at a time."""
    encoded, labels = encoded_of(model), labels_of()
    out = read_out(model, encoded, tokens=LARGE)
    classifier = classifier_of(model, encoded.batch(np.array([0]), CPU))
    expected = []
    for i, label in enumerate(labels):
        logits = model(**encoded.batch(np.array([i]), CPU)).logits.double()
        loss = cross_entropy(logits, torch.tensor([label]))
        gradients = torch.autograd.grad(loss, [classifier.weight, classifier.bias])
        expected.append(math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradients)))
    np.testing.assert_allclose(grand(out.logits, labels, out.feature_norm), expected, rtol=1e-5)


def test_classifier_is_the_layer_that_emits_the_logits(model):
    """RoBERTa, DistilBERT, ELECTRA and MPNet have a dense layer before it."""
    classifier = classifier_of(model, encoded_of(model).batch(np.array([0]), CPU))
    assert classifier in model.modules()
    assert classifier.out_features == 3
    names = {module: name for name, module in model.named_modules()}
    assert names[classifier] in ("classifier", "classifier.out_proj")


def test_training_goes_on_after_a_readout(model, training_config):
    """What inference mode made must not stay in the model."""
    torch.manual_seed(0)
    fresh = AutoModelForSequenceClassification.from_config(model.config)
    encoded = encoded_of(fresh)
    first = read_out(fresh, encoded, tokens=LARGE)
    fine_tune(fresh, encoded, labels_of(), training_config, seed=0)
    assert np.abs(read_out(fresh, encoded, tokens=LARGE).logits - first.logits).max() > 1e-4


@pytest.fixture
def training_config():
    """One epoch at a rate that moves a tiny model."""
    from diet_core.config import TrainingConfig

    return TrainingConfig(lr=1e-2, batch_size=8)


def test_read_out_of_a_last_batch_of_one(bert):
    """Nine examples of equal length and room for four: 4, 4, 1."""
    ids = [np.array([2, 5 + i, 30 - i, 3]) for i in range(9)]
    columns = {"input_ids": ids, "attention_mask": [np.ones_like(i) for i in ids]}
    encoded = Encoded(columns, np.full(9, 4), {"input_ids": 0, "attention_mask": 0})
    sizes: list[int] = []
    out = read_out(bert, encoded, tokens=16, on_batch=sizes.append)
    assert sizes == [4, 4, 1]
    np.testing.assert_allclose(out.logits, one_at_a_time(bert, encoded).numpy(), atol=1e-5)


def test_read_out_of_one_example(bert):
    out = read_out(bert, encoded_of(bert, n=1), tokens=LARGE)
    assert out.logits.shape == (1, 3)
    assert out.feature_norm.shape == (1,)


def test_read_out_ignores_how_wide_the_padding_is(bert):
    """Example 0 beside shorter ones is the widest, beside a longer one it is padded."""
    encoded = encoded_of(bert)
    by_length = np.argsort(encoded.lengths)
    middle = by_length[N // 2]
    outs = [read_out(bert, encoded.take(np.array([middle, by_length[i]])), tokens=LARGE) for i in (0, -1)]
    np.testing.assert_allclose(outs[0].logits[0], outs[1].logits[0], atol=1e-6)


def test_read_out_is_float32(bert):
    out = read_out(bert, encoded_of(bert), tokens=LARGE, with_features=True)
    assert out.logits.dtype == out.feature_norm.dtype == np.float32
    assert out.features.dtype == np.float16
    assert torch.get_float32_matmul_precision() == "highest"


def test_read_out_of_a_model_in_training_mode_has_no_dropout(bert):
    encoded = encoded_of(bert)
    expected = read_out(bert, encoded, tokens=LARGE).logits
    bert.train()
    np.testing.assert_array_equal(read_out(bert, encoded, tokens=LARGE).logits, expected)
    assert not bert.training


def test_features_are_the_classifiers_input(bert):
    encoded = encoded_of(bert)
    seen: list[torch.Tensor] = []
    handle = bert.classifier.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with torch.no_grad():
        bert(**encoded.batch(np.arange(N), CPU))
    handle.remove()
    out = read_out(bert, encoded, tokens=84, with_features=True)
    np.testing.assert_allclose(out.features, seen[0].numpy(), atol=1e-3)
    np.testing.assert_allclose(out.feature_norm, seen[0].norm(dim=-1).numpy(), rtol=1e-5)


def test_features_are_kept_only_where_asked_for(bert):
    assert read_out(bert, encoded_of(bert), tokens=LARGE).features is None


def test_logits_are_the_classifier_of_the_features(bert):
    out = read_out(bert, encoded_of(bert), tokens=LARGE, with_features=True)
    again = out.features.astype(np.float32) @ bert.classifier.weight.detach().numpy().T
    np.testing.assert_allclose(again + bert.classifier.bias.detach().numpy(), out.logits, atol=5e-3)


def test_has_bias_says_whether_the_classifier_has_one(bert):
    assert read_out(bert, encoded_of(bert), tokens=LARGE).has_bias
    bert.classifier = torch.nn.Linear(16, 3, bias=False)
    assert not read_out(bert, encoded_of(bert), tokens=LARGE).has_bias


def test_on_batch_counts_every_example_once(bert):
    counts: list[int] = []
    read_out(bert, encoded_of(bert), tokens=84, on_batch=counts.append)
    assert sum(counts) == N
    assert len(counts) > 1


def test_on_batch_may_stop_the_readout(bert):
    def stop(n_examples: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_out(bert, encoded_of(bert), tokens=1, on_batch=stop)


def test_read_out_halves_a_batch_that_fills_the_memory(bert):
    """The device holds 5 examples: 23 are read as 12, 6, 3 and so on."""
    encoded = encoded_of(bert)
    expected = read_out(bert, encoded, tokens=LARGE)

    def refuse(module, args, kwargs):
        if len(kwargs["input_ids"]) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory")

    bert.register_forward_pre_hook(refuse, with_kwargs=True)
    out = read_out(bert, encoded, tokens=LARGE)
    np.testing.assert_allclose(out.logits, expected.logits, atol=1e-5)
    np.testing.assert_allclose(out.feature_norm, expected.feature_norm, rtol=1e-5)


def test_read_out_gives_up_where_one_example_fills_the_memory(bert):
    encoded = encoded_of(bert)
    read_out(bert, encoded, tokens=LARGE)

    def refuse(module, args, kwargs):
        if len(kwargs["input_ids"]) != 1 or kwargs["input_ids"].shape[1] == encoded.lengths.max():
            raise torch.OutOfMemoryError("CUDA out of memory")

    bert.register_forward_pre_hook(refuse, with_kwargs=True)
    with pytest.raises(torch.OutOfMemoryError):
        read_out(bert, encoded, tokens=LARGE)


def test_logits_that_are_not_finite_are_told_as_such(bert):
    """A model that went astray is no model without a classifier."""
    with torch.no_grad():
        bert.classifier.weight.fill_(float("nan"))
    out = read_out(bert, encoded_of(bert), tokens=LARGE)
    with pytest.raises(SettingError, match=r"example 0 in run 0 are not finite"):
        el2n(out.logits, labels_of())


def test_a_causal_language_model_is_refused():
    config = GPT2Config(
        vocab_size=60,
        n_positions=40,
        n_embd=16,
        n_layer=2,
        n_head=2,
        num_labels=3,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
    )
    gpt2 = AutoModelForSequenceClassification.from_config(config)
    with pytest.raises(ModelError, match=r"GPT2ForSequenceClassification .*Choose an encoder such as BERT"):
        read_out(gpt2, encoded_of(gpt2), tokens=LARGE)


def test_a_classifier_as_wide_as_the_layer_before_is_told_apart():
    """16 classes and a hidden width of 16: every layer has as many outputs as there are logits."""
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(RobertaConfig(**SIZES | {"num_labels": 16})).eval()
    batch = encoded_of(model).batch(np.array([0]), CPU)
    assert classifier_of(model, batch) is model.classifier.out_proj


def test_classifier_of_leaves_no_hook_behind(bert):
    classifier_of(bert, encoded_of(bert).batch(np.array([0]), CPU))
    with pytest.raises(ValueError, match="input_ids"):
        classifier_of(bert, {"no_such_input": torch.zeros(1)})
    assert not any(module._forward_hooks for module in bert.modules())


@pytest.mark.parametrize("kind", KINDS)
def test_check_reads_alone_passes_an_encoder_that_masks_its_padding(kind):
    model = model_of(kind)
    check_reads_alone(model, encoded_of(model))


def test_check_reads_alone_refuses_an_encoder_that_lets_padding_through():
    torch.manual_seed(0)
    sizes = {k: v for k, v in SIZES.items() if k != "num_attention_heads"}
    model = AutoModelForSequenceClassification.from_config(FNetConfig(**sizes, pad_token_id=0))
    encoded = encoded_of(model)
    encoded.columns.pop("attention_mask")
    with pytest.raises(ModelError, match="FNetForSequenceClassification gives a text other logits"):
        check_reads_alone(model, encoded)


def test_check_reads_alone_takes_a_single_text():
    model = model_of("bert")
    check_reads_alone(model, encoded_of(model, n=1))
