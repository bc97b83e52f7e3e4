"""How many examples a share means. The only place that rounds."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from diet_core.errors import SettingError


def share_of(share: float, n: int) -> int:
    """Return how many of `n` examples a share means: ⌊share·n + ½⌋, exact in decimal.

    Args:
        share: In [0, 1], read as the decimal number that its shortest text shows.
        n: Number of examples, ≥ 0.

    Raises:
        SettingError: If the share is outside of [0, 1].

    >>> share_of(0.7, 15), share_of(0.5, 1), share_of(0.35, 10)  # 10.5, 0.5 and 3.5 go up
    (11, 1, 4)
    """
    if not 0 <= share <= 1:
        raise SettingError(f"{share:g} is not a share. Give a number from 0 to 1.")
    exact = Decimal(str(share)) * n + Decimal("0.5")
    return int(exact.to_integral_value(rounding=ROUND_FLOOR))
