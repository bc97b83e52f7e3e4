"""Which values of a score lie between two percentiles of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from diet_core.errors import SettingError
from diet_core.selection.shares import share_of
from diet_core.store.filters import checked_score
from diet_core.store.loading.runs import read_run
from diet_core.tables import MISSING_SCORE_ADVICE, SCORES

if TYPE_CHECKING:
    from diet_core.store.store import Store

_DIGITS: Final = 6  # of a share: what 12.3 / 100 is meant to be

Range = tuple[float | None, float | None]


def percentile_range(store: Store, run_id: str, column: str, low: float, high: float) -> Range:
    """Return the values of a score between two percentiles, 0 = the easiest example, 100 = the hardest.

    The k examples between them are counted as every share is; values tied with the outermost ones come along.

    Args:
        store: Where.
        run_id: The run.
        column: The score.
        low: Percentile, 0 to 100.
        high: Percentile, above `low`, to 100.

    Returns:
        Smallest and largest value, both inclusive, as `ExampleFilter` takes them; None where it is open.

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If `column` is not a score or missing for some examples, a percentile is out of range,
            or no example lies between the two.
    """
    read_run(store, run_id)
    if not 0 <= low <= high <= 100:
        raise SettingError(
            f"The percentiles are {low:g} and {high:g}. Give two from 0 to 100, the lower first."
        )
    n = _count(store, run_id, checked_score(column))
    first, end = (share_of(round(percent / 100, _DIGITS), n) for percent in (low, high))
    if first >= end:
        raise SettingError(
            f"No example lies between the percentiles {low:g} and {high:g} of {n:,}. Choose a wider range."
        )
    easiest = _value_at(store, run_id, column, first) if low > 0 else None
    hardest = _value_at(store, run_id, column, end - 1) if high < 100 else None
    return (easiest, hardest) if SCORES[column].high_is_hard else (hardest, easiest)


def _count(store: Store, run_id: str, column: str) -> int:
    missing, n = store.rows(
        f"SELECT count(*) FILTER (WHERE {column} IS NULL), count(*) FROM scores WHERE run_id = ?", [run_id]
    )[0]
    if missing:
        raise SettingError(f"{missing} of {n} examples have no {column}. {MISSING_SCORE_ADVICE}")
    return int(n)


def _value_at(store: Store, run_id: str, column: str, place: int) -> float:
    """Return the value at a place, 0 = the easiest."""
    direction = "" if SCORES[column].high_is_hard else "DESC"
    sql = (
        f"SELECT {column} FROM scores WHERE run_id = ? ORDER BY {column} {direction} LIMIT 1 OFFSET {place:d}"
    )
    return float(store.rows(sql, [run_id])[0][0])
