"""Small pieces that several views of a retraining share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.retrain.found import MAX_ARMS
from pages.shared.chart import chart_downloads

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.charts.base import AnyChart
    from pages.parts.retrain.found import Found


def of_few_arms(found: Found) -> list[str]:
    """Return the titles of all arms, or of those that the user chose of many."""
    titles = list(found.titles.values())
    if len(titles) <= MAX_ARMS:
        return titles
    full = [title for name, title in found.titles.items() if found.kinds[name] == "full"]
    first = [*titles[: MAX_ARMS - 1 - len(full)], *full]
    return st.multiselect("Arms", titles, first, key=f"arms shown {found.run_id}") or first


def downloads(chart: AnyChart, rows: pd.DataFrame, found: Found, what: str) -> None:
    """Draw the button that offers a chart and its rows."""
    chart_downloads(chart, rows, f"{found.run_id}-{what}", key=f"download {what} {found.run_id}")
