"""The audit on the Review page: drawing the sample, its progress and result; and the label confusions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.review.seeds import run_confusions
from diet_core.scoring.statistics.audit import SIZE, wilson_interval
from diet_core.scoring.statistics.audit_words import guess_in_words, left_in_words, unclear_in_words
from diet_core.store.decisions.audit import Audit, AuditResult, find_audit, read_audit_result, start_audit
from diet_core.store.loading.runs import RunRecord
from diet_core.store.queries.examples import count_examples
from pages.shared.durations import percent

if TYPE_CHECKING:
    from diet_core.store.decisions.audit import AuditResult
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

_EXPECTED = 0.2  # share of errors that the expected interval is given for


@dataclass(frozen=True)
class AuditQueue:
    """The audit as a choice of queue: a random sample of a data set version, once it is drawn."""

    store: Store
    dataset_id: str

    @property
    def sample(self) -> Audit | None:
        """The sample as it is now: it may have grown since the page was opened."""
        return find_audit(self.store, self.dataset_id)


def draw_sample(store: Store, run: RunRecord) -> None:
    """Draw the form that starts the audit."""
    with st.container(border=True):
        st.subheader("How many labels are wrong?", anchor=False)
        st.write(
            "A model cannot say; a random sample that you review can. What the model predicts for an example "
            "is hidden until you ask, because it would sway you. The sample is drawn once per version of "
            "the data set, and can grow."
        )
        _size_and_button(store, run, "Draw the sample", 1, SIZE)


def audit_panel(store: Store, run: RunRecord) -> None:
    """Draw the result of the audit for all examples, and how to make its sample larger."""
    result = read_audit_result(store, run.run_id)
    if result is None:
        return
    with st.expander("Result of the audit", icon=":material/fact_check:"):
        with st.container(gap=None):
            for line in (errors_left(result), result.n_unclear and unclear_in_words(result.n_unclear)):
                if line:
                    st.text(line)
        if result.model_guess is not None:
            st.caption(guess_in_words(result.model_guess))
        if result.n_sample < result.n_examples:
            _size_and_button(store, run, "Make the sample larger", result.n_sample + 1, 2 * result.n_sample)


def errors_left(result: AuditResult) -> str:
    """Return how many errors are left below what is reviewed along the ranking."""
    left = result.left.get(result.reviewed_to)
    if not left or not result.n_audited:
        return ""
    words = left_in_words(result.reviewed_to, left)
    return f"{words[:1].upper()}{words[1:]}."


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


def label_confusions(store: Store, run: RunRecord) -> None:
    """Draw how often labels are estimated to be confused; nothing for a run without estimates."""
    confusions = run_confusions(store, run.run_id)
    if not confusions:
        return
    with st.expander("Estimated label confusions", icon=":material/alt_route:"):
        st.caption(
            "The share of each class's examples that carry another label, as estimated from the models' "
            "predictions; the classes with the most such examples first. Labels that are often confused "
            "are suspected sooner."
        )
        with st.container(gap=None):
            for one in confusions:
                st.text(f"{one['given']} instead of {one['true']}: {percent(one['share'])}")
