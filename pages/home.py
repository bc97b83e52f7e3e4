"""Home: what is in the workspace and what to do next."""

import pandas as pd
import streamlit as st

from diet_core.store.decisions.decisions import count_decisions
from diet_core.store.loading.datasets import list_datasets
from diet_core.store.loading.runs import list_runs
from pages.parts.home.next_step import after_scoring, empty_workspace, offer_scoring
from pages.parts.home.runs_table import runs_table
from pages.shared.job_panel import job_panel, living_runs
from pages.shared.widgets import figures
from pages.shared.workspace import opened_store

store = opened_store()
data_sets, runs = list_datasets(store), list_runs(store)

if not data_sets:
    empty_workspace(store)
    st.stop()

decided = count_decisions(store).set_index("dataset_id")
n_decided = int(decided["n_effective"].sum())
living = living_runs(store.workspace)

figures(
    [
        ("Data sets", len(data_sets), None),
        ("Training examples", sum(d.n_train for d in data_sets), None),
        ("Finished runs", len(runs), None),
        ("Decisions in effect", n_decided, None),
    ]
)

st.subheader("Next", anchor=False)
scored = [run for run in runs if run.kind == "score"]
for folder in living:
    job_panel(folder)
if scored:
    after_scoring(scored[0], n_decided)
elif not living:
    offer_scoring(store, data_sets[0].info)

st.subheader("Data sets", anchor=False)
rows = [
    {
        "Data set": d.info.name,
        "Version": d.info.version,
        "Train": d.n_train,
        "Test": d.n_test,
        "Classes": ", ".join(d.info.classes),
        "Decisions": int(decided["n_effective"].get(d.info.dataset_id, 0)),
        "Conflicts": int(decided["n_conflicts"].get(d.info.dataset_id, 0)),
        "Imported": d.imported_at,
    }
    for d in data_sets
]
count = st.column_config.NumberColumn(format="localized")
imported = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC")
columns = dict.fromkeys(("Train", "Test", "Decisions", "Conflicts"), count) | {"Imported": imported}
st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=columns)

st.subheader("Runs", anchor=False)
runs_table(store)
