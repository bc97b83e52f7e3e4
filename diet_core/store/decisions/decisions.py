"""Decisions: appended events, never changed; what holds is derived from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diet_core.errors import DietError, NotFoundError, SettingError
from diet_core.store.clock import now
from diet_core.store.loading.datasets import read_version
from diet_core.tables import DECISION_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    import pandas as pd

    from diet_core.dataset import DatasetInfo
    from diet_core.store.store import Store


def decide(
    store: Store,
    dataset_id: str,
    example_id: str,
    action: str,
    *,
    label: str | None = None,
    note: str = "",
    reviewer: str = "me",
    queue_id: str | None = None,
    batch_id: str | None = None,
    client_event_id: str | None = None,
) -> int:
    """Append a decision on a training example and return its id.

    Args:
        store: Where.
        dataset_id: The data set version.
        example_id: The example.
        action: One of `tables.DECISION_ACTIONS`.
        label: The new class, for relabel only.
        note: Why, in the reviewer's words.
        reviewer: Whose decision.
        queue_id: The review queue that showed the example.
        batch_id: What decisions taken by one click have in common.
        client_event_id: Of the event in the browser; a second delivery is not stored again.

    Returns:
        Higher than all before; that of the first delivery for a known `client_event_id`.

    Raises:
        NotFoundError: If there is no such data set version, example or class.
        SettingError: If the action, label or reviewer does not fit.
        DietError: If the example is not in the training split.
    """
    check_action(action, label, read_version(store, dataset_id))
    checked_reviewer(reviewer)
    old_label = _training_label(store, dataset_id, example_id)
    event = {
        **{"dataset_id": dataset_id, "example_id": example_id, "action": action, "old_label": old_label},
        **{"label": label, "note": note, "reviewer": reviewer, "queue_id": queue_id},
        **{"batch_id": batch_id, "client_event_id": client_event_id, "decided_at": now()},
    }
    with store.deciding, store.transaction() as cursor:
        return _delivered(cursor, client_event_id) or _append(cursor, event)


def undo(store: Store, dataset_id: str, reviewer: str = "me") -> int:
    """Append an event that reverts a reviewer's last un-reverted decision, and return its id.

    The decisions of a batch are reverted together; marks (`tables.MARKS`) are passed over.

    Raises:
        NotFoundError: If there is no such data set version, or nothing is left to append_reverts.
    """
    read_version(store, dataset_id)
    with store.deciding, store.transaction() as cursor:
        return append_reverts(cursor, dataset_id, reviewer, _last_unreverted(cursor, dataset_id, reviewer))


def list_effective_decisions(store: Store, dataset_id: str) -> pd.DataFrame:
    """Return the decisions that hold: those that all reviewers of an example agree on.

    Returns:
        Columns example_id, action, label (null unless relabel), old_label, note, reviewer (names joined by
        a comma where several agree), decided_at (UTC, of the last one); in the order of decision.

    Raises:
        NotFoundError: If there is no such data set version.
    """
    read_version(store, dataset_id)
    frame = store.frame(
        "SELECT example_id, action, label, old_label, note, reviewer, decided_at FROM consensus "
        "WHERE dataset_id = ? AND n_opinions = 1 ORDER BY decision_id",
        [dataset_id],
    )
    return frame.assign(decided_at=frame["decided_at"].dt.tz_localize("UTC"))


def count_decisions(store: Store) -> pd.DataFrame:
    """Return how much was decided: columns dataset_id, n_effective, n_conflicts; only decided data sets."""
    return store.frame(
        """
        SELECT dataset_id,
               count(*) FILTER (WHERE n_opinions = 1) AS n_effective,
               count(*) FILTER (WHERE n_opinions > 1) AS n_conflicts
        FROM consensus GROUP BY dataset_id ORDER BY dataset_id
        """
    )


def find_problem(
    action: str, label: str | None, classes: Sequence[str], known: Sequence[str] = DECISION_ACTIONS
) -> str | None:
    """Return what is wrong with an action and its label; None where nothing is.

    Returns:
        action (it is not a known one), label (one was given with another action than relabel), no label
        (relabel without one) or class (the label is not one of `classes`).
    """
    if action not in known:
        return "action"
    if action != "relabel":
        return None if label is None else "label"
    if label is None:
        return "no label"
    return None if label in classes else "class"


def check_action(action: str, label: str | None, info: DatasetInfo, *, may_lack_label: bool = False) -> None:
    """Check that an action is a decision and its label fits.

    Args:
        action: One of `tables.DECISION_ACTIONS`.
        label: The new class.
        info: The data set version.
        may_lack_label: Whether relabel without a label is fine too.

    Raises:
        NotFoundError: If the label is not a class.
        SettingError: If the action is not a decision, or has no label or one too many.
    """
    problem = find_problem(action, label, info.classes)
    if problem == "action":
        raise SettingError(f"{action!r} is not a decision. Choose one of: {', '.join(DECISION_ACTIONS)}.")
    if problem == "no label" and not may_lack_label:
        raise SettingError("Relabel was asked for without a class. Give the new one with --label.")
    if problem == "label":
        raise SettingError(f"A label ({label!r}) was given with {action}. Leave it out, or choose relabel.")
    if problem == "class":
        raise NotFoundError(
            f"{label!r} is not a class of {info.dataset_id}. Choose one of: {', '.join(info.classes)}."
        )


def checked_reviewer(reviewer: str) -> str:
    """Return a reviewer's name.

    Raises:
        SettingError: If it is empty.
    """
    if not reviewer.strip():
        raise SettingError("The reviewer's name is empty. Give one with --reviewer.")
    return reviewer


def _training_label(store: Store, dataset_id: str, example_id: str) -> str:
    """Return the imported label of a training example."""
    found = store.rows(
        "SELECT label, split FROM examples WHERE dataset_id = ? AND example_id = ?", [dataset_id, example_id]
    )
    if not found:
        raise NotFoundError(
            f"There is no example {example_id!r} in {dataset_id}. "
            "Take an id from: python -m diet_core top latest"
        )
    label, split = found[0]
    if split != "train":
        raise DietError(
            f"Example {example_id!r} of {dataset_id} is in the {split} split, and the {split} split is never "
            "relabelled or dropped. Decide on training examples only."
        )
    return str(label)


def _delivered(cursor: duckdb.DuckDBPyConnection, client_event_id: str | None) -> int | None:
    """Return the id of the decision that an event of the browser made before."""
    found = cursor.execute(
        "SELECT decision_id FROM decisions WHERE client_event_id = ?", [client_event_id]
    ).fetchall()
    return int(found[0][0]) if found else None


def _append(cursor: duckdb.DuckDBPyConnection, event: dict[str, Any]) -> int:
    marks = ", ".join("?" for _ in event)
    inserted = cursor.execute(
        f"INSERT INTO decisions ({', '.join(event)}) VALUES ({marks}) RETURNING decision_id",
        list(event.values()),
    ).fetchall()
    return int(inserted[0][0])


def append_reverts(
    cursor: duckdb.DuckDBPyConnection,
    dataset_id: str,
    reviewer: str,
    decision_id: int,
    client_event_id: str | None = None,
) -> int:
    """Append what takes back a standing event, and with it all that stands of its batch; return the last id.

    Whoever calls holds `Store.deciding`. The `client_event_id` goes with the event that was named.
    """
    batch_id = cursor.execute(
        "SELECT batch_id FROM decisions WHERE decision_id = ?", [decision_id]
    ).fetchall()[0][0]
    column, value = ("decision_id", decision_id) if batch_id is None else ("batch_id", batch_id)
    inserted = cursor.execute(
        f"""
        INSERT INTO decisions (
            dataset_id, example_id, action, old_label, note, reviewer, decided_at, reverts, client_event_id
        )
        SELECT dataset_id, example_id, 'undo', old_label, '', reviewer, ?, decision_id,
               CASE WHEN decision_id = ? THEN ? END
        FROM active_events WHERE dataset_id = ? AND reviewer = ? AND {column} = ?
        ORDER BY decision_id RETURNING decision_id
        """,
        [now(), decision_id, client_event_id, dataset_id, reviewer, value],
    ).fetchall()
    return int(max(inserted)[0])


def _last_unreverted(cursor: duckdb.DuckDBPyConnection, dataset_id: str, reviewer: str) -> int:
    """Return the id of a reviewer's last decision that stands."""
    found = cursor.execute(
        "SELECT max(decision_id) FROM active_events "
        "WHERE dataset_id = ? AND reviewer = ? AND action IN (SELECT unnest(?))",
        [dataset_id, reviewer, list(DECISION_ACTIONS)],
    ).fetchall()[0][0]
    if found is None:
        raise NotFoundError(
            f"{reviewer!r} has no decision on {dataset_id} that could be undone. "
            "Check the reviewer's name (--reviewer)."
        )
    return int(found)
