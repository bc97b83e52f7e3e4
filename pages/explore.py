"""Explore: how a score is spread, and the examples at either end of it."""

import streamlit as st

from diet_core.charts import histogram_bars
from diet_core.tables import SCORES
from pages.shared.example_card import example_card
from pages.shared.example_filter import chosen_filter
from pages.shared.examples_table import examples_table
from pages.shared.pickers import picked_run, picked_score
from pages.shared.workspace import opened_store

st.title("Explore")
store = opened_store()

first = st.columns([3, 1])
with first[0]:
    run = picked_run(store)
with first[1]:
    score = picked_score(store, run)
chosen = chosen_filter(run)

st.subheader(SCORES[score].title, anchor=False, help=SCORES[score].meaning)
bins = store.histogram(run.run_id, score, chosen)
shown = bins.drop(columns="count_filtered") if chosen.is_empty else bins
st.altair_chart(histogram_bars(shown, score), width="stretch")

n_all, n_chosen = int(bins["count"].sum()), int(bins["count_filtered"].sum())
st.subheader("Examples", anchor=False)
if not n_chosen:
    st.info(f"None of {n_all:,} examples passes the filter. Widen it.", icon=":material/filter_alt_off:")
    st.stop()

table, card = st.columns([5, 3], gap="medium")
with table:
    example_id = examples_table(store, run, score, chosen, n_chosen, n_all)
with card:
    example_card(store, run, example_id)
