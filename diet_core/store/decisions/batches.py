"""Decisions on all that a queue shows: counted and looked at first, taken as one, taken back as one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from diet_core.errors import SettingError
from diet_core.store.clock import now
from diet_core.store.decisions.decisions import check_action, checked_reviewer
from diet_core.store.decisions.queues import FROZEN, Queue
from diet_core.store.loading.runs import read_run

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

PREVIEW_ROWS: Final = 10
SNIPPET: Final = 120  # characters of a text in the preview


@dataclass(frozen=True)
class BatchPreview:
    """What a batch would do.

    Attributes:
        n_queue: Examples in the queue.
        n_decided_by_people: Those that somebody decided on; left out unless they are to be overwritten.
        n_without_suggestion: Those that are left out because they were to get their suggestion and have none.
        n_to_decide: Those that would be decided.
        n_conflicts: Those of them about which somebody else said another thing: they would have no effect.
        rows: The first ten that would be decided, in the order of the queue: example_id, text (its first 120
            characters), label, suggested_label, suggested_probability, value (of the ordering score).
    """

    n_queue: int
    n_decided_by_people: int
    n_without_suggestion: int
    n_to_decide: int
    n_conflicts: int
    rows: pd.DataFrame


def preview_batch(
    store: Store,
    queue: Queue,
    action: str,
    *,
    label: str | None = None,
    overwrite: bool = False,
    reviewer: str = "",
) -> BatchPreview:
    """Return what `decide_batch` would do.

    Args:
        store: Where.
        queue: On what.
        action: One of `tables.DECISION_ACTIONS`.
        label: The new class; None = for relabel, each example's suggestion.
        overwrite: Also what somebody decided on.
        reviewer: Who would decide: decisions of the same name would give way and are no conflict.

    Raises:
        NotFoundError: If the run is not loaded, or the label is not a class.
        SettingError: If the action or label does not fit.
    """
    run = read_run(store, queue.definition.run_id)
    check_action(action, label, run.dataset, may_lack_label=True)
    batch, values = _batch(queue, run, action, label, reviewer)
    n_queue, n_decided, n_without, n_to_decide, n_conflicts = store.rows(
        f"""
        WITH {batch}
        SELECT count(*), count(*) FILTER (WHERE is_decided), count(*) FILTER (WHERE NOT has_label),
               count(*) FILTER (WHERE {_IS_CHOSEN}), count(*) FILTER (WHERE {_IS_CHOSEN} AND is_disputed)
        FROM batch
        """,
        [*values, overwrite, overwrite],
    )[0]
    rows = store.frame(
        f"""
        WITH {batch}
        SELECT example_id, left(text, {SNIPPET}) AS text, old_label AS label,
               suggested_label, suggested_probability, value
        FROM batch JOIN examples e USING (example_id)
        WHERE {_IS_CHOSEN} AND e.dataset_id = ? ORDER BY place LIMIT {PREVIEW_ROWS}
        """,
        [*values, overwrite, run.dataset.dataset_id],
    )
    return BatchPreview(n_queue, n_decided, n_without, n_to_decide, n_conflicts, rows)


def decide_batch(
    store: Store,
    queue: Queue,
    action: str,
    *,
    label: str | None = None,
    use_suggestion: bool = False,
    overwrite: bool = False,
    reviewer: str,
    note: str = "",
) -> tuple[str, int]:
    """Decide on all examples of a queue in one transaction.

    What somebody decided on is left out unless `overwrite` is set. Then the reviewer's new decision wins over
    the own older one; those of others stay, so that a difference is a conflict.

    Args:
        store: Where.
        queue: On what.
        action: One of `tables.DECISION_ACTIONS`.
        label: The new class, for relabel only.
        use_suggestion: Relabel each example to the run's suggestion; those without one are left out.
        overwrite: Also what somebody decided on.
        reviewer: Whose decisions.
        note: Why, in the reviewer's words; it goes with each.

    Returns:
        The batch_id that they have in common, and how many they are. Undo of one takes back all.

    Raises:
        NotFoundError: If the run is not loaded, or the label is not a class.
        SettingError: If the action, label or reviewer does not fit.
    """
    run = read_run(store, queue.definition.run_id)
    check_action(action, label, run.dataset, may_lack_label=True)
    if (label is not None) + use_suggestion != (action == "relabel"):
        raise SettingError("A batch relabels to one class or to the suggestions. Choose one of both.")
    batch, values = _batch(queue, run, action, label, checked_reviewer(reviewer))
    batch_id = f"b-{uuid.uuid4().hex[:12]}"
    common = [run.dataset.dataset_id, action, note, reviewer, now(), run.run_id, queue.queue_id, batch_id]
    with store.deciding, store.transaction() as cursor:
        inserted = cursor.execute(
            f"""
            INSERT INTO decisions (dataset_id, action, note, reviewer, decided_at, run_id, queue_id, batch_id,
                                   example_id, old_label, label)
            WITH {batch}
            SELECT ?, ?, ?, ?, ?, ?, ?, ?, example_id, old_label, new_label
            FROM batch WHERE {_IS_CHOSEN} ORDER BY place
            """,
            [*values, *common, overwrite],
        ).fetchall()
    return batch_id, int(inserted[0][0])


_IS_CHOSEN: Final = "has_label AND (? OR NOT is_decided)"


def _batch(
    queue: Queue, run: RunRecord, action: str, label: str | None, reviewer: str
) -> tuple[str, list[Any]]:
    """Return the queue's examples with what would become of them as table expressions, and their values."""
    oof = "_oof" if run.has_folds else ""
    sql = f"""{FROZEN},
        planned AS (
            SELECT example_id, place, e.label AS old_label, {queue.definition.by or run.suspicion} AS value,
                   suggested_label{oof} AS suggested_label,
                   suggested_probability{oof} AS suggested_probability,
                   CASE WHEN ? = 'relabel' THEN coalesce(?, suggested_label{oof}) END AS new_label
            FROM frozen JOIN scores s USING (example_id) JOIN examples e USING (example_id)
            WHERE s.run_id = ? AND e.dataset_id = ?
        ),
        decided AS (
            SELECT example_id, bool_or(reviewer <> ? AND (action <> ? OR label <> new_label)) AS is_disputed
            FROM active_decisions JOIN planned USING (example_id) WHERE dataset_id = ? GROUP BY example_id
        ),
        batch AS (
            SELECT planned.*, ? <> 'relabel' OR new_label IS NOT NULL AS has_label,
                   decided.example_id IS NOT NULL AS is_decided, coalesce(is_disputed, false) AS is_disputed
            FROM planned LEFT JOIN decided USING (example_id)
        )"""
    dataset_id = run.dataset.dataset_id
    values = [queue.queue_id, action, label, run.run_id, dataset_id, reviewer, action, dataset_id, action]
    return sql, values
