"""The histogram with its brush: the range of the score that table and counts are limited to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.charts.base import BRUSH
from diet_core.tables import SCORES

if TYPE_CHECKING:
    from diet_core.store.loading.runs import RunRecord
    from pages.shared.chart import Drawn

Range = tuple[float | None, float | None]
EVERYTHING: Range = (None, None)
DIGITS = 4  # of the ends of a range, in the address and on the button


def range_start(run: RunRecord, score: str, named: Range) -> tuple[str, Range]:
    """Return the key of the histogram's widget, and the range that is drawn over it at first.

    Args:
        run: Whose scores are shown.
        score: Which.
        named: The range of the address.
    """
    # Clearing makes another chart: nothing else takes a brush away from outside.
    key = f"histogram {run.run_id} {score} {st.session_state.get('cleared ranges', 0)}"
    # What the chart began with stays in its description, else every brush would draw it anew. A chart that
    # was not there a moment ago (another view, another page) begins with what the address says.
    if key not in st.session_state:
        st.session_state[f"start of {key}"] = named
        st.session_state[f"brushed {key}"] = False
    return key, st.session_state[f"start of {key}"]


def brushed_range(chart: Drawn, key: str, named: Range, ends: tuple[float, float]) -> Range:
    """Draw the histogram and return the brushed range; it stays in the address as `low` and `high`.

    Args:
        chart: The histogram, with its brush.
        key: Of the widget.
        named: The range until somebody brushes.
        ends: Of the axis.
    """
    event = chart.show(key, on_select="rerun")
    chosen = _chosen(event, key, named, ends)
    _name(chosen)
    return chosen


def range_button(score: str, chosen: Range) -> None:
    """Draw the range as a button that takes it away; nothing without a range."""
    if chosen != EVERYTHING:
        st.button(
            f"{SCORES[score].title} {range_in_words(chosen)}",
            icon=":material/close:",
            key="clear range",
            on_click=_clear,
            help="Show all values again.",
        )


def _clear() -> None:
    st.session_state["cleared ranges"] = st.session_state.get("cleared ranges", 0) + 1
    _name(EVERYTHING)


def named_range(run: RunRecord, score: str) -> Range:
    """Return the range of the address. It belongs to one score of one run: with another it is dropped."""
    shown = (run.run_id, score)
    if st.session_state.get("range of", shown) != shown:
        _name(EVERYTHING)
    st.session_state["range of"] = shown
    return _number("low"), _number("high")


def _number(name: str) -> float | None:
    try:
        value = float(st.query_params.get(name, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _name(chosen: Range) -> None:
    for name, value in zip(("low", "high"), chosen, strict=True):
        if value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != f"{value:.{DIGITS}g}":
            st.query_params[name] = f"{value:.{DIGITS}g}"


def drawn_range(start: Range, ends: tuple[float, float]) -> tuple[float, float] | None:
    """Return where a range lies on an axis; None for no range."""
    if start == EVERYTHING:
        return None
    low, high = start
    return ends[0] if low is None else low, ends[1] if high is None else high


def _chosen(event: Any, key: str, named: Range, ends: tuple[float, float]) -> Range:
    """Return the brush of the chart; before anybody touched it, the range of the address."""
    brush = event.selection.get(BRUSH) or {}
    if not brush:
        was_brushed = st.session_state.get(f"brushed {key}", False)
        return EVERYTHING if was_brushed else named
    st.session_state[f"brushed {key}"] = True
    low, high = (float(f"{value:.{DIGITS}g}") for value in next(iter(brush.values())))
    # The outer bins hold what lies beyond the axis, so a brush up to its end is open there.
    return None if low <= ends[0] else low, None if high >= ends[1] else high


def range_in_words(chosen: Range) -> str:
    """Return a range as a button names it.

    >>> [range_in_words(r) for r in ((0.25, None), (None, 1.0), (0.25, 1.0), (None, None))]
    ['from 0.25', 'up to 1', '0.25 to 1', 'of any value']
    """
    low, high = chosen
    if low is None and high is None:
        return "of any value"
    if low is None:
        return f"up to {high:.{DIGITS}g}"
    return f"from {low:.{DIGITS}g}" if high is None else f"{low:.{DIGITS}g} to {high:.{DIGITS}g}"
