"""What is exported and how: data set, rule, decisions, format; data set and rule are in the URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.store.loading.datasets import find_dataset, list_datasets
from diet_core.store.loading.runs import RunRecord, list_runs
from pages.parts.rule.controls import EVERYTHING, IN_URL, chosen_decisions, chosen_kind, chosen_rule
from pages.parts.rule.outcome import decisions_of
from pages.shared.address import clear_url
from pages.shared.pickers import picked, picked_of
from pages.shared.widgets import one_of

if TYPE_CHECKING:
    from diet_core.pruning.export_preview import Choice
    from diet_core.store.store import Store

_MODES = {"rule": "By a rule", "decisions": "Decisions only"}
_MODES_HELP = (
    "By a rule: a score decides how many of the hardest and easiest examples are dropped; decisions come "
    "before it. Decisions only: all rows are exported but those that reviewers dropped."
)
_SPLIT_HELP = "Adds the column split: train, test or validation, so that a new import has the same splits."
_FORMAT_HELP = "At first the format of the source: it keeps all values exactly as they were."


def chosen_export(store: Store) -> tuple[Choice, RunRecord | None]:
    """Draw the choices and return them, with the run that the rule ranks by; without data the page ends."""
    from diet_core.pruning.export_preview import FORMATS, Choice

    name = _picked_data_set(store)
    info = find_dataset(store, name)
    run = _picked_run(store, name, info.dataset_id)
    rule = None if run is None else chosen_rule(store, run, "export", chosen_kind("export"), EVERYTHING)
    is_decided = chosen_decisions(len(decisions_of(store, info.dataset_id)), "export")
    with_split = st.toggle("Add the split as a column", key="with split", help=_SPLIT_HELP)
    own = info.source_format if info.source_format in FORMATS else "parquet"
    format = st.selectbox(
        "Format", FORMATS, index=FORMATS.index(own), key=f"format {info.dataset_id}", help=_FORMAT_HELP
    )
    return Choice(name, run.run_id if run else None, rule, is_decided, with_split, format), run


def _picked_data_set(store: Store) -> str:
    names = list(dict.fromkeys(line.info.name for line in list_datasets(store)))
    if not names:
        st.info("There is no data set yet. Import one first.", icon=":material/info:")
        st.stop()
    return picked("Data set", "dataset", names, help="The newest version of each is exported.")


def _picked_run(store: Store, name: str, dataset_id: str) -> RunRecord | None:
    """Return the run whose scores the rule ranks by; None for decisions only."""
    of_name = [r for r in list_runs(store) if r.kind == "score" and r.dataset.name == name]
    runs = {r.run_id: r for r in of_name if r.dataset.dataset_id == dataset_id}
    if len(runs) < len(of_name):
        st.caption("Runs on an older version of the data set cannot select from this one.")
    if not runs:
        st.caption("No run has scored this data set, so only decisions drop rows.")
        return None
    first = "rule" if "run" in st.query_params else "decisions"
    first = st.session_state.get("drop rows", first)
    mode = one_of("Drop rows", _MODES, "drop rows", first, help=_MODES_HELP, width="stretch")
    if mode == "rule":
        return picked_of(runs, help="Finished scoring runs of this data set, newest first.")
    clear_url("run", *IN_URL)
    return None
