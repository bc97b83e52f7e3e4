"""Explore, Classes: how the score is spread within each class."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from diet_core.charts.base import CLICK
from diet_core.charts.groups import class_spreads
from diet_core.store.queries.class_stats import read_class_quantiles
from diet_core.tables import SCORES
from pages.shared.chart import chart_downloads, headed, show_chart

if TYPE_CHECKING:
    import pandas as pd

    from pages.parts.explore.state import Explored

SHOWN_CLASSES = 30
MAX_ROWS = 1000  # of the table
HEIGHT = 420
ROWS_SEEN = 10

_HELP = (
    "Box: the middle half of the class. Line: its middle 90 %. Tick: its median. Click a class to filter by "
    "it; click again to remove the filter."
)


def classes_view(shown: Explored) -> Explored:
    """Draw a box per class beside a table of all classes."""
    others = dataclasses.replace(shown.filter, label=None)
    chart, table = st.columns([5, 4], gap="medium")
    with chart, headed(f"{SCORES[shown.score].title} by class", _HELP):
        by = st.selectbox(
            "Order of the classes",
            list(_ORDERS),
            key="classes",
            bind="query-params",
            label_visibility="collapsed",
            width=150,
        )
        rows = _ordered(shown.counted(read_class_quantiles, shown.score, others), by, shown.score)
        name = f"{shown.run.run_id}-{shown.score}-classes"
        picture = class_spreads(rows.head(SHOWN_CLASSES), shown.score, chosen=shown.row.label)
        chart_downloads(picture, rows, name, key="download classes")
    with chart:
        chosen = shown.row.label
        # Every choice makes another chart, so that any click on it is a new one.
        key = f"classes {name} {chosen}"
        show_chart(picture, key, on_select=partial(_click, key, chosen))
        if len(rows) > SHOWN_CLASSES:
            st.caption(f"The first {SHOWN_CLASSES} of {len(rows):,} classes; the table has all.")
    with table:
        st.dataframe(rows.head(MAX_ROWS), hide_index=True, column_config=_COLUMNS, height=_height(len(rows)))
    return shown


# What each order sorts by, and whether the largest stand first; the median goes by the score's direction.
_ORDERS = {"Hardest first": "median", "Largest first": "count", "Widest first": "spread"}


def _ordered(quantiles: pd.DataFrame, by: str, score: str) -> pd.DataFrame:
    column = _ORDERS[by]
    is_rising = column == "median" and not SCORES[score].high_is_hard
    rows = quantiles.assign(spread=quantiles["q95"] - quantiles["q05"])
    rows = rows.sort_values([column, "label"], ascending=[is_rising, True], ignore_index=True)
    return rows.drop(columns="spread")


def _height(n_rows: int) -> int | Literal["content"]:
    return "content" if n_rows <= ROWS_SEEN else HEIGHT


def _click(key: str, chosen: str | None) -> None:
    classes = st.session_state[key].selection.get(CLICK) or []
    if classes:
        st.session_state["class"] = None if classes[0]["label"] == chosen else classes[0]["label"]


_COLUMNS: dict[str, Any] = {
    "label": "Class",
    "count": st.column_config.NumberColumn("Examples", format="localized"),
    **{
        name: st.column_config.NumberColumn(title, format="%.4f")
        for name, title in {
            "q05": "5 %",
            "q25": "25 %",
            "median": "Median",
            "q75": "75 %",
            "q95": "95 %",
        }.items()
    },
}
