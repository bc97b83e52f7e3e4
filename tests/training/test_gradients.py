"""`diet_core.gradient_norms` and `read_gradients` against one backward pass per example."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

import diet_core
from diet_core.errors import ModelError, SettingError
from diet_core.scoring.el2n import grand
from diet_core.training.batches import Encoded, encode
from diet_core.training.gradients.norms import GradientReadout, gradient_norms_by_group, read_gradients
from diet_core.training.models import find_model, load_classifier, load_classifier_and_new, load_tokenizer

TEXTS = ["the film was good", "bad", "i hated it it was a very dull book", "not awful", "hello"]
LABELS = [2, 0, 1, 0, 2]
SCOPES = ("classifier", "new", "head", "full")
NEW = ("classifier.weight", "classifier.bias")
OF_SCOPE = {"classifier": NEW, "new": NEW, "head": ("classifier.", "bert.pooler."), "full": ("",)}
LARGE = 100_000


@pytest.fixture
def model(tiny_model) -> torch.nn.Module:
    return load_classifier(find_model(str(tiny_model)), 3, 0)


@pytest.fixture
def tokenizer(tiny_model):
    return load_tokenizer(find_model(str(tiny_model)))


@pytest.fixture
def inputs(tokenizer):
    return tokenizer(TEXTS, padding=True, return_tensors="pt")


@pytest.fixture
def encoded(tokenizer) -> Encoded:
    return encode(tokenizer, TEXTS, None, 128)


def slow_norms(model, tokenizer, scope: str = "full") -> list[float]:
    """The length of the gradient by a scope's parameters, text by text, unpadded."""
    model.eval()
    norms = []
    parameters = [p for name, p in model.named_parameters() if name.startswith(OF_SCOPE[scope])]
    for text, label in zip(TEXTS, LABELS, strict=True):
        loss = cross_entropy(model(**tokenizer(text, return_tensors="pt")).logits, torch.tensor([label]))
        gradients = torch.autograd.grad(loss, parameters)
        norms.append(math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradients)))
    return norms


def traces_of(model) -> list[object]:
    """What a caller could notice of a model that was read: modes, flags, hooks, gradients, weights."""
    return [
        [module.training for module in model.modules()],
        [p.requires_grad for p in model.parameters()],
        [p.grad for p in model.parameters()],
        [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()],
        [float(p.detach().double().sum()) for p in model.parameters()],
        torch.get_float32_matmul_precision(),
    ]


@pytest.mark.parametrize("scope", SCOPES)
def test_gradient_norms_equal_autograd(model, tokenizer, inputs, scope):
    norms = diet_core.gradient_norms(model, inputs, LABELS, scope=scope, new_parameters=NEW)
    assert norms.dtype == np.float64
    np.testing.assert_allclose(norms, slow_norms(model, tokenizer, scope), rtol=1e-5)


@pytest.mark.parametrize("scope", SCOPES)
def test_gradient_norms_without_a_bias_equal_autograd(model, tokenizer, inputs, scope):
    model.classifier = torch.nn.Linear(16, 3, bias=False)
    norms = diet_core.gradient_norms(model, inputs, LABELS, scope=scope, new_parameters=NEW[:1])
    np.testing.assert_allclose(norms, slow_norms(model, tokenizer, scope), rtol=1e-5)


def test_gradient_norms_are_of_the_whole_network_by_default(model, inputs):
    full = diet_core.gradient_norms(model, inputs, LABELS, scope="full")
    np.testing.assert_array_equal(diet_core.gradient_norms(model, inputs, LABELS), full)


def test_classifier_norms_equal_grand_of_logits_and_features(model, inputs):
    model.eval()
    with torch.no_grad():
        logits = model(**inputs).logits.numpy()
        features = model.bert(**inputs).pooler_output.norm(dim=-1).numpy()
    np.testing.assert_allclose(
        diet_core.gradient_norms(model, inputs, LABELS, scope="classifier"),
        grand(logits, LABELS, features),
        rtol=1e-6,
    )


def test_gradient_norms_do_not_depend_on_the_batch(model, tokenizer, inputs):
    whole = diet_core.gradient_norms(model, inputs, LABELS)
    alone = [
        diet_core.gradient_norms(model, tokenizer([text], return_tensors="pt"), [label])[0]
        for text, label in zip(TEXTS, LABELS, strict=True)
    ]
    assert whole.shape == (5,)
    np.testing.assert_allclose(whole, alone, rtol=1e-5)


@pytest.mark.parametrize("scope", SCOPES)
def test_gradient_norms_leave_the_model_as_it_was(model, inputs, scope):
    model.train()
    model.bert.encoder.layer[0].eval()
    model.bert.embeddings.requires_grad_(False)
    model.classifier.bias.grad = torch.ones(3)
    torch.set_float32_matmul_precision("high")
    before = traces_of(model)
    try:
        diet_core.gradient_norms(model, inputs, LABELS, scope=scope, new_parameters=NEW)
        after = traces_of(model)
    finally:
        torch.set_float32_matmul_precision("highest")
    assert after == before


