"""Beside the review card: why the example is here, how far the review is, what was decided last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.tables import SCORES, meaning_of
from pages.shared.errors import plain
from pages.shared.review_audit import audit_is_done, audit_progress, draw_sample, errors_left
from pages.shared.review_order import ByRank

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.store import AuditResult
    from pages.shared.review_acts import Review

LAST = 6  # decisions in the list


def review_progress(review: Review, audit: AuditResult | None) -> None:
    """Draw how much of the queue is decided and, by the audit, how many errors are left."""
    if isinstance(review.queue, ByRank):
        done = review.store.review_progress(review.run.run_id, review.queue.chosen)
        conflicts = f", {done.n_conflicts:,} in conflict" if done.n_conflicts else ""
        changed = f"{done.n_changed:,} of them changed{conflicts}"
        left = f". {words}" if audit and (words := errors_left(audit)) else ""
        st.progress(
            done.n_decided / max(done.n_all, 1),
            f"{done.n_decided:,} of {done.n_all:,} decided, {changed}{left}",
        )
    elif audit:
        audit_progress(audit)


def reasons(review: Review, example_id: str, example: dict[str, Any]) -> None:
    """Draw the scores that brought the example here."""
    store, run_id = review.store, review.run.run_id
    place = review.queue.place(example_id)
    if review.is_blind(example_id):
        st.caption("Why it is here")
        st.text("Not in the sample" if place is None else f"Drawn by chance as number {place:,}")
        return
    run = review.run
    shown = (run.suspicion, "el2n_oof" if run.has_folds else "el2n")
    scores = store.example_scores(run_id, example_id, shown).set_index("score")
    suspicion = scores.loc[run.suspicion]
    st.caption("Why it is here")
    figures = st.columns(2)
    for column, name in zip(figures, shown, strict=True):
        if name in scores.index:
            meaning = meaning_of(name, run.grand)
            column.metric(
                SCORES[name.removesuffix("_oof")].title, f"{scores['value'][name]:.3f}", help=meaning
            )
    lines = [
        "Not in this queue" if place is None else f"Number {place:,} of this queue",
        f"Rank {int(suspicion['rank']):,} of {int(suspicion['n']):,} by label error",
        f"Above {_share_below(suspicion):.1%} of class {example['label']}",
        _votes(_seeds(review, example_id, example["label"]), example["predicted_label"]),
        "By models that did not train on it" if run.has_folds else "",
    ]
    with st.container(gap=None):
        for line in filter(None, lines):
            st.text(line)


def _seeds(review: Review, example_id: str, label: str) -> pd.DataFrame:
    from diet_core.jobs.seeds import example_seeds

    run = review.run
    return example_seeds(review.store, run.run_id, example_id, label, out_of_fold=run.has_folds)


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


def nothing_left(review: Review, audit: AuditResult | None) -> None:
    """Draw what stands in place of the card when no example is left."""
    if not isinstance(review.queue, ByRank):
        audit_is_done(review, audit) if audit else draw_sample(review)
        return
    if not review.store.review_progress(review.run.run_id, review.queue.chosen).n_all:
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
