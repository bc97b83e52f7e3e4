"""The filter of a review queue: class, prediction, status, range of a score, words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.errors import DietError, SettingError
from diet_core.store.decisions.queues import Queue, QueueDefinition
from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.runs import RunRecord
from diet_core.store.queries.histograms import find_percentile_range
from diet_core.tables import SCORES
from pages.parts.review.words import BY_SCORE, STATUSES, Percentiles, filter_in_words, has_range
from pages.shared.address import clear_url, read_url
from pages.shared.workspace import store_cache

if TYPE_CHECKING:
    from diet_core.store.store import Store

LABEL, PREDICTED, STATUS, WORDS = "queue class", "queue predicted", "queue status", "queue words"
SCORE, UNIT = "queue range of", "queue unit"
PERCENTILES = ("queue from percentile", "queue to percentile")
VALUES = ("queue from value", "queue to value")
PERCENTILE, VALUE = "Percentile", "Value"
_IN_URL = "percentiles"  # the range as it was asked for; the queue itself holds values
_EVERYTHING = (0.0, 100.0)


def filter_controls(run: RunRecord, scores: Sequence[str], queue: Queue, reopen: Callable[[], None]) -> None:
    """Draw the popover of the filter.

    Args:
        run: Whose examples.
        scores: The scores that the run has.
        queue: What is shown.
        reopen: Called when something was changed.
    """
    n = len(filter_in_words(queue.definition))
    title = f"Filter ({n})" if n else "Filter"
    with st.popover(title, icon=":material/filter_alt:", key="queue filter", width="content"):
        _classes(run, reopen)
        _range(scores, queue, reopen)
        st.text_input(
            "Words",
            type="search",
            placeholder="Search in the texts",
            icon=":material/search:",
            key=WORDS,
            on_change=reopen,
        )
        st.caption(f"{len(queue.example_ids):,} examples in this queue.")


def _classes(run: RunRecord, reopen: Callable[[], None]) -> None:
    widgets = (("Class", LABEL, "All classes"), ("Prediction", PREDICTED, "All predictions"))
    for column, (title, key, all_of_them) in zip(st.columns(2), widgets, strict=True):
        column.selectbox(
            title,
            list(run.dataset.classes),
            index=None,
            placeholder=all_of_them,
            key=key,
            on_change=reopen,
        )
    st.segmented_control(
        "Decisions",
        list(STATUSES),
        format_func=STATUSES.__getitem__,
        required=True,
        key=STATUS,
        on_change=reopen,
        help="As they are when the queue is opened: deciding takes nothing out of it.",
        width="stretch",
    )


def _range(scores: Sequence[str], queue: Queue, reopen: Callable[[], None]) -> None:
    left, right = st.columns(2)
    left.selectbox(
        "Range of",
        scores,
        format_func=lambda score: SCORES[score].title,
        key=SCORE,
        on_change=_change_score,
        args=(reopen,),
    )
    right.segmented_control(
        "Given as",
        [PERCENTILE, VALUE],
        required=True,
        key=UNIT,
        on_change=_change_unit,
        args=(queue.definition, reopen),
        help="Percentiles go from 0, the easiest example, to 100, the hardest, for every score.",
        width="stretch",
    )
    is_value = st.session_state[UNIT] == VALUE
    low, high = (None, None) if is_value else _EVERYTHING
    settings: dict[str, Any] = {"step": 1.0}
    if is_value:
        settings = {"step": 0.01, "placeholder": "Open"}
    keys = VALUES if is_value else PERCENTILES
    for column, title, key in zip(st.columns(2), ("From", "To"), keys, strict=True):
        column.number_input(
            title, low, high, value=None, format="%.4g", key=key, on_change=reopen, **settings
        )


def chosen_filter(store: Store, run: RunRecord) -> tuple[ExampleFilter, Percentiles | None]:
    """Return what the widgets say, and the percentiles where the range is given so.

    Raises:
        SettingError: If the range is not valid.
    """
    state = st.session_state
    percentiles = _chosen_percentiles()
    low, high = _chosen_values() if state.get(UNIT) == VALUE else (None, None)
    if percentiles is not None:
        low, high = _values_at(store, run.run_id, state[SCORE], percentiles)
    score = {} if low is None and high is None else {"score": state[SCORE]}
    chosen = ExampleFilter(
        label=state.get(LABEL),
        predicted_label=state.get(PREDICTED),
        search=(state.get(WORDS) or "").strip(),
        low=low,
        high=high,
        **score,
    )
    return chosen, percentiles


def chosen_status() -> str:
    """Return which decisions the widgets ask for."""
    return str(st.session_state.get(STATUS) or "any")


def fill_filter(store: Store, run: RunRecord, scores: Sequence[str], definition: QueueDefinition) -> None:
    """Let the widgets show the filter of a queue."""
    chosen, state = definition.filter, st.session_state
    state[LABEL], state[PREDICTED] = chosen.label, chosen.predicted_label
    state[STATUS], state[WORDS] = definition.status, chosen.search
    percentiles = url_percentiles(store, definition)
    if has_range(chosen):
        state[UNIT], state[SCORE] = VALUE if percentiles is None else PERCENTILE, chosen.score
    else:
        state[UNIT] = str(state.get(UNIT) or PERCENTILE)
        state[SCORE] = _usual_score(run, scores, definition)
    _set(PERCENTILES, percentiles or _EVERYTHING)
    _set(VALUES, (chosen.low, chosen.high))


def url_percentiles(store: Store, definition: QueueDefinition) -> Percentiles | None:
    """Return the percentiles of the URL if they are those of the queue's range."""
    chosen = definition.filter
    in_url = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)-(\d{1,3}(?:\.\d+)?)", read_url(_IN_URL, str, ""))
    if in_url is None or not has_range(chosen):
        return None
    percentiles = float(in_url[1]), float(in_url[2])
    try:
        values = _values_at(store, definition.run_id, chosen.score, percentiles)
    except DietError:
        return None
    return percentiles if values == (chosen.low, chosen.high) else None


