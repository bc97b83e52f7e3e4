"""Explore: a run's scores in six views, and the examples that filter, brush and clicks choose."""

import streamlit as st

from pages.parts.explore.card import example_card
from pages.parts.explore.filter import chosen_filter
from pages.parts.explore.state import explored
from pages.parts.explore.table import examples_table
from pages.parts.explore.views import chosen_view
from pages.parts.score.quick_look import quick_look_caption
from pages.shared.brush import clear_button, in_words
from pages.shared.pickers import picked_run, picked_score
from pages.shared.workspace import opened_store

store = opened_store()

first = st.columns([3, 1])
with first[0]:
    run = picked_run(store)
with first[1]:
    score = picked_score(store, run)
quick_look_caption(run.encoder)
shown = chosen_view(explored(store, run, score, chosen_filter(run)))

with st.container(horizontal=True, vertical_alignment="center"):
    st.subheader("Examples", anchor=False, width="content")
    clear_button("range", in_words(shown.span), "low", "high")
    clear_button("box", in_words(shown.box), "box")
if not shown.n_chosen:
    st.info(
        f"None of {shown.n_all:,} examples passes the filter. Widen it.", icon=":material/filter_alt_off:"
    )
    st.stop()

table, card = st.columns([5, 3], gap="medium")
with table:
    example_id = examples_table(shown)
with card:
    example_card(shown, example_id)
