"""What pages show of a run: counted or paged in SQL, so that few rows travel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from diet_core.bins import robust_range
from diet_core.errors import NotFoundError, SettingError
from diet_core.store.filters import ExampleFilter, checked_score
from diet_core.tables import SCORES

if TYPE_CHECKING:
    from diet_core.store.store import Store

PAGE_ROWS: Final = 50
MAX_PAGE_ROWS: Final = 1000
MAX_BINS: Final = 1000

EVERYTHING: Final = ExampleFilter()


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
    dataset_id = store.run(run_id).dataset.dataset_id
    if not 1 <= bins <= MAX_BINS:
        raise SettingError(f"bins is {bins}. Give a whole number from 1 to {MAX_BINS}.")
    start, end = _range(store, run_id, checked_score(column))
    width = (end - start) / bins
    conditions, values = filter.conditions(dataset_id)
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
    hardest: bool = True,
    filter: ExampleFilter = EVERYTHING,
    limit: int = PAGE_ROWS,
    offset: int = 0,
) -> pd.DataFrame:
    """Return some examples of a run in the order of a score, ties as in `selection.ranking`.

    Args:
        store: Where.
        run_id: The run.
        by: The score that ranks.
        hardest: Hardest first; otherwise the reverse order.
        filter: Which examples.
        limit: Number of rows, 1 to 1000.
        offset: Rows to pass over.

    Returns:
        Columns example_id, text, text_pair, label, predicted_label, suggested_label, suggested_probability,
        and all scores.

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If `by` is not a score or missing for some examples, or the page is out of range.
    """
    dataset_id = store.run(run_id).dataset.dataset_id
    _check_rankable(store, run_id, checked_score(by))
    if not 1 <= limit <= MAX_PAGE_ROWS or offset < 0:
        raise SettingError(
            f"A page of {limit} rows from row {offset} was asked for. Give 1 to 1000 rows from 0."
        )
    conditions, values = filter.conditions(dataset_id)
    direction, tie_direction = _directions(by, hardest)
    order = f"{by} {direction}, tie {tie_direction}, example_id {tie_direction}"
    return store.frame(
        f"""
        WITH page AS (
            SELECT * FROM scores WHERE {" AND ".join(["run_id = ?", *conditions])}
            ORDER BY {order} LIMIT {limit:d} OFFSET {offset:d}
        )
        SELECT example_id, e.text, e.text_pair, page.label, predicted_label, suggested_label,
               suggested_probability, {", ".join(SCORES)}
        FROM page JOIN examples e USING (example_id) WHERE e.dataset_id = ? ORDER BY {order}
        """,
        [run_id, *values, dataset_id],
    )


def example(store: Store, run_id: str, example_id: str) -> dict[str, Any]:
    """Return the texts and labels of one scored example.

    Returns:
        text, text_pair, label, predicted_label, suggested_label, suggested_probability; None where the run
        or the data set has none.

    Raises:
        NotFoundError: If the run is not loaded or did not score that example.
    """
    dataset_id = store.run(run_id).dataset.dataset_id
    columns = ("text", "text_pair", "label", "predicted_label", "suggested_label", "suggested_probability")
    found = store.rows(
        f"SELECT e.text, e.text_pair, s.{', s.'.join(columns[2:])} "
        "FROM scores s JOIN examples e ON e.example_id = s.example_id "
        "WHERE s.run_id = ? AND s.example_id = ? AND e.dataset_id = ?",
        [run_id, example_id, dataset_id],
    )
    if not found:
        raise _not_scored(run_id, example_id)
    return dict(zip(columns, found[0], strict=True))


def example_scores(store: Store, run_id: str, example_id: str) -> pd.DataFrame:
    """Return what every score says of one example.

    Returns:
        One row per score that has a value: score, value, rank (1 = hardest of all scored examples), n.

    Raises:
        NotFoundError: If the run is not loaded or did not score that example.
    """
    store.run(run_id)
    ranks = ", ".join(f"count(*) FILTER (WHERE {_is_before(column)}) + 1" for column in SCORES)
    values = ", ".join(f"any_value(one.{column})" for column in SCORES)
    rows = store.rows(
        f"""
        SELECT count(*), {values}, {ranks}
        FROM scores s, (SELECT * FROM scores WHERE run_id = ? AND example_id = ?) one WHERE s.run_id = ?
        """,
        [run_id, example_id, run_id],
    )
    n, *rest = rows[0]
    if not n:
        raise _not_scored(run_id, example_id)
    table = pd.DataFrame({"score": list(SCORES), "value": rest[: len(SCORES)], "rank": rest[len(SCORES) :]})
    return table.assign(n=n).dropna(subset="value").reset_index(drop=True)


def available_scores(store: Store, run_id: str) -> list[str]:
    """Return the scores that a run has a value of for every example, in the order of `tables.SCORES`.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    store.run(run_id)
    counts = ", ".join(f"count({column}) = count(*) AND count(*) > 0" for column in SCORES)
    full = store.rows(f"SELECT {counts} FROM scores WHERE run_id = ?", [run_id])[0]
    return [column for column, is_full in zip(SCORES, full, strict=True) if is_full]


