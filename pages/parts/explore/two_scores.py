"""Explore, Two scores: how often each pair of values occurs, and the rank correlation."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.charts.two_scores import score_heatmap
from diet_core.store.queries.data_map import count_grid, read_score_axis
from diet_core.store.queries.examples import read_score_correlation
from diet_core.tables import SCORES
from pages.parts.explore.brushed import brushed_chart
from pages.shared.address import read_url
from pages.shared.pickers import picked

if TYPE_CHECKING:
    from pages.parts.explore.state import Explored

CELLS = (60, 40)
_TWO_CLASSES = (
    "This data set has two classes. There EL2N, loss and the label's probability come from one number "
    "(EL2N = √2·(1 − p) for each seed), so their agreement is no independent evidence."
)


def two_scores(shown: Explored) -> Explored:
    """Draw the grid of two scores; return the page's state with the brushed rectangle."""
    chart, beside = st.columns([4, 1], gap="medium")
    with beside:
        first, second = _picked_pair(shown)
        rho = shown.counted(read_score_correlation, first, second)
        st.metric("Spearman", _in_words(rho), border=True, help=_CORRELATION)
        if len(shown.run.dataset.classes) == 2:
            st.caption(_TWO_CLASSES)
    around = dataclasses.replace(shown, box=()).filter
    x, y = (shown.counted(read_score_axis, name) for name in (first, second))
    cells = shown.counted(count_grid, x, y, around, CELLS)
    with chart:
        box = brushed_chart(
            "pair",
            f"{SCORES[first].title} and {SCORES[second].title}",
            "Examples in each cell, on a log scale. Drag to select a rectangle.",
            lambda brushed: score_heatmap(cells, x, y, brushed=brushed),
            cells,
            file_name=f"{shown.run.run_id}-{first}-{second}",
            axes=(x, y),
            chosen=shown.box,
        )
    return dataclasses.replace(shown, box=box)


_CORRELATION = (
    "Rank correlation of the two scores over all examples of the run, whatever the filter. Negative where "
    "one is high and the other low for hard examples."
)


def _picked_pair(shown: Explored) -> tuple[str, str]:
    """Return the two scores that the user chose; at first the page's and the one that adds most to it."""
    options = shown.available
    others = [name for name in ("variability", "confidence", "label_error", *options) if name in options]
    second = next((name for name in others if name != shown.score), shown.score)
    pair = []
    for label, key, default in (("X axis", "x", shown.score), ("Y axis", "y", second)):
        if key not in st.session_state and read_url(key, str, None) is None:
            st.session_state[key] = default
        pair.append(picked(label, key, options, title=lambda name: SCORES[name].title, help=_AXIS))
    return pair[0], pair[1]


_AXIS = "One of the run's scores."


def _in_words(rho: float) -> str:
    return "–" if rho != rho else f"{rho:.4f}"
