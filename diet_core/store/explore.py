"""What pages show of a run: counted or paged in SQL, so that few rows travel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from diet_core.bins import robust_range
from diet_core.errors import SettingError
from diet_core.store.filters import ExampleFilter, checked_score
from diet_core.store.one_example import remember_position
from diet_core.store.ranks import RANKS
from diet_core.tables import MISSING_SCORE_ADVICE, SCORES

if TYPE_CHECKING:
    from diet_core.store.store import Store

PAGE_ROWS: Final = 50
MAX_PAGE_ROWS: Final = 1000
MAX_BINS: Final = 1000
MAX_CELLS: Final = 2500  # of a matrix of labels and predictions

EVERYTHING: Final = ExampleFilter()

# How far the seeds differ on a score, where that is kept.
SPREAD: Final = {"el2n": "el2n_std", "grand": "grand_std"}
_ORDERS: Final = {"hardest": "ASC", "easiest": "DESC"}


def histogram(
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
    conditions, values = conditions_of(store, run_id, filter)
    if not 1 <= bins <= MAX_BINS:
        raise SettingError(f"bins is {bins}. Give a whole number from 1 to {MAX_BINS}.")
    start, end = score_range(store, run_id, column)
    width = (end - start) / bins
    return store.frame(
        f"""
        WITH counted AS (
            SELECT least(greatest(floor(({column} - ?) / ?), 0), ? - 1)::INTEGER AS bin,
                   count(*) AS count,
                   count(*) FILTER (WHERE {" AND ".join(conditions) or "true"}) AS count_filtered,
                   min({column}) AS lowest, max({column}) AS highest
            FROM scores WHERE run_id = ? AND {column} IS NOT NULL GROUP BY bin
        )
        SELECT ? + bin * ? AS bin_start, ? + (bin + 1) * ? AS bin_end,
               coalesce(count, 0) AS count, coalesce(count_filtered, 0) AS count_filtered, lowest, highest
        FROM range(?) AS numbers(bin) LEFT JOIN counted USING (bin) ORDER BY bin
        """,
        [start, width, bins, *values, run_id, start, width, start, width, bins],
    )


def examples_page(
    store: Store,
    run_id: str,
    *,
    by: str = "el2n",
    order: str = "hardest",
    filter: ExampleFilter = EVERYTHING,
    limit: int = PAGE_ROWS,
    offset: int = 0,
    text_length: int | None = None,
) -> pd.DataFrame:
    """Return some examples of a run in the order of a score, ties as in `selection.ranking`.

    Args:
        store: Where.
        run_id: The run.
        by: The score that ranks.
        order: hardest first, easiest first (the reverse), or spread: those whose score depends most on the
            seed first, by its standard deviation over seeds (of el2n and grand, with two seeds at least).
        filter: Which examples.
        limit: Number of rows, 1 to 1000.
        offset: Rows to pass over.
        text_length: Texts are cut after so many characters (and end in …): a table shows no more, and fifty
            long ones would be a megabyte. None = whole.

    Returns:
        Columns example_id, text, text_pair, label, predicted_label, suggested_label, suggested_probability,
        all scores, el2n_std and grand_std.

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If `by` is not a score or missing for some examples, there is no such order, or the page
            is out of range.
    """
    conditions, values = conditions_of(store, run_id, filter)
    check_rankable(store, run_id, checked_score(by))
    if not 1 <= limit <= MAX_PAGE_ROWS or offset < 0:
        raise SettingError(
            f"A page of {limit} rows from row {offset} was asked for. Give 1 to 1000 rows from 0."
        )
    where = " AND ".join(["run_id = ?", *conditions])
    # Which ones is settled on one column of whole numbers; only theirs are read of all others.
    positions = store.rows(
        f"SELECT position FROM scores WHERE {where} ORDER BY {_order(by, order)} "
        f"LIMIT {limit:d} OFFSET {offset:d}",
        [run_id, *values],
    )
    return _rows_at(store, run_id, [position for (position,) in positions], text_length)


def _rows_at(store: Store, run_id: str, positions: list[int], text_length: int | None) -> pd.DataFrame:
    """Return the rows of `examples_page` at some positions, in their order."""
    dataset_id = store.run(run_id).dataset.dataset_id
    texts = store.frame(
        f"SELECT position, example_id, {_cut('text', text_length)}, {_cut('text_pair', text_length)} "
        "FROM examples WHERE dataset_id = ? AND position IN (SELECT unnest(?::INTEGER[]))",
        [dataset_id, positions],
    )
    scores = store.frame(
        "SELECT position, label, predicted_label, suggested_label, suggested_probability, "
        f"{', '.join(SCORES)}, el2n_std, grand_std "
        "FROM scores WHERE run_id = ? AND position IN (SELECT unnest(?::INTEGER[]))",
        [run_id, positions],
    )
    for example_id, position in zip(texts["example_id"], texts["position"].tolist(), strict=True):
        remember_position(store, run_id, str(example_id), position)
    both = [table.set_index("position").loc[positions] for table in (texts, scores)]
    return pd.concat(both, axis="columns").reset_index(drop=True)


def _order(by: str, order: str) -> str:
    """Return the order of a page as SQL has it."""
    if order == "spread" and by in SPREAD:
        return f"{SPREAD[by]} DESC NULLS LAST, {RANKS[by]}"
    if order not in _ORDERS:
        raise SettingError(
            f"order {order!r} of {by} is unknown. Choose one of: {', '.join(_ORDERS)}; spread for "
            f"{' and '.join(SPREAD)}."
        )
    return f"{RANKS[by]} {_ORDERS[order]}"


def conditions_of(store: Store, run_id: str, filter: ExampleFilter) -> tuple[list[str], list[Any]]:
    """Return the conditions of a filter on the rows of `scores`, and the values of their question marks.

    A search reads the texts once; until a dozen others were made it is a look into a table of positions.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    dataset_id = store.run(run_id).dataset.dataset_id
    conditions, values = filter.conditions()
    if filter.search:
        found = store.searches.table(store, dataset_id, filter.search)
        conditions.append(f"position IN (SELECT position FROM {found})")
    return conditions, values