def class_counts(store: Store, run_id: str) -> pd.DataFrame:
    """Return the scored examples per class: columns label, count, n_disagree (the prediction is another).

    Raises:
        NotFoundError: If the run is not loaded.
    """
    store.run(run_id)
    return store.frame(
        "SELECT label, count(*) AS count, count(*) FILTER (WHERE predicted_label <> label) AS n_disagree "
        "FROM scores WHERE run_id = ? GROUP BY label ORDER BY label",
        [run_id],
    )


def count(store: Store, run_id: str, filter: ExampleFilter = EVERYTHING) -> int:
    """Return how many scored examples of a run pass a filter.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    conditions, values = filter.conditions(store.run(run_id).dataset.dataset_id)
    where = " AND ".join(["run_id = ?", *conditions])
    return int(store.rows(f"SELECT count(*) FROM scores WHERE {where}", [run_id, *values])[0][0])


def _not_scored(run_id: str, example_id: str) -> NotFoundError:
    return NotFoundError(
        f"Run {run_id} did not score an example {example_id!r}. Take an id of its training examples."
    )


def _range(store: Store, run_id: str, column: str) -> tuple[float, float]:
    """Return where the histogram of a score starts and ends."""
    lowest, highest, inner = store.rows(
        f"SELECT min({column}), max({column}), quantile_cont({column}, [0.005, 0.995]) "
        "FROM scores WHERE run_id = ?",
        [run_id],
    )[0]
    if lowest is None:
        raise SettingError(
            f"Run {run_id} has no values of {column}. "
            "Choose another score (forgetting and variability need two checkpoints)."
        )
    return robust_range(lowest, highest, *inner)


def _check_rankable(store: Store, run_id: str, by: str) -> None:
    missing, n = store.rows(
        f"SELECT count(*) FILTER (WHERE {by} IS NULL), count(*) FROM scores WHERE run_id = ?", [run_id]
    )[0]
    if missing:
        raise SettingError(
            f"{missing} of {n} examples have no {by}, so they cannot be ranked by it. "
            "Choose another score (forgetting and variability need two checkpoints)."
        )


def _directions(by: str, hardest: bool) -> tuple[str, str]:
    """Return the sort directions of a score and of its ties."""
    return ("DESC" if SCORES[by].high_is_hard == hardest else "ASC"), ("ASC" if hardest else "DESC")


def _is_before(column: str) -> str:
    """Return the condition that a row `s` is ranked before the row `one`."""
    harder = ">" if SCORES[column].high_is_hard else "<"
    tied = f"s.{column} = one.{column} AND (s.tie, s.example_id) < (one.tie, one.example_id)"
    return f"s.{column} {harder} one.{column} OR ({tied})"
