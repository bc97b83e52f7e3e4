"""What pages show of a run: counted or paged in SQL, so that few rows travel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from diet_core.bins import robust_range
from diet_core.errors import NotFoundError, SettingError
from diet_core.store.filters import ExampleFilter, checked_score
from diet_core.tables import MISSING_SCORE_ADVICE, SCORES

if TYPE_CHECKING:
    from diet_core.store.store import Store

PAGE_ROWS: Final = 50
MAX_PAGE_ROWS: Final = 1000
MAX_BINS: Final = 1000
MAX_CELLS: Final = 2500  # of a matrix of labels and predictions

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
    text_length: int | None = None,
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
        text_length: Texts are cut after so many characters (and end in …): a table shows no more, and fifty
            long ones would be a megabyte. None = whole.

    Returns:
        Columns example_id, text, text_pair, label, predicted_label, suggested_label, suggested_probability,
        and all scores.

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If `by` is not a score or missing for some examples, or the page is out of range.
    """
    dataset_id = store.run(run_id).dataset.dataset_id
    check_rankable(store, run_id, checked_score(by))
    if not 1 <= limit <= MAX_PAGE_ROWS or offset < 0:
        raise SettingError(
            f"A page of {limit} rows from row {offset} was asked for. Give 1 to 1000 rows from 0."
        )
    conditions, values = filter.conditions(dataset_id)
    direction, tie_direction = directions(by, hardest)
    order = f"{by} {direction}, tie {tie_direction}, example_id {tie_direction}"
    return store.frame(
        f"""
        WITH page AS (
            SELECT * FROM scores WHERE {" AND ".join(["run_id = ?", *conditions])}
            ORDER BY {order} LIMIT {limit:d} OFFSET {offset:d}
        )
        SELECT example_id, {_cut("e.text", text_length)}, {_cut("e.text_pair", text_length)},
               page.label, predicted_label, suggested_label,
               suggested_probability, {", ".join(SCORES)}
        FROM page JOIN examples e USING (example_id) WHERE e.dataset_id = ? ORDER BY {order}
        """,
        [run_id, *values, dataset_id],
    )


def example(store: Store, run_id: str, example_id: str, *, out_of_fold: bool = False) -> dict[str, Any]:
    """Return the texts and labels of one scored example.

    Args:
        store: Where.
        run_id: The run.
        example_id: One of its examples.
        out_of_fold: Prediction and suggestion are those of models that did not train on it.

    Returns:
        text, text_pair, label, predicted_label, suggested_label, suggested_probability; None where the run
        or the data set has none.

    Raises:
        NotFoundError: If the run is not loaded or did not score that example.
    """
    dataset_id = store.run(run_id).dataset.dataset_id
    columns = ("text", "text_pair", "label", "predicted_label", "suggested_label", "suggested_probability")
    read = [f"{column}_oof" if out_of_fold else column for column in columns[3:]]
    found = store.rows(
        f"SELECT e.text, e.text_pair, s.label, s.{', s.'.join(read)} "
        "FROM scores s JOIN examples e ON e.example_id = s.example_id "
        "WHERE s.run_id = ? AND s.example_id = ? AND e.dataset_id = ?",
        [run_id, example_id, dataset_id],
    )
    if not found:
        raise _not_scored(run_id, example_id)
    return dict(zip(columns, found[0], strict=True))


def example_scores(
    store: Store, run_id: str, example_id: str, columns: Sequence[str] = tuple(SCORES)
) -> pd.DataFrame:
    """Return what scores say of one example.

    Args:
        store: Where.
        run_id: The run.
        example_id: One of its examples.
        columns: Which scores; each costs about 5 ms for 100,000 examples.

    Returns:
        One row per score that has a value: score, value, rank (1 = hardest of all scored examples), n, and
        the same among the examples of its class: rank_in_class, n_in_class.

    Raises:
        NotFoundError: If the run is not loaded or did not score that example.
        SettingError: If a column is not a score.
    """
    store.run(run_id)
    values = ", ".join(f"any_value(one.{checked_score(column)})" for column in columns)
    before = ", ".join(f"count(*) FILTER (WHERE {_is_before(column)})" for column in columns)
    # Counted once for its class and once for all other classes; the sum is the rank among all.
    groups = store.rows(
        f"""
        SELECT s.label = one.label AS is_same, count(*), {values}, {before}
        FROM scores s, (SELECT * FROM scores WHERE run_id = ? AND example_id = ?) one WHERE s.run_id = ?
        GROUP BY is_same ORDER BY is_same DESC
        """,
        [run_id, example_id, run_id],
    )
    if not groups:
        raise _not_scored(run_id, example_id)
    k = len(columns)
    counts = [group[2 + k :] for group in groups]
    table = pd.DataFrame(
        {
            "score": list(columns),
            "value": groups[0][2 : 2 + k],
            "rank": [sum(of_groups) + 1 for of_groups in zip(*counts, strict=True)],
            "rank_in_class": [count + 1 for count in counts[0]],
            "n": sum(group[1] for group in groups),
            "n_in_class": groups[0][1],
        }
    )
    return table.dropna(subset="value").reset_index(drop=True)


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
        raise SettingError(f"Run {run_id} has no values of {column}. {MISSING_SCORE_ADVICE}")
    return robust_range(lowest, highest, *inner)


def check_rankable(store: Store, run_id: str, by: str) -> None:
    """Check that every example of a run has a value of a score.

    Raises:
        SettingError: If one has none.
    """
    missing, n = store.rows(
        f"SELECT count(*) FILTER (WHERE {by} IS NULL), count(*) FROM scores WHERE run_id = ?", [run_id]
    )[0]
    if missing:
        raise SettingError(
            f"{missing} of {n} examples have no {by}, so they cannot be ranked by it. {MISSING_SCORE_ADVICE}"
        )


def _cut(column: str, length: int | None) -> str:
    """Return the expression of a text column that is cut to a length."""
    name = column.removeprefix("e.")
    if length is None:
        return f"{column} AS {name}"
    return f"left({column}, {length:d}) || if(length({column}) > {length:d}, '…', '') AS {name}"


def directions(by: str, hardest: bool) -> tuple[str, str]:
    """Return the sort directions of a score and of its ties, as SQL has them."""
    return ("DESC" if SCORES[by].high_is_hard == hardest else "ASC"), ("ASC" if hardest else "DESC")


def _is_before(column: str) -> str:
    """Return the condition that a row `s` is ranked before the row `one`."""
    harder = ">" if SCORES[column].high_is_hard else "<"
    tied = f"s.{column} = one.{column} AND (s.tie, s.example_id) < (one.tie, one.example_id)"
    return f"s.{column} {harder} one.{column} OR ({tied})"
