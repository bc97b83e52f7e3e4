"""Score: settings, how long it will take, start, and the runs of the data set."""

import streamlit as st

from pages.shared.dataset_picker import picked_dataset
from pages.shared.errors import error_box
from pages.shared.job_panel import is_done, is_living, job_panel
from pages.shared.score_result import score_result
from pages.shared.score_runs import scoring_runs
from pages.shared.score_settings import chosen_settings
from pages.shared.time_estimate import time_estimate
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

with st.container(horizontal=True, vertical_alignment="top"):
    is_started = st.button("Start scoring", type="primary", icon=":material/play_arrow:")
    time_estimate(store, data_set, settings)

if is_started:
    from diet_core.jobs import executor
    from diet_core.jobs.scoring import plan_scoring

    with error_box(), st.spinner("Checking the model and copying the examples …"):
        folder = plan_scoring(
            store.workspace,
            data_set.info,
            store.examples(data_set.info.dataset_id),
            seeds=settings.seeds,
            training=settings.training,
            score_steps=settings.score_steps,
            grand=settings.grand,
            keep_models=settings.keep_models,
        )
        executor.start(folder)

runs = scoring_runs(store, data_set.info)
living = [run for run in runs if is_living(run)]
ended = [run for run in runs if run not in living]

st.subheader("Runs", anchor=False)
if not runs:
    st.caption("This data set has not been scored yet.")
for run in [*reversed(living), *ended[:SHOWN_ENDED]]:
    job_panel(run)
    if is_done(run):
        score_result(run)
if len(ended) > SHOWN_ENDED:
    st.caption(f"{len(ended) - SHOWN_ENDED:,} older runs are on Home.")
