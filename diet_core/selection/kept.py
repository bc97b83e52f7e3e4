"""What each kind of rule keeps, on plain arrays: fast enough to follow a slider over a million examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diet_core.errors import SettingError
from diet_core.rule import Rule
from diet_core.selection.ranking import checked_values
from diet_core.selection.shares import share_of

# Counts of right predictions lie further apart, and a share written with six digits still means its count.
RIGHT_TOLERANCE: Final = 1e-6


def kept_by_rank(
    rule: Rule,
    rank: NDArray[np.int32],
    codes: NDArray[np.int16] | None = None,
    values: NDArray[np.float64] | None = None,
    n_classes: int = 0,
) -> NDArray[np.bool_]:
    """Return which examples a rule keeps.

    Args:
        rule: What is kept.
        rank: The place of each example in the order of `rule.by`, 1 = hardest, each number once; for a
            random rule its place in the draw (`draw.random_ranks`). Shape (n_examples,). Rules of `BY_VALUES`
            do not look at it.
        codes: The class number of each example, shape (n_examples,), for rules per class.
        values: `rule.by` of each example, shape (n_examples,), for rules that go by values.
        n_classes: How many classes there are.

    Returns:
        Shape (n_examples,).

    Raises:
        SettingError: If a value is missing, or nothing would be left.

    >>> kept_by_rank(Rule(keep=0.6, drop_hardest=0.2), np.array([5, 1, 2, 3, 4], dtype=np.int32)).tolist()
    [False, False, True, True, False]
    """
    if rule.kind in BY_VALUES:
        assert values is not None, f"a rule by values of {rule.by} needs them"
        kept = BY_VALUES[rule.kind](rule, checked_values(values, rule.by))
    else:
        kept = _by_shares(rule, rank, codes, n_classes)
    if not kept.any():
        raise SettingError(
            f"Nothing of {len(kept)} examples is left by {rule.in_words}. {_ADVICE[rule.kind]}"
        )
    return kept


def rank_bounds(
    rule: Rule, rank: NDArray[np.int32], codes: NDArray[np.int16] | None = None, n_classes: int = 0
) -> NDArray[np.int32]:
    """Return between which ranks the examples stay that a rule by shares keeps.

    Arguments are those of `kept_by_rank`; the rule is of the kind shares or random.

    Returns:
        Shape (2, n_classes) for a rule per class, else (2, 1): the ranks above the first row and up to the
        second one stay.

    >>> rank, codes = np.array([1, 2, 3, 4], np.int32), np.array([0, 1, 1, 0], np.int16)
    >>> rank_bounds(Rule(keep=0.5, drop_hardest=0), rank).tolist()
    [[0], [2]]
    >>> rank_bounds(Rule(keep=1, drop_hardest=0.5, per_class=True), rank, codes, 2).tolist()
    [[1, 2], [4, 3]]
    """
    shares = (rule.drop_hardest, rule.keep)
    if not rule.per_class or codes is None:
        return np.array([[share_of(share, len(rank))] for share in shares], dtype=np.int32)
    in_order = np.empty_like(codes)
    in_order[rank - 1] = codes
    by_class = np.argsort(in_order, kind="stable")  # numbers of 16 bits: a radix sort
    ends = np.cumsum(np.bincount(in_order, minlength=n_classes))
    parts = np.split(by_class, ends[:-1])
    counts = [[share_of(share, len(part)) for part in parts] for share in shares]
    # A class's places less 1, hardest first: the n-th one's rank, 0 for none.
    bounds = [
        [part[n - 1] + 1 if n else 0 for part, n in zip(parts, of_share, strict=True)] for of_share in counts
    ]
    return np.array(bounds, dtype=np.int32)


def _by_shares(
    rule: Rule, rank: NDArray[np.int32], codes: NDArray[np.int16] | None, n_classes: int
) -> NDArray[np.bool_]:
    above, up_to = rank_bounds(rule, rank, codes, n_classes)
    if rule.per_class and codes is not None:
        above, up_to = above[codes], up_to[codes]
    kept: NDArray[np.bool_] = (rank > above) & (rank <= up_to)
    return kept


def _by_window(rule: Rule, v: NDArray[np.float64]) -> NDArray[np.bool_]:
    low, high = (end if limit is None else limit for limit, end in ((rule.low, -np.inf), (rule.high, np.inf)))
    kept: NDArray[np.bool_] = (v >= low) & (v <= high)
    return kept


def _by_right_predictions(rule: Rule, v: NDArray[np.float64]) -> NDArray[np.bool_]:
    above_low = v > 0 if rule.low is None else v >= rule.low - RIGHT_TOLERANCE
    below_high = v < 1 if rule.high is None else v <= rule.high + RIGHT_TOLERANCE
    kept: NDArray[np.bool_] = above_low & below_high
    return kept


# Kinds that look at the values alone: any ranks will do.
BY_VALUES: Final[dict[str, Callable[[Rule, NDArray[np.float64]], NDArray[np.bool_]]]] = {
    "window": _by_window,
    "auto": _by_right_predictions,
}
_ADVICE: Final = {
    "shares": "Keep more or drop less.",
    "window": "Widen the window.",
    "random": "Keep more.",
    "auto": "Widen the limits, or score with more seeds or score steps.",
}
