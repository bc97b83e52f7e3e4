"""Home: what is in the workspace and what to do next."""

import pandas as pd
import streamlit as st

from pages.shared.pickers import COMMANDS
from pages.shared.runs_table import runs_table
from pages.shared.workspace import opened_store

st.title("Data Diet")
store = opened_store()
data_sets, runs = store.datasets(), store.runs()

if not data_sets:
    st.write("Find the training examples that teach nothing and those that are labelled wrong.")
    with st.container(border=True):
        st.subheader("This workspace is empty", anchor=False)
        st.write("Load the bundled sample and score it; the run appears here when it is done.")
        st.code(COMMANDS, language=None)
        st.write("Or bring a file of your own:")
        st.code(
            "python -m diet_core import reviews reviews.csv --text text --label label\n"
            "python -m diet_core score reviews",
            language=None,
        )
    st.caption("Close the app while a command imports: one process at a time can write the database.")
    st.stop()

decided = store.decision_counts().set_index("dataset_id")

figures = st.columns(4)
figures[0].metric("Data sets", f"{len(data_sets):,}", border=True)
figures[1].metric("Training examples", f"{sum(d.n_train for d in data_sets):,}", border=True)
figures[2].metric("Finished runs", f"{len(runs):,}", border=True)
figures[3].metric("Decisions in effect", f"{int(decided['n_effective'].sum()):,}", border=True)

st.subheader("Next", anchor=False)
if scored := [run for run in runs if run.kind == "score"]:
    st.page_link(
        "pages/explore.py",
        label="Explore the newest run: the hardest examples first",
        icon=":material/bar_chart:",
        query_params={"run": scored[0].run_id},
    )
else:
    st.write("Score a data set: fine-tune a small encoder on it and see which examples it finds hard.")
    st.code(f"python -m diet_core score {data_sets[0].info.name}", language=None)

st.subheader("Data sets", anchor=False)
st.dataframe(
    pd.DataFrame(
        [
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
    ),
    hide_index=True,
    column_config={"Imported": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC")},
)

st.subheader("Runs", anchor=False)
runs_table(store)
