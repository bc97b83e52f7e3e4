"""Explore, Data map: confidence against variability, with exact counts beside it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.charts.two_scores import data_map
from pages.parts.explore.box import box_start, brushed_box
from pages.shared.chart import drawn
from pages.shared.chart_downloads import chart_downloads
from pages.shared.explore_parts import beyond_caption, headed

if TYPE_CHECKING:
    from diet_core.store.queries.data_map import Regions
    from pages.parts.explore.state import Explored

AXES = ("variability", "confidence")
_HELP = (
    "Confidence: mean probability of the given label over checkpoints and seeds. Variability: its spread "
    "over checkpoints. Drag over the map to choose. Swayamdipta et al. 2020."
)


def data_map_view(shown: Explored) -> Explored:
    """Draw the map; return the page's state with the brushed rectangle."""
    if not set(AXES) <= set(shown.available):
        st.info(
            "Variability needs two score steps, and this run has one. Score again for two epochs with the "
            "score steps “After each epoch” (--epochs 2 --score-steps epochs on the command line).",
            icon=":material/info:",
        )
        return shown
    from diet_core.store.queries import data_map as views

    around = dataclasses.replace(shown, box=None).filter
    x, y = (shown.counted(views.score_axis, name) for name in AXES)
    cells = shown.counted(views.score_grid, x, y, around)
    points = shown.counted(views.map_points, around)
    limits = (views.AMBIGUOUS_FROM, views.EASY_FROM)
    chart, beside = st.columns([3, 1], gap="medium")
    with chart:
        with headed("Data map", _HELP):
            key, start = box_start(f"map {shown.run.run_id}", x, y, shown.box)
            picture = drawn(data_map, cells, points, x, y, limits=limits, brushed=start)
            chart_downloads(picture, cells, f"{shown.run.run_id}-map", key="download map")
        box = brushed_box(picture, key, x, y, shown.box)
        beyond_caption(x, y)
    with beside:
        _regions(shown.counted(views.map_regions, around), len(points))
    return dataclasses.replace(shown, box=box)


def _regions(regions: Regions, n_points: int) -> None:
    """Draw how many examples lie in each region, and how many of them are points."""
    from diet_core.store.queries.data_map import AMBIGUOUS_FROM, EASY_FROM

    counts = {"Easy": regions.easy, "Ambiguous": regions.ambiguous, "Hard": regions.hard}
    rows = {
        "To learn": list(counts),
        "Examples": [f"{n:,}" for n in counts.values()],
        "Share": [f"{n / max(1, regions.total):.1%}" for n in counts.values()],
    }
    st.table(rows, border="horizontal", hide_index=True)
    st.caption(
        f"Ambiguous: variability from {AMBIGUOUS_FROM:g}. Below it, easy from a confidence of {EASY_FROM:g}, "
        "else hard, which is often mislabelled."
    )
    st.caption(
        f"{n_points:,} of {regions.total:,} examples are drawn as points, always the same random ones. "
        "The ground counts all of them."
    )
