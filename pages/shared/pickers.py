"""The data set, the run and the score that a page shows, kept in the URL as `dataset`, `run` and `score`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.encoders import with_tag
from diet_core.store.loading.datasets import list_datasets
from diet_core.store.loading.runs import list_runs
from diet_core.store.queries.examples import list_available_scores
from diet_core.tables import SCORES
from pages.shared.address import read_url, write_url
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.store.loading.datasets import DatasetSummary
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store


def picked_dataset(store: Store) -> DatasetSummary:
    """Return the data set that the user chose, the newest at first; without any the page ends."""
    lines = {line.info.dataset_id: line for line in list_datasets(store)}
    if not lines:
        st.info(
            "There is no data set yet. Import a file, or load the sample on Home.", icon=":material/info:"
        )
        with st.container(horizontal=True):
            st.page_link("pages/import_data.py", label="Import a file", icon=":material/upload_file:")
            st.page_link("pages/home.py", label="Home", icon=":material/home:")
        st.stop()
    help = "Name and version, the newest import first."
    return lines[picked("Data set", "dataset", list(lines), help=help)]


def picked_run(store: Store) -> RunRecord:
    """Return the scoring run that the user chose, the newest at first; without any the page ends."""
    runs = {run.run_id: run for run in scored_runs(store)}
    return picked_of(runs, help="Finished scoring runs, the newest first.")


def scored_runs(store: Store, title: str | None = None) -> list[RunRecord]:
    """Return the finished scoring runs, the newest first; without any the page says so and ends.

    Args:
        store: Where.
        title: Of a page that draws it beside its pickers and has not done so yet.
    """
    runs = [run for run in list_runs(store) if run.kind == "score"]
    if not runs:
        if title:
            st.title(title)
        st.info("There is no scored run yet, or it is not finished.", icon=":material/info:")
        st.page_link("pages/score.py", label="Score a data set", icon=":material/speed:")
        st.stop()
    return runs


def picked_of(runs: Mapping[str, RunRecord], help: str) -> RunRecord:
    """Return the run that the user chose of several by their ids, the first at first."""
    chosen = picked(
        "Run",
        "run",
        list(runs),
        title=lambda run_id: with_tag(run_id, runs[run_id].encoder),
        help=help,
    )
    return runs[chosen]


def picked_score(store: Store, run: RunRecord) -> str:
    """Return the score that the user chose of those that the run has, the first at first."""
    available = list_available_scores(store, run.run_id)
    if not available:
        st.info("This run has scored no example. Choose another run.", icon=":material/info:")
        st.stop()
    return picked(
        "Score",
        "score",
        available,
        title=lambda name: SCORES[name].title,
        help="Measures of how hard an example is. The definition is beside the chart's title.",
    )


def picked(
    label: str,
    key: str,
    options: Sequence[str],
    *,
    help: str,
    title: Callable[[str], str] = str,
    shows_label: bool = True,
) -> str:
    """Draw a list of ids and return the chosen one; the URL has it even if nobody chose.

    The widget is not bound to the URL by Streamlit, which would put titles there instead of ids.

    Args:
        label: Of the widget.
        key: Of the widget and in the URL.
        options: The ids; the first is chosen at first.
        help: Of the widget, shown beside its label.
        title: What an id is shown as.
        shows_label: Whether the label is seen.
    """
    in_url = read_url(key, str, None)
    if key not in st.session_state and in_url in options:
        st.session_state[key] = in_url
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]
        if in_url is not None:
            st.warning(
                f"{label} {plain(in_url)} from the URL was not found. Choose another one below.",
                icon=":material/link_off:",
            )
    chosen: str = st.selectbox(
        label,
        options,
        key=key,
        format_func=title,
        help=help if shows_label else None,
        label_visibility="visible" if shows_label else "collapsed",
    )
    write_url(key, chosen)
    return chosen
