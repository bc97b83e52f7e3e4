"""One decision on everything in a queue: counted, looked at, confirmed, and taken back as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.errors import DietError
from diet_core.store.decisions.batches import preview_batch
from diet_core.store.loading.runs import read_run
from diet_core.tables import SCORES
from pages.parts.review.bulk_action import (
    ACTION,
    ACTIONS,
    AGAIN,
    LABEL,
    PROBLEM,
    TYPED,
    TYPED_ABOVE,
    begin,
    close,
    decide,
    examples_in_words,
    opened_on,
)
from pages.parts.review.queue_filter import named_percentiles
from pages.parts.review.queue_words import SOURCES, filter_in_words, queue_in_words
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.store.decisions.batches import BatchPreview
    from diet_core.store.decisions.queues import Queue, QueueDefinition
    from diet_core.store.store import Store

ROW = 26  # pixels: ten rows and the buttons fit a low screen
_AGAIN_HELP = (
    "Your own older decisions give way to the new one. Those of other people stay: where they say another "
    "thing, reviewers disagree, and neither has an effect until they agree."
)


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
        help="One decision on everything in this queue, with a look at it first and one undo.",
    )
    # By the session and not by the click: the dialog then outlives a rerun of the page behind it.
    if opened_on(queue):
        _dialog(store, queue, reviewer)


@st.dialog("Act on all of this queue", width="large", on_dismiss=close)
def _dialog(store: Store, queue: Queue, reviewer: str) -> None:
    token = opened_on(queue)
    if token is None:
        st.rerun()  # closes it
    _what(store, queue.definition)
    action, label = _chosen_action(store, queue)
    act = {"action": action, "label": label, "overwrite": bool(st.session_state.get(AGAIN))}
    try:
        found = _preview(store, queue, reviewer, act)
    except DietError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return _buttons(None, "Nothing to decide")
    _again(found.n_decided_by_people)
    is_chosen = action != "relabel" or label is not None
    _counts(found, reviewer, has_table=is_chosen)
    if not is_chosen:
        return _buttons(None, "Choose a class")
    if not found.n_to_decide:
        st.info("Nothing is left to decide here.", icon=":material/info:")
        return _buttons(None, "Nothing to decide")
    _table(found, queue, act, read_run(store, queue.definition.run_id).suspicion)
    title = f"{ACTIONS[action][0].removesuffix(' to')}: {examples_in_words(found.n_to_decide)}"
    _buttons((store, queue, reviewer, token, {**act, "n": found.n_to_decide}), title)


def _what(store: Store, definition: QueueDefinition) -> None:
    narrowed = filter_in_words(definition, named_percentiles(store, definition))
    st.text(" · ".join([SOURCES[definition.source], queue_in_words(definition), *narrowed]))


def _preview(store: Store, queue: Queue, reviewer: str, act: dict[str, Any]) -> BatchPreview:
    """Return what would be done; while no class is chosen, who would be left out."""
    is_relabel = act["action"] == "suggestion" or act["label"] is not None
    action = "relabel" if is_relabel else "keep" if act["action"] == "relabel" else act["action"]
    return preview_batch(
        store, queue, action, label=act["label"], overwrite=act["overwrite"], reviewer=reviewer
    )


def _chosen_action(store: Store, queue: Queue) -> tuple[str, str | None]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        action = st.segmented_control(
            "Decision",
            list(ACTIONS),
            format_func=lambda name: ACTIONS[name][0],
            default="keep",
            required=True,
            key=ACTION,
            label_visibility="collapsed",
        )
        label = None
        if action == "relabel":
            classes = read_run(store, queue.definition.run_id).dataset.classes
            label = st.selectbox(
                "New class",
                list(classes),
                index=None,
                placeholder="Choose a class",
                key=LABEL,
                label_visibility="collapsed",
                width=220,
            )
    return action or "keep", label


def _counts(found: BatchPreview, reviewer: str, *, has_table: bool) -> None:
    """Draw how many it would be and who is left out."""
    n = examples_in_words(found.n_to_decide)
    first = f" The first {len(found.rows)}:" if has_table and found.n_to_decide > len(found.rows) else ""
    st.markdown(f"**{n}** of {found.n_queue:,} will be decided by {plain(reviewer)}.{first}")
    if found.n_without_suggestion:
        st.caption(f"{examples_in_words(found.n_without_suggestion)} without a suggestion left out.")
    if found.n_conflicts:
        st.caption(
            f":material/group: {examples_in_words(found.n_conflicts)} on which somebody else said another "
            "thing: reviewers then disagree, and neither decision has an effect."
        )


def _again(n_decided: int) -> None:
    """Draw the choice whether what people decided is decided again; nothing where there is none."""
    if n_decided:
        st.checkbox(
            f"Decide again where people have decided already ({n_decided:,})", key=AGAIN, help=_AGAIN_HELP
        )


def _table(found: BatchPreview, queue: Queue, act: dict[str, Any], suspicion: str) -> None:
    """Draw the first examples that it would be. Cells of this table show texts as they are."""
    rows, by = found.rows, SCORES[queue.definition.by or suspicion].title
    table = rows[["text", "label"]].set_axis(["Text", "Label"], axis=1)
    if act["action"] == "suggestion":
        table["New label"], table["Probability"] = rows["suggested_label"], rows["suggested_probability"]
    elif act["action"] == "relabel":
        table["New label"] = act["label"]
    table[by] = rows["value"]
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        row_height=ROW,
        key="batch rows",
        column_config={
            "Text": st.column_config.TextColumn(width=620),
            "Probability": st.column_config.NumberColumn(format="percent"),
            by: st.column_config.NumberColumn(format="%.4f"),
        },
    )


def _buttons(arguments: tuple[Any, ...] | None, title: str) -> None:
    """Draw the foot of the dialog: the confirmation where it takes one, and the two ways out."""
    n = arguments[-1]["n"] if arguments else 0
    with st.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="bottom", gap="small"
    ):
        if problem := st.session_state.pop(PROBLEM, None):
            st.warning(plain(problem), icon=":material/info:", width="stretch")
        if n > TYPED_ABOVE:
            st.text_input(f"Type {n} to confirm", key=TYPED, width=260, placeholder="Number of examples")
        st.button("Cancel", key="batch cancel", on_click=close)
        st.button(
            title,
            type="primary",
            key="batch act",
            disabled=arguments is None,
            on_click=decide,
            args=arguments or (),
        )
