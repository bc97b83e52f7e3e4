"""Differences between arms as sentences that say no more than their intervals do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from diet_core.scoring.statistics.paired import ENOUGH_REPEATS, Interval

MAX_DIGITS: Final = 3
_IN_WORDS: Final = {1: "one repeat", 2: "two repeats"}


def difference_sentence(
    title: str, against: Sequence[tuple[str, Interval | None]], what: str = "accuracy"
) -> str:
    """Return what may be said of an arm beside others.

    Args:
        title: Of the arm.
        against: What it is compared with, as part of a sentence, and the interval of its difference, in
            shares; None where there is none yet.
        what: The metric; named unless it is the accuracy.

    >>> clear = Interval(0.008, 0.005, 0.011, 3, 2000)
    >>> tie = Interval(0.001, -0.002, 0.004, 3, 2000)
    >>> difference_sentence("EL2N", [("random", clear), ("all examples", tie)])
    'EL2N: better than random by 0.8 ± 0.3 points; not distinguishable from all examples (−0.2 to +0.4).'
    >>> difference_sentence("EL2N", [("all examples", Interval(-0.02, -0.03, -0.01, 1, 90))])
    'EL2N: 2.0 points below all examples in one repeat, too few to be sure.'
    """
    known = [(name, interval) for name, interval in against if interval is not None]
    if not known:
        return f"{title}: there is nothing to compare yet."
    parts = "; ".join(_part(name, interval) for name, interval in known)
    return f"{title}{'' if what == 'accuracy' else f' ({what})'}: {parts}."


def no_test_sentence(title: str) -> str:
    """Return what is said of an arm where nothing was tested on.

    >>> no_test_sentence("EL2N")
    'EL2N: there is no test split to compare on.'
    """
    return f"{title}: there is no test split to compare on."


def _part(name: str, interval: Interval) -> str:
    if interval.n_repeats < ENOUGH_REPEATS:
        return f"{_way(name, interval)} in {_IN_WORDS[interval.n_repeats]}, too few to be sure"
    if not interval.is_clear:
        return f"not distinguishable from {name} ({_range(interval)}){_missing_chance(interval)}"
    digits = _digits(interval)
    by = f"{100 * abs(interval.mean):.{digits}f} ± {100 * interval.half:.{digits}f} points"
    return f"{'better' if interval.mean > 0 else 'worse'} than {name} by {by}{_missing_chance(interval)}"


def _way(name: str, interval: Interval) -> str:
    """Return a difference as it was seen, without a claim."""
    points = f"{100 * abs(interval.mean):.1f}"
    if float(points) == 0:
        return f"level with {name}"
    return f"{points} points {'above' if interval.mean > 0 else 'below'} {name}"


def _missing_chance(interval: Interval) -> str:
    """Say what an interval leaves out that knows only the repeats' metrics."""
    return "" if interval.n_test else ", the choice of test examples left out"


def _range(interval: Interval) -> str:
    if math.isclose(interval.low, interval.high):
        return "equal in each repeat" if interval.mean == 0 else f"{_signed(interval.mean)} in each repeat"
    return f"{_signed(interval.low)} to {_signed(interval.high)}"


def _signed(share: float) -> str:
    """Return points with their sign; zero has none.

    >>> _signed(-0.002), _signed(0.004), _signed(-0.0001)
    ('−0.2', '+0.4', '0.0')
    """
    text = f"{100 * share:+.1f}".replace("-", "−")
    return text[1:] if float(text[1:]) == 0 else text


def _digits(interval: Interval) -> int:
    """Return the digits that show a clear difference as one: the mean above its half width."""
    for digits in range(1, MAX_DIGITS):
        if round(100 * abs(interval.mean), digits) > round(100 * interval.half, digits) > 0:
            return digits
    return MAX_DIGITS
