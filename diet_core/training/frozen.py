"""The quick look: each text embedded once by the encoder as it came, and a linear head trained on that.

The paper fine-tunes the encoder. Here it stays frozen: a training takes seconds, and the scores say how hard
an example is for the encoder's features as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from diet_core.config import TrainingConfig
from diet_core.errors import ModelError, RunFailedError
from diet_core.training.batches import Encoded, scoring_batches, to_device
from diet_core.training.loop import adamw, rate_factor, steps_of
from diet_core.training.packed import packed_linears
from diet_core.training.readout import in_parts_that_fit

# Peak rate of AdamW for a head on standardised features; docs/decisions.md has what was tried.
LR_HEAD: Final = 2e-3
# What counts as one epoch of a head: it learns from nothing, and a pass costs milliseconds.
PASSES_PER_EPOCH: Final = 10
# Of the features at each update: noise in the labels is then learned later than what texts have in common.
DROPOUT: Final = 0.5
# A feature that varies less than this share of the most varying one is constant but for rounding
# (MiniLM has three); divided by its deviation it would be noise as large as any other feature.
LEAST_DEVIATION: Final = 1e-4
# The head's first weights are so small that it begins undecided, as BERT's classifier does.
FIRST_WEIGHTS: Final = 0.02


@dataclass(frozen=True)
class Head:
    """A linear classifier of standardised features; all tensors float32 on one device.

    Attributes:
        weight: Shape (n_classes, width).
        bias: Shape (n_classes,).
        mean: Of the training examples' features, shape (width,).
        scale: Their standard deviation; 1 for a feature that is constant, shape (width,).
    """

    weight: Tensor
    bias: Tensor
    mean: Tensor
    scale: Tensor

    def inputs(self, features: NDArray[np.float32]) -> Tensor:
        """Return the standardised features, what weight and bias see: shape (n_examples, width)."""
        return (to_device(np.ascontiguousarray(features), self.mean.device) - self.mean) / self.scale


def embed(
    model: nn.Module,
    encoded: Encoded,
    *,
    tokens: int,
    on_batch: Callable[[int], None] = lambda n_examples: None,
) -> NDArray[np.float32]:
    """Return the mean of the encoder's last hidden state over each text's tokens, special ones included.

    float32 with TF32 and dropout off, so that it does not depend on the batch, its padding or the order of
    the rows.

    Args:
        model: An encoder, or a classifier whose `base_model` is one, on its device; left in eval mode.
        encoded: The texts.
        tokens: Per batch, padding included; halved (and again) where the device's memory is full.
        on_batch: Told after each batch how many examples it held; may raise to stop.

    Returns:
        Shape (n_examples, width), in the order of `encoded`.

    Raises:
        ModelError: If the encoder gives no hidden state per token.
    """
    model.eval()
    torch.set_float32_matmul_precision("highest")
    parts: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []
    with torch.inference_mode(), packed_linears(model):
        for rows in scoring_batches(encoded.lengths, tokens):
            in_parts_that_fit(rows, lambda part: parts.append((part, _means(model, encoded, part))))
            on_batch(len(rows))
    width = parts[0][1].shape[1] if parts else 0
    out = np.empty((len(encoded.lengths), width), dtype=np.float32)
    for rows, means in parts:
        out[rows] = means
    return out


def fit_head(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    n_classes: int,
    *,
    config: TrainingConfig,
    seed: int,
    device: str | torch.device = "cpu",
    total_steps: int | None = None,
    on_step: Callable[[int, Head], None] = lambda step, head: None,
) -> Head:
    """Return a linear head trained by AdamW with linear warm-up and decay, in float32.

    One step is `PASSES_PER_EPOCH` updates of `config.batch_size` examples, so that an epoch has as many steps
    as one of fine-tuning has. Weight decay is `config.weight_decay` on the weights only. First weights, order
    of the data and dropout of the features follow from `seed`: the same seed gives the same bytes.

    Args:
        features: Of the training examples, from `embed`, shape (n_examples, width).
        labels: Class numbers, shape (n_examples,).
        n_classes: Outputs.
        config: Epochs, batch size, weight decay, warm-up, and `lr` (None: `LR_HEAD`).
        seed: Of everything random.
        device: Where to train.
        total_steps: Steps to train for; None = `config.epochs` epochs.
        on_step: Told after each step its number (from 1; 0 before the first) and the head as it is then,
            which the next step changes; may raise to stop.

    Raises:
        RunFailedError: If the weights are no finite numbers any more.
    """
    torch.set_float32_matmul_precision("highest")
    generator = torch.Generator(device).manual_seed(seed)
    head = _first_head(features, n_classes, generator)
    inputs, targets = head.inputs(features), to_device(labels, head.mean.device)
    total = total_steps or steps_of(len(labels), config)
    peak, updates = config.lr or LR_HEAD, total * PASSES_PER_EPOCH
    optimizer = adamw([head.weight, head.bias], config.weight_decay, peak)
    batches = _batches(len(labels), config.batch_size, np.random.default_rng(seed))
    on_step(0, head)
    for update in range(updates):
        for group in optimizer.param_groups:
            group["lr"] = peak * rate_factor(update, ceil(config.warmup * updates), updates)
        rows = to_device(next(batches), head.mean.device)
        with _one_thread():
            _update(head, optimizer, inputs[rows], targets[rows], generator)
        if (update + 1) % PASSES_PER_EPOCH == 0:
            on_step((update + 1) // PASSES_PER_EPOCH, head)
    if not head.weight.isfinite().all():
        raise RunFailedError(
            f"The head's weights are no finite numbers any more with lr {peak:g}. Train with a lower --lr."
        )
    return head


def head_logits(head: Head, features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the head's logits and the norm of its input, the standardised features, both float32.

    EL2N and GraNd of the head follow from these by their closed forms, as from a fine-tuned model's.

    Args:
        head: From `fit_head`.
        features: From `embed`, shape (n_examples, width).

    Returns:
        Shapes (n_examples, n_classes) and (n_examples,).
    """
    torch.set_float32_matmul_precision("highest")
    with torch.inference_mode():
        inputs = head.inputs(features)
        logits = torch.addmm(head.bias, inputs, head.weight.T)
        norms = torch.linalg.vector_norm(inputs, dim=-1)
    return logits.cpu().numpy(), norms.cpu().numpy()


