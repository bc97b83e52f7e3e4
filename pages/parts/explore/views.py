"""The views of Explore, of which one is drawn at a time: only its queries run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from pages.parts.explore.checkpoints import checkpoints_view
from pages.parts.explore.classes import classes_view
from pages.parts.explore.data_map import data_map_view
from pages.parts.explore.distribution import distribution
from pages.parts.explore.seeds import seeds_view
from pages.parts.explore.state import Explored
from pages.parts.explore.two_scores import two_scores

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