def percentiles_for_url(percentiles: Percentiles) -> dict[str, str]:
    """Return the URL parameter of percentiles.

    >>> percentiles_for_url((0.0, 12.5))
    {'percentiles': '0-12.5'}
    """
    return {_IN_URL: f"{percentiles[0]:g}-{percentiles[1]:g}"}


def clear_percentiles() -> None:
    """Remove percentiles from the URL."""
    clear_url(_IN_URL)


def _usual_score(run: RunRecord, scores: Sequence[str], definition: QueueDefinition) -> str:
    """Return the score that a range is most likely wanted of: that of the order."""
    if definition.source in BY_SCORE and definition.by is not None:
        return definition.by
    return run.suspicion if run.suspicion in scores else scores[0]


def _change_score(reopen: Callable[[], None]) -> None:
    _set(VALUES, (None, None))  # values of one score say nothing of another
    reopen()


def _change_unit(definition: QueueDefinition, reopen: Callable[[], None]) -> None:
    """Change the unit: a range in percentiles is shown as its values, a range of values is given up."""
    chosen = definition.filter
    _set(PERCENTILES, _EVERYTHING)
    _set(VALUES, (chosen.low, chosen.high))
    clear_percentiles()
    if st.session_state[UNIT] == PERCENTILE and has_range(chosen):
        reopen()


def _set(keys: tuple[str, str], values: tuple[float | None, float | None]) -> None:
    st.session_state[keys[0]], st.session_state[keys[1]] = values


def _chosen_percentiles() -> Percentiles | None:
    state = st.session_state
    if state.get(UNIT) == VALUE:
        return None
    low, high = (state.get(key) for key in PERCENTILES)
    percentiles = 0.0 if low is None else low, 100.0 if high is None else high
    return None if percentiles == _EVERYTHING else percentiles


def _chosen_values() -> tuple[float | None, float | None]:
    low, high = (st.session_state.get(key) for key in VALUES)
    if low is not None and high is not None and low > high:
        raise SettingError(f"The range goes from {low:g} to {high:g}. Give the smaller value first.")
    return low, high


@store_cache(100)
def _values_at(
    store: Store, run_id: str, score: str, percentiles: Percentiles
) -> tuple[float | None, float | None]:
    return find_percentile_range(store, run_id, score, *percentiles)
