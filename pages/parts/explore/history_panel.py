"""The decisions on an example, and which of them were undone."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from diet_core.store.decisions.history import read_history

if TYPE_CHECKING:
    from diet_core.store.store import Store

MOST = 50  # entries
ACTIONS = {
    "keep": "keep",
    "drop": "drop",
    "unsure": "unsure",
    "skip": "skipped",
    "flag": "flagged",
    "unflag": "flag removed",
}


def history_panel(store: Store, dataset_id: str, example_id: str) -> None:
    """Draw all decisions on an example, the newest first. Names, classes and notes are data.

    Args:
        store: Where.
        dataset_id: The data set version.
        example_id: The example.
    """
    events = read_history(store, dataset_id, example_id)
    shown = [event for event in events if event["action"] != "undo"]
    if not shown:
        st.caption("Nobody has decided on this example yet.")
        return
    zone = _zone()
    undone = {event["reverts"]: event for event in events if event["action"] == "undo"}
    with st.container(gap="xsmall", key="history"):
        for event in shown[: -MOST - 1 : -1]:
            with st.container(gap=None):
                st.text(in_words(event))
                st.caption(_when(event, undone.get(event["decision_id"]), zone))
        if len(shown) > MOST:
            st.caption(f"And {len(shown) - MOST:,} older ones.")


def in_words(event: dict[str, Any]) -> str:
    """Return who did what.

    >>> in_words({"reviewer": "ann", "action": "relabel", "label": "sport", "note": "a match report"})
    'ann: relabel to sport (a match report)'
    """
    action = ACTIONS.get(event["action"], f"{event['action']} to {event['label']}")
    note = " ".join(event["note"].split())
    return f"{event['reviewer']}: {action}" + (f" ({note})" if note else "")


def _when(event: dict[str, Any], undo: dict[str, Any] | None, zone: tzinfo) -> str:
    words = [_time(event["decided_at"], zone)]
    if event["batch_id"]:
        words.append("in a bulk action")
    if undo:
        words.append(f"undone {_time(undo['decided_at'], zone)}")
    return " · ".join(words)


def _time(text: str, zone: tzinfo) -> str:
    return f"{datetime.fromisoformat(text).astimezone(zone):%d %b %Y, %H:%M}"


def _zone() -> tzinfo:
    """Return the browser's time zone."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
