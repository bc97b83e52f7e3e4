"""Histogram bins that one outlier cannot flatten. Pure; shared by the charts and the store's SQL."""

from __future__ import annotations

from typing import Final

# Bins end at the inner 99 % of the values where all of them would span more than this many times as much.
STRETCH: Final = 3.0


def robust_range(lowest: float, highest: float, inner_low: float, inner_high: float) -> tuple[float, float]:
    """Return where a histogram starts and ends; values beyond belong to its first and last bin.

    Args:
        lowest: The smallest value.
        highest: The largest value.
        inner_low: The quantile 0.005.
        inner_high: The quantile 0.995.

    Returns:
        Start and end, start < end.

    >>> robust_range(0.0, 1.4, 0.01, 1.3)
    (0.0, 1.4)
    >>> robust_range(0.0, 9000.0, 0.5, 2.0)  # the outlier goes into the last bin
    (0.0, 2.0)
    >>> robust_range(2.0, 2.0, 2.0, 2.0)
    (1.5, 2.5)
    """
    spread = inner_high - inner_low
    if lowest == highest or spread <= 0:
        return (lowest - 0.5, highest + 0.5) if lowest == highest else (lowest, highest)
    start = inner_low if inner_low - lowest > STRETCH * spread else lowest
    end = inner_high if highest - inner_high > STRETCH * spread else highest
    return start, end
