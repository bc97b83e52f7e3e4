"""What is exported and how: data set, rule, decisions, format; data set and rule are in the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.store.loading.datasets import find_dataset, list_datasets
from diet_core.store.loading.runs import list_runs
from pages.parts.rule.controls import EVERYTHING, chosen_decisions, chosen_kind, chosen_rule
from pages.parts.rule.outcome import decisions_of
from pages.shared.pickers import picked, picked_of

if TYPE_CHECKING:
    from diet_core.pruning.export_preview import Choice
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

_RULE_NAMES = ("run", "kind", "score", "keep", "drop", "per_class", "low", "high", "draw")
_MODES = {"rule": "By a rule", "decisions": "Decisions only"}
_MODES_HELP = (
    "By a rule: a score decides how many of the hardest and easiest examples go, decisions come on top. "
    "Decisions only: everything stays but what reviewers dropped."
)
_SPLIT_HELP = "Adds the column split: train, test or validation, so that a new import has the same splits."
_FORMAT_HELP = "At first the format of the source: in it all values stay exactly as they were."


def chosen_export(store: Store) -> tuple[Choice, RunRecord | None]:
    """Draw the choices and return them, with the run that the rule ranks by; without data the page ends."""
    from diet_core.pruning.export_preview import FORMATS, Choice

    name = _picked_data_set(store)
    info = find_dataset(store, name)
    run = _picked_run(store, name)
    rule = None if run is None else chosen_rule(store, run, "export", chosen_kind("export"), EVERYTHING)
    is_decided = chosen_decisions(len(decisions_of(store, info.dataset_id)), "export")
    with_split = st.toggle("Add the split as a column", key="with split", help=_SPLIT_HELP)
    own = info.source_format if info.source_format in FORMATS else "parquet"
    format = st.selectbox(
        "Format", FORMATS, index=FORMATS.index(own), key=f"format {info.dataset_id}", help=_FORMAT_HELP
    )
    return Choice(name, run and run.run_id, rule, is_decided, with_split, format), run


def _picked_data_set(store: Store) -> str:
    names = list(dict.fromkeys(line.info.name for line in list_datasets(store)))
    if not names:
        st.info("There is no data set yet. Import one first.", icon=":material/info:")
        st.stop()
    return picked("Data set", "dataset", names, help="The newest version of each is exported.")


def _picked_run(store: Store, name: str) -> RunRecord | None:
    """Return the run whose scores the rule ranks by; None for decisions only."""
    of_name = [r for r in list_runs(store) if r.kind == "score" and r.dataset.name == name]
    dataset_id = find_dataset(store, name).dataset_id
    runs = {r.run_id: r for r in of_name if r.dataset.dataset_id == dataset_id}
    if len(runs) < len(of_name):
        st.caption("Runs on an older version of the data set cannot select from this one.")
    if not runs:
        st.caption("No run has scored this data set, so decisions alone say what leaves.")
        return None
    shown = st.session_state.get("what leaves", "rule" if "run" in st.query_params else "decisions")
    mode = st.segmented_control(
        "What leaves",
        list(_MODES),
        default=shown,
        format_func=_MODES.__getitem__,
        required=True,
        key="what leaves",
        help=_MODES_HELP,
        width="stretch",
    )
    if mode != "rule":
        for key in _RULE_NAMES:
            st.query_params.pop(key, None)
        return None
    return picked_of(runs, help="Finished scoring runs of this data set, newest first.")
