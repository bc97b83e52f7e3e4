"""The fine-tuning loop: plain, so that each batch knows its examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from diet_core.config import TrainingConfig
from diet_core.errors import RunFailedError
from diet_core.training.batches import Encoded, to_device, training_batches
from diet_core.training.dropout import FastDropout
from diet_core.training.dynamic import DynamicSelection

# Asking a GPU for the loss makes it wait; every so many steps is often enough to notice divergence.
STEPS_PER_LOSS_CHECK = 20


@dataclass(frozen=True)
class Hooks:
    """What a caller is told while a model trains; each may raise to stop the training.

    Attributes:
        on_resume: Before the first step of a training that goes on, which may have been stopped within what
            `on_step` did; may read the model out.
        on_step: After each optimizer step: the training and how many examples the step took. It may read the
            model out and leave it in eval mode.
    """

    on_resume: Callable[[Training], None] = lambda training: None
    on_step: Callable[[Training, int], None] = lambda training, n_examples: None


@dataclass
class Training:
    """A training somewhere between its first and its last step.

    Attributes:
        model: A sequence classifier on its device.
        optimizer: Of its parameters.
        rng: Decides the order of the data, stretch by stretch.
        total: Optimizer steps of the whole training.
        warmup: Of them, those with a rising learning rate.
        dynamic: What chooses the examples of each stretch; None = every stretch is an epoch over all.
        step: Optimizer steps done.
        batches: Of this stretch, done.
        rng_state: What `rng` was before this stretch was laid out.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    rng: np.random.Generator
    total: int
    warmup: int
    dynamic: DynamicSelection | None = None
    step: int = 0
    batches: int = 0
    rng_state: Mapping[str, Any] = field(default_factory=dict)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def state(self) -> dict[str, Any]:
        """Return all that a resumed training needs to end in the same bytes: tensors and plain values."""
        on_cuda = self.device.type == "cuda"
        chosen = {} if self.dynamic is None else self.dynamic.state()
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "batches": self.batches,
            "rng_state": self.rng_state,
            "dynamic": {name: torch.from_numpy(array) for name, array in chosen.items()},
            "torch_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state(self.device) if on_cuda else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to where `state` was taken, of a training with the same settings."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.batches = state["step"], state["batches"]
        if self.dynamic is not None:
            self.dynamic.restore({name: tensor.numpy() for name, tensor in state["dynamic"].items()})
        self.rng.bit_generator.state = self.rng_state = state["rng_state"]
        torch.set_rng_state(state["torch_rng"])
        if state["cuda_rng"] is not None:
            torch.cuda.set_rng_state(state["cuda_rng"], self.device)


def steps_of(n_examples: int, config: TrainingConfig) -> int:
    """Return the optimizer steps of all epochs over `n_examples`."""
    return config.epochs * config.epoch_steps(n_examples)


def fine_tune(
    model: nn.Module,
    encoded: Encoded,
    labels: NDArray[np.int64],
    config: TrainingConfig,
    *,
    seed: int,
    precision: str = "float32",
    total_steps: int | None = None,
    dynamic: DynamicSelection | None = None,
    hooks: Hooks | None = None,
    state: dict[str, Any] | None = None,
) -> None:
    """Fine-tune `model` in place: AdamW, linear warm-up and decay, clipped gradients.

    Args:
        model: A sequence classifier on its device.
        encoded: The training texts.
        labels: Class numbers, shape (n_examples,).
        config: `lr` is set, not None.
        seed: Of the order of the data; dropout follows torch's generator.
        precision: `bf16` runs the forward pass under autocast; weights stay float32.
        total_steps: Steps to train for; None = `config.epochs` epochs.
        dynamic: What chooses the examples as the training goes, made for as many steps; it learns from the
            training's own forward passes. None = all of them, epoch by epoch.
        hooks: What to tell the caller.
        state: From `Training.state`, to go on there; None = from the beginning.

    Raises:
        RunFailedError: If the loss is no finite number any more, or the device's memory is full.
    """
    hooks = hooks or Hooks()
    total = total_steps or steps_of(len(labels), config)
    assert config.lr is not None, "the learning rate is resolved before training"
    optimizer = adamw(model.parameters(), config.weight_decay, config.lr)
    rng = np.random.default_rng(seed)
    training = Training(model, optimizer, rng, total, ceil(config.warmup * total), dynamic)
    goes_on = state is not None
    if state is not None:
        training.restore(state)
        hooks.on_resume(training)
    while training.step < total:
        for rows in _stretch(training, encoded, config, goes_on=goes_on):
            with _memory_advice(config):
                inputs = encoded.batch(rows, training.device)
                logits = _step(training, inputs, labels[rows], config, precision)
            if dynamic is not None:
                dynamic.learn(rows, logits.cpu().numpy(), training.step)
            hooks.on_step(training, len(rows))
        goes_on = False


