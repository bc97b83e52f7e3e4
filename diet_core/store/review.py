"""The review queue of a run: suspects in order, which of them are decided, what comes next.

The queue is derived, never stored: the examples of a filter by the run's suspicion (label error, out of fold
where the run has folds, and the predictions likewise), ties as in every ranking.
A decision takes its example out of what comes next and moves no other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from diet_core.store.filters import ExampleFilter

if TYPE_CHECKING:
    from diet_core.store.store import Store

# Whose models, on the mean over seeds, find another class likelier than the given one.
SUSPECTS: Final = ExampleFilter(agreement="disagree")
MAX_LAST: Final = 100
SNIPPET: Final = 80  # characters of a text in the list of the last decisions


@dataclass(frozen=True)
class ReviewProgress:
    """How far the review of a queue has come.

    Attributes:
        n_all: Examples in the queue.
        n_decided: Those that somebody decided on, unsure ones included.
        n_changed: Those that will be dropped or get another label.
        n_conflicts: Those whose reviewers disagree.
    """

    n_all: int
    n_decided: int
    n_changed: int
    n_conflicts: int


def review_progress(store: Store, run_id: str, queue: ExampleFilter = SUSPECTS) -> ReviewProgress:
    """Return how much of a queue is decided, whoever decided it.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    sql, values, dataset_id = _queue(store, run_id, queue)
    counts = store.rows(
        f"""
        WITH {sql}, judged AS (SELECT * FROM judged_examples WHERE dataset_id = ?)
        SELECT count(*), count(judged.example_id),
               count(*) FILTER (WHERE n_opinions = 1 AND action IN ('drop', 'relabel')),
               count(*) FILTER (WHERE n_opinions > 1)
        FROM queue LEFT JOIN judged USING (example_id)
        """,
        [*values, dataset_id],
    )[0]
    return ReviewProgress(*counts)


def next_suspect(
    store: Store, run_id: str, queue: ExampleFilter = SUSPECTS, *, after: str | None = None
) -> str | None:
    """Return the next undecided example of a queue; behind the last one it begins anew.

    Args:
        store: Where.
        run_id: The run whose label errors order the queue.
        queue: Which examples.
        after: The example to go on from, in the queue or not; None = from the most suspicious one.

    Returns:
        An id (`after` itself where nothing else is undecided), or None if all are decided.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    sql, values, dataset_id = _queue(store, run_id, queue)
    found = store.rows(
        f"""
        WITH {sql}, {_one(store, run_id)}
        SELECT example_id FROM queue LEFT JOIN one ON true
        WHERE example_id NOT IN (SELECT example_id FROM judged_examples WHERE dataset_id = ?)
        ORDER BY coalesce({_IS_BEHIND}, false) DESC, {_ORDER} LIMIT 1
        """,
        [*values, run_id, after, dataset_id],
    )
    return str(found[0][0]) if found else None


def previous_suspect(
    store: Store, run_id: str, queue: ExampleFilter = SUSPECTS, *, before: str | None = None
) -> str | None:
    """Return the example before another one in a queue, decided or not.

    Args:
        store: Where.
        run_id: The run whose label errors order the queue.
        queue: Which examples.
        before: The example to go back from, in the queue or not; None = from behind the last one.

    Returns:
        An id, or None at the beginning.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    sql, values, _ = _queue(store, run_id, queue)
    found = store.rows(
        f"""
        WITH {sql}, {_one(store, run_id)}
        SELECT example_id FROM queue LEFT JOIN one ON true
        WHERE coalesce({_IS_AHEAD}, true) ORDER BY {_REVERSE} LIMIT 1
        """,
        [*values, run_id, before],
    )
    return str(found[0][0]) if found else None


