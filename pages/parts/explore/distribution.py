"""Explore, Distribution: a score's histogram with its brush, and the matrix of labels and predictions."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from diet_core.charts.base import CLICK, histogram_bars, label_matrix
from diet_core.store.queries.class_stats import count_confusions
from diet_core.store.queries.data_map import read_score_axis
from diet_core.store.queries.histograms import read_histogram
from diet_core.tables import SCORES, meaning_of
from pages.parts.explore.brushed import brushed_chart
from pages.shared.chart import chart_downloads, headed, show_chart

if TYPE_CHECKING:
    from diet_core.charts.base import AnyChart, Ends
    from pages.parts.explore.state import Explored
    from pages.shared.brush import Sides

SHOWN_CLASSES = 30  # more make cells too small to read and to click: their count_confusions are a table
SHOWN_CONFUSIONS = 50
HEIGHT = 200
LEGEND_HEIGHT = 40  # above the bars, where a filter is drawn before all
MATRIX_HEIGHT = 226


def distribution(shown: Explored) -> Explored:
    """Draw histogram and matrix; return the page's state with the brushed range."""
    spread, confusion = st.columns([5, 3], gap="medium")
    with spread:
        shown = dataclasses.replace(shown, span=_histogram(shown))
    with confusion:
        _matrix(shown)
    return shown


def _histogram(shown: Explored) -> Sides:
    around = dataclasses.replace(shown, span=()).filter
    bins = shown.counted(read_histogram, shown.score, around)
    is_filtered = not around.is_empty
    rows = bins if is_filtered else bins.drop(columns="count_filtered")

    def bars(brushed: list[Ends] | None) -> AnyChart:
        return histogram_bars(
            rows,
            shown.score,
            height=HEIGHT + (LEGEND_HEIGHT if is_filtered else 0),
            has_brush=True,
            brushed=brushed[0] if brushed else None,
            is_log=st.toggle("Log counts", key="log", bind="query-params"),
        )

    return brushed_chart(
        "histogram",
        SCORES[shown.score].title,
        f"{meaning_of(shown.score, shown.run.grand)} Drag over the bars to select a range.",
        bars,
        rows,
        file_name=f"{shown.run.run_id}-{shown.score}",
        axes=(shown.counted(read_score_axis, shown.score),),
        chosen=shown.span,
    )


def _matrix(shown: Explored) -> None:
    """Draw how often each label meets each prediction, among what passes the rest of the filter."""
    others = dataclasses.replace(shown.filter, label=None, predicted_label=None)
    counts, classes = shown.counted(count_confusions, others), shown.run.dataset.classes
    help = "Shaded by the share of the label. Click a cell to filter by it; click again to remove the filter."
    if len(classes) > SHOWN_CLASSES:
        st.subheader("Label and prediction", anchor=False, help="Select a row to filter by it.")
        _confusions_table(shown, counts)
        return
    chosen = (shown.row.label, shown.row.predicted_label)
    chart = label_matrix(counts, classes, height=MATRIX_HEIGHT, is_clickable=True, chosen=chosen)
    with headed("Label and prediction", help):
        chart_downloads(chart, counts, f"{shown.run.run_id}-matrix", key="download matrix")
    # Every choice makes another chart, so that any click on it is a new one.
    key = f"matrix {shown.run.run_id} {chosen}"
    show_chart(chart, key, on_select=partial(_click, key, chosen))


def _click(key: str, chosen: tuple[str | None, str | None]) -> None:
    """Take the clicked cell into the filter row; a second click on the chosen one takes it out."""
    cells = st.session_state[key].selection.get(CLICK) or []
    if cells:
        cell = (cells[0]["label"], cells[0]["predicted_label"])
        _filter_by(*((None, None) if cell == chosen else cell))


def _filter_by(label: str | None, predicted_label: str | None) -> None:
    st.session_state["class"], st.session_state["predicted"] = label, predicted_label


def _confusions_table(shown: Explored, counts: pd.DataFrame) -> None:
    """Draw the most frequent count_confusions; a selected row filters."""
    confused = counts[counts["label"] != counts["predicted_label"]].head(SHOWN_CONFUSIONS)
    others = dataclasses.replace(shown.filter, label=None, predicted_label=None)
    key = f"confusions {shown.run.run_id} {others}"
    st.dataframe(
        confused,
        hide_index=True,
        height=MATRIX_HEIGHT,
        column_config=_CONFUSIONS,
        key=key,
        on_select=partial(_select, key, confused),
        selection_mode="single-row",
    )
    st.caption(f"The {len(confused)} most frequent count_confusions. Select one to filter by it.")


def _select(key: str, confused: pd.DataFrame) -> None:
    rows: list[int] = st.session_state[key].selection.rows
    pair: Any = confused.iloc[rows[0]] if rows else {"label": None, "predicted_label": None}
    _filter_by(pair["label"], pair["predicted_label"])


_CONFUSIONS: dict[str, Any] = {
    "label": "Label",
    "predicted_label": "Prediction",
    "count": st.column_config.NumberColumn("Examples", format="localized"),
    "share": st.column_config.NumberColumn("Share of the label", format="percent"),
}
