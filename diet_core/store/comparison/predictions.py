"""Where the two sides of a comparison predict different classes, and what differs between their data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diet_core.store.comparison.compare import Compared, compared_rows
from diet_core.store.comparison.views import MAX_PAIRS, OUTCOMES

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.store.store import Store


def prediction_pairs(store: Store, compared: Compared) -> pd.DataFrame:
    """Return how often which prediction of A meets which of B.

    Returns:
        Columns predicted_a, predicted_b, count and share (of A's prediction), most frequent first, 2,500
        rows at most; none where a side has no predictions.
    """
    pairs = compared_rows(
        store,
        compared,
        """
        SELECT predicted_a, predicted_b, count(*) AS count,
               count(*) / sum(count(*)) OVER (PARTITION BY predicted_a) AS share
        FROM {table} WHERE predicted_a IS NOT NULL AND predicted_b IS NOT NULL
        GROUP BY predicted_a, predicted_b ORDER BY count DESC, predicted_a, predicted_b
        """,
    ).head(MAX_PAIRS)
    return _named(pairs, compared, ["predicted_a", "predicted_b"])


def n_agreeing(store: Store, compared: Compared) -> tuple[int, int]:
    """Return in how many examples both predict the same class, and how many both predict at all."""
    found = compared_rows(
        store,
        compared,
        "SELECT count(*) FILTER (WHERE predicted_a = predicted_b) AS agree, "
        "count(*) FILTER (WHERE predicted_a IS NOT NULL AND predicted_b IS NOT NULL) AS n FROM {table}",
    ).iloc[0]
    return int(found["agree"]), int(found["n"])


def who_is_right(store: Store, compared: Compared) -> pd.DataFrame:
    """Return per given label which side predicts it, among examples of the same label in both versions.

    Returns:
        A row per class that occurs, in the order of the classes: label, n, both, only_a, only_b, neither.
    """
    counts = ", ".join(
        f"count(*) FILTER (WHERE {sql}) AS {name.replace(' ', '_')}" for name, sql in OUTCOMES.items()
    )
    found = compared_rows(
        store,
        compared,
        f"SELECT label_a AS label, {counts} FROM {{table}} WHERE label_a = label_b "
        "GROUP BY label_a ORDER BY label_a",
    )
    table = _named(found, compared, ["label"])
    table.insert(1, "n", table[["both", "only_a", "only_b", "neither"]].sum(axis=1))
    return table[table["n"] > 0].reset_index(drop=True)


def changed_data(store: Store, compared: Compared) -> tuple[int, int]:
    """Return how many common examples have another label in the data set of B, and how many another text."""
    if compared.dataset_a == compared.dataset_b:
        return 0, 0
    found = compared_rows(
        store,
        compared,
        """
        WITH of_a AS (SELECT * FROM examples WHERE dataset_id = ?),
             of_b AS (SELECT * FROM examples WHERE dataset_id = ?)
        SELECT count(*) FILTER (WHERE label_a <> label_b) AS labels,
               count(*) FILTER (WHERE (of_a.text, of_a.text_pair)
                                IS DISTINCT FROM (of_b.text, of_b.text_pair))
                   AS texts
        FROM {table} t JOIN of_a ON of_a.position = t.position_a JOIN of_b ON of_b.position = t.position_b
        """,
        [compared.dataset_a, compared.dataset_b],
    ).iloc[0]
    return int(found["labels"]), int(found["texts"])


def _named(table: pd.DataFrame, compared: Compared, columns: list[str]) -> pd.DataFrame:
    """Return the table with the names of its class numbers."""
    names = dict(enumerate(compared.classes))
    return table.assign(**{column: table[column].map(names).astype("str") for column in columns})
