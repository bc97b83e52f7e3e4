"""What an audit found, in the words that the app and the command line share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from diet_core.scoring.statistics.audit import Estimate

LAST_BLOCKS: Final = 3  # of the ranking, looked at together
FEWEST_DECIDED: Final = 40  # fewer say nothing


def share_in_words(share: Estimate) -> str:
    """Return a share of errors with its interval.

    >>> share_in_words(Estimate(7 / 37, 0.0948, 0.3420))
    '19 % errors (9–34 %)'
    >>> share_in_words(Estimate(0.01, 0.0027, 0.0357)), share_in_words(Estimate(None, 0.0, 1.0))
    ('1.0 % errors (0.3–3.6 %)', 'nothing is known yet')
    """
    if share.estimate is None:
        return "nothing is known yet"
    digits = 0 if share.high >= 0.1 else 1
    estimate, low, high = (f"{100 * x:.{digits}f}" for x in (share.estimate, share.low, share.high))
    return f"{estimate} % errors ({low}–{high} %)"


def left_in_words(below: int, left: Estimate) -> str:
    """Return how many errors are left below a rank; below 0 is everywhere.

    >>> left_in_words(400, Estimate(310, 180, 520))
    'about 310 (180–520) errors are left below rank 400'
    >>> left_in_words(0, Estimate(None, 0, 216)), left_in_words(9, Estimate(0, 0, 0))
    ('how many errors are left is not known yet', 'no error is left below rank 9')
    """
    where = f" below rank {below:,}" if below else ""
    if left.high == 0:
        return f"no error is left{where}"
    if left.estimate is None:
        return f"how many errors are left{where} is not known yet"
    return f"about {left.estimate:,} ({left.low:,}–{left.high:,}) errors are left{where}"


def guess_in_words(errors: float) -> str:
    """Return the number of errors that a model expects, and what such a number is worth.

    >>> guess_in_words(1234.4)
    'The model guesses 1,234; such guesses were between 0.05 and 5.6 times the truth.'
    """
    return f"The model guesses {errors:,.0f}; such guesses were between 0.05 and 5.6 times the truth."


def unclear_in_words(n: int) -> str:
    """Return what is the matter with audited examples that count neither as right nor as wrong.

    >>> unclear_in_words(2)
    '2 without a clear answer (unsure, in conflict or skipped) do not count.'
    """
    do = "does" if n == 1 else "do"
    return f"{n:,} without a clear answer (unsure, in conflict or skipped) {do} not count."


def stop_in_words(decided: Sequence[tuple[int, int]], share: Estimate) -> str:
    """Return when going on along a ranking finds no more errors than reading at random; else nothing.

    Args:
        decided: Per block of the ranking, from its top: how many were decided, how many of them were errors.
        share: Of errors in all examples, by the audit.

    >>> stop_in_words([(20, 15), (20, 2), (20, 1), (20, 0)], Estimate(0.08, 0.05, 0.12))
    'the last 60 decided hold 5 % errors, no more than a random sample (8 %): this is a place to stop'
    >>> stop_in_words([(20, 15), (20, 9), (20, 9)], Estimate(0.08, 0.05, 0.12))
    ''
    """
    last = decided[-LAST_BLOCKS:]
    n, n_errors = sum(block[0] for block in last), sum(block[1] for block in last)
    if share.estimate is None or n < FEWEST_DECIDED or n_errors / n > share.estimate:
        return ""
    return (
        f"the last {n:,} decided hold {100 * n_errors / n:.0f} % errors, no more than a random sample "
        f"({100 * share.estimate:.0f} %): this is a place to stop"
    )
