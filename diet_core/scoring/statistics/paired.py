"""How sure the difference of two arms is: repeats and test examples are both chance, and both are paired."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diet_core.errors import SettingError

# Accuracies are multiples of one test example, so that two repeats may agree by chance: no claim on fewer.
ENOUGH_REPEATS: Final = 3
LEVEL: Final = 0.95
DRAWS: Final = 4000
# Student's t has long tails: this many values of it for each draw of the test examples make the ends of
# an interval of three repeats vary by 1 % of its width from seed to seed, not by 4 %.
_VALUES_PER_DRAW: Final = 16
# Three repeats may agree by chance, to the last example of a small test split. Their variance counts as a
# tenth at least of what single predictions alone would give it, which a tenth of such cases lie below.
_LEAST_OF_OWN: Final = 0.1
_CELLS_AT_ONCE: Final = 4_000_000  # counts in memory, 32 MB

Statistic = Callable[[NDArray[np.int64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Interval:
    """A mean difference and where it may lie.

    Attributes:
        mean: Mean over the repeats of ours less theirs; above 0 means ours is better.
        low: Lower end, as far from the mean as the upper one; NaN where nothing tells.
        high: Upper end.
        n_repeats: Repeats that both arms have.
        n_test: Test examples that were drawn anew; 0 = the interval is over the repeats alone.
    """

    mean: float
    low: float
    high: float
    n_repeats: int
    n_test: int

    @property
    def half(self) -> float:
        """Half the width."""
        return (self.high - self.low) / 2

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside; never so for an interval without width."""
        return self.low < self.high and (self.low > 0 or self.high < 0)

    @property
    def is_clear(self) -> bool:
        """Whether one may speak of a difference: three repeats at least, and zero left out."""
        return self.n_repeats >= ENOUGH_REPEATS and self.excludes_zero


