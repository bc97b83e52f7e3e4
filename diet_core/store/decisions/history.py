"""What happened at the desk: a reviewer's last events, the history of an example, decisions on some."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from diet_core.tables import DECISION_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diet_core.store.store import Store

MAX_LAST: Final = 100
SNIPPET: Final = 80  # characters of a text in the list of the last events


def list_last_events(store: Store, dataset_id: str, reviewer: str, limit: int = 20) -> list[dict[str, Any]]:
    """Return a reviewer's last events that were not taken back, the newest first; a batch is one.

    Args:
        store: Where.
        dataset_id: The data set version.
        reviewer: Whose.
        limit: How many, 1 to 100.

    Returns:
        Dicts of decision_id, client_event_id, example_id, action, label, note, batch_id, n (examples: more
        than 1 for a batch, which its first example stands for), text (its first 80 characters), decided_at
        (ISO 8601, UTC).
    """
    columns = ("decision_id", "client_event_id", "example_id", "action", "label", "note", "batch_id", "n")
    n = min(max(limit, 1), MAX_LAST)
    rows = store.rows(
        f"""
        WITH mine AS (
            SELECT decision_id, batch_id FROM active_events WHERE dataset_id = ? AND reviewer = ?
        ),
        singles AS (
            SELECT decision_id, 1 AS n FROM mine WHERE batch_id IS NULL ORDER BY decision_id DESC LIMIT {n:d}
        ),
        batches AS (
            SELECT min(decision_id), count(*) FROM mine WHERE batch_id IS NOT NULL GROUP BY batch_id
        ),
        last AS (
            SELECT d.*, n FROM (FROM singles UNION ALL FROM batches) JOIN decisions d USING (decision_id)
            ORDER BY decision_id DESC LIMIT {n:d}
        )
        SELECT {", ".join(f"last.{column}" for column in columns)}, left(text, {SNIPPET}), decided_at
        FROM last JOIN examples e USING (dataset_id, example_id) ORDER BY decision_id DESC
        """,
        [dataset_id, reviewer],
    )
    return [_with_time((*columns, "text", "decided_at"), row) for row in rows]


def read_history(store: Store, dataset_id: str, example_id: str) -> list[dict[str, Any]]:
    """Return all that ever happened to an example, the oldest first, marks and undo included.

    Returns:
        Dicts of decision_id, action, label, note, reviewer, batch_id, reverts (the decision_id that an undo
        takes back), is_reverted, decided_at (ISO 8601, UTC).
    """
    columns = ("decision_id", "action", "label", "note", "reviewer", "batch_id", "reverts")
    rows = store.rows(
        f"""
        SELECT {", ".join(columns)},
               decision_id IN (SELECT reverts FROM decisions WHERE reverts IS NOT NULL), decided_at
        FROM decisions WHERE dataset_id = ? AND example_id = ? ORDER BY decision_id
        """,
        [dataset_id, example_id],
    )
    return [_with_time((*columns, "is_reverted", "decided_at"), row) for row in rows]


def read_states(
    store: Store, dataset_id: str, example_ids: Sequence[str], reviewer: str
) -> dict[str, dict[str, Any]]:
    """Return what people said of some examples, as one reviewer sees it.

    Returns:
        Per example with active events, a dict of decision, label and note (the reviewer's own), by
        (what others decided: "name: action label"), flagged (by anybody) and skipped (by the reviewer, and
        not decided since by anybody).
    """
    rows = store.rows(
        "SELECT example_id, reviewer, action, label, note FROM active_events "
        "WHERE dataset_id = ? AND example_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY decision_id",
        [dataset_id, list(example_ids)],
    )
    events: dict[str, list[tuple[Any, ...]]] = {}
    for example_id, *event in rows:
        events.setdefault(example_id, []).append(tuple(event))
    states = {example_id: _state(of_example, reviewer) for example_id, of_example in events.items()}
    return {example_id: state for example_id, state in states.items() if state != _state([], reviewer)}


def _state(events: list[tuple[Any, ...]], reviewer: str) -> dict[str, Any]:
    """Return what active events (reviewer, action, label, note), the oldest first, come to."""
    decisions: dict[str, tuple[str, str | None, str]] = {}
    flagged = skipped = False
    for who, action, label, note in events:
        if action in DECISION_ACTIONS:
            decisions[who], skipped = (action, label, note), False
        elif action == "skip":
            skipped = skipped or who == reviewer
        else:
            flagged = action == "flag"
    decision, label, note = decisions.pop(reviewer, (None, None, ""))
    by = [
        f"{who}: {action}" if new is None else f"{who}: {action} {new}"
        for who, (action, new, _) in decisions.items()
    ]
    own = {"decision": decision, "label": label, "note": note}
    return own | {"by": by, "flagged": flagged, "skipped": skipped}


def _with_time(columns: Sequence[str], row: tuple[Any, ...]) -> dict[str, Any]:
    """Return a row as a dict, its last column as ISO text in UTC."""
    time = row[-1].replace(tzinfo=UTC).isoformat(timespec="seconds")
    return dict(zip(columns, (*row[:-1], time), strict=True))
