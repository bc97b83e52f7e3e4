"""Retrainings of a run: progress and results of the one that is open, and the earlier ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import streamlit as st

from diet_core.experiments.plan import retrainings
from diet_core.runs.folder import RunFolder
from diet_core.store.loading.runs import RunRecord
from pages.parts.retrain.compare import chosen_metric, differences_view, trainings_view
from pages.parts.retrain.data import RetrainResults, retrain_results_of
from pages.parts.retrain.details import cost_view, curves_view, recall_view
from pages.parts.retrain.sweep import is_sweep, sweep_chart, sweep_rows
from pages.parts.retrain.words import title_of_run
from pages.shared.address import read_url, write_url
from pages.shared.errors import error_box, plain
from pages.shared.job_panel import is_living, job_panel
from pages.shared.widgets import one_of

if TYPE_CHECKING:
    from diet_core.store.store import Store

SECONDS_BETWEEN_LOOKS = 2.0  # results are read from files, and a training takes seconds at least
MAX_SENTENCES = 4  # that stand open; a sweep has dozens
VIEWS: Final[dict[str, Callable[[RetrainResults, str], None]]] = {
    "Differences": differences_view,
    "Learning curves": curves_view,
    "Recall per class": recall_view,
    "Cost": cost_view,
}


def retrain_results(store: Store, run: RunRecord) -> None:
    """Draw the retraining that the URL names, else the newest; nothing where there is none."""
    folders = {folder.run_id: folder for folder in retrainings(store.workspace, run.run_id)}
    if not folders:
        return
    folder = folders[_picked(folders)]
    job_panel(folder)
    pause = SECONDS_BETWEEN_LOOKS if is_living(folder) else None
    st.fragment(_results, run_every=pause, key=f"results {folder.run_id}")(folder)


def _picked(folders: dict[str, RunFolder]) -> str:
    """Return the chosen retraining; the URL names it."""
    in_url = read_url("retrain", str, "")
    if st.session_state.get("retrain") not in folders:
        st.session_state.pop("retrain", None)
    run_ids = list(folders)
    shown = st.session_state.get("retrain", in_url if in_url in folders else run_ids[0])
    chosen: str = st.selectbox(
        "Retrainings of this run",
        run_ids,
        run_ids.index(shown),
        key="retrain",
        format_func=lambda run_id: title_of_run(folders[run_id]),
        help="The newest first.",
    )
    write_url("retrain", chosen)
    return chosen


def _results(folder: RunFolder) -> None:
    """Draw how far each arm is, and what is finished."""
    # A fragment that refreshes itself runs outside of the page's own error box.
    with error_box(), st.container():
        results = retrain_results_of(folder)
        if (results.progress["done"] < results.progress["of"]).any():
            _progress(results)
        if results.trainings.empty:
            st.caption("The first result appears here when the first training is finished.")
            return
        _sentences(results, is_living(folder))
        arms, metric, views = results.plan.arms, "accuracy", VIEWS
        if is_sweep(arms):
            sweep_chart(sweep_rows(arms, results.trainings), folder.run_id)
            views = {"Trainings": trainings_view, **VIEWS}
        else:
            metric = chosen_metric(results)
            trainings_view(results, metric)
        view = one_of("Result", list(views), f"result {folder.run_id}", label_visibility="collapsed")
        views[view](results, metric)


def _progress(results: RetrainResults) -> None:
    """Draw how many trainings of each arm are finished."""
    table = results.progress[["title", "done", "state"]].set_axis(["Arm", "Done", "State"], axis="columns")
    most = int(results.progress["of"].max())
    done = st.column_config.ProgressColumn("Done", min_value=0, max_value=most, format=f"%d of {most}")
    st.dataframe(table, hide_index=True, column_config={"Done": done}, key=f"arms done {results.run_id}")


def _sentences(results: RetrainResults, is_living: bool) -> None:
    """Draw the conclusions in sentences; those of a long sweep are folded, and wait for its end."""
    n = sum(not arm.is_baseline for arm in results.plan.arms)
    if is_living and n > MAX_SENTENCES:
        # Their intervals take seconds, and change with every training that ends.
        st.caption(f"Conclusions on the {n} selections appear when the run has ended; see Differences now.")
        return
    with st.spinner("Comparing …"):
        sentences = [_with_bold_title(results, sentence) for sentence in results.sentences]
    if len(sentences) > MAX_SENTENCES:
        title = f"Conclusions on the {len(sentences)} selections"
        with st.expander(title, icon=":material/format_list_bulleted:"):
            st.markdown("\n".join(f"- {sentence}" for sentence in sentences))
        return
    for sentence in sentences:
        with st.container(border=True):
            st.markdown(sentence)


def _with_bold_title(results: RetrainResults, sentence: str) -> str:
    title = next((title for title in results.titles.values() if sentence.startswith(f"{title}:")), "")
    return f"**{plain(title)}**{plain(sentence.removeprefix(title))}" if title else plain(sentence)
