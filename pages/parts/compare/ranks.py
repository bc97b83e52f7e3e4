"""Compare, Ranks and Hardest: percentiles in A and in B, who moved, and both ends side by side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.charts.compare import percentile_heatmap, shared_curve
from diet_core.store.comparison.results import (
    Among,
    cells_of,
    count_common,
    count_percentile_cells,
    count_shared_hardest,
)
from diet_core.store.comparison.table import CELLS
from pages.parts.compare.table import compared_table, example_of_both
from pages.shared.address import read_url, segments, write_url
from pages.shared.brush import brush_start, brushed, clear_button
from pages.shared.chart import chart_downloads, headed, show_chart

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from pages.parts.compare.state import Shown

    # From and to in percent, of A and of B.
    Box = tuple[tuple[int, int], tuple[int, int]]

HEIGHT = 330
_ORDERS = {
    "Harder in B": "harder in b",
    "Easier in B": "easier in b",
    "Hardest of A": "hardest of a",
    "Hardest of B": "hardest of b",
}
_HELP = (
    "0 % is the easiest example, 100 % the hardest. Each cell is 2 % of A's ranking by 2 % of B's. On the "
    "dashed line both agree; above it an example is harder in B. Drag a rectangle to select its examples."
)


def ranks_view(shown: Shown) -> None:
    """Draw the heatmap of percentiles beside the examples that moved most."""
    chart, table = st.columns([2, 3], gap="medium")
    with chart:
        box = _heatmap(shown, shown.counted(count_percentile_cells))
    with table:
        with st.container(horizontal=True, vertical_alignment="center"):
            order = segments("Order", _ORDERS, "moved")
            words = box and "A {}–{} %, B {}–{} %".format(*box[0], *box[1])
            clear_button("percentiles", words or "", "percentiles")
        among = Among() if box is None else Among(percentiles_a=box[0], percentiles_b=box[1])
        n = shown.compared.n_common if box is None else shown.counted(count_common, among)
        selected = compared_table(shown, order, among, n)
    example_of_both(shown, selected)


def hardest_view(shown: Shown) -> None:
    """Draw how many of the hardest both share, and the hardest of each with their place in the other."""
    shared = shown.counted(count_shared_hardest)
    curve, figures = st.columns([3, 2], gap="medium")
    with curve:
        with headed("Overlap of the hardest examples", "Blue: of these two. Dashed: expected by chance."):
            picture = shared_curve(shared, shown.compared.n_common, height=200)
            chart_downloads(picture, shared, f"{shown.file_name}-shared", "download shared")
        show_chart(picture, f"shared {shown.key}")
    with figures:
        some = shared[shared["percent"].isin((1, 5, 10, 30))]
        st.dataframe(some, hide_index=True, column_config=_SHARED)
    n = shown.compared.n_common
    for column, side in zip(st.columns(2, gap="medium"), "ab", strict=True):
        with column:
            st.subheader(f"Hardest of {side.upper()}", anchor=False)
            compared_table(shown, f"hardest of {side}", Among(), n, first=side)


def _heatmap(shown: Shown, cells: pd.DataFrame) -> Box | None:
    """Draw the heatmap and return the rectangle that is brushed over it; it is kept in the URL."""
    in_url = read_url("percentiles", _parsed, None, warns=False)
    key, start = brush_start("percentiles", f"percentiles {shown.key}", in_url)
    chart = percentile_heatmap(cells, height=HEIGHT, brushed=start)
    with headed("Percentiles", _HELP):
        chart_downloads(chart, cells, f"{shown.file_name}-percentiles", "download cells")
    box = brushed(chart, key, in_url, _whole_cells)
    write_url("percentiles", ",".join(f"{low}-{high}" for low, high in box or ()))
    return box


def _parsed(text: str) -> Box:
    """Return the rectangle of `10-20,30-40`.

    Raises:
        ValueError: If the text is none.
    """
    match = re.fullmatch(r"(\d+)-(\d+),(\d+)-(\d+)", text)
    if not match:
        raise ValueError(text)
    a_low, a_high, b_low, b_high = map(int, match.groups())
    return _whole_cells([(a_low, a_high), (b_low, b_high)])


def _whole_cells(ends: Iterable[tuple[float, float]]) -> Box:
    """Return a rectangle that is widened to whole cells of the heatmap."""
    width = 100 // CELLS
    a, b = ((first * width, (last + 1) * width) for first, last in map(cells_of, ends))
    return a, b


_SHARED = {
    "percent": st.column_config.NumberColumn("Hardest", format="%d %%"),
    "n": st.column_config.NumberColumn("Examples", format="localized"),
    "n_shared": st.column_config.NumberColumn("In both", format="localized"),
    "share": st.column_config.ProgressColumn("Share", format="percent", min_value=0, max_value=1),
}
