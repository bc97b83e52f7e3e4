"""Which labels look wrong, and what they may be instead."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diet_core.scoring.el2n import Floats, checked_arrays, log_softmax


def mean_probs(logits: ArrayLike) -> Floats:
    """Return the class probabilities, the mean over runs.

    Args:
        logits: Shape (n_runs, n_examples, n_classes).

    Returns:
        Shape (n_examples, n_classes); rows sum to 1.
    """
    probs: Floats = np.exp(log_softmax(logits)).mean(axis=0)
    return probs


def label_error(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Return 1 − the mean probability of the given label over runs.

    Args:
        logits: Shape (n_runs, n_examples, n_classes).
        labels: Class numbers, shape (n_examples,).

    Returns:
        Shape (n_examples,), in [0, 1]. High means suspicious.

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.

    >>> label_error([[[0.0, 0.0]]], [1]).tolist()
    [0.5]
    """
    z, y = checked_arrays(logits, labels)
    doubt: Floats = -np.expm1(log_softmax(z)[:, np.arange(len(y)), y]).mean(axis=0)
    return doubt


def suggested_labels(probs: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.int64], Floats]:
    """Return the most likely class other than the given one, and its probability.

    Args:
        probs: Shape (n_examples, n_classes).
        labels: Class numbers, shape (n_examples,).

    Returns:
        Class numbers and probabilities, both of shape (n_examples,).

    >>> classes, probabilities = suggested_labels([[0.7, 0.1, 0.2]], [0])
    >>> classes.tolist(), probabilities.tolist()
    ([2], [0.2])
    """
    others = np.array(probs, dtype=np.float64)
    rows = np.arange(len(others))
    others[rows, np.asarray(labels)] = -np.inf
    best = others.argmax(axis=1)
    return best.astype(np.int64), others[rows, best]
