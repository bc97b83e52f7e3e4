"""Which examples are reviewed: a queue's source, order and filter; the URL names its frozen ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.errors import DietError, NotFoundError
from diet_core.store.decisions.queues import Queue, QueueDefinition, find_queue, open_queue
from diet_core.store.loading.runs import RunRecord
from diet_core.store.queries.examples import list_available_scores
from diet_core.tables import SCORES
from pages.parts.review.audit import AuditQueue
from pages.parts.review.batch import batch_button
from pages.parts.review.filter import (
    chosen_filter,
    chosen_status,
    clear_percentiles,
    fill_filter,
    filter_controls,
    percentiles_for_url,
    url_percentiles,
)
from pages.parts.review.words import (
    AUDIT,
    BY_SCORE,
    SOURCES,
    Percentiles,
    filter_in_words,
    queue_in_words,
    shortened,
)
from pages.shared.address import clear_url, read_url, update_url, write_url
from pages.shared.errors import plain
from pages.shared.workspace import store_cache

if TYPE_CHECKING:
    from diet_core.store.store import Store

SOURCE, BY = "queue source", "queue by"  # keys of widgets
_SHOWN = "queue in controls"  # what the widgets were filled with
_MESSAGE = "queue message"  # shown once
_PROBLEM = "queue problem"  # why the widgets' values are not valid: shown until they change


@dataclass(frozen=True)
class _Context:
    """What a queue is opened for."""

    store: Store
    run: RunRecord
    reviewer: str
    scores: tuple[str, ...]

    @property
    def order(self) -> str | None:
        """What orders the queues that are no score's order: None = the run's suspicion."""
        return None if self.run.suspicion in self.scores else self.scores[0]

    @property
    def default(self) -> QueueDefinition:
        """What is reviewed when nobody chose."""
        if self.order is not None:
            return QueueDefinition(self.run.run_id, source="highest", by=self.order)
        return QueueDefinition(self.run.run_id)


def chosen_queue(store: Store, run: RunRecord, reviewer: str) -> Queue | AuditQueue | None:
    """Draw the controls of the queue in a row and return the queue; all of it is kept in the URL.

    Changing a control opens another queue; until then it stays as it was frozen, whatever is decided.

    Args:
        store: Where.
        run: Whose examples.
        reviewer: Whose skipped examples.

    Returns:
        A queue, which may be empty; the audit's where the audit was chosen; None for a run that has
        nothing to order its examples by (which the page then says).
    """
    scores = tuple(list_available_scores(store, run.run_id))
    if not scores:
        st.info("This run has scored no example. Choose another run.", icon=":material/info:")
        return None
    context = _Context(store, run, reviewer, scores)
    queue = None if read_url("queue", str, "") == AUDIT else _url_queue(context)
    _fill(context, queue)
    if message := st.session_state.pop(_MESSAGE, None) or st.session_state.get(_PROBLEM):
        st.warning(plain(message), icon=":material/info:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="queue-controls"):
        _controls(context, queue)
    st.session_state[_SHOWN] = AUDIT if queue is None else queue.queue_id
    return AuditQueue(store, run.dataset.dataset_id) if queue is None else queue


def _url_queue(context: _Context) -> Queue:
    """Return the queue of the URL; without a good one the default, which the URL names then."""
    in_url, queue = read_url("queue", str, None), None
    if in_url is not None:
        try:
            queue = _stored(context.store, in_url)
        except NotFoundError:
            st.session_state[_MESSAGE] = (
                f"The queue {shortened(in_url)} from the URL was not found, so this is the default one."
            )
    if queue is not None and queue.definition.run_id != context.run.run_id:
        if st.session_state.get(_SHOWN) != in_url:  # else somebody has just chosen another run
            message = "The queue from the URL belongs to another run, so this is the default one."
            st.session_state[_MESSAGE] = message
        queue = None
    if queue is None:
        queue = _default_queue(context)
        write_url("queue", queue.queue_id)  # an example that the URL names stays there
    return queue


def _default_queue(context: _Context) -> Queue:
    key = f"default queue of {context.run.run_id}"
    if key not in st.session_state:
        st.session_state[key] = open_queue(context.store, context.default).queue_id
    return _stored(context.store, st.session_state[key])


@store_cache(8, "Opening the queue …")
def _stored(store: Store, queue_id: str) -> Queue:
    return find_queue(store, queue_id)


def _fill(context: _Context, queue: Queue | None) -> None:
    """Let the widgets show the queue of the URL, unless they do already."""
    shown = AUDIT if queue is None else queue.queue_id
    if SOURCE in st.session_state and st.session_state.get(_SHOWN) == shown:
        return
    st.session_state.pop(_PROBLEM, None)
    st.session_state[SOURCE] = AUDIT if queue is None else queue.definition.source
    if queue is not None:
        if queue.definition.source in BY_SCORE:
            st.session_state[BY] = queue.definition.by or context.run.suspicion
        fill_filter(context.store, context.run, context.scores, queue.definition)


def _controls(context: _Context, queue: Queue | None) -> None:
    reopen = partial(_open, context)
    _source(context, queue, reopen)
    if queue is None:
        return
    definition = queue.definition
    filter_controls(context.run, context.scores, queue, reopen)
    narrowed = filter_in_words(definition, url_percentiles(context.store, definition))
    if narrowed:
        st.button(
            "Clear",
            icon=":material/filter_alt_off:",
            key="queue clear",
            help="Remove the filter.",
            on_click=_clear,
            args=(context, definition),
        )
    st.button(
        "Refresh queue",
        icon=":material/refresh:",
        key="queue refresh",
        on_click=_refresh,
        args=(context, definition),
        help="Make the list as it would be now and go to its first undecided example. Until then it stays as "
        "it was when it was opened.",
    )
    batch_button(context.store, queue, context.reviewer)
    words = " · ".join([queue_in_words(definition), *narrowed])
    st.text(words[:1].upper() + words[1:], width="content")


def _source(context: _Context, queue: Queue | None, reopen: Callable[[], None]) -> None:
    """Draw what the queue is made of, and the score where one orders it."""
    st.selectbox(
        "Queue",
        [source for source in SOURCES if source != "suspects" or context.order is None],
        format_func=SOURCES.__getitem__,
        key=SOURCE,
        on_change=reopen,
        label_visibility="collapsed",
        width=200,
    )
    if queue is not None and queue.definition.source in BY_SCORE:
        st.selectbox(
            "Score of the order",
            context.scores,
            format_func=lambda score: SCORES[score].title,
            key=BY,
            on_change=reopen,
            label_visibility="collapsed",
            width=150,
        )


def _open(context: _Context) -> None:
    """Open the queue that the widgets describe."""
    source = st.session_state[SOURCE]
    if source == AUDIT:
        return _write_url(AUDIT)
    with _keep_problem():
        filter, percentiles = chosen_filter(context.store, context.run)
        definition = QueueDefinition(
            context.run.run_id,
            source=source,
            by=st.session_state.get(BY, context.scores[0]) if source in BY_SCORE else context.order,
            filter=filter,
            status=chosen_status(),
            reviewer=context.reviewer if source == "skipped" else "",
        )
        _write_url(open_queue(context.store, definition).queue_id, percentiles)


def _refresh(context: _Context, definition: QueueDefinition) -> None:
    reviewer = context.reviewer if definition.source == "skipped" else definition.reviewer
    with _keep_problem():
        percentiles = url_percentiles(context.store, definition)
        queue = open_queue(context.store, replace(definition, reviewer=reviewer))
        _write_url(queue.queue_id, percentiles)


def _clear(context: _Context, definition: QueueDefinition) -> None:
    whole = QueueDefinition(
        definition.run_id, source=definition.source, by=definition.by, reviewer=definition.reviewer
    )
    with _keep_problem():
        _write_url(open_queue(context.store, whole).queue_id)
        st.session_state.pop(_SHOWN, None)  # a range that is not valid stays in no widget


@contextmanager
def _keep_problem() -> Iterator[None]:
    """Keep a mistake for the next drawing: a callback has no place of its own on the page."""
    try:
        yield
        st.session_state.pop(_PROBLEM, None)
    except DietError as error:
        st.session_state[_PROBLEM] = str(error)


def _write_url(queue: str, percentiles: Percentiles | None = None) -> None:
    """Write a queue into the URL, last and with its percentiles: each change is a step to go back."""
    clear_url("example")
    if percentiles is None:
        clear_percentiles()
    update_url({"queue": queue, **(percentiles_for_url(percentiles) if percentiles else {})})
