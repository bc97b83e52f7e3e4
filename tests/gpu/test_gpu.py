"""What a GPU does otherwise than a CPU: copies, generators, precision and a memory that gets full.

Functions without arguments: `make gpu` runs them without pytest. GPU_TEST_DEVICE=cpu tries out the tests.
"""

from __future__ import annotations

import copy
import dataclasses
import io
import os
import unittest
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from bench.gpu.inputs import TINY, TOLERANCE, made_model, made_texts, prepare
from bench.gpu.scoring import MANY_TOKENS, differences
from diet_core.config import TrainingConfig
from diet_core.errors import RunFailedError
from diet_core.training import devices
from diet_core.training.batches import to_device
from diet_core.training.first_token import trim_last_layer
from diet_core.training.frozen import embed, fit_head, head_logits
from diet_core.training.gradients.norms import read_gradients
from diet_core.training.loop import Hooks, fine_tune
from diet_core.training.readout import read_out

DEVICE = os.environ.get("GPU_TEST_DEVICE", "cuda")
if DEVICE == "cuda" and not torch.cuda.is_available():
    raise unittest.SkipTest("needs a CUDA device")

CONFIG = TrainingConfig(lr=1e-3, device=DEVICE)
N = 256
TEXTS, LABELS = made_texts(N)
HEADROOM = 512 * 2**20
# 256 KiB per token within each layer: a text has room in HEADROOM, a large batch has not.
WIDE = (*TINY[:3], 65_536)


def tiny():
    return made_model(*TINY).to(DEVICE)


def logits_of(model, tokens=2048):
    return read_out(model, TEXTS, tokens=tokens).logits


def only_on_cuda():
    if DEVICE == "cpu":
        raise unittest.SkipTest("needs a CUDA device")


def why_training_failed(model, config):
    try:
        fine_tune(model, TEXTS, LABELS, config, seed=0, total_steps=20)
    except RunFailedError as error:
        return str(error)
    return "it did not"


@contextmanager
def little_memory() -> Iterator[None]:
    """No more than 512 MiB beyond what is in use now."""
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(DEVICE).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + HEADROOM) / total)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def test_resolve_finds_the_device_and_a_precision_that_it_is_fast_in():
    environment = devices.resolve(TrainingConfig(device="auto"))
    assert environment.device == ("cuda" if torch.cuda.is_available() else environment.device)
    resolved = devices.resolve(CONFIG)
    if DEVICE == "cuda":
        is_fast = torch.cuda.get_device_capability() >= (8, 0)
        assert resolved.precision == ("bf16" if is_fast else "float32")
        assert resolved.device_name == torch.cuda.get_device_name()
    assert devices.apply(resolved).type == DEVICE
    torch.use_deterministic_algorithms(False)


def test_batches_arrive_as_they_were_sent():
    """Copies run on while the next batch is filled: none may be overwritten."""
    rows = [np.arange(i, i + 32) for i in range(0, N, 32)] * 20
    sent = [TEXTS.batch(part, torch.device("cpu")) for part in rows]
    arrived = [TEXTS.batch(part, torch.device(DEVICE)) for part in rows]
    for there, here in zip(arrived, sent, strict=True):
        for name, values in here.items():
            assert there[name].device.type == DEVICE
            assert torch.equal(there[name].cpu(), values)


def test_a_device_takes_an_array_of_any_type():
    for array in (np.arange(3), np.ones((2, 2), np.float32), np.array([True])):
        assert np.array_equal(to_device(array, torch.device(DEVICE)).cpu().numpy(), array)


def test_scores_agree_with_the_cpu_and_with_those_of_other_batches():
    for compared, difference in differences(prepare("tiny", "tiny", DEVICE)).items():
        assert difference <= TOLERANCE, (compared, difference)


def test_scoring_multiplies_in_float32():
    """Training leaves TF32 on, for speed; what reads a model turns it off."""
    model = tiny()
    during = []
    model.classifier.register_forward_hook(lambda *_: during.append(torch.get_float32_matmul_precision()))
    for read in (
        lambda: logits_of(model),
        lambda: embed(model, TEXTS, tokens=2048),
        lambda: trim_last_layer(model, TEXTS),
        lambda: read_gradients(model, TEXTS, LABELS, scope="head", new_parameters=None, tokens=2048),
    ):
        torch.set_float32_matmul_precision("high")
        read()
    assert set(during) == {"highest"}
    read_out(model, TEXTS, tokens=2048)
    a, b = torch.randn(512, 512, device=DEVICE), torch.randn(512, 512, device=DEVICE)
    exact = a.double() @ b.double()
    assert ((a @ b) - exact).abs().max() / exact.abs().max() < 1e-5


def test_the_last_layer_is_trimmed_to_the_same_logits():
    model = tiny()
    expected = logits_of(model)
    assert trim_last_layer(model, TEXTS)
    np.testing.assert_allclose(logits_of(model), expected, atol=TOLERANCE)


