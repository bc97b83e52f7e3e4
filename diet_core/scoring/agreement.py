"""How far the seeds agree, and how many are worth paying for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from diet_core.scoring.el2n import Floats

MAX_ESTIMATED_SEEDS = 10
MAX_CHOICES = 20  # of k seeds among n, that a mean correlation is taken over
# What `--seeds auto` trains for. At the correlation between two seeds that follows from the paper's figures
# (r = 0.834) three seeds reach 0.968 and four 0.976; beyond it a training more adds less than 0.005.
ENOUGH_RELIABILITY = 0.97


def spearman(a: ArrayLike, b: ArrayLike) -> float:
    """Return Spearman's rank correlation of two score vectors, in [−1, 1]; tied values share a rank.

    Returns NaN where a vector is constant: its order says nothing.

    >>> spearman([1, 2, 3], [10, 20, 25])
    1.0
    """
    ranks = [pd.Series(np.asarray(x, dtype=np.float64)).rank().to_numpy() for x in (a, b)]
    centred = [r - r.mean() for r in ranks]
    scale = float(np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return float((centred[0] * centred[1]).sum() / scale) if scale else float("nan")


def seed_agreement(scores: ArrayLike) -> dict[str, Any] | None:
    """Return how well few seeds stand for many.

    If one seed correlates c with the mean of n, the equal-correlation model has
    r = (n·c² − 1)/(n − 1) between seeds; with V_k = (1 + (k−1)·r)/k, k seeds correlate √(V_n/V_k)
    with the mean of n (`estimate`) and √(r/V_k) with infinitely many (`reliability`).

    Args:
        scores: One row per seed, shape (n_seeds, n_examples).

    Returns:
        None with one seed. Else `single`: Spearman of each seed with the mean of all; `pairs`: of the
        mean of each pair of seeds with it; `leave_one_out`: of each seed with the mean of the
        others; `top_tenth`: which share of the mean's highest tenth is in each seed's; per number of seeds
        k (as text, for JSON) `measured`: the mean correlation of k seeds with the mean of all, of at most 20
        choices of k < n, `estimate`: what the model says of it, and `reliability`.

    Source:
        Fayyaz et al. 2022, §4 reports `single` and `pairs`; the model is Spearman–Brown's.
    """
    s = np.asarray(scores, dtype=np.float64)
    n = len(s)
    if n < 2:
        return None
    mean = s.mean(axis=0)
    single = [spearman(row, mean) for row in s]
    ks = range(1, max(n, MAX_ESTIMATED_SEEDS) + 1)
    r = correlation_between_seeds(float(np.mean(single)), n)
    return {
        "single": single,
        "pairs": [spearman(s[list(pair)].mean(axis=0), mean) for pair in combinations(range(n), 2)],
        "leave_one_out": [spearman(s[i], np.delete(s, i, axis=0).mean(axis=0)) for i in range(n)],
        "top_tenth": [top_overlap(row, mean, n_top=-(-len(mean) // 10)) for row in s],
        "measured": {str(k): _measured(s, mean, k) for k in range(1, n)},
        "estimate": {str(k): estimated_correlation(r, k, n) for k in ks if k <= n},
        "reliability": {str(k): reliability(r, k) for k in ks},
    }


def top_overlap(scores: ArrayLike, others: ArrayLike, n_top: int) -> float:
    """Return which share of the highest of `others` is among the highest of `scores` too, in [0, 1].

    Args:
        scores: Shape (n_examples,).
        others: The same examples' other scores.
        n_top: How many are the highest, at least 1. Tied values share a rank, and count if it is high
            enough.

    >>> top_overlap([1, 2, 3, 4], [1, 4, 2, 3], n_top=2)  # {3, 4} and {2, 4}
    0.5
    """
    columns = (pd.Series(np.asarray(x, dtype=np.float64)) for x in (scores, others))
    mine, theirs = (column.rank(ascending=False) <= n_top for column in columns)
    return float((mine & theirs).sum() / max(1, theirs.sum()))


def _measured(scores: Floats, mean: Floats, k: int) -> float:
    """Return the mean correlation of the means of k seeds with the mean of all."""
    choices = list(combinations(range(len(scores)), k))
    some = choices[:: -(-len(choices) // MAX_CHOICES)]
    return float(np.mean([spearman(scores[list(choice)].mean(axis=0), mean) for choice in some]))


def correlation_between_seeds(single: float, n: int) -> float:
    """Return r between two seeds, given that one correlates `single` with the mean of `n` ≥ 2.

    >>> round(correlation_between_seeds(0.9311, 5), 4)
    0.8337
    """
    return (n * single**2 - 1) / (n - 1)


def _variance_of_mean(r: float, k: int) -> float:
    return (1 + (k - 1) * r) / k


def estimated_correlation(r: float, k: int, n: int) -> float:
    """Return the expected correlation of the mean of `k` seeds with the mean of `n` that hold them.

    >>> round(estimated_correlation(0.8337, 2, 5), 4)  # the paper found 0.9722
    0.9724
    """
    of_n, of_k = _variance_of_mean(r, n), _variance_of_mean(r, k)
    return float(np.sqrt(max(of_n, 0.0) / of_k)) if of_k > 0 else float("nan")


def reliability(r: float, k: int) -> float:
    """Return the expected correlation of the mean of `k` seeds with the mean of infinitely many.

    0 for seeds that do not agree at all (r ≤ 0).

    >>> [round(reliability(0.8337, k), 3) for k in (1, 5)]
    [0.913, 0.981]
    """
    return 0.0 if r <= 0 else float(np.sqrt(r / _variance_of_mean(r, k)))


def seeds_for_reliability(agreement: dict[str, Any], target: float = ENOUGH_RELIABILITY) -> int | None:
    """Return how many seeds are estimated to reach a reliability; None if no number of them does.

    With r between two seeds, √(r·k / (1 + (k−1)·r)) ≥ t from k = t²·(1 − r) / (r·(1 − t²)) on.

    Args:
        agreement: From `seed_agreement`, whose reliability of one seed is √r.
        target: The reliability, below 1.

    >>> [seeds_for_reliability({"reliability": {"1": one}}) for one in (0.9131, 0.98, 0.5, 0.0)]
    [4, 1, 48, None]
    """
    r: float = agreement["reliability"]["1"] ** 2
    if not r > 0:
        return None
    k = target**2 * (1 - r) / (r * (1 - target**2))
    return max(1, ceil(k - 1e-9))


def has_enough_seeds(agreement: dict[str, Any] | None) -> bool:
    """Return whether the seeds that were trained reach `ENOUGH_RELIABILITY`; never with one.

    Args:
        agreement: From `seed_agreement`.

    >>> has_enough_seeds({"single": [0.9, 0.9, 0.9], "reliability": {"2": 0.95, "3": 0.971}})
    True
    >>> has_enough_seeds({"single": [0.9, 0.9], "reliability": {"2": 0.95, "3": 0.971}})
    False
    """
    reached = own_reliability(agreement)
    return reached is not None and reached >= ENOUGH_RELIABILITY


def own_reliability(agreement: dict[str, Any] | None) -> float | None:
    """Return the estimated reliability of the mean of the seeds that were trained; None with one seed.

    Args:
        agreement: From `seed_agreement`.
    """
    return None if agreement is None else float(agreement["reliability"][str(len(agreement["single"]))])


def mean_and_spread(values: Sequence[float] | Floats) -> tuple[Floats, Floats]:
    """Return the mean over the first axis and the standard deviation (ddof 1; NaN for one row).

    Args:
        values: Shape (n_seeds, …).
    """
    v: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    spread = v.std(axis=0, ddof=1) if len(v) > 1 else np.full(v.shape[1:], np.nan)
    return v.mean(axis=0), spread
