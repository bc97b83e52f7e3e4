"""The audit on the Review page: drawing the sample, how far it is, and what it says so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.scoring.statistics.audit import SIZE, wilson_interval
from diet_core.scoring.statistics.audit_words import guess_in_words, left_in_words, unclear_in_words
from diet_core.store.decisions.audit import read_audit_result, start_audit
from diet_core.store.queries.examples import count_examples

if TYPE_CHECKING:
    from diet_core.store.decisions.audit import AuditResult
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

_EXPECTED = 0.2  # share of errors that the expected interval is told for


def audit_figures(found: AuditResult) -> None:
    """Draw what the audit says of all examples, and the model's own guess beside it."""
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


def draw_sample(store: Store, run: RunRecord) -> None:
    """Draw the form that starts the audit."""
    with st.container(border=True):
        st.subheader("How many labels are wrong?", anchor=False)
        st.write(
            "A model cannot say; a random sample that you review can. What the model thinks of an example "
            "stays hidden until you ask, because it would sway you. The sample is drawn once per version of "
            "the data set, and can grow."
        )
        _size_and_button(store, run, "Draw the sample", 1, SIZE)


def audit_panel(store: Store, run: RunRecord) -> None:
    """Draw what the audit says of all examples, and how to make its sample larger."""
    found = read_audit_result(store, run.run_id)
    if found is None:
        return
    with st.expander("What the audit says", icon=":material/fact_check:"):
        audit_figures(found)
        if found.n_sample < found.n_examples:
            _size_and_button(store, run, "Make the sample larger", found.n_sample + 1, 2 * found.n_sample)


def _size_and_button(store: Store, run: RunRecord, title: str, smallest: int, usual: int) -> None:
    n = count_examples(store, run.run_id)
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
    # A key for each size: a late press in a window that is behind draws nothing that it did not show.
    if st.button(title, icon=":material/casino:", key=f"draw from {smallest}"):
        start_audit(store, run.dataset.dataset_id, int(size))
        st.rerun()


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