def available_scores(store: Store, run_id: str) -> list[str]:
    """Return the scores that a run has a value of for every example, in the order of `tables.SCORES`.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    store.run(run_id)
    counts = ", ".join(f"count({column}) = count(*) AND count(*) > 0" for column in SCORES)
    sql = f"SELECT {counts} FROM scores WHERE run_id = ?"
    full = store.constants.known(run_id, sql, lambda: store.rows(sql, [run_id])[0])
    return [column for column, is_full in zip(SCORES, full, strict=True) if is_full]


def label_matrix(store: Store, run_id: str, limit: int = MAX_CELLS) -> pd.DataFrame:
    """Return how often each label meets each prediction.

    Args:
        store: Where.
        run_id: The run.
        limit: At most so many pairs, the most frequent ones.

    Returns:
        Columns label, predicted_label, count (pairs that occur only, the most frequent first) and share
        (of the label's examples).

    Raises:
        NotFoundError: If the run is not loaded.
    """
    store.run(run_id)
    return store.frame(
        f"""
        SELECT label, predicted_label, count(*) AS count,
               count(*) / sum(count(*)) OVER (PARTITION BY label) AS share
        FROM scores WHERE run_id = ? AND predicted_label IS NOT NULL GROUP BY label, predicted_label
        ORDER BY count DESC, label, predicted_label LIMIT {limit:d}
        """,
        [run_id],
    )


def count(store: Store, run_id: str, filter: ExampleFilter = EVERYTHING) -> int:
    """Return how many scored examples of a run pass a filter.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    conditions, values = conditions_of(store, run_id, filter)
    where = " AND ".join(["run_id = ?", *conditions])
    return int(store.rows(f"SELECT count(*) FROM scores WHERE {where}", [run_id, *values])[0][0])


def score_range(store: Store, run_id: str, column: str) -> tuple[float, float]:
    """Return where the axis of a score starts and ends; see `bins.robust_range`.

    Raises:
        SettingError: If `column` is not a score or the run has no values of it.
    """
    found = store.constants.known(
        run_id, ("quantiles", column), lambda: _quantiles(store, run_id, checked_score(column))
    )
    if found is None:
        raise SettingError(f"Run {run_id} has no values of {column}. {MISSING_SCORE_ADVICE}")
    return robust_range(*found)


def _quantiles(store: Store, run_id: str, column: str) -> tuple[float, float, float, float] | None:
    """Return the lowest and the highest value and the quantiles 0.005 and 0.995; None without any value."""
    missing, n = _n_missing(store, run_id, column)
    if missing or not n:
        sql = f"SELECT min({column}), max({column}), quantile_disc({column}, [0.005, 0.995])"
        lowest, highest, inner = store.rows(f"{sql} FROM scores WHERE run_id = ?", [run_id])[0]
        return None if lowest is None else (lowest, highest, *inner)
    # Four ranks are found five times as fast.
    wanted = [0, n - 1, int(0.005 * (n - 1)), math.ceil(0.995 * (n - 1))]
    rows = store.rows(
        f"SELECT {RANKS[column]} - 1, {column} FROM scores WHERE run_id = ? "
        f"AND {RANKS[column]} IN (SELECT 1 + unnest(?::INTEGER[]))",
        [run_id, [*wanted, *(n - 1 - place for place in wanted)]],
    )
    values = dict(rows)
    lowest, highest, low, high = (
        values[n - 1 - place if SCORES[column].high_is_hard else place] for place in wanted
    )
    return lowest, highest, low, high


def check_rankable(store: Store, run_id: str, by: str) -> None:
    """Check that every example of a run has a value of a score.

    Raises:
        SettingError: If one has none.
    """
    missing, n = _n_missing(store, run_id, by)
    if missing:
        raise SettingError(
            f"{missing} of {n} examples have no {by}, so they cannot be ranked by it. {MISSING_SCORE_ADVICE}"
        )


def _n_missing(store: Store, run_id: str, column: str) -> tuple[int, int]:
    """Return how many examples of a run lack a score, and how many there are."""
    sql = f"SELECT count(*) FILTER (WHERE {column} IS NULL), count(*) FROM scores WHERE run_id = ?"
    missing, n = store.constants.known(run_id, sql, lambda: store.rows(sql, [run_id])[0])
    return int(missing), int(n)


def _cut(column: str, length: int | None) -> str:
    """Return the expression of a text column that is cut to a length."""
    if length is None:
        return column
    return f"left({column}, {length:d}) || if(length({column}) > {length:d}, '…', '') AS {column}"


def directions(by: str, hardest: bool) -> tuple[str, str]:
    """Return the sort directions of a score and of its ties, as SQL has them."""
    return ("DESC" if SCORES[by].high_is_hard == hardest else "ASC"), ("ASC" if hardest else "DESC")
