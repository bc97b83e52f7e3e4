"""The quick look's maths: embeddings that depend on the text alone, and a head that learns from them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from diet_core.config import TrainingConfig
from diet_core.errors import ModelError, RunFailedError
from diet_core.scoring.el2n import grand
from diet_core.training.frozen import PASSES_PER_EPOCH, Head, embed, fit_head, head_logits
from tests.training.tiny_encoders import encoded_of, fresh_model, model_of

CPU = torch.device("cpu")
LARGE = 100_000
CONFIG = TrainingConfig(encoder="frozen", batch_size=16)


def one_at_a_time(model, encoded) -> np.ndarray:
    """The mean hidden state of each text alone and unpadded."""
    with torch.no_grad():
        hidden = [
            model.base_model(**encoded.batch(np.array([i]), CPU)).last_hidden_state[0].mean(dim=0)
            for i in range(len(encoded.lengths))
        ]
    return torch.stack(hidden).numpy()


def blobs(n: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three well separated clouds in 8 dimensions; one more feature is constant."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    centres = np.random.default_rng(5).normal(0, 3, (3, 8))
    features = np.column_stack([centres[labels] + rng.normal(0, 1, (n, 8)), np.full(n, 7.0)])
    return features.astype(np.float32), labels


@pytest.fixture(params=["bert", "roberta", "distilbert", "electra", "albert", "deberta-v2", "mpnet"])
def model(request) -> torch.nn.Module:
    return model_of(request.param)


def test_embed_equals_the_mean_over_the_tokens_of_each_text_alone(model):
    encoded = encoded_of(model)
    np.testing.assert_allclose(embed(model, encoded, tokens=84), one_at_a_time(model, encoded), atol=1e-5)


@pytest.mark.parametrize("tokens", [1, 84, 300])
def test_embed_does_not_depend_on_the_batch(tokens):
    model = model_of("bert")
    encoded = encoded_of(model)
    whole = embed(model, encoded, tokens=LARGE)
    np.testing.assert_allclose(embed(model, encoded, tokens=tokens), whole, atol=1e-5)


def test_embed_follows_the_order_of_the_rows():
    model = model_of("bert")
    encoded, order = encoded_of(model), np.random.default_rng(1).permutation(23)
    before = embed(model, encoded, tokens=84)
    np.testing.assert_allclose(embed(model, encoded.take(order), tokens=84), before[order], atol=1e-5)


def test_embed_is_float32_and_leaves_dropout_out():
    model = fresh_model("bert").train()
    first, second = (embed(model, encoded_of(model), tokens=84) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.float32


def test_embed_takes_a_bare_encoder():
    model = model_of("bert")
    encoded = encoded_of(model)
    np.testing.assert_array_equal(
        embed(model.base_model, encoded, tokens=84), embed(model, encoded, tokens=84)
    )


def test_embed_counts_every_text_once():
    counts: list[int] = []
    model = model_of("bert")
    embed(model, encoded_of(model), tokens=84, on_batch=counts.append)
    assert sum(counts) == 23
    assert len(counts) > 1


def test_embed_halves_a_batch_that_fills_the_memory():
    """The device holds 5 texts."""
    model = fresh_model("bert")
    encoded = encoded_of(model)
    expected = embed(model, encoded, tokens=LARGE)

    def refuse(module, args, kwargs):
        if len(kwargs["input_ids"]) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory")

    model.base_model.register_forward_pre_hook(refuse, with_kwargs=True)
    np.testing.assert_allclose(embed(model, encoded, tokens=LARGE), expected, atol=1e-5)


def test_embed_refuses_a_model_without_a_state_per_token():
    class Pooled(torch.nn.Linear):
        def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
            return torch.zeros(1)

    with pytest.raises(ModelError, match="Pooled gives no hidden state per token"):
        embed(Pooled(2, 2), encoded_of(model_of("bert")), tokens=LARGE)


def test_fit_head_learns_what_can_be_separated():
    features, labels = blobs()
    logits, _ = head_logits(fit_head(features, labels, 3, config=CONFIG, seed=0), features)
    assert (logits.argmax(axis=1) == labels).mean() > 0.95


def test_fit_head_ranks_a_wrong_label_first():
    features, labels = blobs()
    wrong = labels.copy()
    wrong[17] = (labels[17] + 1) % 3
    logits, _ = head_logits(fit_head(features, wrong, 3, config=CONFIG, seed=0), features)
    error = -np.take_along_axis(logits - logits.max(axis=1, keepdims=True), wrong[:, None], axis=1)
    assert error.argmax() == 17


def test_fit_head_gives_the_same_bytes_for_the_same_seed():
    features, labels = blobs()
    first, second = (fit_head(features, labels, 3, config=CONFIG, seed=4) for _ in range(2))
    assert torch.equal(first.weight, second.weight)
    assert torch.equal(first.bias, second.bias)


def test_fit_head_does_not_depend_on_torchs_own_generator_or_threads():
    features, labels = blobs()
    first = fit_head(features, labels, 3, config=CONFIG, seed=4)
    torch.manual_seed(99)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        second = fit_head(features, labels, 3, config=CONFIG, seed=4)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(first.weight, second.weight)


def test_fit_head_differs_from_seed_to_seed():
    features, labels = blobs()
    heads = [fit_head(features, labels, 3, config=CONFIG, seed=seed) for seed in range(2)]
    logits = [head_logits(head, features)[0] for head in heads]
    assert np.abs(logits[0] - logits[1]).max() > 1e-2


def test_fit_head_standardises_by_the_training_rows_alone():
    features, labels = blobs()
    head = fit_head(features[:60], labels[:60], 3, config=CONFIG, seed=0)
    np.testing.assert_allclose(head.mean, features[:60].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(head.scale[:8], features[:60, :8].std(axis=0), rtol=1e-5)
    inputs = head.inputs(features[:60]).numpy()
    np.testing.assert_allclose(inputs.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(inputs[:, :8].std(axis=0), 1, atol=1e-5)


def test_a_constant_feature_stays_zero():
    """Divided by its deviation, which is rounding, it would be noise as large as any other feature."""
    features, labels = blobs()
    features[::2, 8] += 1e-6
    head = fit_head(features, labels, 3, config=CONFIG, seed=0)
    assert head.inputs(features)[:, 8].abs().max() < 1e-5


def test_a_step_is_told_once_each_and_an_epoch_has_as_many_as_fine_tuning():
    features, labels = blobs()
    told: list[int] = []
    config = dataclasses.replace(CONFIG, epochs=2)
    fit_head(features, labels, 3, config=config, seed=0, on_step=lambda step, _: told.append(step))
    assert told == list(range(2 * config.epoch_steps(120) + 1))


def test_the_head_at_step_0_is_nearly_undecided():
    features, labels = blobs()
    seen: list[np.ndarray] = []

    def look(step: int, head: Head) -> None:
        if step == 0:
            seen.append(head_logits(head, features)[0])

    fit_head(features, labels, 3, config=CONFIG, seed=0, on_step=look)
    assert np.abs(seen[0]).max() < 1


def test_total_steps_is_heeded_beyond_the_epochs():
    features, labels = blobs()
    told: list[int] = []
    fit_head(features, labels, 3, config=CONFIG, seed=0, total_steps=11, on_step=lambda s, _: told.append(s))
    assert told[-1] == 11


def test_on_step_may_stop_the_training():
    def stop(step: int, head: Head) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_head(*blobs(), 3, config=CONFIG, seed=0, on_step=stop)


def test_a_head_that_went_astray_is_told_as_such():
    features, labels = blobs()
    features[3, 2] = np.nan
    with pytest.raises(RunFailedError, match="no finite numbers"):
        fit_head(features, labels, 3, config=CONFIG, seed=0)


def test_grand_of_the_facts_equals_autograd():
    """The loss gradient of weight and bias of the head, one example at a time."""
    features, labels = blobs(20)
    head = fit_head(features, labels, 3, config=CONFIG, seed=0)
    logits, norms = head_logits(head, features)
    expected = []
    for x, label in zip(head.inputs(features), labels, strict=True):
        z = torch.addmm(head.bias, x[None], head.weight.T)
        loss = torch.nn.functional.cross_entropy(z, torch.tensor([label]))
        parts = torch.autograd.grad(loss, [head.weight, head.bias])
        expected.append(float(torch.cat([g.flatten() for g in parts]).double().norm()))
    np.testing.assert_allclose(grand(logits, labels, norms), expected, rtol=1e-4)


def test_an_epoch_is_several_passes():
    assert PASSES_PER_EPOCH > 1
