"""The views of Explore, of which one is drawn at a time: only its queries run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from pages.shared.explore_classes import classes_view
from pages.shared.explore_distribution import distribution
from pages.shared.explore_map import data_map_view
from pages.shared.explore_pair import two_scores
from pages.shared.explore_seeds import seeds_view
from pages.shared.explore_state import Explored
from pages.shared.explore_steps import checkpoints_view

VIEWS: Final[dict[str, Callable[[Explored], Explored]]] = {
    "Distribution": distribution,
    "Data map": data_map_view,
    "Two scores": two_scores,
    "Classes": classes_view,
    "Checkpoints": checkpoints_view,
    "Seeds": seeds_view,
}


def chosen_view(shown: Explored) -> Explored:
    """Draw the view that the user chose, in the address as `view`; return the state with what was brushed."""
    view = st.segmented_control(
        "View",
        list(VIEWS),
        default="Distribution",
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    return VIEWS[view or "Distribution"](shown)
