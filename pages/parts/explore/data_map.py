"""Explore, Data map: confidence against variability, with exact counts beside it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.charts.two_scores import data_map
from diet_core.store.queries.data_map import (
    AMBIGUOUS_FROM,
    EASY_FROM,
    count_grid,
    count_map_regions,
    read_score_axis,
    sample_map_points,
)
from pages.parts.explore.brushed import brushed_chart

if TYPE_CHECKING:
    from diet_core.store.queries.data_map import Regions
    from pages.parts.explore.state import Explored

AXES = ("variability", "confidence")
_HELP = (
    "Confidence: mean probability of the given label over checkpoints and seeds. Variability: its spread "
    "over checkpoints. Drag over the map to select examples. Swayamdipta et al. 2020."
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
    around = dataclasses.replace(shown, box=()).filter
    x, y = (shown.counted(read_score_axis, name) for name in AXES)
    cells = shown.counted(count_grid, x, y, around)
    points = shown.counted(sample_map_points, around)
    limits = (AMBIGUOUS_FROM, EASY_FROM)
    chart, beside = st.columns([3, 1], gap="medium")
    with chart:
        box = brushed_chart(
            "map",
            "Data map",
            _HELP,
            lambda brushed: data_map(cells, points, x, y, limits=limits, brushed=brushed),
            cells,
            file_name=f"{shown.run.run_id}-map",
            axes=(x, y),
            chosen=shown.box,
        )
    with beside:
        _regions(shown.counted(count_map_regions, around), len(points))
    return dataclasses.replace(shown, box=box)


def _regions(regions: Regions, n_points: int) -> None:
    """Draw how many examples lie in each region, and how many of them are points."""
    counts = {"Easy": regions.easy, "Ambiguous": regions.ambiguous, "Hard": regions.hard}
    rows = {
        "Region": list(counts),
        "Examples": [f"{n:,}" for n in counts.values()],
        "Share": [f"{n / max(1, regions.total):.1%}" for n in counts.values()],
    }
    st.table(rows, border="horizontal", hide_index=True)
    st.caption(
        f"Ambiguous: variability of at least {AMBIGUOUS_FROM:g}. The others are easy with a confidence of at "
        f"least {EASY_FROM:g}, else hard, which is often mislabelled."
    )
    st.caption(
        f"{n_points:,} of {regions.total:,} examples are drawn as points, always the same random sample. "
        "The background counts all examples."
    )
