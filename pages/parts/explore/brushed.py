"""A chart of one or two scores with its title, its files and its brush."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.tables import SCORES
from pages.shared.brush import brush_start, brushed_scores, ends_on_axes
from pages.shared.chart import chart_downloads, headed

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.charts.base import AnyChart, Ends
    from diet_core.store.queries.data_map import Axis
    from pages.shared.brush import Sides


def brushed_chart(
    kind: str,
    title: str,
    help: str,
    make: Callable[[list[Ends] | None], AnyChart],
    rows: pd.DataFrame,
    *,
    file_name: str,
    axes: Sequence[Axis],
    chosen: Sides,
) -> Sides:
    """Draw a chart with a brush and return what is brushed; it is kept in the URL.

    Args:
        kind: Of the chart, part of its key.
        title: Above it.
        help: Beside the title.
        make: Makes the chart with the brush that is drawn at first, ends on each axis.
        rows: What can be saved as CSV.
        file_name: Of what can be saved, without an ending.
        axes: Of the chart, the one across first.
        chosen: What the URL says.
    """
    name = "range" if len(axes) == 1 else "box"
    key, start = brush_start(name, f"{kind} {file_name}", chosen)
    with headed(title, help):
        chart = make(ends_on_axes(start, axes))
        chart_downloads(chart, rows, file_name, key=f"download {kind}")
    chosen = brushed_scores(chart, key, axes, chosen)
    if beyond := "; ".join(_beyond(axis) for axis in axes if axis.below or axis.above):
        st.caption(f"Counted at the ends of the axis: {beyond}.")
    return chosen


def _beyond(axis: Axis) -> str:
    """Return how many examples lie beyond the ends of an axis."""
    parts = [(axis.below, "below"), (axis.above, "above")]
    counts = " and ".join(f"{n:,} {where} it" for n, where in parts if n)
    return f"{SCORES[axis.score].title}, {counts}"