def test_gradients_of_every_scope_agree_with_the_cpu():
    model = tiny()
    for scope in ("classifier", "new", "head", "full"):
        on_device, on_cpu = (
            read_gradients(
                copy.deepcopy(model).to(device),
                TEXTS,
                LABELS,
                scope=scope,
                new_parameters=["classifier.weight", "classifier.bias"],
                tokens=2048,
            )
            for device in (DEVICE, "cpu")
        )
        assert on_device.loop_reason is None
        for name, values in on_cpu.norms.items():
            np.testing.assert_allclose(on_device.norms[name], values, rtol=TOLERANCE)


def test_training_in_bf16_keeps_weights_and_scoring_in_float32():
    model, seen = tiny(), []
    query = model.bert.encoder.layer[0].attention.self.query
    query.register_forward_hook(lambda module, args, output: seen.append(output.dtype))
    before = logits_of(model)
    assert set(seen) <= {torch.float32}
    seen.clear()
    fine_tune(model, TEXTS, LABELS, CONFIG, seed=0, precision="bf16", total_steps=4)
    assert set(seen) == {torch.bfloat16}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    after = logits_of(model)
    assert after.dtype == np.float32
    assert np.isfinite(after).all()
    assert not np.allclose(after, before, atol=1e-3)


def test_training_learns_what_can_be_learnt():
    model, texts, labels = tiny(), TEXTS.take(np.arange(64)), LABELS[:64]
    config = dataclasses.replace(CONFIG, epochs=20, lr=3e-3)
    fine_tune(model, texts, labels, config, seed=0, precision=devices.resolve(CONFIG).precision)
    assert (logits_of(model)[:64].argmax(axis=1) == labels).mean() > 0.8


def test_a_resumed_training_draws_the_dropout_that_an_unbroken_one_draws():
    class Stop(Exception):
        pass

    states = []

    def on_step(training, n_examples):
        if training.step == 3:
            file = io.BytesIO()
            torch.save(training.state(), file)
            file.seek(0)
            states.append(torch.load(file, map_location="cpu", weights_only=True))
            raise Stop

    def generator_state():
        return torch.cuda.get_rng_state() if DEVICE == "cuda" else torch.get_rng_state()

    unbroken, stopped, resumed = (made_model(*TINY).to(DEVICE) for _ in range(3))
    torch.manual_seed(1)
    fine_tune(unbroken, TEXTS, LABELS, CONFIG, seed=0)
    at_end = generator_state()
    torch.manual_seed(1)
    try:
        fine_tune(stopped, TEXTS, LABELS, CONFIG, seed=0, hooks=Hooks(on_step=on_step))
    except Stop:
        torch.manual_seed(2)
    fine_tune(resumed, TEXTS, LABELS, CONFIG, seed=0, state=states[0])
    assert torch.equal(generator_state(), at_end)
    np.testing.assert_allclose(logits_of(resumed), logits_of(unbroken), atol=1e-2)


def test_a_training_that_diverges_ends_in_a_sentence():
    """On a GPU the loss is asked for every 20 steps only."""
    model = tiny()
    with torch.no_grad():
        model.classifier.weight.fill_(float("nan"))
    assert "The loss is nan at step" in why_training_failed(model, CONFIG)


def test_a_head_is_trained_on_the_device_as_on_the_cpu():
    model = tiny()
    features = embed(model, TEXTS, tokens=2048)
    np.testing.assert_allclose(embed(model.cpu(), TEXTS, tokens=2048), features, atol=TOLERANCE)
    labels = (features[:, 0] > np.median(features[:, 0])).astype(np.int64)
    head = fit_head(features, labels, 2, config=CONFIG, seed=0, device=DEVICE, total_steps=30)
    again = fit_head(features, labels, 2, config=CONFIG, seed=0, device=DEVICE, total_steps=30)
    logits, norms = head_logits(head, features)
    assert head.weight.device.type == DEVICE
    assert torch.equal(head.weight, again.weight)
    assert (logits.argmax(axis=1) == labels).mean() > 0.7
    assert norms.shape == (N,)


def test_a_full_memory_halves_the_batch_and_changes_no_score():
    only_on_cuda()
    model = made_model(*WIDE).to(DEVICE)
    expected = read_out(model, TEXTS, tokens=256)
    gradients = read_gradients(model, TEXTS, LABELS, scope="full", new_parameters=None, tokens=256)
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    with little_memory():
        out = read_out(model, TEXTS, tokens=MANY_TOKENS)
        assert len(calls) > 10
        full = read_gradients(model, TEXTS, LABELS, scope="full", new_parameters=None, tokens=MANY_TOKENS)
    np.testing.assert_allclose(out.logits, expected.logits, atol=TOLERANCE)
    np.testing.assert_allclose(full.norms["grad_norm"], gradients.norms["grad_norm"], rtol=TOLERANCE)


def test_a_full_memory_ends_a_training_in_a_sentence():
    only_on_cuda()
    model = made_model(*WIDE).to(DEVICE)
    with little_memory():
        assert "memory is full" in why_training_failed(model, dataclasses.replace(CONFIG, batch_size=N))
