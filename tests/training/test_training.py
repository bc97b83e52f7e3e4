"""Batches and the fine-tuning loop, on a two-layer BERT of random weights."""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy
from torch.optim.optimizer import register_optimizer_step_pre_hook

from diet_core.config import TrainingConfig
from diet_core.errors import RunFailedError
from diet_core.training.batches import encode, scoring_batches, to_device, training_batches
from diet_core.training.loop import Hooks, Training, adamw, fine_tune, rate_factor, steps_of
from diet_core.training.models import find_model, load_classifier, load_tokenizer
from diet_core.training.readout import read_out

CPU = torch.device("cpu")
CONFIG = TrainingConfig(lr=5e-3, batch_size=16)
LONGER = TrainingConfig(lr=1e-2, batch_size=8, epochs=8)
CLASSES = ["neg", "neu", "pos"]


@pytest.fixture(scope="module")
def source(tiny_model):
    return find_model(str(tiny_model))


@pytest.fixture(scope="module")
def encoded(source, sentences):
    """The 120 sentences as tokens."""
    return encode(load_tokenizer(source), sentences["text"].tolist(), None, 128)


@pytest.fixture(scope="module")
def labels(sentences) -> np.ndarray:
    return np.array([CLASSES.index(label) for label in sentences["label"]])


def weights_of(model: torch.nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in model.parameters()]


def trained(source, encoded, labels, config=CONFIG, seed=0, **options) -> torch.nn.Module:
    model = load_classifier(source, 3, seed)
    fine_tune(model, encoded, labels, config, seed=seed, **options)
    return model


def loss_of(model, encoded, labels) -> float:
    logits = torch.from_numpy(read_out(model, encoded, tokens=4096).logits)
    return float(cross_entropy(logits, torch.from_numpy(labels)))


LENGTHS = st.lists(st.integers(2, 128), min_size=1, max_size=300).map(np.array)


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 40), st.integers(0, 99))
def test_training_batches_hold_every_row_once(lengths, batch_size, seed):
    batches = training_batches(lengths, batch_size, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    sizes = sorted(len(rows) for rows in batches)
    assert all(size == batch_size for size in sizes[1:])
    assert sizes[0] == (len(lengths) % batch_size or batch_size)


def test_training_batches_hold_every_row_once_over_several_chunks():
    lengths = np.random.default_rng(0).integers(2, 128, 2 * 50 * 4 + 13)
    batches = training_batches(lengths, 4, np.random.default_rng(0))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert len(batches) == 104


def test_training_batches_may_end_in_a_batch_of_one():
    sizes = [len(rows) for rows in training_batches(np.full(33, 5), 32, np.random.default_rng(0))]
    assert sorted(sizes) == [1, 32]


def test_training_batches_follow_the_generator():
    lengths = np.random.default_rng(0).integers(2, 60, 100)
    draws = [np.concatenate(training_batches(lengths, 8, np.random.default_rng(s))) for s in (1, 1, 2)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()


def test_training_batches_differ_from_epoch_to_epoch():
    rng = np.random.default_rng(0)
    lengths = np.full(64, 9)
    first, second = (np.concatenate(training_batches(lengths, 8, rng)) for _ in range(2))
    assert (first != second).any()


def test_training_batches_keep_the_padding_low():
    """Random batches of these lengths are padded to nearly twice their tokens."""
    lengths = np.random.default_rng(0).gamma(2, 12, 5000).astype(int).clip(3, 128)

    def padded(batches) -> float:
        return sum(len(rows) * lengths[rows].max() for rows in batches) / lengths.sum()

    order = np.random.default_rng(1).permutation(5000)
    assert padded(np.array_split(order, 157)) > 1.9
    assert padded(training_batches(lengths, 32, np.random.default_rng(1))) < 1.1


def test_training_batches_do_not_run_from_long_to_short():
    """The batches of a chunk are shuffled: position and length hardly correlate."""
    lengths = np.random.default_rng(0).integers(3, 128, 3200)
    means = [lengths[rows].mean() for rows in training_batches(lengths, 32, np.random.default_rng(0))]
    assert abs(np.corrcoef(np.arange(len(means)), means)[0, 1]) < 0.4


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 5000))
def test_scoring_batches_hold_every_row_once_within_the_budget(lengths, tokens):
    batches = list(scoring_batches(lengths, tokens))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    for rows in batches:
        assert len(rows) == 1 or len(rows) * lengths[rows].max() <= tokens
    widest = [lengths[rows].max() for rows in batches]
    assert widest == sorted(widest, reverse=True)


