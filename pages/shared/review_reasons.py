"""Beside the review card: why the example is here, how far the review is, what was decided last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.tables import SCORES, meaning_of
from pages.shared.errors import plain

if TYPE_CHECKING:
    import pandas as pd

    from pages.shared.review_acts import Review

LAST = 6  # decisions in the list
_SHOWN = ("label_error", "el2n")


def review_progress(review: Review) -> None:
    """Draw how much of the queue is decided."""
    done = review.store.review_progress(review.run.run_id, review.queue)
    conflicts = f", {done.n_conflicts:,} in conflict" if done.n_conflicts else ""
    st.progress(
        done.n_decided / max(done.n_all, 1),
        f"{done.n_decided:,} of {done.n_all:,} decided, {done.n_changed:,} of them changed{conflicts}",
    )


def reasons(review: Review, example_id: str, example: dict[str, Any]) -> None:
    """Draw the scores that brought the example here."""
    from diet_core.jobs.seeds import example_seeds

    store, run_id = review.store, review.run.run_id
    scores = store.example_scores(run_id, example_id, _SHOWN).set_index("score")
    suspicion = scores.loc["label_error"]
    place = store.place_in_queue(run_id, example_id, review.queue)
    st.caption("Why it is here")
    figures = st.columns(2)
    for column, name in zip(figures, _SHOWN, strict=True):
        if name in scores.index:
            meaning = meaning_of(name, review.run.grand)
            column.metric(SCORES[name].title, f"{scores['value'][name]:.3f}", help=meaning)
    lines = [
        "Not in this queue" if place is None else f"Number {place:,} of this queue",
        f"Rank {int(suspicion['rank']):,} of {int(suspicion['n']):,} by label error",
        f"Above {_share_below(suspicion):.1%} of class {example['label']}",
        _votes(example_seeds(store, run_id, example_id, example["label"]), example["predicted_label"]),
    ]
    with st.container(gap=None):
        for line in filter(None, lines):
            st.text(line)


def _share_below(suspicion: pd.Series) -> float:
    """Return the share of the class that is less suspicious; never rounded up to all of it."""
    return int((1 - suspicion["rank_in_class"] / suspicion["n_in_class"]) * 1000) / 1000


def _votes(seeds: pd.DataFrame, predicted: str) -> str:
    """Return how many seeds predict what all of them together do; nothing where the run's folder is gone."""
    voted = seeds["predicted_label"].dropna()
    return f"{(voted == predicted).sum()} of {len(voted)} seeds predict {predicted}" if len(voted) else ""


def decided_so_far(review: Review) -> None:
    """Draw the reviewer's last decisions; a click opens one again."""
    last = review.store.last_decisions(review.dataset_id, review.reviewer, limit=LAST)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption("Your last decisions", width="content")
        st.button(
            "Undo",
            icon=":material/undo:",
            shortcut="Z",
            key="undo",
            disabled=last.empty,
            on_click=review.undo,
            help="Takes back your last decision; again takes back the one before.",
        )
    if last.empty:
        st.caption("None yet.")
    with st.container(key="review-last", gap=None):
        for row in last.itertuples():
            st.button(
                plain(" ".join(f"{_said(row.action, row.label)} · {row.text}".split())),
                key=f"open {row.decision_id}",
                type="tertiary",
                width="stretch",
                wrap=False,
                on_click=review.open,
                args=(row.example_id,),
            )


def nothing_left(review: Review) -> None:
    """Draw what stands in place of the card when no example is left."""
    if not review.store.count(review.run.run_id, review.queue):
        st.info("No example is in this queue. Choose another class or queue.", icon=":material/inbox:")
        return
    with st.container(border=True):
        st.subheader("Every example of this queue is decided", anchor=False)
        st.write("Undo a decision, look at them again, or choose another class or queue.")
        with st.container(horizontal=True):
            st.button("Look again", icon=":material/arrow_back:", on_click=review.go_back, args=(None,))
            st.page_link("pages/export_data.py", label="Export the result", icon=":material/download:")


def _said(action: str, label: str | None) -> str:
    return f"→ {label}" if action == "relabel" else action.capitalize()
