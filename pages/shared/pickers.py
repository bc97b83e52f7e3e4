"""The run and the score that a page shows, kept in the address as `run` and `score`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.encoders import with_tag
from diet_core.store.loading.runs import list_runs
from diet_core.store.queries.examples import available_scores
from diet_core.tables import SCORES
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store


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
    available = available_scores(store, run.run_id)
    if not available:
        st.info("This run has scored no example. Choose another run.", icon=":material/info:")
        st.stop()
    return picked(
        "Score",
        "score",
        available,
        title=lambda name: SCORES[name].title,
        help="How hard an example is, in several ways. The definition is beside the chart's title.",
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
    """Return the chosen option; the address names it even if nobody chose, so that links stay true.

    The widget is not bound to the address by Streamlit, which would put titles there instead of names.
    """
    named = st.query_params.get(key)
    if key not in st.session_state and named in options:
        st.session_state[key] = named
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]
        _say_what_is_missing(label, named)
    chosen: str = st.selectbox(
        label,
        options,
        key=key,
        format_func=title,
        help=help if shows_label else None,
        label_visibility="visible" if shows_label else "collapsed",
    )
    if named != chosen:
        st.query_params[key] = chosen
    return chosen


def _say_what_is_missing(label: str, named: str | None) -> None:
    if named is not None:
        st.warning(
            f"{label} {plain(named)} of the address is not here. Choose another one below.",
            icon=":material/link_off:",
        )