def _means(model: nn.Module, encoded: Encoded, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the mean hidden state of each text of a batch."""
    device = next(model.parameters()).device
    encoder = getattr(model, "base_model", model)
    hidden = getattr(encoder(**encoded.batch(rows, device)), "last_hidden_state", None)
    if hidden is None or hidden.ndim != 3:
        raise ModelError(
            f"{type(encoder).__name__} gives no hidden state per token to embed a text by. "
            "Choose an encoder such as BERT, RoBERTa, DistilBERT, ELECTRA or DeBERTa."
        )
    lengths = to_device(encoded.lengths[rows], device)[:, None]
    is_text = torch.arange(hidden.shape[1], device=device) < lengths
    sums = (hidden.float() * is_text[..., None]).sum(dim=1)
    means: NDArray[np.float32] = (sums / lengths).cpu().numpy()
    return means


def _first_head(features: NDArray[np.float32], n_classes: int, generator: torch.Generator) -> Head:
    """Return a head with the features' statistics and small random weights."""
    deviation = features.std(axis=0, dtype=np.float64)
    scale = np.where(deviation > LEAST_DEVIATION * deviation.max(), deviation, 1.0)
    device, width = generator.device, features.shape[1]
    weight = torch.empty((n_classes, width), device=device).normal_(0.0, FIRST_WEIGHTS, generator=generator)
    return Head(
        weight=weight.requires_grad_(),
        bias=torch.zeros(n_classes, device=device, requires_grad=True),
        mean=to_device(features.mean(axis=0, dtype=np.float64).astype(np.float32), device),
        scale=to_device(scale.astype(np.float32), device),
    )


def _batches(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of each batch of one shuffled pass after the other, without end."""
    while True:
        order = rng.permutation(n)
        for start in range(0, n, batch_size):
            yield order[start : start + batch_size]


def _update(
    head: Head, optimizer: torch.optim.Optimizer, inputs: Tensor, targets: Tensor, generator: torch.Generator
) -> None:
    """Take one step of the optimizer on a batch."""
    is_kept = torch.rand(inputs.shape, generator=generator, device=inputs.device) >= DROPOUT
    logits = torch.addmm(head.bias, inputs * is_kept / (1 - DROPOUT), head.weight.T)
    cross_entropy(logits, targets).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Within, torch computes with one thread.

    An update is 0.2 ms of work: beside another busy process, two threads that wait for each other within each
    of its operations took 20 ms.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
