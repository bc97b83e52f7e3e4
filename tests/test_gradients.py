"""`diet_core.gradient_norms` against one backward pass per example."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

import diet_core
from diet_core.errors import ModelError, SettingError
from diet_core.scoring.el2n import grand
from diet_core.training.models import find_model, load_classifier, load_tokenizer

TEXTS = ["the film was good", "bad", "i hated it it was a very dull book", "not awful", "hello"]
LABELS = [2, 0, 1, 0, 2]


@pytest.fixture
def model(tiny_model) -> torch.nn.Module:
    return load_classifier(find_model(str(tiny_model)), 3, 0)


@pytest.fixture
def tokenizer(tiny_model):
    return load_tokenizer(find_model(str(tiny_model)))


@pytest.fixture
def inputs(tokenizer):
    return tokenizer(TEXTS, padding=True, return_tensors="pt")


def slow_norms(model, tokenizer) -> list[float]:
    """The length of the gradient of weight and bias of the classifier, text by text, unpadded."""
    model.eval()
    norms = []
    for text, label in zip(TEXTS, LABELS, strict=True):
        loss = cross_entropy(model(**tokenizer(text, return_tensors="pt")).logits, torch.tensor([label]))
        gradients = torch.autograd.grad(loss, list(model.classifier.parameters()))
        norms.append(math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradients)))
    return norms


def test_gradient_norms_equal_autograd(model, tokenizer, inputs):
    expected = slow_norms(model, tokenizer)
    np.testing.assert_allclose(diet_core.gradient_norms(model, inputs, LABELS), expected, rtol=1e-5)


def test_gradient_norms_without_a_bias_equal_autograd(model, tokenizer, inputs):
    model.classifier = torch.nn.Linear(16, 3, bias=False)
    expected = slow_norms(model, tokenizer)
    np.testing.assert_allclose(diet_core.gradient_norms(model, inputs, LABELS), expected, rtol=1e-5)


def test_gradient_norms_equal_grand_of_logits_and_features(model, inputs):
    model.eval()
    with torch.no_grad():
        logits = model(**inputs).logits.numpy()
        features = model.bert(**inputs).pooler_output.norm(dim=-1).numpy()
    np.testing.assert_allclose(
        diet_core.gradient_norms(model, inputs, LABELS), grand(logits, LABELS, features), rtol=1e-5
    )


def test_gradient_norms_do_not_depend_on_the_batch(model, tokenizer, inputs):
    whole = diet_core.gradient_norms(model, inputs, LABELS)
    alone = [
        diet_core.gradient_norms(model, tokenizer([text], return_tensors="pt"), [label])[0]
        for text, label in zip(TEXTS, LABELS, strict=True)
    ]
    assert whole.shape == (5,)
    np.testing.assert_allclose(whole, alone, rtol=1e-5)


def test_gradient_norms_leave_the_model_as_it_was(model, inputs):
    model.train()
    before = [p.detach().clone() for p in model.parameters()]
    diet_core.gradient_norms(model, inputs, LABELS)
    assert model.training
    assert all(p.grad is None and torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_gradient_norms_leave_the_model_as_it_was_after_an_error(model, inputs):
    model.train()
    with pytest.raises(SettingError):
        diet_core.gradient_norms(model, inputs, LABELS[:2])
    with pytest.raises(ValueError, match="input_ids"):
        diet_core.gradient_norms(model, {"attention_mask": inputs["attention_mask"]}, LABELS)
    assert model.training
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_gradient_norms_have_no_dropout(model, inputs):
    model.train()
    norms = [diet_core.gradient_norms(model, inputs, LABELS) for _ in range(2)]
    np.testing.assert_array_equal(*norms)


@pytest.mark.parametrize("kind", [list, np.asarray, torch.tensor])
def test_gradient_norms_take_labels_of_any_kind(model, inputs, kind):
    expected = diet_core.gradient_norms(model, inputs, LABELS)
    np.testing.assert_array_equal(diet_core.gradient_norms(model, inputs, kind(LABELS)), expected)


def test_gradient_norms_take_lists_of_tokens(model, tokenizer, inputs):
    expected = diet_core.gradient_norms(model, inputs, LABELS)
    as_lists = tokenizer(TEXTS, padding=True)
    np.testing.assert_array_equal(diet_core.gradient_norms(model, as_lists, LABELS), expected)


@pytest.mark.parametrize(("label", "value"), [(3, "3"), (-1, "-1"), (-100, "-100")])
def test_gradient_norms_name_a_label_that_is_no_class_number(model, inputs, label, value):
    """−100 is what cross-entropy ignores: its gradient would be 0 without a word."""
    with pytest.raises(SettingError, match=rf"example 3 is {value}\. Give class numbers.*from 0 to 2"):
        diet_core.gradient_norms(model, inputs, [0, 1, 2, label, 0])


@pytest.mark.parametrize("labels", [[0, 1], [[0, 1, 2, 0, 1]], 0])
def test_gradient_norms_refuse_labels_that_do_not_fit(model, inputs, labels):
    with pytest.raises(SettingError, match="There are 5 texts and labels of shape"):
        diet_core.gradient_norms(model, inputs, labels)


def test_gradient_norms_refuse_labels_that_are_not_whole(model, inputs):
    with pytest.raises(SettingError, match="class numbers"):
        diet_core.gradient_norms(model, inputs, [0.5, 1.0, 2.0, 0.0, 1.0])
    with pytest.raises(SettingError, match="class numbers"):
        diet_core.gradient_norms(model, inputs, ["neg", "pos", "neg", "neg", "pos"])


def test_gradient_norms_refuse_an_unknown_scope(model, inputs):
    with pytest.raises(SettingError, match="scope is 'all'"):
        diet_core.gradient_norms(model, inputs, LABELS, scope="all")


def test_gradient_norms_refuse_a_model_without_a_linear_classifier(model, inputs):
    model.classifier = torch.nn.Sequential(torch.nn.Linear(16, 3), torch.nn.Tanh())
    with pytest.raises(ModelError, match="do not come out of a linear layer"):
        diet_core.gradient_norms(model, inputs, LABELS)
