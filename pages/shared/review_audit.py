"""The audit on the Review page: drawing the sample, how far it is, and what it says so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.scoring.audit import SIZE, wilson_interval
from diet_core.scoring.audit_words import guess_in_words, left_in_words, share_in_words, unclear_in_words

if TYPE_CHECKING:
    from diet_core.store import AuditResult
    from pages.shared.review_acts import Review

_EXPECTED = 0.2  # share of errors that the expected interval is told for


def audit_progress(found: AuditResult) -> None:
    """Draw how far the audit is and what share of errors it shows."""
    st.progress(
        found.n_audited / max(found.n_sample, 1),
        f"Audited {found.n_audited:,} of {found.n_sample:,}: {share_in_words(found.share)}",
    )


def audit_figures(found: AuditResult) -> None:
    """Draw what the audit says of all examples, and the model's own guess beside it."""
    st.caption("What the audit says")
    lines = [errors_left(found), found.n_unclear and unclear_in_words(found.n_unclear)]
    with st.container(gap=None):
        for line in filter(None, lines):
            st.text(line)
    if found.model_guess is not None:
        st.caption(guess_in_words(found.model_guess))


def errors_left(found: AuditResult) -> str:
    """Return how many errors are left below what is reviewed along the ranking."""
    left = found.left.get(found.reviewed_to)
    return f"{_capital(left_in_words(found.reviewed_to, left))}." if left and found.n_audited else ""


def draw_sample(review: Review) -> None:
    """Draw the form that starts the audit."""
    with st.container(border=True):
        st.subheader("How many labels are wrong?", anchor=False)
        st.write(
            "A model cannot say; a random sample that you review can. What the model thinks of an example "
            "stays hidden until you ask, because it would sway you. The sample is drawn once per version of "
            "the data set, and can grow."
        )
        _size_and_button(review, "Draw the sample", 1, SIZE)


def audit_is_done(review: Review, found: AuditResult) -> None:
    """Draw what stands in place of the card when the whole sample is decided."""
    with st.container(border=True):
        st.subheader("The whole sample is audited", anchor=False)
        st.text(f"{_capital(share_in_words(found.share))} among {found.n_examples:,} training examples.")
        if found.n_sample < found.n_examples:
            _size_and_button(review, "Make the sample larger", found.n_sample + 1, 2 * found.n_sample)
        st.button("Look again", icon=":material/arrow_back:", on_click=review.go_back, args=(None,))


def _size_and_button(review: Review, title: str, smallest: int, usual: int) -> None:
    n = review.store.count(review.run.run_id)
    size = st.number_input(
        "Examples in the sample",
        min_value=smallest,
        max_value=n,
        value=min(max(usual, smallest), n),
        key=f"audit size from {smallest}",
        help="A few hundred are enough whatever the size of the data set; four times as many halve the "
        "width of the interval.",
    )
    low, high = wilson_interval(round(_EXPECTED * size), size, population=n)
    st.caption(
        f"If {_EXPECTED:.0%} of the labels are wrong, {size:,} examples will say about "
        f"{100 * low:.1f}–{100 * high:.1f} %."
    )
    st.button(title, icon=":material/casino:", key="draw", on_click=review.draw, args=(size,))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
