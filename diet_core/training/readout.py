"""The forward pass of a trained model over all texts: logits and the classifier's input, in float32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from diet_core.errors import ModelError
from diet_core.training.batches import Encoded, scoring_batches
from diet_core.training.models import classifier_of
from diet_core.training.packed import packed_linears

# Of the largest possible logit, ‖w‖·‖h‖. float32 sums in another order change it by about 1e-6.
PADDING_TOLERANCE = 2e-5


@dataclass(frozen=True)
class Readout:
    """What one checkpoint says about each example.

    Attributes:
        logits: float32, shape (n_examples, n_classes).
        feature_norm: ‖h‖₂ of the classifier's input, float32, shape (n_examples,).
        features: h itself as float16, shape (n_examples, width), where asked for.
        has_bias: Whether the classifier has a bias.
    """

    logits: NDArray[np.float32]
    feature_norm: NDArray[np.float32]
    features: NDArray[np.float16] | None
    has_bias: bool


def read_out(
    model: nn.Module,
    encoded: Encoded,
    *,
    tokens: int,
    with_features: bool = False,
    on_batch: Callable[[int], None] = lambda n_examples: None,
) -> Readout:
    """Return logits and feature norms of every example, in the order of `encoded`.

    Always float32 with TF32 off and dropout off: scores must not change with the batch, its padding or
    the order of the rows (measured for a batch of 1 against 64: 3.1e-7 relative for EL2N).

    Args:
        model: A sequence classifier on its device; left in eval mode.
        encoded: The texts.
        tokens: Per batch, padding included; halved (and again) where the device's memory is full.
        with_features: Keep the classifier's inputs.
        on_batch: Told after each batch how many examples it held; may raise to stop.

    Raises:
        ModelError: If the logits do not come out of a Linear.
    """
    model.eval()
    torch.set_float32_matmul_precision("highest")
    device = next(model.parameters()).device
    classifier = classifier_of(model, encoded.batch(np.array([0]), device))
    n = len(encoded.lengths)
    out = Readout(
        logits=np.empty((n, classifier.out_features), dtype=np.float32),
        feature_norm=np.empty(n, dtype=np.float32),
        features=np.empty((n, classifier.in_features), dtype=np.float16) if with_features else None,
        has_bias=classifier.bias is not None,
    )
    inputs: list[torch.Tensor] = []
    handle = classifier.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))

    def read(part: NDArray[np.int64]) -> None:
        inputs.clear()
        out.logits[part] = model(**encoded.batch(part, device)).logits.float().cpu().numpy()
        features = inputs[-1].float()
        out.feature_norm[part] = torch.linalg.vector_norm(features, dim=-1).cpu().numpy()
        if out.features is not None:
            out.features[part] = features.half().cpu().numpy()

    with torch.inference_mode(), packed_linears(model):
        for rows in scoring_batches(encoded.lengths, tokens):
            in_parts_that_fit(rows, read)
            on_batch(len(rows))
    handle.remove()
    return out


def check_reads_alone(model: nn.Module, encoded: Encoded) -> None:
    """Check before an epoch is spent that a text's logits do not depend on its company in the batch.

    The shortest text is read alone and beside the longest. Some architectures let padding through
    (measured: FNet and XLNet by about half of a logit's size, ConvBERT by 3e-4); their scores would change
    with the batch.

    Args:
        model: A sequence classifier on its device; left in eval mode.
        encoded: The texts, at least one.

    Raises:
        ModelError: If they do depend on it, or do not come out of a Linear.
    """
    shortest, longest = int(encoded.lengths.argmin()), int(encoded.lengths.argmax())
    alone = read_out(model, encoded.take(np.array([shortest])), tokens=1)
    pair = encoded.take(np.array([shortest, longest]))
    beside = read_out(model, pair, tokens=2 * int(pair.lengths.max()))
    classifier = classifier_of(model, encoded.batch(np.array([shortest]), next(model.parameters()).device))
    largest_logit = float(alone.feature_norm[0] * classifier.weight.detach().norm(dim=1).max())
    change = float(np.abs(alone.logits[0] - beside.logits[0]).max()) / largest_logit
    if change > PADDING_TOLERANCE:
        raise ModelError(
            f"{type(model).__name__} gives a text other logits when the batch holds a longer one (a change "
            f"of {change:.0e} of their size), so its scores would depend on the batch. "
            "Choose an encoder such as BERT, RoBERTa, DistilBERT, ELECTRA or DeBERTa."
        )


def in_parts_that_fit(rows: NDArray[np.int64], read: Callable[[NDArray[np.int64]], None]) -> None:
    """Let `read` take `rows`, in halves (and halves of these) where the device's memory is full.

    Args:
        rows: Of one batch, shape (n,).
        read: Takes some of them and keeps what it says of them.

    Raises:
        torch.OutOfMemoryError: If one row alone does not fit.
    """
    try:
        read(rows)
        return
    except torch.OutOfMemoryError:
        if len(rows) == 1:
            raise
    # Not within `except`: the error's traceback would hold on to the memory.
    torch.cuda.empty_cache()
    for half in np.array_split(rows, 2):
        in_parts_that_fit(half, read)
