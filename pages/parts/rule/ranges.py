"""Limits of a rule: a window of a score's values, or of how often an example is predicted right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.errors import SettingError
from diet_core.tables import SCORES
from pages.parts.rule.outcome import n_predictions, ranked_examples
from pages.shared.address import clear_url, read_url, widget_key, write_url

if TYPE_CHECKING:
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

Limits = tuple[float | None, float | None]

# With fewer predictions each count is a tenth of the examples or more.
FEW_PREDICTIONS = 10
_ENDS = ("low", "high")
_SLIDER_STEPS = 100  # at least so many over the values, at most ten times as many

_WINDOW_HELP = (
    "Examples whose score lies between the two ends stay, both ends included. An end of the slider is open: "
    "outliers beyond it stay too."
)
_AUTO_HELP = (
    "Every seed predicts every example at each score step. Examples that are always right were learned at "
    "once, those that never are may not be learnable; what lies between sizes the training set by itself. "
    "Tayaranian et al. 2024, Automatic Pruning of Fine-tuning Datasets."
)


def chosen_window(store: Store, run: RunRecord, by: str, page: str) -> Limits:
    """Draw a window of a score as a slider with two numbers below it; either moves the other.

    The address holds the window. What is not touched is drawn anew, from there: as another widget, because
    Streamlit minds a first value beside one that is set.
    """
    _forget_other_scores(by)
    limits = read_url("low", _finite, None), read_url("high", _finite, None)
    start, end, step = _nice(*ranked_examples(store, run, by).ends)
    slider, numbers = _keys(page, by)
    st.slider(
        f"{SCORES[by].title} from … to …",
        start,
        end,
        _on_slider(limits, start, end),
        step=step,
        format="%.4g",
        key=slider,
        help=_WINDOW_HELP,
        on_change=_slider_moved,
        args=[slider, numbers, start, end],
    )
    columns = st.columns(2)
    for column, label, name, value in zip(columns, ("From", "To"), _ENDS, limits, strict=True):
        column.number_input(
            label,
            value=value,
            step=step,
            format="%.6g",
            placeholder="no end",
            key=f"{numbers} {name}",
            on_change=_number_moved,
            args=[f"{numbers} {name}", name, slider],
        )
    return limits


def _keys(page: str, by: str) -> tuple[str, str]:
    """Return the keys of the slider and of the numbers, as often as each was drawn anew."""
    names = (widget_key(page, f"{name} {by}") for name in ("window", "numbers"))
    slider, numbers = (f"{name} {st.session_state.get(f'times {name}', 0)}" for name in names)
    return slider, numbers


def _draw_anew(key: str) -> None:
    name, times = key.rsplit(" ", 1)
    st.session_state[f"times {name}"] = int(times) + 1


def _slider_moved(slider: str, numbers: str, start: float, end: float) -> None:
    first, last = st.session_state[slider]
    _name("low", None if first <= start else first)
    _name("high", None if last >= end else last)
    _draw_anew(numbers)


def _number_moved(number: str, name: str, slider: str) -> None:
    _name(name, st.session_state[number])
    _draw_anew(slider)


def _name(name: str, value: float | None) -> None:
    write_url(name, "" if value is None else f"{value:.6g}", "")


def _forget_other_scores(by: str) -> None:
    """Take a window out of the address that was one of another score."""
    if st.session_state.get("window of", by) != by:
        clear_url(*_ENDS)
    st.session_state["window of"] = by


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _nice(start: float, end: float) -> tuple[float, float, float]:
    """Return the ends of a slider on round numbers around a range, and its step.

    >>> _nice(0.0013, 1.4105)
    (0.0, 1.42, 0.01)
    """
    step = 10.0 ** math.floor(math.log10((end - start) / _SLIDER_STEPS))
    digits = max(0, -round(math.log10(step)))
    ends = math.floor(start / step) * step, math.ceil(end / step) * step
    return round(ends[0], digits), round(ends[1], digits), step


def _on_slider(limits: Limits, start: float, end: float) -> tuple[float, float]:
    """Return where the handles stand for a window; an open end is the slider's."""
    low, high = limits
    handles = (start if low is None else low, end if high is None else high)
    first, last = sorted(min(max(value, start), end) for value in handles)
    return first, last


def chosen_limits(store: Store, run: RunRecord, page: str) -> Limits:
    """Draw between how many right predictions an example stays, and return that as shares.

    Raises:
        SettingError: If nothing lies between never and always.
    """
    n = n_predictions(store, run)
    if n < 2:
        raise SettingError(
            f"Run {run.run_id} predicted each example {'once' if n else 'never'}, so that none is right "
            "sometimes. Score with more seeds or score steps, or choose another kind of rule."
        )
    widget = widget_key(page, "right")
    shown = st.session_state.get(widget) or sorted(
        (_named_count("low", n, 1), _named_count("high", n, n - 1))
    )
    fewest, most = st.slider(
        f"Predicted right, of {n} times", 0, n, tuple(shown), key=widget, help=_AUTO_HELP
    )
    st.caption(f"Examples stay that are right at least {fewest} and at most {most} of {n} times.")
    if n < FEW_PREDICTIONS:
        st.caption(
            f"With {n} predictions of each example the limits are coarse: score with more seeds or score "
            "steps for finer ones.",
        )
    low, high = (None if fewest == 1 else fewest / n), (None if most == n - 1 else most / n)
    _name("low", low)
    _name("high", high)
    return low, high


def _named_count(key: str, n: int, default: int) -> int:
    """Return the count that a share of the address means."""
    return int(read_url(key, lambda text: _count(text, n), default))


def _count(text: str, n: int) -> int:
    share = _finite(text)
    if not 0 <= share <= 1:
        raise ValueError(text)
    return round(share * n)
