"""How good a classifier is on a test split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from diet_core.errors import SettingError
from diet_core.scoring.el2n import checked_arrays, log_softmax


def evaluation(logits: ArrayLike, labels: ArrayLike, classes: Sequence[str]) -> dict[str, Any]:
    """Return accuracy, mean cross-entropy, macro-F1 and the recall of each class.

    Args:
        logits: Shape (n_examples, n_classes).
        labels: Class numbers, shape (n_examples,).
        classes: Class names.

    Returns:
        `accuracy`, `loss` and `macro_f1` (None without examples) and `per_class_recall` by class name (None
        for a class without examples).

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.

    >>> evaluation([[2.0, 0.0], [2.0, 0.0]], [0, 1], ["a", "b"])["per_class_recall"]
    {'a': 1.0, 'b': 0.0}
    """
    z, y = checked_arrays(logits, labels)
    if not len(y):
        nothing = dict.fromkeys(("accuracy", "loss", "macro_f1"))
        return nothing | {"per_class_recall": dict.fromkeys(classes)}
    predicted = z[0].argmax(axis=1)
    right = predicted == y
    return {
        "accuracy": float(right.mean()),
        "loss": float(-log_softmax(z[0])[np.arange(len(y)), y].mean()),
        "macro_f1": macro_f1(predicted, y),
        "per_class_recall": {
            name: float(right[y == k].mean()) if (y == k).any() else None for k, name in enumerate(classes)
        },
    }


def macro_f1(predicted: ArrayLike, labels: ArrayLike) -> float | None:
    """Return the unweighted mean of the classes' F1, over the classes that labels or predictions name.

    F1 of a class is 2·right / (predicted as it + labelled as it): 0 where none of them is right.

    Args:
        predicted: Class numbers, shape (n_examples,).
        labels: Class numbers, shape (n_examples,).

    Returns:
        In [0, 1], high means good; None without examples.

    Raises:
        SettingError: If shapes disagree.

    Source:
        As scikit-learn's `f1_score(average="macro", zero_division=0)`.

    >>> macro_f1([0, 0, 1], [0, 1, 1])  # both classes: one right, three times named
    0.6666666666666666
    """
    p, y = np.asarray(predicted, dtype=np.int64), np.asarray(labels, dtype=np.int64)
    if p.shape != y.shape or y.ndim != 1:
        raise SettingError(
            f"predicted has the shape {p.shape} and labels {y.shape}. Give one class number each per example."
        )
    if not len(y):
        return None
    n_classes = int(max(p.max(), y.max())) + 1
    named = np.bincount(p, minlength=n_classes) + np.bincount(y, minlength=n_classes)
    right = np.bincount(y[p == y], minlength=n_classes)
    is_named = named > 0
    return float((2 * right[is_named] / named[is_named]).mean())
