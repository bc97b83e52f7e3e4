"""The card that a reviewer decides on: one example, why it is here, and the buttons.

Everything about deciding is in this file; the queue lies in the store, the place in the address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared.errors import error_box, plain
from pages.shared.review_acts import Review
from pages.shared.review_audit import audit_figures
from pages.shared.review_reasons import decided_so_far, nothing_left, reasons, review_progress
from pages.shared.review_style import STYLE

if TYPE_CHECKING:
    from diet_core.store import RunRecord, Store
    from pages.shared.review_order import Order

KEYED_CLASSES = 9  # more classes than digits are chosen from a list


@st.fragment
def review_card(store: Store, run: RunRecord, queue: Order, reviewer: str) -> None:
    """Draw the card of the example at hand with its buttons, its reasons and the last decisions."""
    st.html(STYLE)
    with error_box():
        review = Review(store, run, queue, reviewer)
        if message := st.session_state.pop("review message", None):
            st.warning(plain(message), icon=":material/info:")
        progress = st.container()
        example_id = review.at_hand()
        example = example_id and review.store.example(run.run_id, example_id, out_of_fold=run.has_folds)
        found = store.audit_result(run.run_id)
        card, side = st.columns([5, 2], gap="medium")
        with card:
            if example:
                _card(review, example_id, example)
            else:
                nothing_left(review, found)
        with side.container(key="review-side"):
            if example:
                reasons(review, example_id, example)
            if found and queue.is_audit:
                audit_figures(found)
            decided_so_far(review)
        with progress:  # last: what it says is then true of all that is drawn
            review_progress(review, found)


def _card(review: Review, example_id: str, example: dict[str, Any]) -> None:
    with st.container(border=True, key="review-card"):
        _labels(review, example_id, example)
        with st.container(key="review-text"):
            st.text(example["text"], width="stretch")
            if example["text_pair"] is not None:
                st.caption("Second text")
                st.text(example["text_pair"], width="stretch")
        _buttons(review, example_id, example)
        _classes(review, example_id, example["label"])


def _labels(review: Review, example_id: str, example: dict[str, Any]) -> None:
    """Draw what the example is called, what the seeds would call it, and what was decided."""
    decisions = review.store.standing_decisions(review.dataset_id, example_id)
    said = "; ".join(f"{d['reviewer']}: {d['action']} {d['label'] or ''}".strip() for d in decisions)
    opinion = _suggestion(example["suggested_label"], example["suggested_probability"])
    parts = {
        "Label": example["label"],
        "Suggestion": "Hidden" if review.is_blind(example_id) else opinion,
        "Decision": said or "–",
    }
    *columns, way = st.container(key="review-labels").columns([3, 3, 4, 4])
    for column, (title, value) in zip(columns, parts.items(), strict=True):
        column.caption(title)
        column.text(value)
    with way.container(horizontal=True, horizontal_alignment="right", gap="small"):
        for title, icon, key, act in (
            ("Back", "back", "B", review.go_back),
            ("Skip", "forward", "N", review.skip),
        ):
            st.button(
                title,
                icon=f":material/arrow_{icon}:",
                shortcut=key,
                type="tertiary",
                key=f"{title} {example_id}",
                help=_WAYS[title],
                on_click=act,
                args=(example_id,),
            )


_WAYS = {
    "Back": "The example before this one, decided or not.",
    "Skip": "The next undecided example; this one comes again at the end.",
}


def _suggestion(label: str | None, probability: float | None) -> str:
    if label is None:
        return "–"
    return label if probability is None else f"{label}  {probability:.0%}"


def _buttons(review: Review, example_id: str, example: dict[str, Any]) -> None:
    """Draw the decisions. Keys hold the example: a late press never decides on the next one."""
    suggested = example["suggested_label"]
    take = ("Take suggestion", "swap_horiz", "S", review.decide, ("relabel", suggested))
    with st.container(horizontal=True, key="review-decide"):
        for title, icon, key, act, what in (
            ("Keep", "check", "K", review.decide, ("keep", None)),
            ("Show suggestion", "visibility", "S", review.ask, ()) if review.is_blind(example_id) else take,
            ("Drop", "delete", "D", review.decide, ("drop", None)),
            ("Unsure", "help", "U", review.decide, ("unsure", None)),
        ):
            st.button(
                title,
                icon=f":material/{icon}:",
                shortcut=key,
                key=f"{title} {example_id}",
                disabled=what == ("relabel", None),
                on_click=act,
                args=(example_id, *what),
            )


def _classes(review: Review, example_id: str, given: str) -> None:
    """Draw the choice of another class: a button and a digit each, or a list where they are many."""
    classes = list(review.run.dataset.classes)
    if len(classes) > KEYED_CLASSES:
        st.selectbox(
            "Another class",
            [name for name in classes if name != given],
            index=None,
            placeholder="Another class …",
            label_visibility="collapsed",
            key=f"class of {example_id}",
            on_change=review.pick,
            args=(example_id,),
        )
        return
    with st.container(horizontal=True, vertical_alignment="center", key="review-classes"):
        st.caption("Another class", width="content")
        for number, name in enumerate(classes, start=1):
            st.button(
                plain(name),
                shortcut=str(number),
                key=f"class {number} {example_id}",
                disabled=name == given,
                on_click=review.decide,
                args=(example_id, "relabel", name),
            )
