"""What came of a scoring run, in figures and one plain sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared.words import agreement_in_words

if TYPE_CHECKING:
    from diet_core.jobs.folder import RunFolder


_LINKS = (
    ("pages/explore.py", "Explore the scores", ":material/bar_chart:"),
    ("pages/review.py", "Review likely label errors", ":material/rate_review:"),
)


def score_result(folder: RunFolder) -> None:
    """Draw accuracy, agreement of the seeds and where to go on."""
    from diet_core.jobs.summary import score_summary

    summary = score_summary(folder)
    accuracy, agreement = summary["accuracy"], summary["seed_agreement"]
    with st.container(border=True):
        figures, words = st.columns([1, 2], gap="medium", vertical_alignment="center")
        with figures:
            st.metric("Test accuracy", _accuracy(accuracy), help="Of the last epoch, mean ± std over seeds.")
        with words:
            st.write(agreement_in_words(agreement))
            with st.container(horizontal=True):
                for page, label, icon in _LINKS:
                    st.page_link(page, label=label, icon=icon, query_params={"run": folder.run_id})


def _accuracy(accuracy: dict[str, Any]) -> str:
    if accuracy["mean"] is None:
        return "–"
    spread = "" if accuracy["std"] is None else f" ± {100 * accuracy['std']:.1f}"
    return f"{100 * accuracy['mean']:.1f}{spread} %"
