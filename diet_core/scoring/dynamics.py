"""What the checkpoints of one or several seeds say about each example.

`label_probs` and `margins` take logits, shape (n_seeds, n_steps, n_examples, n_classes); the scores take what
follows from them, shape (n_seeds, n_steps, n_examples): the checkpoints after step 0, in the order of the
steps. Each score has the shape (n_examples,).
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
        SettingError: As `checked_checkpoints`.
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
        SettingError: As `checked_checkpoints`.

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


def aum(margins: Floats) -> Floats:
    """Return the area under the margin: the mean over seeds and checkpoints of `margins`.

    Low means hard or mislabelled.

    Source:
        Pleiss et al. 2020.
    """
    area: Floats = margins.mean(axis=(0, 1))
    return area


def confidence(probs: Floats) -> Floats:
    """Return the mean probability of the label, of `label_probs`; in [0, 1]. Low means hard.

    Source:
        Swayamdipta et al. 2020.
    """
    mean: Floats = probs.mean(axis=(0, 1))
    return mean


def variability(probs: Floats) -> Floats:
    """Return the population std of the label's probability over checkpoints, the mean over seeds.

    In [0, ½]; NaN with one checkpoint. High means ambiguous.

    Source:
        Swayamdipta et al. 2020.
    """
    if probs.shape[1] < 2:
        return np.full(probs.shape[2], np.nan)
    spread: Floats = probs.std(axis=1).mean(axis=0)
    return spread


def correctness(is_right: NDArray[np.bool_]) -> Floats:
    """Return the share of right predictions (the largest logit is the label's); in [0, 1]. Low means hard.

    Source:
        Swayamdipta et al. 2020.
    """
    share: Floats = is_right.mean(axis=(0, 1))
    return share


def forgetting(is_right: NDArray[np.bool_]) -> Floats:
    """Return how often right turned into wrong from one checkpoint to the next, the mean over seeds.

    At least 0; NaN with one checkpoint. High means hard. An example that is never right is never forgotten:
    see `never_learned`.

    Source:
        Toneva et al. 2019.

    >>> forgetting(np.array([[[True], [False], [True], [False]]])).tolist()
    [2.0]
    """
    if is_right.shape[1] < 2:
        return np.full(is_right.shape[2], np.nan)
    count: Floats = (is_right[:, :-1] & ~is_right[:, 1:]).sum(axis=1).mean(axis=0)
    return count


def never_learned(is_right: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether no checkpoint of any seed predicts the label."""
    return np.asarray(~is_right.any(axis=(0, 1)))
