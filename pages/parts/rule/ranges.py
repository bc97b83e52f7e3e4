"""Limits of a rule: a window of a score's values, or of how often an example is predicted correctly."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.errors import SettingError
from diet_core.store.loading.runs import RunRecord
from diet_core.tables import SCORES
from pages.parts.rule.outcome import n_predictions, ranked_examples
from pages.shared.address import clear_url, read_url, widget_key, write_url

if TYPE_CHECKING:
    from diet_core.store.store import Store

Limits = tuple[float | None, float | None]

# With fewer predictions each count is a tenth of the examples or more.
FEW_PREDICTIONS = 10
_ENDS = ("low", "high")
_SLIDER_STEPS = 100  # at least so many over the values, at most ten times as many

_WINDOW_HELP = (
    "Examples whose score lies between the two ends are kept, both ends included. An end of the slider is "
    "open: outliers beyond it are kept too."
)
_AUTO_HELP = (
    "Every seed predicts every example at each score step. Examples that are always predicted correctly were "
    "learned at once, those that never are may not be learnable; the number between sets the training size. "
    "Tayaranian et al. 2024, Automatic Pruning of Fine-tuning Datasets."
)


def chosen_window(store: Store, run: RunRecord, by: str, page: str) -> Limits:
    """Draw a window of a score as a slider with two numbers below it; either moves the other.

    The URL holds the window. The widget that was not touched is drawn from it with a new key: Streamlit does
    not allow a first value beside one that is set.
    """
    if st.session_state.get("window of", by) != by:
        clear_url(*_ENDS)  # it was a window of another score
    st.session_state["window of"] = by
    limits = read_url("low", _finite, None), read_url("high", _finite, None)
    start, end, step = _round_ends(*ranked_examples(store, run, by).ends)
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
    """Return the keys of the slider and of the numbers; each ends with how often it was renewed."""
    names = (widget_key(page, f"{name} {by}") for name in ("window", "numbers"))
    slider, numbers = (f"{name} {st.session_state.get(f'times {name}', 0)}" for name in names)
    return slider, numbers


def _renew(key: str) -> None:
    name, times = key.rsplit(" ", 1)
    st.session_state[f"times {name}"] = int(times) + 1


def _slider_moved(slider: str, numbers: str, start: float, end: float) -> None:
    first, last = st.session_state[slider]
    _write_url("low", None if first <= start else first)
    _write_url("high", None if last >= end else last)
    _renew(numbers)


def _number_moved(number: str, name: str, slider: str) -> None:
    _write_url(name, st.session_state[number])
    _renew(slider)


def _write_url(name: str, value: float | None) -> None:
    write_url(name, "" if value is None else f"{value:.6g}", "")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _round_ends(start: float, end: float) -> tuple[float, float, float]:
    """Return the ends of a slider on round numbers around a range, and its step.

    >>> _round_ends(0.0013, 1.4105)
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
    """Draw how many correct predictions keep an example, and return the limits as shares.

    Raises:
        SettingError: If nothing lies between never and always.
    """
    n = n_predictions(store, run)
    if n < 2:
        raise SettingError(
            f"Run {run.run_id} predicted each example {'once' if n else 'never'}, so that none is correct "
            "sometimes. Score with more seeds or score steps, or choose another kind of rule."
        )
    widget = widget_key(page, "right")
    usual = {"low": 1, "high": n - 1}
    in_url = sorted(int(read_url(name, lambda text: _count(text, n), usual[name])) for name in usual)
    shown = tuple(st.session_state.get(widget) or in_url)
    fewest, most = st.slider(f"Predicted correctly, of {n} times", 0, n, shown, key=widget, help=_AUTO_HELP)
    st.caption(f"Examples are kept that are correct at least {fewest} and at most {most} of {n} times.")
    if n < FEW_PREDICTIONS:
        st.caption(
            f"With {n} predictions of each example the limits are coarse: score with more seeds or score "
            "steps for finer ones."
        )
    low, high = (None if fewest == 1 else fewest / n), (None if most == n - 1 else most / n)
    _write_url("low", low)
    _write_url("high", high)
    return low, high


def _count(text: str, n: int) -> int:
    """Return the count that a share in the URL means."""
    share = _finite(text)
    if not 0 <= share <= 1:
        raise ValueError(text)
    return round(share * n)