def test_padding_fills_up_to_the_longest_of_the_batch(source):
    encoded = encode(load_tokenizer(source), ["the film", "good", "a very good film"], None, 128)
    batch = encoded.batch(np.array([1, 0]), CPU)
    assert batch["input_ids"].tolist() == [[2, 13, 3, 0], [2, 4, 6, 3]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert encoded.lengths.tolist() == [4, 3, 6]


def test_padding_equals_the_tokenizers_own(source, sentences):
    tokenizer = load_tokenizer(source)
    texts = sentences["text"].tolist()
    ours = encode(tokenizer, texts, None, 128).batch(np.arange(len(texts)), CPU)
    theirs = tokenizer(texts, padding=True, return_tensors="pt")
    assert set(ours) == set(theirs)
    for name in ours:
        assert torch.equal(ours[name], theirs[name])


def test_padding_takes_the_tokenizers_padding_token(source):
    tokenizer = load_tokenizer(source)
    tokenizer.pad_token = "hello"
    batch = encode(tokenizer, ["good", "good film"], None, 128).batch(np.array([0, 1]), CPU)
    assert batch["input_ids"][0, -1] == tokenizer.convert_tokens_to_ids("hello")
    assert batch["attention_mask"][0, -1] == 0


def test_encode_of_pairs_gives_token_types(source):
    tokenizer = load_tokenizer(source)
    tokenizer.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]  # as BERT's own
    encoded = encode(tokenizer, ["the film", "good"], ["was good", "bad"], 128)
    batch = encoded.batch(np.array([0, 1]), CPU)
    assert batch["input_ids"].tolist() == [[2, 4, 6, 3, 9, 13, 3], [2, 13, 3, 16, 3, 0, 0]]
    assert batch["token_type_ids"].tolist() == [[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0, 0]]


def test_encode_cuts_to_max_length(source):
    tokenizer = load_tokenizer(source)
    assert encode(tokenizer, ["good " * 50], None, 10).lengths.tolist() == [10]
    assert encode(tokenizer, ["good " * 50], ["bad " * 50], 10).lengths.tolist() == [10]


def test_encode_of_several_chunks_keeps_the_order(source, monkeypatch):
    monkeypatch.setattr("diet_core.training.batches.TOKENIZER_CHUNK", 3)
    texts = ["good " * n for n in range(1, 9)]
    assert encode(load_tokenizer(source), texts, None, 128).lengths.tolist() == list(range(3, 11))
    assert encode(load_tokenizer(source), texts, texts, 128).lengths.tolist() == list(range(5, 21, 2))


def test_encode_of_an_empty_text_keeps_its_special_tokens(source):
    assert encode(load_tokenizer(source), ["", "good"], None, 128).lengths.tolist() == [2, 3]


def test_take_reorders_the_examples(encoded):
    taken = encoded.take(np.array([5, 2]))
    assert taken.lengths.tolist() == encoded.lengths[[5, 2]].tolist()
    assert taken.columns["input_ids"][0].tolist() == encoded.columns["input_ids"][5].tolist()


def test_to_device_keeps_values_and_type():
    assert to_device(np.array([1, 2]), CPU).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("n", "batch_size", "epochs", "steps"), [(32, 32, 1, 1), (33, 32, 1, 2), (1, 32, 3, 3), (100, 8, 2, 26)]
)
def test_steps_of_counts_the_last_smaller_batch(n, batch_size, epochs, steps):
    assert steps_of(n, TrainingConfig(batch_size=batch_size, epochs=epochs)) == steps


