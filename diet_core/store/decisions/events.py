"""What people do at the desk: decisions, marks and undo, as events that may be delivered more than once."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from diet_core.store.clock import now
from diet_core.store.decisions.decisions import append_reverts, checked_reviewer, find_problem
from diet_core.store.loading.datasets import read_version
from diet_core.tables import DECISION_ACTIONS, MARKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from diet_core.dataset import DatasetInfo
    from diet_core.store.store import Store

UNREADABLE: Final = "This press of a key came without a name of its own, or with broken characters."
_OF_EVENT: Final = ("client_event_id", "example_id", "action", "label")


@dataclass(frozen=True)
class DeskEvent:
    """One press of a key.

    Attributes:
        client_event_id: Made by the browser, different for each press; the same for each delivery of it.
        example_id: What was on the screen.
        action: One of `tables.DECISION_ACTIONS` or `tables.MARKS`, or undo.
        label: The new class, for relabel only.
        note: Why, in the reviewer's words.
        reverts: What an undo takes back: the client_event_id (text) or the decision_id (number).
    """

    client_event_id: str
    example_id: str
    action: str
    label: str | None = None
    note: str = ""
    reverts: str | int | None = None


@dataclass(frozen=True)
class Receipt:
    """What became of a delivery.

    Attributes:
        accepted: The client_event_ids that need not be sent again: stored now or before.
        refused: The client_event_ids that can never be stored, each with one sentence that says why.
    """

    accepted: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)


def apply_events(
    store: Store,
    dataset_id: str,
    events: Sequence[DeskEvent],
    *,
    reviewer: str,
    run_id: str | None = None,
    queue_id: str | None = None,
) -> Receipt:
    """Append events in their order, in one transaction; what is in the store already is not stored again.

    An undo of one decision of a batch takes back all of the batch that is still active. An undo of what
    was taken back already is accepted and changes nothing.

    Args:
        store: Where.
        dataset_id: The data set version.
        events: In the order in which they happened. One that cannot be does not stop the others.
        reviewer: Whose.
        run_id: The run whose scores the reviewer looked at.
        queue_id: The queue that showed the examples.

    Raises:
        NotFoundError: If there is no such data set version.
        SettingError: If the reviewer has no name.
    """
    checked_reviewer(reviewer)
    info = read_version(store, dataset_id)
    common = {"dataset_id": dataset_id, "reviewer": reviewer, "run_id": run_id, "queue_id": queue_id}
    ids = list(dict.fromkeys(event.client_event_id for event in events))
    refused = {event.client_event_id: UNREADABLE for event in events if not _is_readable(event)}
    with store.deciding, store.transaction() as cursor:
        new = _unstored(cursor, [event for event in events if event.client_event_id not in refused])
        for is_undo, group in groupby(new, key=lambda event: event.action == "undo"):
            apply = _take_back if is_undo else _append
            refused |= apply(cursor, list(group), common, info)
    return Receipt(tuple(i for i in ids if i not in refused), refused)


def _is_readable(event: DeskEvent) -> bool:
    """Return whether an event has a name of its own, and halves of characters nowhere but in its note."""
    names = (event.client_event_id, event.example_id, event.action, event.label, event.reverts)
    text = " ".join(str(name) for name in names)
    return bool(event.client_event_id) and text == _mended(text)


def _mended(text: str) -> str:
    """Return a text that can be stored: half a character (of an emoji cut in two) becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _unstored(cursor: duckdb.DuckDBPyConnection, events: Sequence[DeskEvent]) -> list[DeskEvent]:
    """Return the events that are not in the store, each once."""
    once = {event.client_event_id: event for event in reversed(events)}
    sql = "SELECT client_event_id FROM decisions WHERE client_event_id IN (SELECT unnest(?::VARCHAR[]))"
    stored = {name for (name,) in cursor.execute(sql, [list(once)]).fetchall()}
    return [event for event in reversed(once.values()) if event.client_event_id not in stored]


def _append(
    cursor: duckdb.DuckDBPyConnection, events: list[DeskEvent], common: dict[str, Any], info: DatasetInfo
) -> dict[str, str]:
    """Store decisions and marks by one statement (ten by ten would take 9 ms); return what is refused."""
    labels = dict(
        cursor.execute(
            "SELECT example_id, label FROM examples WHERE split = 'train' "
            "AND dataset_id = ? AND example_id IN (SELECT unnest(?::VARCHAR[]))",
            [info.dataset_id, list({event.example_id for event in events})],
        ).fetchall()
    )
    problems = {event.client_event_id: _problem(event, info, labels) for event in events}
    good = [event for event in events if problems[event.client_event_id] is None]
    columns = {
        **{name: [getattr(event, name) for event in good] for name in _OF_EVENT},
        "note": [_mended(event.note or "") for event in good],
        "old_label": [labels[event.example_id] for event in good],
    }
    cursor.execute(
        f"INSERT INTO decisions ({', '.join([*columns, *common])}, decided_at) "
        f"SELECT {', '.join('unnest(?::VARCHAR[])' for _ in columns)}, {', '.join('?' for _ in common)}, ?",
        [*columns.values(), *common.values(), now()],
    )
    return {name: problem for name, problem in problems.items() if problem is not None}


def _problem(event: DeskEvent, info: DatasetInfo, labels: dict[str, str]) -> str | None:
    """Return why an event cannot be, in a sentence; None if it can."""
    problem = find_problem(event.action, event.label, info.classes, (*DECISION_ACTIONS, *MARKS))
    if problem != "action" and event.example_id not in labels:
        return f"There is no training example {event.example_id!r} in {info.dataset_id}."
    sentences = {
        "action": f"{event.action!r} is no action of the desk.",
        "label": f"A label ({event.label!r}) came with {event.action}.",
        "no label": f"Relabel of {event.example_id!r} came without a class.",
        "class": f"{event.label!r} is not a class of {info.dataset_id}.",
    }
    return sentences.get(problem) if problem else None


def _take_back(
    cursor: duckdb.DuckDBPyConnection, events: list[DeskEvent], common: dict[str, Any], info: DatasetInfo
) -> dict[str, str]:
    """Store each undo; return what is refused."""
    problems = ((event.client_event_id, _reverted(cursor, event, common, info)) for event in events)
    return {name: problem for name, problem in problems if problem is not None}


def _reverted(
    cursor: duckdb.DuckDBPyConnection, event: DeskEvent, common: dict[str, Any], info: DatasetInfo
) -> str | None:
    """Store an undo; return why not, in a sentence, where it cannot be."""
    column = "decision_id" if isinstance(event.reverts, int) else "client_event_id"
    found = cursor.execute(
        f"SELECT decision_id, reviewer, action FROM decisions WHERE {column} = ? AND dataset_id = ?",
        [event.reverts, info.dataset_id],
    ).fetchall()
    if not found:
        return f"There is no decision {event.reverts!r} in {info.dataset_id} that could be taken back."
    decision_id, reviewer, action = found[0]
    if reviewer != common["reviewer"]:
        return f"This is a decision of {reviewer}, who alone can take it back."
    if action == "undo":
        return "An undo cannot be taken back: decide anew."
    if not cursor.execute("SELECT 1 FROM decisions WHERE reverts = ?", [decision_id]).fetchall():
        append_reverts(cursor, info.dataset_id, reviewer, decision_id, event.client_event_id)
    return None
