"""Review: suspects one at a time, decided by one key each."""

import streamlit as st

from pages.parts.review.audit import AuditQueue, audit_panel, draw_sample, label_confusions
from pages.parts.review.batch import batch_message, batches_so_far
from pages.parts.review.desk_card import review_desk
from pages.parts.review.desk_data import Desk
from pages.parts.review.guidelines import guidelines_panel
from pages.parts.review.queue import chosen_queue
from pages.parts.review.reviewer import chosen_reviewer
from pages.parts.score.quick_look import quick_look_caption
from pages.shared.pickers import picked_run, scored_runs
from pages.shared.workspace import opened_store

# So that the card and all its buttons fit a small screen without scrolling.
STYLE = "<style>.stMainBlockContainer {padding-top: 3.75rem; padding-bottom: 1rem;}</style>"

store = opened_store()
scored_runs(store, title="Review")
st.html(STYLE)
head = st.columns([3, 5, 3, 3], vertical_alignment="bottom")
head[0].title("Review")
with head[1]:
    run = picked_run(store)
with head[2]:
    reviewer = chosen_reviewer()
has_guidelines = head[3].toggle("Guidelines", key="guidelines", bind="query-params")

queue = chosen_queue(store, run, reviewer)
batch_message(store, reviewer)
desk, guidelines = st.columns([3, 1]) if has_guidelines else (st.container(), None)
with desk:
    sample = queue.sample if isinstance(queue, AuditQueue) else queue
    if sample is not None:
        review_desk(Desk(store, run, sample, reviewer, batches_so_far()))
if guidelines is not None:
    with guidelines:
        guidelines_panel(store, run.dataset.name, reviewer)

if isinstance(queue, AuditQueue):
    (draw_sample if sample is None else audit_panel)(store, run)
quick_look_caption(run.encoder)
label_confusions(store, run)
