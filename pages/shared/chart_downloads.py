"""A chart to take away: as PNG, as SVG, and the rows that it shows as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.charts.base import AnyChart
    from pages.shared.chart import Drawn

WIDTH = 720  # pixels of a picture; on the page a chart is as wide as its column


def chart_downloads(chart: AnyChart | Drawn, rows: pd.DataFrame, name: str, key: str) -> None:
    """Draw the button that offers a chart; nothing is made before somebody asks for it.

    Args:
        chart: As the page shows it.
        rows: What is drawn, in full.
        name: Of the files, without an ending.
        key: Of the widgets.
    """
    with st.popover("Download", icon=":material/download:", type="tertiary", key=f"{key} downloads"):
        for title, ending, mime in (("PNG", "png", "image/png"), ("SVG", "svg", "image/svg+xml")):
            st.download_button(
                title,
                lambda ending=ending: picture(getattr(chart, "chart", chart), ending),
                f"{name}.{ending}",
                mime,
                key=f"{key} {ending}",
                on_click="ignore",
                width="stretch",
            )
        st.download_button(
            "Rows as CSV",
            lambda: rows.to_csv(index=False).encode(),
            f"{name}.csv",
            "text/csv",
            key=f"{key} csv",
            on_click="ignore",
            width="stretch",
        )


def picture(chart: Any, ending: str) -> bytes:
    """Return a chart as a picture on white, by vl-convert.

    Args:
        chart: Any Altair chart.
        ending: png or svg.
    """
    from diet_core.charts.render import rendered

    sized = chart.copy()
    if getattr(sized, "width", None) in (None, "container"):
        sized.width = WIDTH
    return rendered(sized.properties(background="white"), ending)
