"""Review: the suspects of a run one at a time, the most suspicious first."""

import streamlit as st

from pages.shared.pickers import picked_run, scored_runs
from pages.shared.quick_look import quick_look_caption
from pages.shared.review_assumptions import ranking_assumptions
from pages.shared.review_card import review_card
from pages.shared.review_queue import chosen_queue, chosen_reviewer
from pages.shared.workspace import opened_store

store = opened_store()
scored_runs(store, title="Review")
head = st.columns([3, 5, 3, 4, 3], vertical_alignment="bottom")
head[0].title("Review")
with head[1]:
    run = picked_run(store)
queue = chosen_queue(store, run, *head[2:4])
with head[4]:
    reviewer = chosen_reviewer()
quick_look_caption(run.encoder)

if run.suspicion not in store.available_scores(run.run_id):
    st.info(
        "This run has no label errors to order its examples by. Choose another run.", icon=":material/info:"
    )
    st.stop()

review_card(store, run, queue, reviewer)
ranking_assumptions(store, run)
