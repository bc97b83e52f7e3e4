"""How a score lies within the classes, and what the run confuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from diet_core.store.filters import ExampleFilter, checked_score
from diet_core.store.queries.data_map import matching
from diet_core.store.queries.examples import EVERYTHING

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.store.store import Store

MAX_MATRIX_CELLS: Final = 2500


def class_quantiles(
    store: Store, run_id: str, column: str, filter: ExampleFilter = EVERYTHING
) -> pd.DataFrame:
    """Return how a score is spread within each class.

    Returns:
        A row per class that has an example in the filter, by label: label, count, and the quantiles q05, q25,
        median, q75, q95 (interpolated).

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If `column` is not a score.
    """
    where, values = matching(store, run_id, filter)
    return store.frame(
        f"""
        WITH counted AS (
            SELECT label, count(*) AS count,
                   quantile_cont({checked_score(column)}, [0.05, 0.25, 0.5, 0.75, 0.95]) AS q
            FROM scores WHERE {where} AND {column} IS NOT NULL GROUP BY label
        )
        SELECT label, count, q[1] AS q05, q[2] AS q25, q[3] AS median, q[4] AS q75, q[5] AS q95
        FROM counted ORDER BY label
        """,
        values,
    )


def confusions(
    store: Store, run_id: str, filter: ExampleFilter = EVERYTHING, limit: int = MAX_MATRIX_CELLS
) -> pd.DataFrame:
    """Return how often each label meets each prediction among the examples of a filter.

    Returns:
        Columns label, predicted_label, count and share (of the label's examples in the filter): the pairs
        that occur, the most frequent first, at most `limit`.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    where, values = matching(store, run_id, filter)
    return store.frame(
        f"""
        SELECT label, predicted_label, count(*) AS count,
               count(*) / sum(count(*)) OVER (PARTITION BY label) AS share
        FROM scores WHERE {where} AND predicted_label IS NOT NULL GROUP BY label, predicted_label
        ORDER BY count DESC, label, predicted_label LIMIT {limit:d}
        """,
        values,
    )
