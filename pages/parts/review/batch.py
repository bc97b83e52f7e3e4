"""One decision on everything in a queue: counted, looked at, confirmed, and undone as one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.errors import DietError
from diet_core.store.decisions.batches import BatchPreview, decide_batch, preview_batch
from diet_core.store.decisions.events import DeskEvent, apply_events
from diet_core.store.decisions.history import list_last_events
from diet_core.store.decisions.queues import Queue
from diet_core.store.loading.runs import RunRecord, read_run
from diet_core.tables import SCORES
from pages.parts.review.filter import url_percentiles
from pages.parts.review.words import SOURCES, filter_in_words, queue_in_words
from pages.shared.errors import plain
from pages.shared.widgets import one_of

if TYPE_CHECKING:
    from diet_core.store.store import Store

# What can be done to all: the action's name in the dialog, and what was done in the message behind it.
ACTIONS = {
    "keep": ("Keep", "Kept"),
    "suggestion": ("Take suggestions", "Took the suggestions of"),
    "relabel": ("Relabel to", "Relabelled"),
    "drop": ("Drop", "Dropped"),
    "unsure": ("Unsure", "Marked as unsure"),
}
TYPED_ABOVE = 100  # examples: a slip would cost more than to type their number
ROW = 26  # pixels: ten rows and the buttons fit a low screen
ACTION, LABEL, AGAIN, TYPED = "batch action", "batch class", "batch again", "batch typed"  # keys of widgets
_PROBLEM, _OPEN, _DONE, _N_BATCHES = "batch problem", "batch open", "batch done", "batches so far"
_AGAIN_HELP = (
    "Your own older decisions give way to the new one. Those of other people stay: where they differ, "
    "reviewers disagree, and neither decision has an effect until they agree."
)


@dataclass(frozen=True)
class BulkAction:
    """One decision on a whole queue.

    Attributes:
        action: One of `ACTIONS`.
        label: The new class of relabel; None until one is chosen.
        overwrite: Whether what people have decided is decided again.
    """

    action: str
    label: str | None = None
    overwrite: bool = False

    @property
    def is_chosen(self) -> bool:
        """Whether nothing is left to choose."""
        return self.action != "relabel" or self.label is not None


def batch_button(store: Store, queue: Queue, reviewer: str) -> None:
    """Draw the button that opens the dialog, and the dialog while it is open.

    Args:
        store: Where.
        queue: What is decided on: as it was frozen, whatever was decided since.
        reviewer: Who decides.
    """
    n = len(queue.example_ids)
    st.button(
        f"Act on all {n:,}" if n else "Act on all",
        icon=":material/done_all:",
        key="batch",
        disabled=not n,
        on_click=begin,
        args=(queue,),
        help="One decision on everything in this queue, with a preview first and one undo.",
    )
    # By the session and not by the click: the dialog then outlives a rerun of the page behind it.
    if opened_on(queue):
        _dialog(store, queue, reviewer)


def begin(queue: Queue) -> None:
    """Open the dialog on a queue, with nothing chosen."""
    for key in (ACTION, LABEL, AGAIN, TYPED, _PROBLEM):
        st.session_state.pop(key, None)
    st.session_state[_OPEN] = queue.queue_id, uuid.uuid4().hex


def close() -> None:
    """Close the dialog."""
    st.session_state.pop(_OPEN, None)


def opened_on(queue: Queue) -> str | None:
    """Return the token of the dialog that is open on a queue: what it decides, it decides once."""
    opened = st.session_state.get(_OPEN)
    return opened[1] if opened and opened[0] == queue.queue_id else None


@st.dialog("Act on all of this queue", width="large", on_dismiss=close)
def _dialog(store: Store, queue: Queue, reviewer: str) -> None:
    token, definition = opened_on(queue), queue.definition
    if token is None:
        st.rerun()  # closes it
    narrowed = filter_in_words(definition, url_percentiles(store, definition))
    st.text(" · ".join([SOURCES[definition.source], queue_in_words(definition), *narrowed]))
    run = read_run(store, definition.run_id)
    act = _chosen_action(run)
    try:
        preview = _preview(store, queue, reviewer, act)
    except DietError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return _buttons("Nothing to decide")
    if n_decided := preview.n_decided_by_people:
        again = f"Decide again where people have decided already ({n_decided:,})"
        st.checkbox(again, key=AGAIN, help=_AGAIN_HELP)
    _counts(preview, reviewer, has_table=act.is_chosen)
    if not act.is_chosen:
        return _buttons("Choose a class")
    if not preview.n_to_decide:
        st.info("Nothing is left to decide here.", icon=":material/info:")
        return _buttons("Nothing to decide")
    _table(preview, act, by=SCORES[definition.by or run.suspicion].title)
    n = preview.n_to_decide
    title = f"{ACTIONS[act.action][0].removesuffix(' to')}: {examples_in_words(n)}"
    return _buttons(title, n, partial(decide, store, queue, reviewer, token, act, n))


def _chosen_action(run: RunRecord) -> BulkAction:
    label = None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        titles = {name: title for name, (title, _) in ACTIONS.items()}
        action = one_of("Decision", titles, ACTION, label_visibility="collapsed")
        if action == "relabel":
            label = st.selectbox(
                "New class",
                list(run.dataset.classes),
                index=None,
                placeholder="Choose a class",
                key=LABEL,
                label_visibility="collapsed",
                width=220,
            )
    return BulkAction(action, label, bool(st.session_state.get(AGAIN)))


def _preview(store: Store, queue: Queue, reviewer: str, act: BulkAction) -> BatchPreview:
    """Return what would be done; while no class is chosen, who would be left out."""
    action = "relabel" if act.action == "suggestion" else act.action if act.is_chosen else "keep"
    return preview_batch(store, queue, action, label=act.label, overwrite=act.overwrite, reviewer=reviewer)


def _counts(preview: BatchPreview, reviewer: str, *, has_table: bool) -> None:
    """Draw how many examples would be decided and which are left out."""
    n, n_rows = preview.n_to_decide, len(preview.rows)
    first = f" The first {n_rows}:" if has_table and n > n_rows else ""
    st.markdown(
        f"**{examples_in_words(n)}** of {preview.n_queue:,} will be decided by {plain(reviewer)}.{first}"
    )
    if preview.n_without_suggestion:
        st.caption(f"{examples_in_words(preview.n_without_suggestion)} without a suggestion left out.")
    if preview.n_conflicts:
        st.caption(
            f":material/group: {examples_in_words(preview.n_conflicts)} on which somebody else decided "
            "otherwise: reviewers then disagree, and neither decision has an effect."
        )


def _table(preview: BatchPreview, act: BulkAction, by: str) -> None:
    """Draw the first examples that would be decided. Cells of this table show texts as they are."""
    rows = preview.rows
    table = rows[["text", "label"]].set_axis(["Text", "Label"], axis=1)
    if act.action == "suggestion":
        table["New label"], table["Probability"] = rows["suggested_label"], rows["suggested_probability"]
    elif act.action == "relabel":
        table["New label"] = act.label
    table[by] = rows["value"]
    columns = {
        "Text": st.column_config.TextColumn(width=620),
        "Probability": st.column_config.NumberColumn(format="percent"),
        by: st.column_config.NumberColumn(format="%.4f"),
    }
    st.dataframe(
        table, hide_index=True, height="content", row_height=ROW, key="batch rows", column_config=columns
    )


def _buttons(title: str, n: int = 0, decide_all: Callable[[], None] | None = None) -> None:
    """Draw the foot of the dialog: the confirmation where it takes one, and the two ways out."""
    with st.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="bottom", gap="small"
    ):
        if problem := st.session_state.pop(_PROBLEM, None):
            st.warning(plain(problem), icon=":material/info:", width="stretch")
        if n > TYPED_ABOVE:
            st.text_input(f"Type {n} to confirm", key=TYPED, width=260, placeholder="Number of examples")
        st.button("Cancel", key="batch cancel", on_click=close)
        is_off = decide_all is None
        st.button(title, type="primary", key="batch act", disabled=is_off, on_click=decide_all)


def decide(store: Store, queue: Queue, reviewer: str, token: str, act: BulkAction, n: int) -> None:
    """Decide on `n` examples. The second click of two finds the dialog closed."""
    if opened_on(queue) != token:
        return
    typed = "".join(c for c in str(st.session_state.get(TYPED) or "") if c not in ", ")
    if n > TYPED_ABOVE and typed != str(n):
        st.session_state[_PROBLEM] = f"Type {n} first: so many examples will be decided."
        return
    close()
    is_suggested = act.action == "suggestion"
    try:
        batch_id, n_decided = decide_batch(
            store,
            queue,
            "relabel" if is_suggested else act.action,
            label=act.label,
            use_suggestion=is_suggested,
            overwrite=act.overwrite,
            reviewer=reviewer,
        )
    except DietError as error:
        st.session_state[_DONE] = {"words": str(error), "undo": None}
        return
    _count_one()
    to = f" to {act.label}" if act.action == "relabel" else ""
    words = f"{ACTIONS[act.action][1]} {examples_in_words(n_decided)}{to}."
    undo = _undo_of(store, queue, reviewer, batch_id)
    st.session_state[_DONE] = {"words": words, "undo": undo}


def batches_so_far() -> int:
    """Return how many batches this session did or undid: what a card showed before is old then."""
    return int(st.session_state.get(_N_BATCHES, 0))


def _count_one() -> None:
    st.session_state[_N_BATCHES] = batches_so_far() + 1


def _undo_of(store: Store, queue: Queue, reviewer: str, batch_id: str) -> dict[str, Any] | None:
    """Return what undoes a batch: any row of it undoes all of it."""
    dataset_id = read_run(store, queue.definition.run_id).dataset.dataset_id
    last = list_last_events(store, dataset_id, reviewer, limit=1)
    if not last or last[0]["batch_id"] != batch_id:
        return None
    names = ("decision_id", "example_id", "batch_id")
    return {"dataset_id": dataset_id, "reviewer": reviewer, **{name: last[0][name] for name in names}}


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
            undo = partial(_undo, store, done)
            st.button("Undo all", icon=":material/undo:", key="batch undo", on_click=undo)
        forget = partial(st.session_state.pop, _DONE, None)
        st.button("Close", type="tertiary", key="batch close", on_click=forget)


def _undo(store: Store, done: dict[str, Any]) -> None:
    """Undo a batch; its event has the same name each time, so that twice is once."""
    undo, words = done["undo"], done["words"]
    event = DeskEvent(
        client_event_id=f"undo {undo['batch_id']}",
        example_id=undo["example_id"],
        action="undo",
        reverts=undo["decision_id"],
    )
    try:
        receipt = apply_events(store, undo["dataset_id"], [event], reviewer=undo["reviewer"])
        _count_one()
        words = next(iter(receipt.refused.values()), f"Undone: {words[:1].lower()}{words[1:]}")
    except DietError as error:
        words = str(error)
    st.session_state[_DONE] = {"words": words, "undo": None}


def examples_in_words(n: int) -> str:
    """Return a number of examples.

    >>> examples_in_words(1), examples_in_words(4321)
    ('1 example', '4,321 examples')
    """
    return f"{n:,} example" if n == 1 else f"{n:,} examples"
