"""How good a classifier is on a test split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from diet_core.scoring.el2n import checked_arrays, log_softmax


def evaluation(logits: ArrayLike, labels: ArrayLike, classes: Sequence[str]) -> dict[str, Any]:
    """Return accuracy, mean cross-entropy and the recall of each class.

    Args:
        logits: Shape (n_examples, n_classes).
        labels: Class numbers, shape (n_examples,).
        classes: Class names.

    Returns:
        `accuracy` and `loss` (None without examples) and `per_class_recall` by class name (None for a
        class without examples).

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.

    >>> evaluation([[2.0, 0.0], [2.0, 0.0]], [0, 1], ["a", "b"])["per_class_recall"]
    {'a': 1.0, 'b': 0.0}
    """
    z, y = checked_arrays(logits, labels)
    if not len(y):
        return {"accuracy": None, "loss": None, "per_class_recall": dict.fromkeys(classes)}
    right = z[0].argmax(axis=1) == y
    return {
        "accuracy": float(right.mean()),
        "loss": float(-log_softmax(z[0])[np.arange(len(y)), y].mean()),
        "per_class_recall": {
            name: float(right[y == k].mean()) if (y == k).any() else None for k, name in enumerate(classes)
        },
    }
