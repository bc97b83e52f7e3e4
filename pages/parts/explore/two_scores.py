"""Explore, Two scores: how often which pair of values occurs, and how the two orders go together."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.charts.two_scores import score_heatmap
from diet_core.tables import SCORES
from pages.parts.explore.box import box_start, brushed_box
from pages.shared.chart import drawn
from pages.shared.chart_downloads import chart_downloads
from pages.shared.explore_parts import beyond_caption, headed
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
    from diet_core.store.queries import data_map as views
    from diet_core.store.queries.examples import score_correlation

    chart, beside = st.columns([4, 1], gap="medium")
    with beside:
        first, second = _picked_pair(shown)
        rho = shown.counted(score_correlation, first, second)
        st.metric("Spearman", _in_words(rho), border=True, help=_CORRELATION)
        if len(shown.run.dataset.classes) == 2:
            st.caption(_TWO_CLASSES)
    around = dataclasses.replace(shown, box=None).filter
    x, y = (shown.counted(views.score_axis, name) for name in (first, second))
    cells = shown.counted(views.score_grid, x, y, around, CELLS)
    with chart:
        title = f"{SCORES[first].title} and {SCORES[second].title}"
        with headed(title, "Examples in each cell, on a log scale. Drag to choose."):
            name = f"{shown.run.run_id}-{first}-{second}"
            key, start = box_start(f"pair {name}", x, y, shown.box)
            picture = drawn(score_heatmap, cells, x, y, brushed=start)
            chart_downloads(picture, cells, name, key="download pair")
        box = brushed_box(picture, key, x, y, shown.box)
        beyond_caption(x, y)
    return dataclasses.replace(shown, box=box)


_CORRELATION = (
    "Rank correlation of the two over all examples of the run, whatever the filter. Negative where one score "
    "is high and the other low for hard examples."
)


def _picked_pair(shown: Explored) -> tuple[str, str]:
    """Return the two scores that the user chose; at first the page's and the one that says most beside it."""
    options = list(shown.available)
    others = [name for name in ("variability", "confidence", "label_error", *options) if name in options]
    second = next((name for name in others if name != shown.score), shown.score)
    pair = []
    for label, key, default in (("Across", "x", shown.score), ("Upwards", "y", second)):
        if key not in st.session_state and key not in st.query_params:
            st.session_state[key] = default
        pair.append(picked(label, key, options, title=lambda name: SCORES[name].title, help=_AXIS))
    return pair[0], pair[1]


_AXIS = "One of the run's scores."


def _in_words(rho: float) -> str:
    return "–" if rho != rho else f"{rho:.4f}"
