"""Retrainings of a run: the one that is open, with how it goes and what it says, and the earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.retrain.compare import chosen_metric, trainings_view
from pages.parts.retrain.found import Found, found_of
from pages.parts.retrain.sweep import is_sweep, sweep_chart, sweep_rows
from pages.parts.retrain.views import chosen_view
from pages.parts.retrain.words import title_of_run
from pages.shared.errors import error_box, plain
from pages.shared.job_panel import is_living, job_panel

if TYPE_CHECKING:
    from diet_core.runs.folder import RunFolder
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

SECONDS_BETWEEN_LOOKS = 2.0  # results come every some seconds at best, and are read from files
MAX_SENTENCES = 4  # that stand open; a sweep has dozens


def retrain_results(store: Store, run: RunRecord) -> None:
    """Draw the retraining that the address names, else the newest; nothing where there is none."""
    from diet_core.experiments.plan import retrainings

    folders = {folder.run_id: folder for folder in retrainings(store.workspace, run.run_id)}
    if not folders:
        return
    folder = folders[_picked(folders)]
    job_panel(folder)
    pause = SECONDS_BETWEEN_LOOKS if is_living(folder) else None
    st.fragment(_results, run_every=pause, key=f"results {folder.run_id}")(folder)


def _picked(folders: dict[str, RunFolder]) -> str:
    """Return the chosen retraining; the address names it."""
    named = st.query_params.get("retrain")
    if st.session_state.get("retrain") not in folders:
        st.session_state.pop("retrain", None)
    run_ids = list(folders)
    shown = st.session_state.get("retrain", named if named in folders else run_ids[0])
    chosen: str = st.selectbox(
        "Retrainings of this run",
        run_ids,
        run_ids.index(shown),
        key="retrain",
        format_func=lambda run_id: title_of_run(folders[run_id]),
        help="The newest first.",
    )
    if named != chosen:
        st.query_params["retrain"] = chosen
    return chosen


def _results(folder: RunFolder) -> None:
    """Draw how far each arm is, and what is finished."""
    # A fragment that refreshes itself runs outside of the page's own error box.
    with error_box(), st.container():
        found = found_of(folder)
        if not found.is_complete:
            _progress(found)
        if found.trainings.empty:
            st.caption("The first result appears here when the first training is finished.")
            return
        _sentences(found, is_living(folder))
        if is_sweep(found.plan.arms):
            sweep_chart(sweep_rows(found.plan.arms, found.trainings), folder.run_id)
            chosen_view(found, "accuracy", ("Trainings",))
        else:
            metric = chosen_metric(found)
            trainings_view(found, metric)
            chosen_view(found, metric)


def _progress(found: Found) -> None:
    """Draw how many trainings of each arm are finished."""
    table = found.progress
    most = int(table["of"].max())
    done = st.column_config.ProgressColumn("Done", min_value=0, max_value=most, format=f"%d of {most}")
    st.dataframe(
        table[["title", "done", "state"]].rename(columns={"title": "Arm", "done": "Done", "state": "State"}),
        hide_index=True,
        column_config={"Done": done},
        key=f"arms done {found.run_id}",
    )


def _sentences(found: Found, is_living: bool) -> None:
    """Draw what the numbers say; those of a long sweep are folded, and wait for its end."""
    n = sum(not arm.is_baseline for arm in found.plan.arms)
    if is_living and n > MAX_SENTENCES:
        # Their intervals take seconds, and change with every training that ends.
        st.caption(f"What the {n} selections say appears when the run has ended; Differences has it now.")
        return
    with st.spinner("Comparing …"):
        sentences = found.sentences
    if len(sentences) > MAX_SENTENCES:
        with st.expander(f"What the {len(sentences)} selections say", icon=":material/format_list_bulleted:"):
            st.markdown("\n".join(f"- {_with_bold_title(found, sentence)}" for sentence in sentences))
        return
    for sentence in sentences:
        with st.container(border=True):
            st.markdown(_with_bold_title(found, sentence))


def _with_bold_title(found: Found, sentence: str) -> str:
    title = next((title for title in found.titles.values() if sentence.startswith(f"{title}:")), "")
    return f"**{plain(title)}**{plain(sentence.removeprefix(title))}" if title else plain(sentence)
