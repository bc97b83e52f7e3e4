"""What a batch does: decide once, say what was done, take it back as one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.errors import DietError
from diet_core.store.decisions.batches import decide_batch
from diet_core.store.decisions.events import apply_events
from diet_core.store.decisions.history import list_last_events
from diet_core.store.loading.runs import read_run
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.store.decisions.queues import Queue
    from diet_core.store.store import Store

# What can be done to all: the action's name in the dialog, and what was done in the message behind it.
ACTIONS = {
    "keep": ("Keep", "Kept"),
    "suggestion": ("Take suggestions", "Took the suggestions of"),
    "relabel": ("Relabel to", "Relabelled"),
    "drop": ("Drop", "Dropped"),
    "unsure": ("Unsure", "Marked as unsure"),
}
TYPED_ABOVE = 100  # examples: from then on a slip would cost too much
ACTION, LABEL, AGAIN, TYPED = "batch action", "batch class", "batch again", "batch typed"  # keys of widgets
PROBLEM = "batch problem"
_OPEN, _DONE = "batch open", "batch done"
_N_BATCHES = "batches so far"


def begin(queue: Queue) -> None:
    """Open the dialog on a queue, with nothing chosen."""
    for key in (ACTION, LABEL, AGAIN, TYPED, PROBLEM):
        st.session_state.pop(key, None)
    st.session_state[_OPEN] = queue.queue_id, uuid.uuid4().hex


def close() -> None:
    """Close the dialog."""
    st.session_state.pop(_OPEN, None)


def opened_on(queue: Queue) -> str | None:
    """Return the token of the dialog that is open on a queue: what it decides, it decides once."""
    opened = st.session_state.get(_OPEN)
    return opened[1] if opened and opened[0] == queue.queue_id else None


def decide(store: Store, queue: Queue, reviewer: str, token: str, act: dict[str, Any]) -> None:
    """Decide. The second click of two finds the dialog closed."""
    if opened_on(queue) != token:
        return
    if act["n"] > TYPED_ABOVE and _typed_number() != act["n"]:
        st.session_state[PROBLEM] = f"Type {act['n']} first: so many examples will be decided."
        return
    close()
    is_suggested = act["action"] == "suggestion"
    try:
        batch_id, n = decide_batch(
            store,
            queue,
            "relabel" if is_suggested else act["action"],
            label=act["label"],
            use_suggestion=is_suggested,
            overwrite=act["overwrite"],
            reviewer=reviewer,
        )
    except DietError as error:
        st.session_state[_DONE] = {"words": str(error), "undo": None}
        return
    _count_one()
    _remember(store, queue, reviewer, batch_id, _done_in_words(act, n))


def batches_so_far() -> int:
    """Return how many batches this session did or took back: what a card showed before is old then."""
    return int(st.session_state.get(_N_BATCHES, 0))


def _count_one() -> None:
    st.session_state[_N_BATCHES] = batches_so_far() + 1


def _typed_number() -> int | None:
    typed = str(st.session_state.get(TYPED) or "").replace(",", "").replace(" ", "").strip()
    return int(typed) if typed.isdecimal() else None


def _remember(store: Store, queue: Queue, reviewer: str, batch_id: str, words: str) -> None:
    """Keep what was done for the message; any row of a batch takes all of it back."""
    dataset_id = read_run(store, queue.definition.run_id).dataset.dataset_id
    last = list_last_events(store, dataset_id, reviewer, limit=1)
    undo = None
    if last and last[0]["batch_id"] == batch_id:
        names = ("decision_id", "example_id", "batch_id")
        undo = {"dataset_id": dataset_id, "reviewer": reviewer, **{name: last[0][name] for name in names}}
    st.session_state[_DONE] = {"words": words, "undo": undo}


def batch_message(store: Store, reviewer: str) -> None:
    """Draw what the last batch of this session did, with its undo; nothing without one.

    Args:
        store: Where.
        reviewer: Who decides.
    """
    done = st.session_state.get(_DONE)
    if not done:
        return
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", border=True, key="batch-done"
    ):
        st.markdown(f":material/done_all: {plain(done['words'])}", width="stretch")
        if done["undo"] and done["undo"]["reviewer"] == reviewer:
            st.button(
                "Undo all", icon=":material/undo:", key="batch undo", on_click=_undo, args=(store, done)
            )
        st.button("Close", type="tertiary", key="batch close", on_click=_forget)


def _undo(store: Store, done: dict[str, Any]) -> None:
    """Take a batch back; its event has the same name each time, so that twice is once."""
    from diet_core.store.decisions.events import DeskEvent

    undo = done["undo"]
    event = DeskEvent(
        client_event_id=f"undo {undo['batch_id']}",
        example_id=undo["example_id"],
        action="undo",
        reverts=undo["decision_id"],
    )
    try:
        receipt = apply_events(store, undo["dataset_id"], [event], reviewer=undo["reviewer"])
    except DietError as error:
        st.session_state[_DONE] = {"words": str(error), "undo": None}
        return
    _count_one()
    words = next(
        iter(receipt.refused.values()), f"Taken back: {done['words'][:1].lower()}{done['words'][1:]}"
    )
    st.session_state[_DONE] = {"words": words, "undo": None}


def _forget() -> None:
    st.session_state.pop(_DONE, None)


def _done_in_words(act: dict[str, Any], n: int) -> str:
    to = f" to {act['label']}" if act["action"] == "relabel" else ""
    return f"{ACTIONS[act['action']][1]} {examples_in_words(n)}{to}."


def examples_in_words(n: int) -> str:
    """Return a number of examples.

    >>> examples_in_words(1), examples_in_words(4321)
    ('1 example', '4,321 examples')
    """
    return f"{n:,} example" if n == 1 else f"{n:,} examples"