def place_in_queue(store: Store, run_id: str, example_id: str, queue: ExampleFilter = SUSPECTS) -> int | None:
    """Return the place of an example in a queue, 1 = the most suspicious; None if it is not in it.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    sql, values, _ = _queue(store, run_id, queue)
    rank, is_there = store.rows(
        f"""
        WITH {sql}, {_one(store, run_id)}
        SELECT count(*) FILTER (WHERE {_IS_AHEAD}) + 1, coalesce(bool_or(example_id = at_id), false)
        FROM queue, one
        """,
        [*values, run_id, example_id],
    )[0]
    return int(rank) if is_there else None


def standing_decisions(store: Store, dataset_id: str, example_id: str) -> list[dict[str, Any]]:
    """Return what each reviewer last said of an example and has not taken back, the newest first.

    Returns:
        Dicts of decision_id, action, label (None unless relabel), reviewer, note, decided_at (UTC).
    """
    columns = ("decision_id", "action", "label", "reviewer", "note", "decided_at")
    rows = store.rows(
        f"SELECT {', '.join(columns)} FROM standing_decisions "
        "WHERE dataset_id = ? AND example_id = ? ORDER BY decision_id DESC",
        [dataset_id, example_id],
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]


def last_decisions(store: Store, dataset_id: str, reviewer: str, limit: int = 10) -> pd.DataFrame:
    """Return a reviewer's last decisions that were not taken back, the newest first.

    `Store.undo` takes back the first one.

    Args:
        store: Where.
        dataset_id: The data set version.
        reviewer: Whose.
        limit: How many, 1 to 100.

    Returns:
        Columns decision_id, example_id, action, old_label, label (null unless relabel), text (its first
        80 characters), decided_at (UTC).
    """
    return store.frame(
        f"""
        WITH last AS (
            SELECT * FROM decisions
            WHERE dataset_id = ? AND reviewer = ? AND reverts IS NULL
              AND decision_id NOT IN (SELECT reverts FROM decisions WHERE reverts IS NOT NULL)
            ORDER BY decision_id DESC LIMIT {min(max(limit, 1), MAX_LAST):d}
        )
        SELECT decision_id, example_id, action, old_label, last.label, left(text, {SNIPPET}) AS text,
               decided_at
        FROM last JOIN examples e USING (dataset_id, example_id) ORDER BY decision_id DESC
        """,
        [dataset_id, reviewer],
    )


def has_scored(store: Store, run_id: str, example_id: str) -> bool:
    """Return whether a run scored an example."""
    return bool(
        store.rows("SELECT 1 FROM scores WHERE run_id = ? AND example_id = ? LIMIT 1", [run_id, example_id])
    )


_ORDER: Final = "suspicion DESC, tie, example_id"
_REVERSE: Final = "suspicion, tie DESC, example_id DESC"
_IS_BEHIND: Final = "(suspicion < at_value OR suspicion = at_value AND (tie, example_id) > (at_tie, at_id))"
_IS_AHEAD: Final = "(suspicion > at_value OR suspicion = at_value AND (tie, example_id) < (at_tie, at_id))"


def _one(store: Store, run_id: str) -> str:
    """Return the example that the reviewer looks at as a table of one row (none if it was not scored)."""
    return (
        f"one AS (SELECT {store.run(run_id).suspicion} AS at_value, tie AS at_tie, example_id AS at_id "
        "FROM scores WHERE run_id = ? AND example_id = ?)"
    )


def _queue(store: Store, run_id: str, queue: ExampleFilter) -> tuple[str, list[Any], str]:
    """Return the queue as a common table expression, its values, and the data set version.

    Raises:
        NotFoundError: If the run is not loaded, or has no label errors to order by.
    """
    run = store.run(run_id)
    dataset_id = run.dataset.dataset_id
    conditions, values = replace(queue, out_of_fold=run.has_folds).conditions(dataset_id)
    where = " AND ".join(["run_id = ?", f"{run.suspicion} IS NOT NULL", *conditions])
    sql = f"queue AS (SELECT example_id, tie, {run.suspicion} AS suspicion FROM scores WHERE {where})"
    return sql, [run_id, *values], dataset_id
