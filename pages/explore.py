"""Explore: how a score is spread, what the run confuses, and the examples at either end of a score."""

import dataclasses

import streamlit as st

from diet_core.tables import SCORES, meaning_of
from pages.shared.example_card import example_card
from pages.shared.example_filter import chosen_filter
from pages.shared.examples_table import examples_table
from pages.shared.pickers import picked_run, picked_score
from pages.shared.quick_look import quick_look_caption
from pages.shared.run_overview import label_prediction_matrix, seed_agreement
from pages.shared.score_range import brushed_range, range_button
from pages.shared.workspace import opened_store

store = opened_store()

first = st.columns([3, 1])
with first[0]:
    run = picked_run(store)
with first[1]:
    score = picked_score(store, run)
quick_look_caption(run.encoder)
chosen = chosen_filter(run)

meaning = meaning_of(score, run.grand)
spread, confusion = st.columns([5, 3], gap="medium")
with spread:
    st.subheader(SCORES[score].title, anchor=False, help=f"{meaning} Drag over the bars to choose.")
    bins = store.histogram(run.run_id, score, chosen)
    low, high = brushed_range(run, score, bins, is_filtered=not chosen.is_empty)
with confusion:
    st.subheader(
        "Label and prediction",
        anchor=False,
        help="All examples of the run; shaded by the share of the label.",
    )
    label_prediction_matrix(store, run)
seed_agreement(store, run)

n_all = int(bins["count"].sum())
in_range = dataclasses.replace(chosen, score=score, low=low, high=high)
has_range = low is not None or high is not None
n_chosen = store.count(run.run_id, in_range) if has_range else int(bins["count_filtered"].sum())
with st.container(horizontal=True, vertical_alignment="center"):
    st.subheader("Examples", anchor=False, width="content")
    range_button(score, (low, high))
if not n_chosen:
    st.info(f"None of {n_all:,} examples passes the filter. Widen it.", icon=":material/filter_alt_off:")
    st.stop()

table, card = st.columns([5, 3], gap="medium")
with table:
    example_id = examples_table(store, run, score, in_range, n_chosen, n_all)
with card:
    example_card(store, run, example_id)
