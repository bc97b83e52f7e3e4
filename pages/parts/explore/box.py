"""The rectangle that is drawn over a chart of two scores, kept in the address as `box`."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.charts.base import BRUSH
from diet_core.tables import SCORES
from pages.shared.brush import DIGITS, range_in_words

if TYPE_CHECKING:
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.queries.data_map import Axis
    from pages.shared.chart import Drawn

# Score, smallest and largest value (None = open), of the axis across and of the one upwards.
Side = tuple[str, float | None, float | None]
Box = tuple[Side, Side]
Drawn = tuple[tuple[float, float], tuple[float, float]]

_SIDE = re.compile(r"([a-z0-9_]+):([^:,]*):([^:,]*)")
_FIELDS = ("x_start", "y_start")  # of the grid, by which the brush names its sides


def named_box(run: RunRecord, available: Collection[str]) -> Box | None:
    """Return the rectangle of the address. It belongs to one run: with another it is dropped."""
    if st.session_state.get("box of", run.run_id) != run.run_id:
        _name(None)
    st.session_state["box of"] = run.run_id
    found = [_SIDE.fullmatch(side) for side in st.query_params.get("box", "").split(",")]
    sides = [_side(match) for match in found if match]
    if len(found) != 2 or len(sides) != 2 or not {side[0] for side in sides} <= set(available):
        return None
    return sides[0], sides[1]


def box_start(name: str, x: Axis, y: Axis, named: Box | None) -> tuple[str, Drawn | None]:
    """Return the key of a chart of two scores, and the rectangle that is drawn over it at first.

    Args:
        name: What tells the chart from others, like its run and scores.
        x: The axis across.
        y: The axis upwards.
        named: The rectangle of the address; it may be one of other scores.
    """
    key = f"{name} {st.session_state.get('cleared boxes', 0)}"
    if key not in st.session_state:
        st.session_state[f"start of {key}"] = _drawn(named, x, y)
        st.session_state[f"brushed {key}"] = False
    return key, st.session_state[f"start of {key}"]


def brushed_box(chart: Drawn, key: str, x: Axis, y: Axis, named: Box | None) -> Box | None:
    """Draw a chart with a brush over two scores and return the brushed rectangle; it stays in the address.

    Args:
        chart: The chart.
        key: Of the widget.
        x: The axis across.
        y: The axis upwards.
        named: The rectangle until somebody brushes.
    """
    event = chart.show(key, on_select="rerun")
    chosen = _chosen(event.selection.get(BRUSH) or {}, key, x, y, named)
    _name(chosen)
    return chosen


def box_button(box: Box | None) -> None:
    """Draw the rectangle as a button that takes it away; nothing without one."""
    if box is not None:
        st.button(
            "; ".join(f"{SCORES[score].title} {range_in_words((low, high))}" for score, low, high in box),
            icon=":material/close:",
            key="clear box",
            on_click=clear_box,
            help="Show all values again.",
        )


def clear_box() -> None:
    """Take the rectangle away."""
    # Another key is another chart: nothing else takes a brush away from outside.
    st.session_state["cleared boxes"] = st.session_state.get("cleared boxes", 0) + 1
    _name(None)


def _chosen(brush: dict[str, Any], key: str, x: Axis, y: Axis, named: Box | None) -> Box | None:
    """Return the brush of the chart; before anybody touched it, the rectangle of the address."""
    if not brush:
        return None if st.session_state[f"brushed {key}"] else named
    st.session_state[f"brushed {key}"] = True
    across, up = (_open_side(axis, brush[field]) for axis, field in zip((x, y), _FIELDS, strict=True))
    return across, up


def _open_side(axis: Axis, ends: list[float]) -> Side:
    """Return a side, open where the brush goes up to the end of the axis: the outer cells hold the rest."""
    low, high = sorted(float(f"{value:.{DIGITS}g}") for value in ends)
    return axis.score, None if low <= axis.start else low, None if high >= axis.end else high


def _drawn(box: Box | None, x: Axis, y: Axis) -> Drawn | None:
    """Return where the rectangle lies on the axes; None if it is one of other scores."""
    if box is None or (box[0][0], box[1][0]) != (x.score, y.score):
        return None
    across, up = (
        (axis.start if low is None else low, axis.end if high is None else high)
        for axis, (_, low, high) in zip((x, y), box, strict=True)
    )
    return across, up


def _side(match: re.Match[str]) -> Side:
    return match[1], _number(match[2]), _number(match[3])


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _name(box: Box | None) -> None:
    if box is None:
        st.query_params.pop("box", None)
        return
    text = ",".join(f"{score}:{_end(low)}:{_end(high)}" for score, low, high in box)
    if st.query_params.get("box") != text:
        st.query_params["box"] = text


def _end(value: float | None) -> str:
    return "" if value is None else f"{value:.{DIGITS}g}"
