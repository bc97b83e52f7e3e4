"""The scoring runs of a data set, and the results of a finished one in figures and a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from diet_core.dataset import DatasetInfo
from diet_core.errors import RunStateError
from diet_core.runs.folder import RunFolder, all_runs
from diet_core.runs.summary import score_summary
from diet_core.scoring.folds import unseen_in_words
from diet_core.store.loading.runs import list_runs
from diet_core.tables import GRAND_SCOPES
from pages.parts.score.quick_look import quick_look_caption
from pages.shared.durations import agreement_in_words
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.store.store import Store

_STEPS: dict[str, Any] = {
    "step": st.column_config.NumberColumn("Step", format="localized"),
    "epoch": st.column_config.NumberColumn("Epochs done", format="%.2f"),
    "reliable": "Reliable",
}
_LINKS = (
    ("pages/explore.py", "Explore the scores", ":material/bar_chart:"),
    ("pages/review.py", "Review likely label errors", ":material/rate_review:"),
)


def scoring_runs(store: Store, info: DatasetInfo) -> list[RunFolder]:
    """Return the folders of a data set version's scoring runs, the newest first."""
    # A notebook's run names version 0; the store knows which version it is.
    loaded = {run.run_id for run in list_runs(store, info.dataset_id) if run.kind == "score"}
    return [f for f in all_runs(store.workspace) if f.run_id in loaded or _is_of(f, info)]


def _is_of(folder: RunFolder, info: DatasetInfo) -> bool:
    try:
        config = folder.config()
    except RunStateError:
        return False
    dataset = config.dataset
    return config.kind == "score" and (dataset.name, dataset.version) == (info.name, info.version)


def score_result(folder: RunFolder) -> None:
    """Draw accuracy, agreement of the seeds and where to go on."""
    summary = score_summary(folder)
    with st.container(border=True):
        figures, words = st.columns([1, 2], gap="medium", vertical_alignment="center")
        accuracy = _accuracy(summary["accuracy"])
        figures.metric("Test accuracy", accuracy, help="Of the last epoch, mean ± std over seeds.")
        with words:
            st.write(agreement_in_words(summary["seed_agreement"]))
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
        "Review ranks by these scores."
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