def _stretch(
    training: Training, encoded: Encoded, config: TrainingConfig, *, goes_on: bool
) -> list[NDArray[np.int64]]:
    """Return the batches of the next stretch, or what is left of the one that was begun."""
    dynamic = training.dynamic
    if not goes_on:
        training.rng_state = training.rng.bit_generator.state
        training.batches = 0
        if dynamic is not None:
            dynamic.begin(training.step)
    begun_at = training.step - training.batches
    if dynamic is None:
        batches = training_batches(encoded.lengths, config.batch_size, training.rng)
    else:
        batches = dynamic.batches(encoded.lengths, begun_at, training.rng)
    return batches[training.batches : training.total - begun_at]


def _step(
    training: Training,
    inputs: dict[str, torch.Tensor],
    labels: NDArray[np.int64],
    config: TrainingConfig,
    precision: str,
) -> torch.Tensor:
    """Take one optimizer step on a batch; return its logits, float32."""
    model, device = training.model, training.device
    training.step += 1
    training.batches += 1
    model.train()
    assert config.lr is not None, "the learning rate is resolved before training"
    for group in training.optimizer.param_groups:
        group["lr"] = config.lr * rate_factor(training.step - 1, training.warmup, training.total)
    # Reading the model out at a score step turns TF32 off, so that it is turned on again at every step.
    torch.set_float32_matmul_precision("high" if device.type == "cuda" else "highest")
    autocast = torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()
    with autocast, _dropout(device):
        logits: torch.Tensor = model(**inputs).logits.float()
    loss = cross_entropy(logits, to_device(labels, device))
    if device.type == "cpu" or training.step % STEPS_PER_LOSS_CHECK == 0:
        _check_is_finite(loss, training.step, config)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm)
    training.optimizer.step()
    training.optimizer.zero_grad(set_to_none=True)
    return logits.detach()


def adamw(parameters: Iterable[torch.Tensor], weight_decay: float, lr: float) -> torch.optim.AdamW:
    """Return AdamW of the parameters that require a gradient, with weight decay on matrices only, as BERT."""
    trained = [p for p in parameters if p.requires_grad]
    matrices, others = ([p for p in trained if (p.ndim >= 2) == is_matrix] for is_matrix in (True, False))
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=lr, fused=True)


def rate_factor(step: int, warmup: int, total: int) -> float:
    """Return the share of the learning rate for a step (from 0): up to 1, then down towards 0."""
    if step < warmup:
        return (step + 1) / warmup
    return max(0.0, (total - step) / max(1, total - warmup))


def _dropout(device: torch.device) -> AbstractContextManager[object]:
    return FastDropout() if device.type == "cpu" else nullcontext()


def _check_is_finite(loss: torch.Tensor, step: int, config: TrainingConfig) -> None:
    if not torch.isfinite(loss):
        raise RunFailedError(
            f"The loss is {loss.item()} at step {step} with lr {config.lr:g}. "
            "Train with a lower --lr, or with --precision float32."
        )


@contextmanager
def _memory_advice(config: TrainingConfig) -> Iterator[None]:
    """Turn a full memory into a sentence that says what to lower."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise RunFailedError(
            f"The device's memory is full at batch size {config.batch_size} and {config.max_length} tokens. "
            "Lower --batch-size or --max-length."
        ) from error
