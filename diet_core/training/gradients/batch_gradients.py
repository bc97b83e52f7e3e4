"""The gradient norms of a batch by group: by one backward pass, checked, or by one per example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from diet_core.scoring.el2n import log_softmax
from diet_core.training.first_token import MISFITS, first_token_only
from diet_core.training.gradients.per_example import (
    CannotSplitError,
    SquaredNorms,
    logits_alone,
    squared_norms_alone,
    squared_norms_of_batch,
)
from diet_core.training.gradients.scopes import Groups

# An example within the batch and alone agree to about 1e-6 in float32; more means that it is not the same.
SPLIT_TOLERANCE = 1e-3
SPLIT_ROUNDINGS = 64  # of a coarser precision

Norms = dict[str, NDArray[np.float64]]


@dataclass
class Way:
    """One backward pass per batch, until that turns out to be impossible.

    Attributes:
        compares_norms: Whether the first batch is compared with a backward pass of one example.
        is_checked: Whether the first batch was found to be split rightly.
        trims: Whether the last layer computes the first token only, while that is not known to be wrong.
        loop_reason: One sentence on why each example needs a backward pass of its own; None if it does not.
    """

    compares_norms: bool
    is_checked: bool = False
    trims: bool = True
    loop_reason: str | None = None


def norms_of_batch(
    model: nn.Module, batch: dict[str, Tensor], labels: NDArray[np.int64], groups: Groups, way: Way
) -> Norms:
    """Return the norms of a batch by column, each of shape (n_examples,).

    Args:
        model: A sequence classifier in eval mode; only the parameters of `groups` require a gradient.
        batch: As its tokenizer gives it.
        labels: Class numbers, shape (n_examples,).
        groups: The parameters that matter.
        way: What is known of the model; is updated.
    """
    if len(labels) > 1 and way.loop_reason is None:
        try:
            return _trimmed_norms(model, batch, labels, groups, way)
        except CannotSplitError as why:
            way.loop_reason = (
                f"{type(model).__name__} {why}, so each example took a backward pass of its own."
            )
    alone = [_norms_alone(model, batch, labels, i, groups) for i in range(len(labels))]
    return {name: np.concatenate([norms[name] for norms in alone]) for name in columns_of(groups)}


def _trimmed_norms(
    model: nn.Module, batch: dict[str, Tensor], labels: NDArray[np.int64], groups: Groups, way: Way
) -> Norms:
    """Return the norms of a batch by one backward pass, without what nobody reads of the last layer."""
    if way.trims:
        try:
            return _split_norms(model, batch, labels, groups, way)
        except torch.OutOfMemoryError:
            raise
        except (CannotSplitError, *MISFITS):
            way.trims = False
    return _split_norms(model, batch, labels, groups, way)


def _split_norms(
    model: nn.Module, batch: dict[str, Tensor], labels: NDArray[np.int64], groups: Groups, way: Way
) -> Norms:
    """Return the norms of a batch by one backward pass, the first of them checked on the last example."""
    n = len(labels)
    parameters = [p for group in groups.values() for p in group]
    with first_token_only(model) if way.trims else nullcontext():
        logits, squared_norms = squared_norms_of_batch(model, batch, n, parameters, _seed(labels))
    norms = _by_column(logits, squared_norms, labels, groups)
    if not way.is_checked:
        last = n - 1  # of a batch by length the shortest, the one with the most padding
        alone = logits_alone(model, example_of(batch, n, last), parameters)
        slack = max(SPLIT_TOLERANCE, SPLIT_ROUNDINGS * torch.finfo(logits.dtype).eps)
        if (logits[last:] - alone).norm() > slack * alone.norm():
            raise CannotSplitError("gives an example other logits within a batch than alone")
        if way.compares_norms:
            row = {name: values[last:] for name, values in norms.items()}
            _check_equal(row, _norms_alone(model, batch, labels, last, groups), slack)
        way.is_checked = True
    return norms


def _check_equal(split: Norms, alone: Norms, slack: float) -> None:
    """Compare an example's norms; each may be off by that share of the whole gradient, NaN by NaN."""
    for name, expected in alone.items():
        if abs(split[name][0] - expected[0]) > slack * alone["grad_norm"][0]:
            raise CannotSplitError(
                f"gives an example another gradient within a batch than alone (a {name} of "
                f"{split[name][0]:.6g} and {expected[0]:.6g})"
            )


def _norms_alone(
    model: nn.Module, batch: dict[str, Tensor], labels: NDArray[np.int64], i: int, groups: Groups
) -> Norms:
    """Return the norms of example i by column, each of shape (1,)."""
    example, label = example_of(batch, len(labels), i), labels[i : i + 1]
    parameters = [p for group in groups.values() for p in group]
    return _by_column(*squared_norms_alone(model, example, parameters, _seed(label)), label, groups)


def _by_column(logits: Tensor, squared: SquaredNorms, labels: NDArray[np.int64], groups: Groups) -> Norms:
    """Return the norms by column, from the squared norms of gradients of unit errors."""
    scale = np.linalg.norm(_errors(logits, labels), axis=-1)
    sums = {}
    for name, group in groups.items():
        of_each = [squared[p] for p in group if p in squared]
        total = torch.stack(of_each).cpu().double().sum(dim=0).numpy() if of_each else np.zeros(len(labels))
        sums[name] = total
    norms = {f"grad_norm_{name}": scale * np.sqrt(total) for name, total in sums.items()}
    return {"grad_norm": scale * np.sqrt(sum(sums.values()))} | norms


def columns_of(groups: Groups) -> list[str]:
    """Return the names of the norms: the whole one's, then one per group."""
    return ["grad_norm", *(f"grad_norm_{name}" for name in groups)]


def _seed(labels: NDArray[np.int64]) -> Callable[[Tensor], Tensor]:
    """Return the loss's gradient by the logits as a function of them, at length 1.

    A backward pass is linear in it. At its own length that of an easy example (10⁻⁸ and less) would lose
    digits on the way, or all of them.
    """

    def seed(logits: Tensor) -> Tensor:
        errors = _errors(logits, labels)
        lengths = np.linalg.norm(errors, axis=-1, keepdims=True)
        directions = errors / np.where(lengths == 0, 1, lengths)
        return torch.from_numpy(directions).to(logits.dtype).to(logits.device)

    return seed


def _errors(logits: Tensor, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return softmax(z) − one-hot(y) in float64, shape (n_examples, n_classes)."""
    with np.errstate(invalid="ignore"):
        log_p = log_softmax(logits.detach().cpu().double().numpy())
    rows = np.arange(len(labels))
    errors: NDArray[np.float64] = np.exp(log_p)
    errors[rows, labels] = np.expm1(log_p[rows, labels])
    return errors


def example_of(batch: Mapping[str, Tensor], n: int, i: int) -> dict[str, Tensor]:
    """Return example i as a batch of one; what all examples share (positions) stays."""
    return {name: values[i : i + 1] if len(values) == n else values for name, values in batch.items()}
