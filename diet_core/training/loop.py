"""The fine-tuning loop: plain, so that each batch knows its examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from diet_core.config import TrainingConfig
from diet_core.errors import RunFailedError
from diet_core.training.batches import Encoded, to_device, training_batches

# Asking a GPU for the loss makes it wait; every so many steps is often enough to notice divergence.
STEPS_PER_LOSS_CHECK = 20


@dataclass(frozen=True)
class Hooks:
    """What a caller is told while a model trains; each may raise to stop the training.

    Attributes:
        on_step: After each optimizer step: the step (from 1) and how many examples it took.
        on_epoch: After each epoch (from 1); may leave the model in eval mode.
    """

    on_step: Callable[[int, int], None] = lambda step, n_examples: None
    on_epoch: Callable[[int, nn.Module], None] = lambda epoch, model: None


def steps_of(n_examples: int, config: TrainingConfig) -> int:
    """Return the optimizer steps of all epochs over `n_examples`."""
    return config.epochs * ceil(n_examples / config.batch_size)


def fine_tune(
    model: nn.Module,
    encoded: Encoded,
    labels: NDArray[np.int64],
    config: TrainingConfig,
    *,
    seed: int,
    precision: str = "float32",
    total_steps: int | None = None,
    hooks: Hooks | None = None,
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
        hooks: What to tell the caller.

    Raises:
        RunFailedError: If the loss is no finite number any more, or the device's memory is full.
    """
    hooks = hooks or Hooks()
    device = next(model.parameters()).device
    total = total_steps or steps_of(len(labels), config)
    optimizer = _optimizer(model, config)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _linear(ceil(config.warmup * total), total))
    rng = np.random.default_rng(seed)
    torch.set_float32_matmul_precision("high" if device.type == "cuda" else "highest")
    step = epoch = 0
    while step < total:
        epoch += 1
        model.train()
        for rows in training_batches(encoded.lengths, config.batch_size, rng)[: total - step]:
            step += 1
            with _memory_advice(config), _autocast(device, precision):
                logits = model(**encoded.batch(rows, device)).logits
            loss = cross_entropy(logits.float(), to_device(labels[rows], device))
            if device.type == "cpu" or step % STEPS_PER_LOSS_CHECK == 0:
                _check_is_finite(loss, step, config)
            with _memory_advice(config):
                loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            hooks.on_step(step, len(rows))
        hooks.on_epoch(epoch, model)


def _optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.AdamW:
    """Return AdamW with weight decay on matrices only, as BERT was trained."""
    assert config.lr is not None, "the learning rate is resolved before training"
    matrices = [p for p in model.parameters() if p.requires_grad and p.ndim >= 2]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, fused=True)


def _linear(warmup: int, total: int) -> Callable[[int], float]:
    """Return the factor of the learning rate at each step: up to 1, then down towards 0."""

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return max(0.0, (total - step) / max(1, total - warmup))

    return factor


def _autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


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
