"""What pages show of a run: counted or paged in SQL, so that few rows travel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from diet_core.errors import SettingError
from diet_core.store.filters import ExampleFilter, checked_score
from diet_core.store.loading.ranks import RANKS
from diet_core.store.loading.runs import read_run
from diet_core.store.queries.one_example import remember_position
from diet_core.store.queries.texts import read_text_table
from diet_core.tables import MISSING_SCORE_ADVICE, SCORES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diet_core.store.store import Store

PAGE_ROWS: Final = 50
MAX_PAGE_ROWS: Final = 1000

EVERYTHING: Final = ExampleFilter()

# How far the seeds differ on a score, where that is kept.
SPREAD: Final = {"el2n": "el2n_std", "grand": "grand_std"}
_ORDERS: Final = {"hardest": "ASC", "easiest": "DESC"}


def read_page(
    store: Store,
    run_id: str,
    *,
    by: str = "el2n",
    order: str = "hardest",
    filter: ExampleFilter = EVERYTHING,
    limit: int = PAGE_ROWS,
    offset: int = 0,
    text_length: int | None = None,
    columns: Sequence[str] = tuple(SCORES),
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
        columns: The scores that are wanted; each costs a look at 50 places.

    Returns:
        Columns example_id, text, text_pair, label, predicted_label, suggested_label, suggested_probability,
        the scores, el2n_std and grand_std.

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If `by` is not a score or missing for some examples, there is no such order, or the page
            is out of range.
    """
    conditions, values = build_conditions(store, run_id, filter)
    check_rankable(store, run_id, checked_score(by))
    if not 1 <= limit <= MAX_PAGE_ROWS or offset < 0:
        raise SettingError(
            f"A page of {limit} rows from row {offset} was asked for. Give 1 to 1000 rows from 0."
        )
    ordered, page = _order(by, order), f"LIMIT {limit:d} OFFSET {offset:d}"
    if not conditions and order in _ORDERS:  # the ranks themselves say who is on the page
        first = offset if order == "hardest" else count_examples(store, run_id) - offset - limit
        conditions, values = [f"{RANKS[by]} BETWEEN ? AND ?"], [first + 1, first + limit]
        page = ""
    where = " AND ".join(["run_id = ?", *conditions])
    # Which ones is settled on one column of whole numbers; only theirs are read of all others.
    positions = store.rows(
        f"SELECT position FROM scores WHERE {where} ORDER BY {ordered} {page}", [run_id, *values]
    )
    return _rows_at(store, run_id, [position for (position,) in positions], text_length, columns)


def _rows_at(
    store: Store, run_id: str, positions: list[int], text_length: int | None, columns: Sequence[str]
) -> pd.DataFrame:
    """Return the rows of `read_page` at some positions, in their order."""
    texts = read_text_table(store, read_run(store, run_id).dataset.dataset_id, positions, text_length)
    scores = store.frame(
        "SELECT position, label, predicted_label, suggested_label, suggested_probability, "
        f"{', '.join(map(checked_score, columns))}, el2n_std, grand_std "
        "FROM scores WHERE run_id = ? AND position IN (SELECT unnest(?::INTEGER[]))",
        [run_id, positions],
    )
    for position, example_id in zip(positions, texts["example_id"], strict=True):
        remember_position(store, run_id, str(example_id), position)
    return pd.concat([texts, scores.set_index("position").loc[positions]], axis="columns").reset_index(
        drop=True
    )


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


def build_conditions(store: Store, run_id: str, filter: ExampleFilter) -> tuple[list[str], list[Any]]:
    """Return the conditions of a filter on the rows of `scores`, and the values of their question marks.

    A search reads the texts once; until a dozen others were made it is a look into a table of positions.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    dataset_id = read_run(store, run_id).dataset.dataset_id
    conditions, values = filter.conditions()
    if filter.search:
        with store.cursor() as cursor:
            table = store.searches.find(cursor, dataset_id, filter.search)
        conditions.append(f"position IN (SELECT position FROM {table})")
    return conditions, values


def build_where(store: Store, run_id: str, filter: ExampleFilter) -> tuple[str, list[Any]]:
    """Return the condition of a run's examples that pass a filter, and the values of its question marks.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    conditions, values = build_conditions(store, run_id, filter)
    return " AND ".join(["run_id = ?", *conditions]), [run_id, *values]


def list_available_scores(store: Store, run_id: str) -> list[str]:
    """Return the scores that a run has a value of for every example, in the order of `tables.SCORES`.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    read_run(store, run_id)
    counts = ", ".join(f"count({column}) = count(*) AND count(*) > 0" for column in SCORES)
    sql = f"SELECT {counts} FROM scores WHERE run_id = ?"
    full = store.run_cache.known(run_id, sql, lambda: store.rows(sql, [run_id])[0])
    return [column for column, is_full in zip(SCORES, full, strict=True) if is_full]


def count_examples(store: Store, run_id: str, filter: ExampleFilter = EVERYTHING) -> int:
    """Return how many scored examples of a run pass a filter.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    where, values = build_where(store, run_id, filter)

    def count() -> int:
        return int(store.rows(f"SELECT count(*) FROM scores WHERE {where}", values)[0][0])

    return store.run_cache.known(run_id, "number of examples", count) if filter.is_empty else count()


def check_rankable(store: Store, run_id: str, by: str) -> None:
    """Check that every example of a run has a value of a score.

    Raises:
        SettingError: If one has none.
    """
    missing, n = count_missing(store, run_id, by)
    if missing:
        raise SettingError(
            f"{missing} of {n} examples have no {by}, so they cannot be ranked by it. {MISSING_SCORE_ADVICE}"
        )


def count_missing(store: Store, run_id: str, column: str) -> tuple[int, int]:
    """Return how many examples of a run lack a score, and how many there are."""
    if column in list_available_scores(store, run_id):
        return 0, count_examples(store, run_id)
    sql = f"SELECT count(*) FILTER (WHERE {column} IS NULL), count(*) FROM scores WHERE run_id = ?"
    missing, n = store.run_cache.known(run_id, sql, lambda: store.rows(sql, [run_id])[0])
    return int(missing), int(n)


def read_score_correlation(store: Store, run_id: str, x: str, y: str) -> float:
    """Return Spearman's rank correlation of two scores over all examples of a run; tied values share a rank.

    Of the values as they are, not of hardness: confidence and EL2N correlate negatively. NaN where a score is
    the same for all examples.

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If a column is not a score or missing for some examples.
    """
    check_rankable(store, run_id, checked_score(x))
    check_rankable(store, run_id, checked_score(y))
    sql = "SELECT spearman FROM score_correlations WHERE run_id = ? AND x = ? AND y = ?"
    rows = store.rows(sql, [run_id, x, y])
    return float(rows[0][0]) if rows else math.nan
