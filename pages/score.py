"""Score: settings, how long it will take, start, and the runs of the data set."""

import streamlit as st

from pages.parts.score.quick_look import quick_look_note, quick_look_wanted, start_scoring
from pages.parts.score.runs import score_result, scoring_runs
from pages.parts.score.settings import chosen_settings
from pages.parts.score.time_estimate import time_estimate
from pages.shared.errors import error_box
from pages.shared.job_panel import is_done, is_living, job_panel
from pages.shared.pickers import picked_dataset
from pages.shared.workspace import opened_store

SHOWN_ENDED = 3

store = opened_store()

columns = st.columns([2, 2, 1, 1])
with columns[0]:
    data_set = picked_dataset(store)
settings = chosen_settings(columns[1:])
st.caption(
    f"{data_set.n_train:,} training and {data_set.n_test:,} test examples, "
    f"{len(data_set.info.classes):,} classes"
)

runs = scoring_runs(store, data_set.info)
with st.container(horizontal=True, vertical_alignment="top"):
    is_started = st.button("Start scoring", type="primary", icon=":material/play_arrow:")
    is_quick_first = quick_look_wanted(data_set, settings, has_run=bool(runs))
    time_estimate(store, data_set, settings)

if is_started:
    with error_box(), st.spinner("Checking the model and copying the examples …"):
        start_scoring(store, data_set, settings, is_quick_first=is_quick_first)

runs = scoring_runs(store, data_set.info)
living = [run for run in runs if is_living(run)]
ended = [run for run in runs if run not in living]

st.subheader("Runs", anchor=False)
if not runs:
    st.caption("This data set has not been scored yet.")
quick_look_note(runs)
for run in [*reversed(living), *ended[:SHOWN_ENDED]]:
    job_panel(run)
    if is_done(run):
        score_result(run)
if len(ended) > SHOWN_ENDED:
    st.caption(f"{len(ended) - SHOWN_ENDED:,} older runs are on Home.")
