"""The histogram with its brush: the range of the score that table and counts are limited to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.charts import BRUSH, histogram_bars
from diet_core.tables import SCORES

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.store import RunRecord

Range = tuple[float | None, float | None]
EVERYTHING: Range = (None, None)
DIGITS = 4  # of the ends of a range, in the address and on the button
HEIGHT = 200


def brushed_range(run: RunRecord, score: str, bins: pd.DataFrame, *, is_filtered: bool) -> Range:
    """Draw the histogram and return the brushed range; it stays in the address as `low` and `high`.

    Args:
        run: Whose scores are shown.
        score: Which; another one begins without a range.
        bins: Of `Store.histogram`.
        is_filtered: Whether the chart shows the filtered examples before all.
    """
    named = _named_range(run, score)
    # Clearing makes another chart: nothing else takes a brush away from outside.
    key = f"histogram {run.run_id} {score} {st.session_state.get('cleared ranges', 0)}"
    # What the chart began with stays in its description, else every brush would draw it anew.
    start = st.session_state.setdefault(f"start of {key}", named)
    ends = float(bins["bin_start"].iloc[0]), float(bins["bin_end"].iloc[-1])
    shown = bins if is_filtered else bins.drop(columns="count_filtered")
    event = st.altair_chart(
        histogram_bars(shown, score, height=HEIGHT, has_brush=True, brushed=_drawn(start, ends)),
        key=key,
        on_select="rerun",
        width="stretch",
    )
    chosen = _chosen(event, key, named, ends)
    _name(chosen)
    return chosen


def range_button(score: str, chosen: Range) -> None:
    """Draw the range as a button that takes it away; nothing without a range."""
    if chosen != EVERYTHING:
        st.button(
            f"{SCORES[score].title} {_words(chosen)}",
            icon=":material/close:",
            key="clear range",
            on_click=_clear,
            help="Show all values again.",
        )


def _clear() -> None:
    st.session_state["cleared ranges"] = st.session_state.get("cleared ranges", 0) + 1
    _name(EVERYTHING)


def _named_range(run: RunRecord, score: str) -> Range:
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


def _drawn(start: Range, ends: tuple[float, float]) -> tuple[float, float] | None:
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


def _words(chosen: Range) -> str:
    low, high = chosen
    if low is None:
        return f"up to {high:.{DIGITS}g}"
    return f"from {low:.{DIGITS}g}" if high is None else f"{low:.{DIGITS}g} to {high:.{DIGITS}g}"
