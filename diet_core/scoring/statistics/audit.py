"""How many labels are wrong: a random sample that people review, and what it says of the rest.

A model's own count is a guess (measured: between 0.05 and 5.6 times the truth). A sample drawn by chance
needs no model: its share of errors has an interval that holds whatever the data.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diet_core.errors import SettingError

LEVEL: Final = 0.95
SIZE: Final = 200  # of a first sample: at 20 % errors the interval is 11 points wide


@dataclass(frozen=True)
class Estimate:
    """A share or a number of examples as a sample tells it.

    Attributes:
        estimate: The best single value; None where no example of the sample says anything.
        low: Lower end of the interval.
        high: Upper end.
    """

    estimate: float | None
    low: float
    high: float


def wilson_interval(
    errors: float, n: int, level: float = LEVEL, population: int | None = None
) -> tuple[float, float]:
    """Return the interval for a share of which a random sample showed `errors` in `n`.

    (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n) with p = errors/n and the normal quantile z. Of a
    finite population drawn without replacement, n is replaced by n·(N−1)/(N−n), so that a census has a
    width of zero.

    Args:
        errors: How many of the sample are errors, 0 to `n`.
        n: Size of the sample; of an empty one nothing is known.
        level: How often such intervals cover the truth, in (0, 1).
        population: N, at least `n`; None = infinite.

    Returns:
        The lower and the upper end, in [0, 1].

    Raises:
        SettingError: If the numbers do not fit each other.

    Source:
        Wilson 1927; coverage: Brown, Cai and DasGupta 2001, §3. Finite populations: Cochran 1977, §2.6.

    >>> [round(end, 4) for end in wilson_interval(10, 100)]
    [0.0552, 0.1744]
    >>> wilson_interval(10, 100, population=100), wilson_interval(0, 0)
    ((0.1, 0.1), (0.0, 1.0))
    """
    _check_counts(errors, n, level, population)
    if n == 0:
        return 0.0, 1.0
    share = errors / n
    if n == population:
        return share, share
    size = n if population is None else n * (population - 1) / (population - n)
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    centre = share + z2 / (2 * size)
    half = math.sqrt(z2 * (share * (1 - share) + z2 / (4 * size)) / size)
    scale = 1 + z2 / size
    # Rounding must not put the ends of 0 in n and n in n beside 0 and 1.
    low = 0.0 if errors == 0 else (centre - half) / scale
    high = 1.0 if errors == n else (centre + half) / scale
    return low, high


def _check_counts(errors: float, n: int, level: float, population: int | None) -> None:
    if not 0 <= errors <= n:
        raise SettingError(f"{errors:g} errors among {n} examples cannot be. Give 0 to {n} errors.")
    if not 0 < level < 1:
        raise SettingError(f"level is {level:g}. Give a number between 0 and 1, such as 0.95.")
    if population is not None and population < n:
        raise SettingError(f"{population} examples cannot hold a sample of {n}. Give a smaller sample.")


def share_of_errors(errors: int, n: int, population: int) -> Estimate:
    """Return the share of errors in a population, from a random sample of it.

    >>> share_of_errors(0, 0, 50)
    Estimate(estimate=None, low=0.0, high=1.0)
    """
    low, high = wilson_interval(errors, n, population=population)
    return Estimate(errors / n if n else None, low, high)


def audit_sample(example_ids: Sequence[str], size: int = SIZE, seed: int = 0) -> list[str]:
    """Return a random sample: the first `size` ids by blake2b of seed and id, all where there are fewer.

    The order is random too, does not depend on that of `example_ids`, and a larger sample of the same seed
    begins with the smaller one.

    Args:
        example_ids: The population, each id once.
        size: At least 1.
        seed: Another seed draws another sample.

    Raises:
        SettingError: If `size` is below 1.

    >>> audit_sample(["a", "b", "c", "d"], 2), audit_sample(["d", "c", "b", "a"], 3)
    (['b', 'a'], ['b', 'a', 'd'])
    """
    if size < 1:
        raise SettingError(f"A sample of {size} examples was asked for. Give at least 1, such as {SIZE}.")

    def chance(example_id: str) -> tuple[bytes, str]:
        # "audit": the held-out tenth and --limit go by hashes of seed and id as well.
        return hashlib.blake2b(f"audit\0{seed}\0{example_id}".encode()).digest(), example_id

    return heapq.nsmallest(size, example_ids, key=chance)


def unbroken(ranks: ArrayLike, after: int = 0) -> int:
    """Return the last rank of the run without a gap that begins behind `after`; `after` where there is none.

    Args:
        ranks: From 1, in any order, each once, shape (n,).
        after: A rank, or 0 for the beginning.

    >>> unbroken([2, 1, 3, 5]), unbroken([2, 1, 3, 5], after=4), unbroken([])
    (3, 5, 0)
    """
    behind = np.sort(np.asarray(ranks, dtype=np.int64))
    behind = behind[behind > after]
    return after + int(np.cumprod(behind == after + 1 + np.arange(len(behind))).sum())


def errors_left(
    below: int, n_examples: int, ranks: ArrayLike, is_error: ArrayLike, is_audited: ArrayLike
) -> Estimate:
    """Return how many errors that nobody has found yet lie below a rank of the ranking.

    With R = `below`, moved on over the known examples directly behind it (they hide nothing), M = N − R
    examples below, m of them audited, k of these errors, and e errors known below R, audited or not:

        left = M·k/m − e,   between M·low − e and M·high − e,

    where (low, high) is the Wilson interval of k in m for a population of M. The ends are widened to whole
    numbers, and never fall below 0 or exceed the number of unknown examples below R. So known examples count
    as what they are, however people came to them: along the ranking, by a search, or with another run's
    ranking. If all is known, nothing is left: 0 to 0. Without an audited example below R: anything.

    It assumes that the audited examples are a random sample of all, drawn without looking at ranking or
    labels, that reviewers are right, and that those of the sample who got no clear answer (unsure, in
    conflict, skipped) are wrong as often as the others. Where fewer than about 5 errors are to be expected in
    m, the interval covers less often than 95 % at some shares (91 % at 0.25 % of 10,000 and m = 200).

    Args:
        below: The rank R, 0 to `n_examples`; 0 = below the beginning: in all.
        n_examples: N, the length of the ranking.
        ranks: Of the known examples (those that people agree on), from 1, shape (n_known,).
        is_error: Whether the known example was an error, shape (n_known,).
        is_audited: Whether it was drawn by chance, shape (n_known,).

    Returns:
        Whole numbers of examples, in [0, unknown examples below R].

    Raises:
        SettingError: If `below` is no rank, or the shapes differ.

    Source:
        Difference estimator of a domain total: Cochran 1977, §2.11 and §7.

    >>> errors_left(2, 102, ranks=[1, 2, 10, 20, 30, 40], is_error=[1, 1, 1, 0, 0, 0],
    ...             is_audited=[0, 0, 1, 1, 1, 1])  # one error in four of 100, and it is found
    Estimate(estimate=24, low=3, high=69)
    """
    r, error, audited = _checked_known(below, n_examples, ranks, is_error, is_audited)
    start = unbroken(r, after=below)
    is_below = r > start
    n_below, n_unknown = n_examples - start, n_examples - start - int(is_below.sum())
    m, k = int((is_below & audited).sum()), int((is_below & audited & error).sum())
    n_found = int((is_below & error).sum())
    low, high = wilson_interval(k, m, population=n_below)

    def left(share: float) -> float:
        # Six digits: what is meant as a whole number must not be widened to the next one.
        return min(max(round(n_below * share - n_found, 6), 0), n_unknown)

    return Estimate(round(left(k / m)) if m else None, math.floor(left(low)), math.ceil(left(high)))


def _checked_known(
    below: int, n_examples: int, ranks: ArrayLike, is_error: ArrayLike, is_audited: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    r = np.asarray(ranks, dtype=np.int64)
    error, audited = (np.asarray(flags, dtype=np.bool_) for flags in (is_error, is_audited))
    if not 0 <= below <= n_examples:
        raise SettingError(f"There is no rank {below} among {n_examples}. Give 0 to {n_examples}.")
    if not r.shape == error.shape == audited.shape:
        raise SettingError(
            f"Ranks, errors and audited have {r.shape}, {error.shape} and {audited.shape} values. "
            "Give one of each per known example."
        )
    return r, error, audited
