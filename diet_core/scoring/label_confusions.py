"""Estimated label confusions: which label is given by mistake for which class, by the probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diet_core.errors import SettingError
from diet_core.scoring.el2n import Floats, check_class_numbers

# The constants were chosen on trec6, sst2, noisy_agnews and sets of 20 to 150 clusters with planted errors;
# the measurements and what happens without each part are in docs/label-errors.md.
#
# Of two classes that resemble each other one is taken for the other without any wrong label. As many
# confusions as the models themselves expect say nothing; but they expect some of the errors, too.
SHARE_OF_EXPECTED: Final = 0.8
WEIGHT_OF_ALL: Final = 0.2  # of confusions that are no more than expected
EVEN_COUNTS: Final = 1.0  # added to each class, spread evenly: no pair is ruled out
# An error for sure: the label is five times less likely than the best class.
SHARP: Final = 0.2
# Concentration (see `concentration`) up to which errors count as even, and from which on as following
# classes: planted even errors reached 0.03 at most, human errors and planted confusions 0.24 and more.
EVEN_UP_TO: Final = 0.05
CLASSES_FROM: Final = 0.20
MOST_WEIGHT: Final = 0.95
WEIGHT_OF_OWN_RATE: Final = 0.5  # of a class, against that of all: rare classes have few counts
LEAST_RATE: Final = 1e-4  # of errors in a class: no label is beyond doubt
LARGEST_RATE: Final = 0.95
SHOWN: Final = 10


@dataclass(frozen=True)
class ConfidentConfusions:
    """How often examples are labelled as one class and confidently taken for another.

    Attributes:
        counts: [s, k] = examples labelled s and counted as k, at least 1 where s = k; shape
            (n_classes, n_classes).
        expected: [s, k] = how many of those counted as k the probabilities themselves call s.
        sharp: Of `counts` off the diagonal, those whose label is five times less likely than k.
        n_given: Examples labelled s, shape (n_classes,).
    """

    counts: Floats
    expected: Floats
    sharp: Floats
    n_given: Floats


def confident_confusions(probs: ArrayLike, labels: ArrayLike) -> ConfidentConfusions:
    """Return the confident confusions of labelled examples.

    An example counts as the likeliest of the classes whose probability reaches that class's threshold, the
    mean probability of k among the examples labelled k; where none does, it does not count.

    Args:
        probs: Shape (n_examples, n_classes); rows sum to 1.
        labels: Given class numbers, shape (n_examples,).

    Raises:
        SettingError: If shapes disagree or a label is no class number.

    Source:
        Northcutt et al. 2021, "Confident Learning", Eq. 1, for `counts`.

    >>> p = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7]]
    >>> confident_confusions(p, [0, 0, 0, 1]).counts.tolist()  # thresholds 0.6 and 0.7
    [[2.0, 1.0], [0.0, 1.0]]
    """
    p, y = checked_probs(probs, labels)
    rows, n_classes = np.arange(len(y)), p.shape[1]
    n_given = np.bincount(y, minlength=n_classes).astype(np.float64)
    own = np.bincount(y, weights=p[rows, y], minlength=n_classes)
    thresholds = np.divide(own, n_given, out=np.full(n_classes, np.inf), where=n_given > 0)
    reached = np.where(p >= thresholds, p, -1.0)
    best = reached.argmax(axis=1)
    is_counted = reached[rows, best] >= 0
    is_sharp = is_counted & (best != y) & (p[rows, y] < SHARP * p[rows, best])
    counts = _pairs(y[is_counted], best[is_counted], n_classes)
    np.fill_diagonal(counts, np.maximum(counts.diagonal(), 1))
    expected = np.stack([p[is_counted & (best == k)].sum(axis=0) for k in range(n_classes)], axis=1)
    return ConfidentConfusions(counts, expected, _pairs(y[is_sharp], best[is_sharp], n_classes), n_given)


def _pairs(given: NDArray[np.int64], best: NDArray[np.int64], n_classes: int) -> Floats:
    cells = np.bincount(given * n_classes + best, minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes).astype(np.float64)


def concentration(counts: ArrayLike) -> float:
    """Return how far the errors of a class go to the same other class: 0 = evenly to all, 1 = all to one.

    Two errors of one class, drawn at random, have the same label with some probability; this is
    that probability, over all classes, between its values for even errors and for errors that all go to one
    class. It has no bias for small counts.

    Args:
        counts: [s, k] = errors with the label s whose true class is k, shape (n_classes, n_classes); the
            diagonal is not looked at.

    Returns:
        About 0 to 1; 1 for two classes, where there is one other class only; 0 without two errors.

    >>> concentration([[0, 0, 4], [4, 0, 0], [0, 4, 0]]), concentration([[0, 0], [3, 0]])
    (1.0, 1.0)
    """
    off = _off_diagonal(np.asarray(counts, dtype=np.float64))
    n_classes, n = len(off), off.sum(axis=0)
    if n_classes == 2:
        return 1.0
    pairs = float((n * (n - 1)).sum())
    if pairs <= 0:
        return 0.0
    same, by_chance = float((off * (off - 1)).sum()) / pairs, 1 / (n_classes - 1)
    return (same - by_chance) / (1 - by_chance)


def confident_joint(probs: ArrayLike, labels: ArrayLike) -> Floats:
    """Return how many examples are labelled s and truly of class k, by the confident confusions.

    Arguments and errors are those of `confident_confusions`.

    Returns:
        Shape (n_classes, n_classes), given by true class; row s sums to the examples labelled s.

    Source:
        Northcutt et al. 2021, Eq. 3.

    >>> p = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7]]
    >>> confident_joint(p, [0, 0, 0, 1]).tolist()
    [[2.0, 1.0], [0.0, 1.0]]
    """
    confident = confident_confusions(probs, labels)
    return _scaled(confident, confident.counts)


def label_confusions(probs: ArrayLike, labels: ArrayLike) -> Floats:
    """Return how often each label is given for each true class: T[s, k] = P(label is s | truth is k).

    Errors that follow classes show in confident confusions beyond those that the models expect themselves.
    How much these weigh depends on the concentration of the sure errors: where those go to all classes
    alike, so do the label confusions, and every class has the same rate of errors.

    Arguments are those of `confident_confusions`; the probabilities are the mean over seeds.

    Returns:
        Shape (n_classes, n_classes), given by true class; columns sum to 1.

    Raises:
        SettingError: As `confident_confusions`, and if there is one class only.

    Source:
        The rates are those of the joint of Northcutt et al. 2021, Eq. 3.

    >>> p = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7]]
    >>> label_confusions(p, [0, 0, 0, 1]).round(3).tolist()  # class 1: half the labels, all: a quarter
    [[0.875, 0.375], [0.125, 0.625]]
    """
    confident = confident_confusions(probs, labels)
    n_classes = len(confident.counts)
    if n_classes < 2:
        raise SettingError("There is one class only, so no label can be wrong. Give at least two classes.")
    span = (concentration(confident.sharp) - EVEN_UP_TO) / (CLASSES_FROM - EVEN_UP_TO)
    weight = float(np.clip(span, 0, 1))
    even = _off_diagonal(np.full((n_classes, n_classes), 1 / (n_classes - 1)))
    shares = MOST_WEIGHT * weight * _shares(confident, even) + (1 - MOST_WEIGHT * weight) * even
    rate = _rates(confident, WEIGHT_OF_OWN_RATE * weight)
    return shares * rate + np.diag(1 - rate)


def _shares(confident: ConfidentConfusions, even: Floats) -> Floats:
    """Return to which other classes the errors of each class go, by their confusions: columns sum to 1."""
    counts, expected = _off_diagonal(confident.counts), confident.expected
    beyond = np.maximum(counts - SHARE_OF_EXPECTED * expected - np.sqrt(expected), 0)
    beyond = _scaled(confident, beyond + WEIGHT_OF_ALL * counts)
    written = _off_diagonal(beyond) + EVEN_COUNTS * even
    shares: Floats = written / written.sum(axis=0)
    return shares


def _rates(confident: ConfidentConfusions, weight_of_own: float) -> Floats:
    """Return the share of wrong labels among the examples of each true class, shape (n_classes,)."""
    joint = _scaled(confident, confident.counts)
    off = _off_diagonal(joint)
    whole = joint.sum(axis=0)
    own = np.divide(off.sum(axis=0), whole, out=np.zeros(len(whole)), where=whole > 0)
    rate: Floats = weight_of_own * own + (1 - weight_of_own) * off.sum() / joint.sum()
    return rate.clip(LEAST_RATE, LARGEST_RATE)


def _scaled(confident: ConfidentConfusions, cells: Floats) -> Floats:
    """Return cells as numbers of examples: not every example was counted."""
    scaled: Floats = cells * (confident.n_given / confident.counts.sum(axis=1))[:, None]
    return scaled


def _off_diagonal(square: Floats) -> Floats:
    return square - np.diag(square.diagonal())


def largest_confusions(
    confusions: ArrayLike, n_true: ArrayLike, limit: int = SHOWN
) -> list[tuple[int, int, float]]:
    """Return the label confusions of most examples as (given class, true class, share), the largest first.

    Args:
        confusions: As for `true_class_probs`.
        n_true: Examples that are truly of each class, shape (n_classes,).
        limit: How many at most.

    Returns:
        By T[s, k]·n_true[k], ties by s, then k; those without an example are left out.

    >>> largest_confusions([[0.9, 0.02], [0.1, 0.98]], [100, 1000])
    [(0, 1, 0.02), (1, 0, 0.1)]
    """
    shares = np.asarray(confusions, dtype=np.float64)
    numbers = _off_diagonal(shares) * np.asarray(n_true, dtype=np.float64)
    order = np.argsort(-numbers, axis=None, kind="stable")[:limit]
    places = [divmod(int(place), len(shares)) for place in order]
    return [(s, k, float(shares[s, k])) for s, k in places if numbers[s, k] > 0]


def true_class_probs(probs: ArrayLike, labels: ArrayLike, confusions: ArrayLike) -> Floats:
    """Return how likely each class is the true one, given the models' probabilities and the label.

    Args:
        probs: Shape (n_examples, n_classes); rows sum to 1.
        labels: Given class numbers, shape (n_examples,).
        confusions: T[s, k] = P(label is s | truth is k), shape (n_classes, n_classes), above 0.

    Returns:
        Shape (n_examples, n_classes), in proportion to p_k · T[label, k]; rows sum to 1.

    Raises:
        SettingError: If shapes disagree or a label is no class number.

    >>> true_class_probs([[0.5, 0.5]], [0], [[0.9, 0.3], [0.1, 0.7]]).round(2).tolist()  # 0.45 : 0.15
    [[0.75, 0.25]]
    """
    p, y = checked_probs(probs, labels)
    weighed = p * np.asarray(confusions, dtype=np.float64)[y]
    posterior: Floats = weighed / weighed.sum(axis=1, keepdims=True)
    return posterior


def checked_probs(probs: ArrayLike, labels: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    """Return probabilities as float64 (n_examples, n_classes) and labels as int64.

    Raises:
        SettingError: If shapes disagree, a label is no class number or a probability is not in [0, 1].
    """
    p, y = np.asarray(probs, dtype=np.float64), np.asarray(labels)
    if p.ndim != 2 or y.shape != (len(p),):
        raise SettingError(
            f"probs have the shape {p.shape} and labels {y.shape}. "
            "Give probs (n_examples, n_classes) and labels (n_examples,)."
        )
    check_class_numbers(y, p.shape[1])
    if not ((p >= 0) & (p <= 1 + 1e-9)).all():
        raise SettingError("probs hold a number outside of 0 to 1. Give softmax(logits).")
    return p, y.astype(np.int64)