def paired_interval(
    ours: ArrayLike, theirs: ArrayLike, *, level: float = LEVEL, draws: int = DRAWS, seed: int = 0
) -> Interval:
    """Return the difference of two arms' accuracies with an interval for new seeds and new test examples.

    Repeats are paired by their seed, and each draw of the test examples is the same for both arms and all
    repeats. The interval holds two kinds of chance: the repeats' by Student's t (a bootstrap of three repeats
    is far too narrow), and the test examples' by a bootstrap, of which only what the repeats have in common
    is added, because what differs between them the repeats show themselves. It is symmetric about the mean.
    Where there was nothing to find, 3 and 5 repeats claimed a difference in 2.6 to 5.1 % of 2,500 cases
    for each of four models of chance (tests/scoring/test_paired.py has them); an interval over the repeats
    alone did so in up to half of the cases, where two arms differ on the same examples in each repeat.

    Args:
        ours: Whether each prediction is right, shape (n_repeats, n_test), bool.
        theirs: The same of the other arm: the same repeats and test examples, in the same order.
        level: Of the interval.
        draws: Of the test examples.
        seed: The same seed gives the same interval.

    Returns:
        The interval, in shares. Of one repeat it is over the test examples alone, and never clear.

    Raises:
        SettingError: If the shapes disagree, or there is no repeat or no test example.

    Source:
        Random effects of repeats and examples: Owen 2007, "The pigeonhole bootstrap", whose resampling of
        both counts the part that belongs to single repeats and examples three times.

    >>> found = paired_interval([[True] * 90 + [False] * 10] * 3, [[True] * 50 + [False] * 50] * 3)
    >>> round(found.mean, 2), found.is_clear
    (0.4, True)
    """
    a, b = (np.asarray(right, dtype=np.int8) for right in (ours, theirs))
    _check_shapes(a, b)
    patterns, counts = np.unique(a - b, axis=1, return_counts=True)

    def mean_difference(n: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(n @ patterns.T / a.shape[1], dtype=np.float64)

    return _interval(mean_difference, counts, level, draws, seed)


def paired_f1_interval(
    ours: ArrayLike,
    theirs: ArrayLike,
    labels: ArrayLike,
    *,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """Return the difference of two arms' macro-F1 with an interval, as `paired_interval` does of accuracies.

    Args:
        ours: Predicted class numbers, shape (n_repeats, n_test).
        theirs: The same of the other arm.
        labels: Class numbers, shape (n_test,).
        level: Of the interval.
        draws: Of the test examples.
        seed: The same seed gives the same interval.

    Raises:
        SettingError: If the shapes disagree, or there is no repeat or no test example.

    >>> round(paired_f1_interval([[0, 0, 1]], [[0, 0, 0]], [0, 1, 1]).mean, 4)  # 2/3 less 1/4
    0.4167
    """
    a, b, y = (np.asarray(values, dtype=np.int64) for values in (ours, theirs, labels))
    _check_shapes(a, b)
    if y.shape != a.shape[1:]:
        raise SettingError(
            f"labels has the shape {y.shape}. Give one label for each of {a.shape[1]} examples."
        )
    patterns, counts = np.unique(np.vstack([y[None], a, b]), axis=1, return_counts=True)
    n_repeats = len(a)

    def f1_difference(n: NDArray[np.int64]) -> NDArray[np.float64]:
        of_each = [_macro_f1(n, patterns[0], predicted) for predicted in patterns[1:]]
        return np.stack(of_each[:n_repeats], axis=1) - np.stack(of_each[n_repeats:], axis=1)

    return _interval(f1_difference, counts, level, draws, seed)


def repeats_interval(ours: ArrayLike, theirs: ArrayLike, *, level: float = LEVEL) -> Interval:
    """Return the difference of two arms with Student's interval over the repeats alone.

    For runs that have not kept what they predict: the chance of the test examples is left out.

    Args:
        ours: A metric of each repeat, shape (n_repeats,).
        theirs: The same of the other arm, equal seeds at equal places.
        level: Of the interval.

    Raises:
        SettingError: If the shapes disagree or there is no repeat.

    >>> found = repeats_interval([0.82, 0.84, 0.86], [0.80, 0.81, 0.82])
    >>> round(found.mean, 3), round(found.low, 3), found.n_test  # 0.03 less 4.303 * 0.01 / sqrt(3)
    (0.03, 0.005, 0)
    """
    d = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    _check_shapes(d[None], d[None])
    if len(d) == 1:
        return Interval(float(d[0]), math.nan, math.nan, 1, 0)
    return _around(d, _t_quantile(len(d), level) * _standard_error(d), 0)


@cache
def _t_quantile(n_repeats: int, level: float) -> float:
    """Return the value that Student's t exceeds to neither side with this probability, to about 1 %."""
    rng = np.random.default_rng(0)
    t = rng.standard_t(n_repeats - 1, size=64 * DRAWS)
    return float(np.quantile(np.abs(t), level))


def _check_shapes(a: NDArray[np.generic], b: NDArray[np.generic]) -> None:
    if a.shape != b.shape or a.ndim != 2 or not a.size:
        raise SettingError(
            f"The two arms have the shapes {a.shape} and {b.shape}. "
            "Give the same repeats and test examples of both, at least one of each."
        )


def _interval(
    statistic: Statistic, counts: NDArray[np.int64], level: float, draws: int, seed: int
) -> Interval:
    """Return the interval of a statistic that takes counts of patterns (n, n_patterns) to (n, n_repeats)."""
    rng = np.random.default_rng(seed)
    observed = statistic(counts[None])[0]
    n, n_test = len(observed), int(counts.sum())
    resampled = _resampled(statistic, counts, draws, rng)
    moved = resampled.mean(axis=1) - resampled.mean()
    if n == 1:
        return _around(observed, float(np.quantile(np.abs(moved), level)), n_test)
    common, own = _variance_shares(resampled)
    error = max(_standard_error(observed), math.sqrt(_LEAST_OF_OWN * own / n))
    t = rng.standard_t(n - 1, size=(draws, _VALUES_PER_DRAW))
    values = math.sqrt(common) * moved[:, None] + error * t
    return _around(observed, float(np.quantile(np.abs(values), level)), n_test)


def _resampled(
    statistic: Statistic, counts: NDArray[np.int64], draws: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the statistic of `draws` resamples of the test examples, shape (draws, n_repeats)."""
    n_test, at_once = int(counts.sum()), max(1, _CELLS_AT_ONCE // len(counts))
    sizes = [min(at_once, draws - start) for start in range(0, draws, at_once)]
    return np.concatenate([statistic(rng.multinomial(n_test, counts / n_test, size=size)) for size in sizes])


def _variance_shares(resampled: NDArray[np.float64]) -> tuple[float, float]:
    """Return which share of the mean's variance all repeats have in common, and a repeat's own variance.

    The mean of R repeats varies by common + own / R, a single one by common + own.
    """
    n = resampled.shape[1]
    of_mean, of_one = float(resampled.mean(axis=1).var()), float(resampled.var(axis=0).mean())
    own = max(0.0, (of_one - of_mean) * n / (n - 1))
    return (max(0.0, 1 - own / n / of_mean) if of_mean else 0.0), own


def _standard_error(observed: NDArray[np.float64]) -> float:
    return float(np.sqrt(observed.var(ddof=1) / len(observed)))


def _around(observed: NDArray[np.float64], half: float, n_test: int) -> Interval:
    mean = float(observed.mean())
    return Interval(mean, mean - half, mean + half, len(observed), n_test)


def _macro_f1(
    n: NDArray[np.int64], labels: NDArray[np.int64], predicted: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return macro-F1 of each row of counts: the mean over the classes that labels or predictions name."""
    classes = np.arange(int(max(labels.max(), predicted.max())) + 1)
    is_label, is_predicted = labels[:, None] == classes, predicted[:, None] == classes
    counts = n.astype(np.float64)
    named = counts @ (is_label.astype(np.float64) + is_predicted)
    right = counts @ (is_label & is_predicted).astype(np.float64)
    f1 = np.divide(2 * right, named, out=np.zeros_like(named), where=named > 0)
    return np.asarray(f1.sum(axis=1) / (named > 0).sum(axis=1), dtype=np.float64)
