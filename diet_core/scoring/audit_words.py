"""What an audit found, in the words that the app and the command line share."""

from __future__ import annotations

from diet_core.scoring.audit import Estimate


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