def test_schedule_rises_to_one_then_falls_towards_zero():
    factor = partial(rate_factor, warmup=4, total=10)
    assert [factor(s) for s in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert [factor(s) for s in range(4, 10)] == pytest.approx([1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])
    assert factor(10) == 0


def test_schedule_without_warmup_starts_at_one():
    assert [rate_factor(s, 0, 4) for s in range(5)] == [1, 0.75, 0.5, 0.25, 0]


def test_schedule_of_one_step_trains_at_the_peak():
    assert rate_factor(0, 1, 1) == 1


def test_no_step_of_the_schedule_is_wasted():
    for warmup, total in [(0, 1), (1, 1), (1, 2), (3, 50), (50, 50)]:
        assert all(0 < rate_factor(step, warmup, total) <= 1 for step in range(total))


def test_weight_decay_is_on_matrices_only(source):
    model = load_classifier(source, 3, 0)
    decayed, others = adamw(model.parameters(), CONFIG.weight_decay, CONFIG.lr).param_groups
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.01, 0.0)
    names = {p: name for name, p in model.named_parameters()}
    assert all(names[p].endswith("weight") and "LayerNorm" not in names[p] for p in decayed["params"])
    assert all("LayerNorm" in names[p] or names[p].endswith("bias") for p in others["params"])
    assert len(decayed["params"]) + len(others["params"]) == len(names)


def test_fine_tune_sees_every_example_once_per_epoch(source, encoded, labels):
    """120 examples in batches of 17: seven full ones and a last of one."""
    sizes: list[int] = []
    hooks = Hooks(on_step=lambda training, n: sizes.append(n))
    trained(source, encoded, labels, TrainingConfig(lr=1e-3, batch_size=17, epochs=2), hooks=hooks)
    assert sorted(sizes[:8]) == sorted(sizes[8:]) == [1] + [17] * 7


def test_fine_tune_counts_steps_from_one_through_the_epochs(source, encoded, labels):
    steps: list[int] = []
    hooks = Hooks(on_step=lambda training, n: steps.append(training.step))
    trained(source, encoded, labels, TrainingConfig(lr=1e-3, batch_size=50, epochs=2), hooks=hooks)
    assert steps == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("total", [3, 8, 11, 16])
def test_fine_tune_stops_after_total_steps(source, encoded, labels, total):
    """120 examples in batches of 16 are 8 steps an epoch."""
    steps: list[int] = []
    hooks = Hooks(on_step=lambda training, n: steps.append(training.step))
    trained(source, encoded, labels, total_steps=total, hooks=hooks)
    assert steps == list(range(1, total + 1))


def test_fine_tune_lowers_the_loss(source, encoded, labels):
    before = loss_of(load_classifier(source, 3, 0), encoded, labels)
    after = loss_of(trained(source, encoded, labels, LONGER), encoded, labels)
    assert before == pytest.approx(np.log(3), abs=0.15)
    assert after < before - 0.1


def test_fine_tune_in_bf16_lowers_the_loss_and_keeps_float32_weights(source, encoded, labels):
    model = trained(source, encoded, labels, LONGER, precision="bf16")
    assert loss_of(model, encoded, labels) < np.log(3) - 0.1
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_fine_tune_in_bf16_differs_from_float32(source, encoded, labels):
    models = [trained(source, encoded, labels, precision=p) for p in ("bf16", "float32")]
    assert not all(map(torch.equal, *map(weights_of, models)))


def test_the_same_seed_trains_the_same_weights(source, encoded, labels):
    first, second = (weights_of(trained(source, encoded, labels, seed=3)) for _ in range(2))
    assert all(map(torch.equal, first, second))


def test_another_seed_trains_other_weights(source, encoded, labels):
    first, second = (weights_of(trained(source, encoded, labels, seed=seed)) for seed in (3, 4))
    assert not all(map(torch.equal, first, second))


