"""Which labels look wrong, and what they may be instead."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diet_core.scoring.el2n import Floats, checked_arrays, log_softmax
from diet_core.scoring.label_confusions import checked_probs, label_confusions, true_class_probs


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
    """Return how likely each label is wrong: 1 − its probability of being the true class.

    The noise-aware posterior: the models' mean probabilities p and the label confusions T estimated from
    them (`label_confusions`) give P(truth is k) in proportion to p_k · T[label, k]. An example that looks
    like Sci/Tech is more suspicious with the label Business than with Sports if Sci/Tech is often labelled
    Business. With even confusions it ranks as `self_confidence` does.

    Args:
        logits: Shape (n_runs, n_examples, n_classes).
        labels: Class numbers, shape (n_examples,). The confusions are estimated from all together.

    Returns:
        Shape (n_examples,), in [0, 1]. High means suspicious. No measured probability: it ranks.

    Raises:
        SettingError: If shapes disagree, a label is no class number, a logit is not finite or there is one
            class only.

    Source:
        docs/label-errors.md, with how well it ranks; the counts behind it are Northcutt et al. 2021.

    >>> label_error([[[2.0, 0.0], [0.0, 2.0], [0.0, 2.0]]], [0, 1, 0]).argmax().tolist()
    2
    """
    _, y = checked_arrays(logits, labels)
    return suspicion_and_suggestion(mean_probs(logits), y)[0]


def suspicion_and_suggestion(probs: ArrayLike, labels: ArrayLike) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Return `label_error`, the likeliest true class other than the label, and how likely that one is.

    Args:
        probs: Of `mean_probs`, shape (n_examples, n_classes).
        labels: Class numbers, shape (n_examples,).

    Returns:
        Three arrays of shape (n_examples,).

    Raises:
        SettingError: If shapes disagree, a label is no class number or there is one class only.
    """
    posterior = true_class_probs(probs, labels, label_confusions(probs, labels))
    suggested, probability = suggested_labels(posterior, labels)
    posterior[np.arange(len(posterior)), np.asarray(labels)] = 0
    # The sum of the others, not one less the label's: the difference would lose the easy examples' order.
    return np.minimum(posterior.sum(axis=1), 1.0), suggested, probability


def self_confidence(probs: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the mean probability of the given label, shape (n_examples,). Low means suspicious.

    Args:
        probs: Shape (n_examples, n_classes), of `mean_probs`.
        labels: Class numbers, shape (n_examples,).

    Raises:
        SettingError: If shapes disagree or a label is no class number.

    Source:
        Northcutt et al. 2021, §5; cleanlab's `self_confidence`.

    >>> self_confidence([[0.7, 0.1, 0.2]], [2]).tolist()
    [0.2]
    """
    p, y = checked_probs(probs, labels)
    own: Floats = p[np.arange(len(y)), y]
    return own


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
