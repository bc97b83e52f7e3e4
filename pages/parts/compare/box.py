"""The rectangle over the heatmap of percentiles, kept in the address as `percentiles`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.charts.base import BRUSH
from diet_core.charts.compare import percentile_heatmap
from pages.shared.chart import drawn

if TYPE_CHECKING:
    import pandas as pd

    from pages.parts.compare.state import Shown

Box = tuple[tuple[int, int], tuple[int, int]]  # from and to in percent, of A and of B
_NAME = "percentiles"


def brushed_percentiles(shown: Shown, cells: pd.DataFrame, *, height: int) -> Box | None:
    """Draw the heatmap and return the rectangle that was drawn over it, widened to whole cells."""
    named = named_box()
    # Clearing makes another chart: nothing else takes a brush away from outside.
    key = f"percentiles {shown.key} {st.session_state.get('cleared percentiles', 0)}"
    if key not in st.session_state:  # what the chart begins with stays, else every brush would draw it anew
        st.session_state[f"start of {key}"] = named
        st.session_state[f"brushed {key}"] = False
    start = st.session_state[f"start of {key}"]
    event = drawn(percentile_heatmap, cells, height=height, brushed=start).show(key, on_select="rerun")
    chosen = _chosen(event.selection.get(BRUSH) or {}, key, named)
    _name(chosen)
    return chosen


def box_button(box: Box | None) -> None:
    """Draw the rectangle as a button that takes it away; nothing without one."""
    if box is not None:
        (a_low, a_high), (b_low, b_high) = box
        st.button(
            f"A {a_low}–{a_high} %, B {b_low}–{b_high} %",
            icon=":material/close:",
            key="clear percentiles",
            on_click=_clear,
            help="Show all examples again.",
        )


def named_box() -> Box | None:
    """Return the rectangle of the address, None where it names none that can be drawn."""
    match = re.fullmatch(r"(\d+)-(\d+),(\d+)-(\d+)", st.query_params.get(_NAME, ""))
    if not match:
        return None
    a_low, a_high, b_low, b_high = map(int, match.groups())
    return _whole_cells((a_low, a_high), (b_low, b_high))


def _chosen(brush: dict[str, Any], key: str, named: Box | None) -> Box | None:
    """Return the brush of the chart; before anybody touched it, the rectangle of the address."""
    if not brush:
        return None if st.session_state[f"brushed {key}"] else named
    st.session_state[f"brushed {key}"] = True
    a, b = (tuple(sorted(brush[field])) for field in ("a_start", "b_start"))
    return _whole_cells((a[0], a[1]), (b[0], b[1]))


def _whole_cells(a: tuple[float, float], b: tuple[float, float]) -> Box:
    from diet_core.store.comparison.table import CELLS
    from diet_core.store.comparison.views import cells_of

    width = 100 // CELLS
    (a_first, a_last), (b_first, b_last) = cells_of(a), cells_of(b)
    return (a_first * width, (a_last + 1) * width), (b_first * width, (b_last + 1) * width)


def _clear() -> None:
    st.session_state["cleared percentiles"] = st.session_state.get("cleared percentiles", 0) + 1
    _name(None)


def _name(box: Box | None) -> None:
    if box is None:
        st.query_params.pop(_NAME, None)
        return
    text = ",".join(f"{low}-{high}" for low, high in box)
    if st.query_params.get(_NAME) != text:
        st.query_params[_NAME] = text