def test_a_readout_after_any_step_does_not_change_the_training(source, encoded, labels):
    """It draws no random number, and training goes on in training mode."""
    config = dataclasses.replace(CONFIG, epochs=2)
    hooks = Hooks(on_step=lambda training, n: read_out(training.model, encoded, tokens=512))
    with_readout = weights_of(trained(source, encoded, labels, config, hooks=hooks))
    without = weights_of(trained(source, encoded, labels, config))
    assert all(map(torch.equal, with_readout, without))


def test_fine_tune_trains_with_dropout_after_a_readout_too(source, encoded, labels):
    """A loaded model and one that was read out are both in eval mode."""
    model = load_classifier(source, 3, 0)
    modes: list[bool] = []
    hooks = Hooks(on_step=lambda training, n: training.model.eval())
    handle = model.register_forward_pre_hook(lambda module, _: modes.append(module.training))
    fine_tune(model, encoded, labels, dataclasses.replace(CONFIG, epochs=2), seed=0, hooks=hooks)
    handle.remove()
    assert modes == [True] * 16


def test_fine_tune_clips_the_gradients(source, encoded, labels):
    lengths: list[float] = []
    model = load_classifier(source, 3, 0)

    def remember(optimizer, args, kwargs) -> None:
        grads = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        lengths.append(float(torch.linalg.vector_norm(torch.cat([g.flatten() for g in grads]))))

    hook = register_optimizer_step_pre_hook(remember)
    fine_tune(model, encoded, labels, dataclasses.replace(CONFIG, max_grad_norm=0.01), seed=0)
    hook.remove()
    assert len(lengths) == 8
    assert max(lengths) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_a_loss_that_is_not_finite_ends_the_run_with_advice(source, encoded, labels, precision):
    model = load_classifier(source, 3, 0)
    with torch.no_grad():
        model.classifier.weight.fill_(float("inf"))
    with pytest.raises(
        RunFailedError, match=r"The loss is nan at step 1 with lr 0\.005\. Train with a lower --lr"
    ):
        fine_tune(model, encoded, labels, CONFIG, seed=0, precision=precision)


def test_a_full_memory_ends_the_run_with_advice(source, encoded, labels):
    model = load_classifier(source, 3, 0)

    def refuse(module, args, kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory")

    model.register_forward_pre_hook(refuse, with_kwargs=True)
    with pytest.raises(
        RunFailedError, match=r"batch size 16 and 128 tokens\. Lower --batch-size or --max-length"
    ):
        fine_tune(model, encoded, labels, CONFIG, seed=0)


def test_a_hook_may_stop_the_training(source, encoded, labels):
    def stop(training: Training, n_examples: int) -> None:
        if training.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(source, encoded, labels, hooks=Hooks(on_step=stop))


def test_fine_tune_takes_one_example(source, encoded, labels):
    rows = np.array([7])
    sizes: list[int] = []
    hooks = Hooks(on_step=lambda training, n: sizes.append(n))
    trained(source, encoded.take(rows), labels[rows], hooks=hooks)
    assert sizes == [1]


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("stop_at", [1, 7, 8, 9, 16])
def test_a_stopped_training_goes_on_to_the_same_weights(
    source, encoded, labels, tmp_path, stop_at, precision
):
    """Two epochs of eight steps; stopped within an epoch, at the end of the first and of the last."""
    config = dataclasses.replace(CONFIG, epochs=2)
    file = tmp_path / "state.pt"

    def stop(training: Training, n_examples: int) -> None:
        if training.step == stop_at:
            torch.save(training.state(), file)
            raise KeyboardInterrupt

    expected = weights_of(trained(source, encoded, labels, config, precision=precision))
    with pytest.raises(KeyboardInterrupt):
        trained(source, encoded, labels, config, precision=precision, hooks=Hooks(on_step=stop))
    torch.manual_seed(99)  # a worker that starts anew has another generator
    seen: list[int] = []
    hooks = Hooks(
        on_resume=lambda training: seen.append(training.step),
        on_step=lambda training, n: seen.append(training.step),
    )
    state = torch.load(file, weights_only=True)
    resumed = trained(source, encoded, labels, config, precision=precision, hooks=hooks, state=state)
    assert all(map(torch.equal, weights_of(resumed), expected))
    assert seen == list(range(stop_at, 17))