@pytest.mark.parametrize("scope", SCOPES)
def test_gradient_norms_leave_the_model_as_it_was_after_an_error(model, inputs, scope):
    model.train()
    model.bert.embeddings.requires_grad_(False)
    before = traces_of(model)
    options = {"scope": scope, "new_parameters": NEW}
    with pytest.raises(SettingError):
        diet_core.gradient_norms(model, inputs, LABELS[:2], **options)
    with pytest.raises(ValueError, match="input_ids"):
        diet_core.gradient_norms(model, {"attention_mask": inputs["attention_mask"]}, LABELS, **options)
    with pytest.raises(IndexError):
        diet_core.gradient_norms(model, {"input_ids": inputs["input_ids"] + 1000}, LABELS, **options)
    assert traces_of(model) == before


def test_gradient_norms_work_where_gradients_are_off(model, inputs):
    expected = diet_core.gradient_norms(model, inputs, LABELS)
    with torch.no_grad():
        np.testing.assert_array_equal(diet_core.gradient_norms(model, inputs, LABELS), expected)


def test_gradient_norms_are_float32_under_autocast(model, inputs):
    expected = diet_core.gradient_norms(model, inputs, LABELS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        np.testing.assert_array_equal(diet_core.gradient_norms(model, inputs, LABELS), expected)


def test_gradient_norms_draw_no_random_numbers(model, inputs):
    state = torch.get_rng_state()
    diet_core.gradient_norms(model, inputs, LABELS)
    assert torch.equal(torch.get_rng_state(), state)


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
    with pytest.raises(SettingError, match=r"scope is 'all'\. Choose one of: classifier, new, head, full"):
        diet_core.gradient_norms(model, inputs, LABELS, scope="all")


def test_the_scope_new_needs_the_names_of_the_new_parameters(model, inputs):
    with pytest.raises(SettingError, match=r"needs new_parameters.*missing_keys"):
        diet_core.gradient_norms(model, inputs, LABELS, scope="new")
    with pytest.raises(SettingError, match=r"names 'head\.weight', which is no parameter of BertFor"):
        diet_core.gradient_norms(model, inputs, LABELS, scope="new", new_parameters=["head.weight"])


def test_a_scope_without_trainable_parameters_is_refused(model, inputs):
    with pytest.raises(SettingError, match=r"No trainable parameter .* scope 'new'"):
        diet_core.gradient_norms(model, inputs, LABELS, scope="new", new_parameters=[])
    with pytest.raises(SettingError, match=r"No trainable parameter .* scope 'full'"):
        diet_core.gradient_norms(model.requires_grad_(False), inputs, LABELS)


def test_gradient_norms_that_are_not_finite_are_told(model, inputs):
    with torch.no_grad():
        model.classifier.weight[0] = float("nan")
    with pytest.raises(SettingError, match="gradient of example 0 is not finite"):
        diet_core.gradient_norms(model, inputs, LABELS)


def test_classifier_norms_refuse_a_model_without_a_linear_classifier(model, inputs):
    model.classifier = torch.nn.Sequential(torch.nn.Linear(16, 3), torch.nn.Tanh())
    with pytest.raises(ModelError, match="do not come out of a linear layer"):
        diet_core.gradient_norms(model, inputs, LABELS, scope="classifier")
    assert (diet_core.gradient_norms(model, inputs, LABELS) > 0).all()


def test_wider_scopes_have_longer_gradients(model, inputs):
    norms = {s: diet_core.gradient_norms(model, inputs, LABELS, scope=s, new_parameters=NEW) for s in SCOPES}
    np.testing.assert_array_equal(norms["new"], norms["classifier"])
    assert (norms["head"] > norms["new"]).all()
    assert (norms["full"] > norms["head"]).all()


def test_groups_without_parameters_in_the_scope_are_left_out(model, inputs):
    for scope in ("classifier", "new", "head"):
        out = gradient_norms_by_group(model, inputs, LABELS, scope=scope, new_parameters=NEW)
        assert list(out.norms) == ["grad_norm", "grad_norm_head"]
        np.testing.assert_array_equal(out.norms["grad_norm"], out.norms["grad_norm_head"])


def read(model, encoded, scope="full", tokens=LARGE, **options) -> GradientReadout:
    labels = np.array(LABELS)[: len(encoded.lengths)]
    return read_gradients(model, encoded, labels, scope=scope, new_parameters=NEW, tokens=tokens, **options)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("tokens", [1, 14, LARGE])
def test_read_gradients_equal_autograd_in_any_batches(model, tokenizer, encoded, scope, tokens):
    """14 tokens: the longest text alone, then batches of two."""
    out = read(model, encoded, scope, tokens)
    assert out.norms["grad_norm"].dtype == np.float32
    np.testing.assert_allclose(out.norms["grad_norm"], slow_norms(model, tokenizer, scope), rtol=1e-5)
    assert out.loop_reason is None


def test_read_gradients_have_a_column_per_group(model, encoded, inputs):
    norms = read(model, encoded).norms
    assert list(norms) == ["grad_norm", "grad_norm_embeddings", "grad_norm_encoder", "grad_norm_head"]
    for name, values in gradient_norms_by_group(model, inputs, LABELS).norms.items():
        np.testing.assert_allclose(norms[name], values, rtol=1e-5)


def test_read_gradients_leave_the_model_as_it_was(model, encoded):
    model.train()
    before = traces_of(model)
    read(model, encoded)
    assert traces_of(model) == before


def test_read_gradients_count_every_example_once_and_may_be_stopped(model, encoded):
    counts: list[int] = []
    read(model, encoded, tokens=14, on_batch=counts.append)
    assert sum(counts) == 5
    assert len(counts) > 1

    def stop(n_examples: int) -> None:
        raise KeyboardInterrupt

    model.train()
    before = traces_of(model)
    with pytest.raises(KeyboardInterrupt):
        read(model, encoded, tokens=14, on_batch=stop)
    assert traces_of(model) == before


def test_read_gradients_halve_a_batch_that_fills_the_memory(model, encoded):
    expected = read(model, encoded).norms

    def refuse(module, args, kwargs):
        if len(kwargs["input_ids"]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    handle = model.register_forward_pre_hook(refuse, with_kwargs=True)
    out = read(model, encoded)
    handle.remove()
    assert out.loop_reason is None
    for name, values in out.norms.items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-5)


def test_read_gradients_give_up_where_one_example_fills_the_memory(model, encoded):
    def refuse(module, args, kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory")

    model.register_forward_pre_hook(refuse, with_kwargs=True)
    with pytest.raises(torch.OutOfMemoryError):
        read(model, encoded)


def test_read_gradients_refuse_a_label_of_no_class(model, encoded):
    """The place is that of the example, not that of its row in a batch by length."""
    labels = np.array([2, 0, 1, 3, 2])
    with pytest.raises(SettingError, match="label of example 3 is 3"):
        read_gradients(model, encoded, labels, scope="full", new_parameters=None, tokens=LARGE)


def test_read_gradients_of_a_model_that_went_astray_are_not_finite(model, encoded):
    """The check of the logits tells it."""
    with torch.no_grad():
        model.classifier.weight.fill_(float("nan"))
    assert np.isnan(read(model, encoded).norms["grad_norm"]).all()


def test_read_gradients_notice_a_wrong_split_and_loop(model, tokenizer, encoded, monkeypatch):
    """Half of the biases' gradient, as if a formula were wrong for this model."""
    from diet_core.training.gradients.layer_norms import FORMULAS

    key = (torch.nn.Linear, "bias")
    right = FORMULAS[key]
    monkeypatch.setitem(FORMULAS, key, lambda uses: right(uses) / 2)
    out = read(model, encoded)
    assert "another gradient within a batch than alone" in out.loop_reason
    np.testing.assert_allclose(out.norms["grad_norm"], slow_norms(model, tokenizer), rtol=1e-5)


def test_read_gradients_loop_from_the_first_batch_on_where_they_must(model, tokenizer, encoded):
    weight = model.bert.pooler.dense.weight
    model.classifier.register_forward_pre_hook(lambda _, args: (args[0] @ weight,))
    out = read(model, encoded, tokens=14)
    assert "uses bert.pooler.dense.weight otherwise" in out.loop_reason
    np.testing.assert_allclose(out.norms["grad_norm"], slow_norms(model, tokenizer), rtol=1e-5)


def test_new_parameters_of_a_loaded_model_are_a_scope(tiny_model, encoded):
    model, new = load_classifier_and_new(find_model(str(tiny_model)), 3, 0)
    labels = np.array(LABELS)
    out = read_gradients(model, encoded, labels, scope="new", new_parameters=new, tokens=LARGE)
    np.testing.assert_array_equal(
        out.norms["grad_norm"], read(model, encoded, "classifier").norms["grad_norm"]
    )


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("scope", SCOPES)
def test_read_gradients_on_cuda_equal_cpu(model, encoded, scope):
    on_cpu = read(model, encoded, scope)
    torch.set_float32_matmul_precision("high")
    on_cuda = read(model.to("cuda"), encoded, scope)
    torch.set_float32_matmul_precision("highest")
    assert on_cuda.loop_reason is None
    for name, values in on_cpu.norms.items():
        np.testing.assert_allclose(on_cuda.norms[name], values, rtol=1e-4)
