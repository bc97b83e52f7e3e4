"""How a score is spread over a run, and its values between two percentiles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from diet_core.bins import robust_range
from diet_core.errors import SettingError
from diet_core.selection.shares import share_of
from diet_core.store.filters import ExampleFilter, checked_score
from diet_core.store.loading.ranks import RANKS
from diet_core.store.loading.runs import read_run
from diet_core.store.queries.examples import (
    EVERYTHING,
    build_conditions,
    check_rankable,
    count_examples,
    count_missing,
)
from diet_core.tables import MISSING_SCORE_ADVICE, SCORES

if TYPE_CHECKING:
    from diet_core.store.store import Store

MAX_BINS: Final = 1000
_DIGITS: Final = 6  # of a share: what 12.3 / 100 is meant to be

Range = tuple[float | None, float | None]


def read_histogram(
    store: Store, run_id: str, column: str, filter: ExampleFilter = EVERYTHING, bins: int = 60
) -> pd.DataFrame:
    """Return how a score is spread over the examples of a run, and over those of a filter.

    Args:
        store: Where.
        run_id: The run.
        column: The score.
        filter: What `count_filtered` counts.
        bins: Number of bins of equal width, 1 to 1000. Values far outside of the inner 99 % are counted in
            the first and last one.

    Returns:
        One row per bin, also for empty ones: bin_start, bin_end, count, count_filtered, and the lowest and
        highest value in the bin (null in an empty one).

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If `column` is not a score or the run has no values of it, or `bins` is out of range.
    """
    conditions, values = build_conditions(store, run_id, filter)
    if not 1 <= bins <= MAX_BINS:
        raise SettingError(f"bins is {bins}. Give a whole number from 1 to {MAX_BINS}.")
    start, end = robust_range(*read_score_quantiles(store, run_id, column))
    width = (end - start) / bins
    places = [start, width, bins, run_id]
    sql = (
        f"SELECT least(greatest(floor(({column} - ?) / ?), 0), ? - 1)::INTEGER AS bin, {{}} "
        f"FROM scores WHERE run_id = ? AND {column} IS NOT NULL {{}} GROUP BY bin"
    )
    # What is counted of all examples stays the same whatever the filter.
    of_all = sql.format(f"count(*), min({column}), max({column})", "")
    counted = store.run_cache.known(run_id, (of_all, bins), lambda: store.rows(of_all, places))
    edges = start + width * np.arange(bins + 1)
    table = pd.DataFrame({"bin_start": edges[:-1], "bin_end": edges[1:]})
    known = pd.DataFrame(counted, columns=["bin", "count", "lowest", "highest"]).set_index("bin")
    table["count"] = _of_bins(known["count"], bins)
    table["count_filtered"] = table["count"]
    if conditions:
        some = store.rows(sql.format("count(*)", f"AND {' AND '.join(conditions)}"), [*places, *values])
        table["count_filtered"] = _of_bins(pd.Series(dict(some), dtype="int64"), bins)
    return table.join(known[["lowest", "highest"]].astype("float64"))


def _of_bins(counts: pd.Series, bins: int) -> pd.Series:
    return counts.reindex(range(bins), fill_value=0).astype("int64")


def read_score_quantiles(store: Store, run_id: str, column: str) -> tuple[float, float, float, float]:
    """Return the lowest and the highest value of a score, and its quantiles 0.005 and 0.995.

    Raises:
        SettingError: If `column` is not a score or the run has no values of it.
    """
    quantiles = store.run_cache.known(
        run_id, ("quantiles", column), lambda: _quantiles(store, run_id, checked_score(column))
    )
    if quantiles is None:
        raise SettingError(f"Run {run_id} has no values of {column}. {MISSING_SCORE_ADVICE}")
    return quantiles


def _quantiles(store: Store, run_id: str, column: str) -> tuple[float, float, float, float] | None:
    missing, n = count_missing(store, run_id, column)
    if missing or not n:
        sql = f"SELECT min({column}), max({column}), quantile_disc({column}, [0.005, 0.995])"
        lowest, highest, inner = store.rows(f"{sql} FROM scores WHERE run_id = ?", [run_id])[0]
        return None if lowest is None else (lowest, highest, *inner)
    # Four ranks are found five times as fast.
    places = [0, n - 1, int(0.005 * (n - 1)), math.ceil(0.995 * (n - 1))]
    ranks = [n - place if SCORES[column].high_is_hard else place + 1 for place in places]
    values = _values_at(store, run_id, column, ranks)
    lowest, highest, low, high = (values[rank] for rank in ranks)
    return lowest, highest, low, high


def _values_at(store: Store, run_id: str, column: str, ranks: list[int]) -> dict[int, float]:
    """Return the values of a score at some ranks, 1 = the hardest."""
    rows = store.rows(
        f"SELECT {RANKS[column]}, {column} FROM scores WHERE run_id = ? "
        f"AND {RANKS[column]} IN (SELECT unnest(?::INTEGER[]))",
        [run_id, ranks],
    )
    return dict(rows)


def find_percentile_range(store: Store, run_id: str, column: str, low: float, high: float) -> Range:
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
    check_rankable(store, run_id, checked_score(column))
    if not 0 <= low <= high <= 100:
        raise SettingError(
            f"The percentiles are {low:g} and {high:g}. Give two from 0 to 100, the lower first."
        )
    n = count_examples(store, run_id)
    first, end = (share_of(round(percent / 100, _DIGITS), n) for percent in (low, high))
    if first >= end:
        raise SettingError(
            f"No example lies between the percentiles {low:g} and {high:g} of {n:,}. Choose a wider range."
        )
    values = _values_at(store, run_id, column, [n - first, n - end + 1])
    easiest = values[n - first] if low > 0 else None
    hardest = values[n - end + 1] if high < 100 else None
    return (easiest, hardest) if SCORES[column].high_is_hard else (hardest, easiest)
