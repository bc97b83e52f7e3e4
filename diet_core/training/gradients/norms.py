"""Per-example gradient norms (GraNd) of a model: of a batch, or of all examples of a run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from diet_core.errors import SettingError
from diet_core.scoring.el2n import checked_arrays
from diet_core.training.batches import Encoded, scoring_batches
from diet_core.training.gradients.batch_gradients import Way, columns_of, example_of, norms_of_batch
from diet_core.training.gradients.scopes import Groups, parameters_of
from diet_core.training.readout import in_parts_that_fit


@dataclass(frozen=True)
class GradientReadout:
    """The gradient norms of each example.

    Attributes:
        norms: `grad_norm`, and for each group with parameters in the scope `grad_norm_embeddings`,
            `grad_norm_encoder`, `grad_norm_head`, whose squares add up to that of `grad_norm`; each of shape
            (n_examples,), ≥ 0, high means hard.
        loop_reason: One sentence on why each example needed a backward pass of its own, which is slow; None
            if it did not.
    """

    norms: Mapping[str, NDArray[np.floating[Any]]]
    loop_reason: str | None


def gradient_norms(
    model: nn.Module,
    inputs: Mapping[str, Any],
    labels: ArrayLike,
    scope: str = "full",
    new_parameters: Collection[str] | None = None,
) -> NDArray[np.float64]:
    """Return the length of each example's loss gradient.

    Dropout is off, TF32 too. Parameters that require no gradient do not count. It takes one backward pass
    over the batch, or one per example where the model's gradient cannot be split; `gradient_norms_by_group`
    says which.

    Args:
        model: Any transformers sequence classifier; left as it was.
        inputs: A batch as the model's tokenizer gives it, tensors of shape (n_examples, n_tokens).
        labels: Class numbers, shape (n_examples,).
        scope: Which parameters: `classifier`, the layer that emits the logits; `new`, those of
            `new_parameters`; `head`, all outside of the encoder, and its pooler; `full`, all.
        new_parameters: For `new`, the names of the newly initialised parameters: the `missing_keys` of
            `from_pretrained(..., output_loading_info=True)`.

    Returns:
        Shape (n_examples,), ≥ 0. High means hard.

    Raises:
        SettingError: If the scope is not known or empty, a label is missing or no class number, or a
            gradient is not finite.
        ModelError: If the logits do not come out of a Linear, for the scope `classifier`.

    Source:
        Paul et al. 2021, Def. 2.2; Fayyaz et al. 2022, Eq. 1.
    """
    norms = gradient_norms_by_group(model, inputs, labels, scope, new_parameters).norms["grad_norm"]
    return norms.astype(np.float64, copy=False)


def gradient_norms_by_group(
    model: nn.Module,
    inputs: Mapping[str, Any],
    labels: ArrayLike,
    scope: str = "full",
    new_parameters: Collection[str] | None = None,
) -> GradientReadout:
    """Return what `gradient_norms` does, also for embeddings, encoder and head alone, in float64.

    Arguments and errors are those of `gradient_norms`.
    """
    device = next(model.parameters()).device
    batch = {name: torch.as_tensor(value).to(device).detach() for name, value in inputs.items()}
    checked = _checked_labels(model, labels, _n_examples(batch))
    way = Way(compares_norms=False)
    with _float32_inference(model):
        groups = parameters_of(model, scope, new_parameters, example_of(batch, len(checked), 0))
        with _requiring(model, groups):
            norms = norms_of_batch(model, batch, checked, groups, way)
    _check_finite(norms["grad_norm"])
    return GradientReadout(norms, way.loop_reason)


def read_gradients(
    model: nn.Module,
    encoded: Encoded,
    labels: NDArray[np.int64],
    *,
    scope: str,
    new_parameters: Collection[str] | None,
    tokens: int,
    on_batch: Callable[[int], None] = lambda n_examples: None,
) -> GradientReadout:
    """Return the gradient norms of every example in float32, in the order of `encoded`.

    The first batch is compared with one example's own backward pass. A gradient that is not finite is
    returned as such: the check of the logits reports a training that diverged.

    Args:
        model: A sequence classifier on its device; left as it was.
        encoded: The texts, at least one.
        labels: Class numbers, shape (n_examples,).
        scope: As for `gradient_norms`.
        new_parameters: For the scope `new`, as `load_classifier_and_new` returns them.
        tokens: Per batch, padding included; halved (and again) where the device's memory is full.
        on_batch: Told after each batch how many examples it held; may raise to stop.

    Raises:
        SettingError: If the scope is not known or empty, or a label is missing or no class number.
        ModelError: If the logits do not come out of a Linear, for the scope `classifier`.
    """
    device = next(model.parameters()).device
    labels = _checked_labels(model, labels, len(encoded.lengths))
    way = Way(compares_norms=True)
    with _float32_inference(model):
        groups = parameters_of(model, scope, new_parameters, encoded.batch(np.array([0]), device))
        out: dict[str, NDArray[np.floating[Any]]] = {
            name: np.empty(len(labels), dtype=np.float32) for name in columns_of(groups)
        }

        def read(rows: NDArray[np.int64]) -> None:
            norms = norms_of_batch(model, encoded.batch(rows, device), labels[rows], groups, way)
            for name, values in norms.items():
                out[name][rows] = values

        with _requiring(model, groups):
            for rows in scoring_batches(encoded.lengths, tokens):
                in_parts_that_fit(rows, read)
                on_batch(len(rows))
    return GradientReadout(out, way.loop_reason)


def _n_examples(batch: Mapping[str, Tensor]) -> int:
    tokens = batch.get("input_ids", batch.get("inputs_embeds"))
    return len(tokens) if tokens is not None else max((len(values) for values in batch.values()), default=0)


@contextmanager
def _float32_inference(model: nn.Module) -> Iterator[None]:
    """Within, eval mode and float32 products in float32."""
    modes = {module: module.training for module in model.modules()}
    precision = torch.get_float32_matmul_precision()
    model.eval()
    torch.set_float32_matmul_precision("highest")
    device = next(model.parameters()).device
    try:
        with torch.enable_grad(), torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(precision)
        for module, is_training in modes.items():
            module.training = is_training


@contextmanager
def _requiring(model: nn.Module, groups: Groups) -> Iterator[None]:
    """Let no other parameter require a gradient, so that the backward pass ends where the scope does."""
    others = [p for p in model.parameters() if p.requires_grad]
    for p in others:
        p.requires_grad_(False)
    try:
        for group in groups.values():
            for p in group:
                p.requires_grad_(True)
        yield
    finally:
        for p in others:
            p.requires_grad_(True)


def _checked_labels(model: nn.Module, labels: ArrayLike, n: int) -> NDArray[np.int64]:
    y = np.asarray(labels.cpu() if isinstance(labels, Tensor) else labels)
    if y.shape != (n,):
        raise SettingError(f"There are {n} texts and labels of shape {y.shape}. Give one each.")
    n_classes = int(model.config.num_labels)  # type: ignore[union-attr, arg-type]
    return checked_arrays(np.zeros((n, n_classes)), y)[1]


def _check_finite(norms: NDArray[np.float64]) -> None:
    if len(wrong := np.flatnonzero(~np.isfinite(norms))):
        raise SettingError(
            f"The gradient of example {wrong[0]} is not finite. "
            "Train with a lower learning rate or in float32."
        )
