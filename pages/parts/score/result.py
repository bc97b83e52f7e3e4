"""What came of a scoring run, in figures and one plain sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from diet_core.scoring.folds import unseen_in_words
from diet_core.tables import GRAND_SCOPES
from pages.parts.score.quick_look import quick_look_caption
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.runs.folder import RunFolder


_STEPS = {
    "step": st.column_config.NumberColumn("Step", format="localized"),
    "epoch": st.column_config.NumberColumn("Epochs done", format="%.2f"),
    "reliable": "Reliable",
}
_LINKS = (
    ("pages/explore.py", "Explore the scores", ":material/bar_chart:"),
    ("pages/review.py", "Review likely label errors", ":material/rate_review:"),
)


def score_result(folder: RunFolder) -> None:
    """Draw accuracy, agreement of the seeds and where to go on."""
    from diet_core.runs.summary import score_summary

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
        quick_look_caption(summary["encoder"])
        if summary["auto"]:
            st.caption(f"Seeds {summary['auto']}.")
        if summary["folds"]:
            _folds(summary)
        if summary["grand"] != "classifier":
            st.caption(f"GraNd is the gradient of {GRAND_SCOPES[summary['grand']]} ({summary['grand']}).")
        if len(summary["steps"]) > 1:
            _steps(summary["steps"])


def _folds(summary: dict[str, Any]) -> None:
    """Say what the folds are for, and which classes they cannot score."""
    st.caption(
        f"{summary['folds']:,} folds: every example was also scored by models that did not train on it. "
        "Review goes by these scores."
    )
    if warning := unseen_in_words(summary["unseen_classes"]):
        st.caption(f":material/warning: {plain(warning)}")


def _steps(steps: list[dict[str, Any]]) -> None:
    """Draw where the examples were scored; the run's scores are those of the last step."""
    with st.expander(f"Scored at {len(steps):,} steps", icon=":material/timeline:"):
        st.caption("The app shows the scores of the last step; the others are in the run's folder.")
        table = pd.DataFrame(steps)
        table["reliable"] = table["reliable"].map({True: "yes", False: "no, within the first epoch"})
        st.dataframe(table, hide_index=True, column_config=_STEPS)


def _accuracy(accuracy: dict[str, Any]) -> str:
    if accuracy["mean"] is None:
        return "–"
    spread = "" if accuracy["std"] is None else f" ± {100 * accuracy['std']:.1f}"
    return f"{100 * accuracy['mean']:.1f}{spread} %"


# Reliabilities from which the order of the examples can be called so.
_HIGH, _FAIR = 0.95, 0.85


def agreement_in_words(agreement: dict[str, Any] | None) -> str:
    """Return what the agreement of the seeds means for a user of the scores.

    Args:
        agreement: As a run's status has it; None with one seed.

    >>> words = agreement_in_words({"single": [0.9, 0.9], "reliability": {"1": 0.8, "2": 0.96}})
    >>> words.split(":")[0], words.split("; ")[1]
    ('The seeds agree well', 'one seed alone would reach 0.80.')
    """
    if agreement is None:
        return "One seed only: how much of the order is chance is not known. Score with 3 seeds to see it."
    n = len(agreement["single"])
    own, one = (float(agreement["reliability"][str(k)]) for k in (n, 1))
    if own != own:
        return "The seeds cannot be compared: all examples of a seed have the same score."
    well = "well" if own >= _HIGH else "fairly" if own >= _FAIR else "poorly; take more seeds or epochs"
    return (
        f"The seeds agree {well}: the order by EL2N is expected to correlate {own:.2f} with the order that "
        f"very many seeds would give; one seed alone would reach {one:.2f}."
    )
