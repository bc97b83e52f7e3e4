"""Competing ways in alternating rounds; the median of their ratios is the result."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import comb

import numpy as np

from diet_core.errors import SettingError

COVERAGE = 0.95


@dataclass(frozen=True)
class Rounds:
    """The seconds of every way in every round.

    Attributes:
        seconds: Per way, one entry per round.
    """

    seconds: dict[str, list[float]]

    def ratio(self, way: str, to: str) -> dict[str, float]:
        """Return how long `way` takes in units of `to`: the median of the rounds' ratios and its interval.

        Within a round both ran on the same machine at nearly the same time, so that a machine whose speed
        drifts from round to round does not spoil their ratio.
        """
        ratios = [a / b for a, b in zip(self.seconds[way], self.seconds[to], strict=True)]
        low, high = median_interval(ratios)
        return {"median": float(np.median(ratios)), "low": low, "high": high}

    def median(self, way: str) -> float:
        """Return the median seconds of a way."""
        return float(np.median(self.seconds[way]))


def median_interval(values: list[float]) -> tuple[float, float]:
    """Return the narrowest pair of values that holds the median with 95 % confidence, whatever the spread.

    With fewer than six values no pair does; then it is the lowest and the highest.

    >>> median_interval([3.0, 1.0, 2.0])
    (1.0, 3.0)
    """
    ordered, n = sorted(values), len(values)
    outside = 0
    while outside < (n - 1) // 2 and _coverage(n, outside + 1) >= COVERAGE:
        outside += 1
    return ordered[outside], ordered[n - 1 - outside]


def _coverage(n: int, outside: int) -> float:
    """Return how surely the median lies within, with `outside` values left out at each end."""
    return float(1 - 2 * sum(comb(n, k) for k in range(outside + 1)) / 2**n)


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Return the median and the 95th percentile of some values; None of none.

    >>> spread([1.0, 2.0, 3.0])
    {'median': 2.0, 'p95': 2.9}
    """
    if not values:
        return {"median": None, "p95": None}
    return {"median": float(np.median(values)), "p95": round(float(np.percentile(values, 95)), 6)}


def check_installed(package: str, need: str) -> None:
    """Check that a package of requirements-dev.txt is installed.

    Raises:
        SettingError: If it is not, with the sentence `need`.
    """
    try:
        import_module(package)
    except ImportError as error:
        advice = "Install what the tests need: pip install -r requirements-dev.txt"
        raise SettingError(f"{need} {advice}") from error


def race(
    ways: Mapping[str, Callable[[int], Callable[[], object]]],
    rounds: int,
    on_round: Callable[[int], None] = lambda done: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Rounds:
    """Return the seconds of every way in every round; the order turns around from round to round.

    Args:
        ways: Per name, what prepares a round (given its number from 0) and returns the part that is timed.
        rounds: How many, at least 1.
        on_round: Told after each round how many are done.
        clock: Of the seconds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in list(ways)[:: -1 if number % 2 else 1]:
            timed = ways[name](number)
            gc.collect()
            started = clock()
            timed()
            seconds[name].append(clock() - started)
        on_round(number + 1)
    return Rounds(seconds)
