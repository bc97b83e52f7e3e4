"""Brushes: what is chosen by dragging over a chart, kept in the URL."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from diet_core.charts.base import BRUSH, Ends
from diet_core.tables import SCORES
from pages.shared.address import clear_url, read_url, write_url
from pages.shared.chart import show_chart

if TYPE_CHECKING:
    from diet_core.charts.base import AnyChart
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.queries.data_map import Axis

T = TypeVar("T")
# Score, smallest and largest value (None = open): one of them on a histogram, two on a chart of two scores.
Side = tuple[str, float | None, float | None]
Sides = tuple[Side, ...]

DIGITS = 4  # of the ends of a side, in the URL and on the button
_SIDE = re.compile(r"([a-z0-9_]+):([^:,]*):([^:,]*)")


def brush_start(name: str, chart: str, chosen: T | None) -> tuple[str, T | None]:
    """Return the key of a chart with a brush, and the brush that is drawn over it at first.

    Args:
        name: Of the brush, as `clear_button` has it.
        chart: What tells the chart from others, like its run and scores.
        chosen: What the URL says.
    """
    # Clearing makes another chart: nothing else takes a brush away from outside.
    key = f"{chart} {st.session_state.get(f'cleared {name}', 0)}"
    # What the chart began with stays in its description, else every brush would draw it again. A chart that
    # was not there a moment ago (another view, another page) begins with what the URL says.
    if key not in st.session_state:
        st.session_state[f"start of {key}"] = chosen
        st.session_state[f"brushed {key}"] = False
    return key, st.session_state[f"start of {key}"]


def brushed(chart: AnyChart, key: str, chosen: T | None, parse: Callable[[list[Ends]], T]) -> T | None:
    """Draw a chart with a brush and return what is brushed; before anybody does, what the URL says.

    Args:
        chart: Its selection is called `BRUSH`.
        key: From `brush_start`.
        chosen: What the URL says.
        parse: Makes it of the ends of the brush on each axis, the one across first.
    """
    brush = show_chart(chart, key, on_select="rerun").selection.get(BRUSH) or {}
    if not brush:
        return None if st.session_state[f"brushed {key}"] else chosen
    st.session_state[f"brushed {key}"] = True
    return parse([(min(ends), max(ends)) for _, ends in sorted(brush.items())])


def clear_button(name: str, words: str, *keys: str) -> None:
    """Draw a brush as a button that takes it away; nothing without words.

    Args:
        name: Of the brush.
        words: What is brushed.
        keys: Of the brush in the URL.
    """
    if words:
        st.button(
            words,
            icon=":material/close:",
            key=f"clear {name}",
            on_click=_clear,
            args=(name, *keys),
            help="Show all examples again.",
        )


def _clear(name: str, *keys: str) -> None:
    st.session_state[f"cleared {name}"] = st.session_state.get(f"cleared {name}", 0) + 1
    clear_url(*keys)


def url_range(run: RunRecord, score: str) -> Sides:
    """Return the range `low` to `high` of the URL. It belongs to one score of one run, else it is dropped."""
    _drop_of_others("range", (run.run_id, score), "low", "high")
    low, high = (read_url(key, _number, None, warns=False) for key in ("low", "high"))
    return () if low is None and high is None else ((score, low, high),)


def url_box(run: RunRecord, available: Collection[str]) -> Sides:
    """Return the rectangle `box` of the URL, two sides. It belongs to one run, else it is dropped."""
    _drop_of_others("box", run.run_id, "box")
    nothing: Sides = ()
    sides = read_url("box", _parsed_sides, nothing, warns=False)
    return sides if len(sides) == 2 and {side[0] for side in sides} <= set(available) else ()


def _drop_of_others(name: str, owner: object, *keys: str) -> None:
    if st.session_state.get(f"{name} of", owner) != owner:
        clear_url(*keys)
    st.session_state[f"{name} of"] = owner


def brushed_scores(chart: AnyChart, key: str, axes: Sequence[Axis], chosen: Sides) -> Sides:
    """Draw a chart of one or two scores and return what is brushed; it is kept in the URL.

    Args:
        chart: The chart.
        key: From `brush_start`.
        axes: Of the chart, the one across first.
        chosen: What the URL says.
    """
    sides = brushed(chart, key, chosen, lambda ends: tuple(map(_open_side, axes, ends))) or ()
    if len(axes) == 1:
        _, low, high = sides[0] if sides else ("", None, None)
        write_url("low", _text(low))
        write_url("high", _text(high))
    else:
        write_url("box", ",".join(f"{score}:{_text(low)}:{_text(high)}" for score, low, high in sides))
    return sides


def _open_side(axis: Axis, ends: Ends) -> Side:
    """Return a side, open where the brush goes up to the end of the axis: the outer bins hold the rest."""
    low, high, start, end = (float(_text(value)) for value in (*ends, axis.start, axis.end))
    return axis.score, None if low <= start else low, None if high >= end else high


def ends_on_axes(sides: Sides | None, axes: Sequence[Axis]) -> list[Ends] | None:
    """Return where a brush lies on the axes of a chart; None if it is none or one of other scores."""
    if not sides or [score for score, *_ in sides] != [axis.score for axis in axes]:
        return None
    return [
        (axis.start if low is None else low, axis.end if high is None else high)
        for axis, (_, low, high) in zip(axes, sides, strict=True)
    ]


def in_words(sides: Sides) -> str:
    """Return what is brushed as a button says it.

    >>> in_words((("el2n", 0.25, None),)), in_words((("aum", None, 1.0), ("el2n", 0.25, 1.0)))
    ('EL2N from 0.25', 'AUM up to 1; EL2N 0.25 to 1')
    """
    return "; ".join(f"{SCORES[score].title} {_range(low, high)}" for score, low, high in sides)


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return "of any value" if high is None else f"up to {_text(high)}"
    return f"from {_text(low)}" if high is None else f"{_text(low)} to {_text(high)}"


def _parsed_sides(text: str) -> Sides:
    """Return the sides of `score:low:high,score:low:high`.

    Raises:
        ValueError: If it is not of this form.
    """
    matches = [_SIDE.fullmatch(side) for side in text.split(",")]
    if not all(matches):
        raise ValueError(text)
    return tuple((match[1], _number(match[2]), _number(match[3])) for match in matches if match)


def _number(text: str) -> float | None:
    """Return a number; None for what is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.{DIGITS}g}"
