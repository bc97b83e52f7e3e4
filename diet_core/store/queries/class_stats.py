"""Scores by class: their spread, what the run confuses, and which classes the hardest examples are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from diet_core.errors import SettingError
from diet_core.store.filters import ExampleFilter, checked_score
from diet_core.store.loading.runs import read_run
from diet_core.store.queries.examples import EVERYTHING, build_where

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.store.store import Store

MAX_MATRIX_CELLS: Final = 2500
STEP_SCORES: Final = ("el2n", "grand")  # that are kept for every step


def read_class_quantiles(
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
    where, values = build_where(store, run_id, filter)
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


def count_confusions(
    store: Store, run_id: str, filter: ExampleFilter = EVERYTHING, limit: int = MAX_MATRIX_CELLS
) -> pd.DataFrame:
    """Return how often each label meets each prediction among the examples of a filter.

    Returns:
        Columns label, predicted_label, count and share (of the label's examples in the filter): the pairs
        that occur, the most frequent first, at most `limit`.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    where, values = build_where(store, run_id, filter)
    return store.frame(
        f"""
        SELECT label, predicted_label, count(*) AS count,
               count(*) / sum(count(*)) OVER (PARTITION BY label) AS share
        FROM scores WHERE {where} AND predicted_label IS NOT NULL GROUP BY label, predicted_label
        ORDER BY count DESC, label, predicted_label LIMIT {limit:d}
        """,
        values,
    )


def read_label_shares(store: Store, run_id: str, by: str = "el2n", percent: int = 10) -> pd.DataFrame:
    """Return which share of the hardest examples each class holds, at each score step.

    Args:
        store: Where.
        run_id: The run.
        by: el2n or grand, the mean over seeds at that step.
        percent: Of the training examples, that count as the hardest: 1 to 100.

    Returns:
        A row per step and class, in the order of both: step, epoch (epochs done), is_reliable, label, count,
        share, and share_of_all, the class's share of all training examples. None for a run that an older
        version of the software loaded and whose folder is gone.

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If `by` or `percent` is none of these.

    Source:
        Fayyaz et al. 2022, Fig. 2.
    """
    read_run(store, run_id)
    if by not in STEP_SCORES:
        raise SettingError(f"{by!r} is not kept for every step. Choose one of: {', '.join(STEP_SCORES)}.")
    if not 1 <= percent <= 100:
        raise SettingError(f"The hardest {percent} % were asked for. Give a whole number from 1 to 100.")
    return store.frame(
        """
        WITH shares AS (
            SELECT step, epoch, is_reliable, label, percent, count,
                   count / greatest(sum(count) OVER (PARTITION BY step, percent), 1) AS share
            FROM top_class_counts WHERE run_id = ? AND score = ? AND percent IN (?, 100)
        )
        SELECT step, epoch, is_reliable, label, top.count, top.share, of_all.share AS share_of_all
        FROM (FROM shares WHERE percent = ?) top
        JOIN (SELECT step, label, share FROM shares WHERE percent = 100) of_all USING (step, label)
        ORDER BY step, label
        """,
        [run_id, by, percent, percent],
    )
