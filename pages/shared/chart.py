"""Charts on a page: a title, the chart, and the files that it can be saved as."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.charts.render import rendered, vega_lite

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.charts.base import AnyChart

WIDTH = 720  # pixels of a picture; on the page a chart is as wide as its column


def show_chart(chart: AnyChart, key: str, on_select: Any = "ignore") -> Any:
    """Draw a chart as wide as there is room, and return its selections.

    Args:
        chart: Any Altair chart of small tables.
        key: Of the widget.
        on_select: What a selection does, as Streamlit's charts take it.
    """
    return st.vega_lite_chart(None, vega_lite(chart), key=key, on_select=on_select, width="stretch")


@contextmanager
def headed(title: str, help: str | None = None) -> Iterator[None]:
    """Draw a chart's title; what the block draws stands to its right."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(title, anchor=False, help=help, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            yield


def chart_downloads(chart: AnyChart, rows: pd.DataFrame, name: str, key: str) -> None:
    """Draw the button that offers a chart as files; none is made before somebody asks for it.

    Args:
        chart: As the page shows it.
        rows: What is drawn, in full.
        name: Of the files, without an ending.
        key: Of the widgets.
    """
    files: dict[str, tuple[str, str, Callable[[], bytes]]] = {
        "PNG": ("png", "image/png", partial(picture, chart, "png")),
        "SVG": ("svg", "image/svg+xml", partial(picture, chart, "svg")),
        "Rows as CSV": ("csv", "text/csv", lambda: rows.to_csv(index=False).encode()),
    }
    with st.popover("Download", icon=":material/download:", type="tertiary", key=f"{key} downloads"):
        for title, (ending, mime, content) in files.items():
            st.download_button(
                title,
                content,
                f"{name}.{ending}",
                mime,
                key=f"{key} {ending}",
                on_click="ignore",
                width="stretch",
            )


def picture(chart: Any, ending: str) -> bytes:
    """Return a chart as a picture on white, by vl-convert.

    Args:
        chart: Any Altair chart.
        ending: png or svg.
    """
    sized = chart.copy()
    if getattr(sized, "width", None) in (None, "container"):
        sized.width = WIDTH
    return rendered(sized.properties(background="white"), ending)
