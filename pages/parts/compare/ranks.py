"""Compare, Ranks and Hardest: percentiles in A and in B, who moved, and both ends side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.charts.compare import percentile_heatmap, shared_curve
from pages.parts.compare.box import box_button, brushed_percentiles
from pages.parts.compare.table import compared_table, example_of_both
from pages.shared.chart import drawn
from pages.shared.chart_downloads import chart_downloads

if TYPE_CHECKING:
    from pages.parts.compare.state import Shown

HEIGHT = 330
_ORDERS = {
    "Harder in B": "harder in b",
    "Easier in B": "easier in b",
    "Hardest of A": "hardest of a",
    "Hardest of B": "hardest of b",
}
_HELP = (
    "0 % is the easiest example, 100 % the hardest. Each cell is a fiftieth of A's order times one of B's. "
    "On the dashed line both agree; above it an example is harder in B. Drag a rectangle to see its examples."
)


def ranks_view(shown: Shown) -> None:
    """Draw the heatmap of percentiles beside the examples that moved most."""
    from diet_core.store.comparison.views import Among, count_common, percentile_cells

    chart, table = st.columns([2, 3], gap="medium")
    with chart:
        cells = shown.counted(percentile_cells)
        with _headed("Percentiles", _HELP):
            picture = drawn(percentile_heatmap, cells)
            chart_downloads(picture, cells, f"{shown.file_name}-percentiles", "download cells")
        box = brushed_percentiles(shown, cells, height=HEIGHT)
    with table:
        with st.container(horizontal=True, vertical_alignment="center"):
            order = st.segmented_control(
                "Order",
                list(_ORDERS),
                default="Harder in B",
                required=True,
                key="moved",
                bind="query-params",
                label_visibility="collapsed",
            )
            box_button(box)
        among = Among() if box is None else Among(percentiles_a=box[0], percentiles_b=box[1])
        n = shown.compared.n_common if box is None else shown.counted(count_common, among)
        selected = compared_table(shown, _ORDERS[order or "Harder in B"], among, n)
    example_of_both(shown, selected)


def hardest_view(shown: Shown) -> None:
    """Draw how many of the hardest both share, and the hardest of each with their place in the other."""
    from diet_core.store.comparison.views import Among, shared_hardest

    shared = shown.counted(shared_hardest)
    curve, figures = st.columns([3, 2], gap="medium")
    with curve:
        with _headed(
            "How many of the hardest are in both", "Blue: of these two. Dashed: what chance would give."
        ):
            picture = drawn(shared_curve, shared, shown.compared.n_common, height=200)
            chart_downloads(picture, shared, f"{shown.file_name}-shared", "download shared")
        picture.show(f"shared {shown.key}")
    with figures:
        some = shared[shared["percent"].isin((1, 5, 10, 30))]
        st.dataframe(some, hide_index=True, column_config=_SHARED)
    n = shown.compared.n_common
    for column, side in zip(st.columns(2, gap="medium"), "ab", strict=True):
        with column:
            st.subheader(f"Hardest of {side.upper()}", anchor=False)
            compared_table(shown, f"hardest of {side}", Among(), n, first=side)


def _headed(title: str, help: str) -> st.delta_generator.DeltaGenerator:
    """Return a row that begins with a chart's title; its download goes into it."""
    row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    row.subheader(title, anchor=False, help=help, width="content")
    return row


_SHARED = {
    "percent": st.column_config.NumberColumn("Hardest", format="%d %%"),
    "n": st.column_config.NumberColumn("Examples", format="localized"),
    "n_shared": st.column_config.NumberColumn("In both", format="localized"),
    "share": st.column_config.ProgressColumn("Share", format="percent", min_value=0, max_value=1),
}
