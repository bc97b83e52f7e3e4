"""Compare: two runs, seeds, steps, models or data versions, and where orders and predictions part."""

import streamlit as st

from pages.parts.compare.predictions import predictions_view
from pages.parts.compare.ranks import hardest_view, ranks_view
from pages.parts.compare.settings import settings_view
from pages.parts.compare.sides import chosen_score, chosen_sides, swap_button
from pages.parts.compare.state import compared_sides
from pages.parts.compare.summary import differences, key_figures
from pages.shared.address import segments
from pages.shared.pickers import scored_runs
from pages.shared.workspace import opened_store

VIEWS = {
    "Ranks": ranks_view,
    "Hardest": hardest_view,
    "Predictions": predictions_view,
    "Settings": settings_view,
}

store = opened_store()
runs = scored_runs(store)

pickers, figures = st.columns([7, 5], gap="medium")
with pickers:
    sides = chosen_sides(store, runs)
controls = st.container(horizontal=True, vertical_alignment="center")
with controls:
    view = segments("View", VIEWS, "view")
    with st.container(width=180):
        score = chosen_score(store, sides)
    swap_button()

shown = compared_sides(store, sides, score)
with figures:
    key_figures(shown)
differences(shown)
view(shown)
