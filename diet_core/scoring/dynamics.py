"""What the checkpoints of one or several seeds say about each example.

All functions take the logits of the checkpoints after step 0, shape
(n_seeds, n_steps, n_examples, n_classes), in the order of the steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diet_core.errors import SettingError
from diet_core.scoring.el2n import Floats, checked_arrays, log_softmax


def checked_checkpoints(logits: ArrayLike, labels: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    """Return logits as float64 (n_seeds, n_steps, n_examples, n_classes) and labels as int64.

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.
    """
    z = np.asarray(logits, dtype=np.float64)
    if z.ndim != 4:
        raise SettingError(
            f"logits have the shape {z.shape}. Give (n_seeds, n_steps, n_examples, n_classes)."
        )
    n_seeds, n_steps, n_examples, n_classes = z.shape
    flat, y = checked_arrays(z.reshape(n_seeds * n_steps, n_examples, n_classes), labels)
    return flat.reshape(z.shape), y


def label_probs(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the probability of the given label, shape (n_seeds, n_steps, n_examples), in [0, 1].

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.
    """
    z, y = checked_checkpoints(logits, labels)
    probs: Floats = np.exp(log_softmax(z)[..., np.arange(len(y)), y])
    return probs


def margins(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the label's logit less the largest other logit.

    Args:
        logits: Shape (n_seeds, n_steps, n_examples, n_classes).
        labels: Class numbers, shape (n_examples,).

    Returns:
        Shape (n_seeds, n_steps, n_examples). Low (negative) means hard or mislabelled.

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.

    Source:
        Pleiss et al. 2020, Eq. 1.

    >>> margins([[[[1, 2, 3], [6, 5, 4]]]], [1, 0]).tolist()
    [[[-1.0, 1.0]]]
    """
    z, y = checked_checkpoints(logits, labels)
    rows = np.arange(len(y))
    # Classes first, as in `log_softmax`.
    others = np.moveaxis(z, -1, 0).copy()
    others[y, ..., rows] = -np.inf
    gap: Floats = z[..., rows, y] - others.max(axis=0)
    return gap


def aum(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the area under the margin, shape (n_examples,): the mean over seeds and checkpoints.

    Low means hard or mislabelled.

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.

    Source:
        Pleiss et al. 2020.

    >>> aum([[[[1, 2, 3], [6, 5, 4]]]], [1, 0]).tolist()
    [-1.0, 1.0]
    """
    area: Floats = margins(logits, labels).mean(axis=(0, 1))
    return area


def confidence(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the mean probability of the label, shape (n_examples,), in [0, 1]. Low means hard.

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.

    Source:
        Swayamdipta et al. 2020.
    """
    mean: Floats = label_probs(logits, labels).mean(axis=(0, 1))
    return mean


def variability(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the population std of the label's probability over checkpoints, the mean over seeds.

    Shape (n_examples,), in [0, ½]; NaN with one checkpoint. High means ambiguous.

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.

    Source:
        Swayamdipta et al. 2020.
    """
    return variability_of(label_probs(logits, labels))


def variability_of(probs: Floats) -> Floats:
    """Return `variability` of the label's probabilities, shape (n_seeds, n_steps, n_examples)."""
    if probs.shape[1] < 2:
        return np.full(probs.shape[2], np.nan)
    spread: Floats = probs.std(axis=1).mean(axis=0)
    return spread


def is_right(logits: ArrayLike, labels: ArrayLike) -> NDArray[np.bool_]:
    """Return whether the largest logit is the label's, shape (n_seeds, n_steps, n_examples).

    Of several largest logits the first counts, as in `argmax`.

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.
    """
    z, y = checked_checkpoints(logits, labels)
    right: NDArray[np.bool_] = z.argmax(axis=-1) == y
    return right


def correctness(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the share of right predictions, shape (n_examples,), in [0, 1]. Low means hard.

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.

    Source:
        Swayamdipta et al. 2020.
    """
    share: Floats = is_right(logits, labels).mean(axis=(0, 1))
    return share


def forgetting(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Return how often right turned into wrong from one checkpoint to the next, the mean over seeds.

    Shape (n_examples,), ≥ 0; NaN with one checkpoint. High means hard. An example that is never
    right is never forgotten: see `never_learned`.

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.

    Source:
        Toneva et al. 2019.

    >>> right, wrong = [1.0, 0.0], [0.0, 1.0]
    >>> forgetting([[[right], [wrong], [right], [wrong]]], [0]).tolist()
    [2.0]
    """
    return forgetting_of(is_right(logits, labels))


def forgetting_of(right: NDArray[np.bool_]) -> Floats:
    """Return `forgetting` of right predictions, shape (n_seeds, n_steps, n_examples)."""
    if right.shape[1] < 2:
        return np.full(right.shape[2], np.nan)
    count: Floats = (right[:, :-1] & ~right[:, 1:]).sum(axis=1).mean(axis=0)
    return count


def never_learned(logits: ArrayLike, labels: ArrayLike) -> NDArray[np.bool_]:
    """Return whether no checkpoint of any seed predicts the label, shape (n_examples,).

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.
    """
    return np.asarray(~is_right(logits, labels).any(axis=(0, 1)))
