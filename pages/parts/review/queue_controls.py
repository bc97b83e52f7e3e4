"""Which examples are reviewed: a queue's source, order and filter; the address names its frozen ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.errors import DietError, NotFoundError
from diet_core.store.decisions.queues import find_queue, open_queue
from diet_core.store.queries.examples import list_available_scores
from diet_core.tables import SCORES
from pages.parts.review.batch_dialog import batch_button
from pages.parts.review.order import ByChance
from pages.parts.review.queue_filter import (
    chosen_filter,
    chosen_status,
    fill_filter,
    filter_controls,
    forget_percentiles,
    named_percentiles,
    percentiles_in_address,
)
from pages.parts.review.queue_words import (
    AUDIT,
    BY_SCORE,
    SOURCES,
    filter_in_words,
    queue_in_words,
    shortened,
)
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.store.decisions.queues import Queue, QueueDefinition
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store
    from pages.parts.review.queue_words import Percentiles

SOURCE, BY = "queue source", "queue by"  # keys of widgets
_SHOWN = "queue in controls"  # what the widgets were filled with
_MESSAGE = "queue message"  # told once
_PROBLEM = "queue problem"  # what the widgets say and cannot be: told until they say something else


@dataclass(frozen=True)
class _Desk:
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
        from diet_core.store.decisions.queues import QueueDefinition

        if self.order is not None:
            return QueueDefinition(self.run.run_id, source="highest", by=self.order)
        return QueueDefinition(self.run.run_id)


def chosen_queue(store: Store, run: RunRecord, reviewer: str) -> Queue | ByChance | None:
    """Draw the controls of the queue in a row and return the queue; all of it stays in the address.

    Changing a control opens a queue anew; until then it stays as it was frozen, whatever is decided.

    Args:
        store: Where.
        run: Whose examples.
        reviewer: Whose skipped examples.

    Returns:
        A queue, which may be empty; the audit's order where the audit was chosen; None for a run that has
        nothing to order its examples by (which is then told).
    """
    scores = tuple(list_available_scores(store, run.run_id))
    if not scores:
        st.info("This run has scored no example. Choose another run.", icon=":material/info:")
        return None
    desk = _Desk(store, run, reviewer, scores)
    queue = None if st.query_params.get("queue") == AUDIT else _queue_of_address(desk)
    _fill(desk, queue)
    if message := st.session_state.pop(_MESSAGE, None) or st.session_state.get(_PROBLEM):
        st.warning(plain(message), icon=":material/info:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="queue-controls"):
        _controls(desk, queue)
    st.session_state[_SHOWN] = AUDIT if queue is None else queue.queue_id
    return ByChance(store, run.dataset.dataset_id) if queue is None else queue


def _queue_of_address(desk: _Desk) -> Queue:
    """Return the queue of the address; without a good one the default, which the address names then."""
    named = st.query_params.get("queue")
    queue = None
    if named is not None:
        try:
            queue = _stored(desk, named)
        except NotFoundError:
            _tell(f"The queue {shortened(named)} of the address is not here, so this is the default one.")
    if queue is not None and queue.definition.run_id != desk.run.run_id:
        if st.session_state.get(_SHOWN) != named:  # else somebody has just chosen another run
            _tell("The queue of the address belongs to another run, so this is the default one.")
        queue = None
    if queue is None:
        queue = _default_queue(desk)
        st.query_params["queue"] = queue.queue_id  # an example that the address names stays there
    return queue


def _default_queue(desk: _Desk) -> Queue:
    key = f"default queue of {desk.run.run_id}"
    if key not in st.session_state:
        st.session_state[key] = open_queue(desk.store, desk.default).queue_id
    return _stored(desk, st.session_state[key])


def _stored(desk: _Desk, queue_id: str) -> Queue:
    return _frozen(str(desk.store.workspace.root), queue_id, desk.store)


# A resource and not data: a queue never changes, and copying its ids for each rerun would cost.
@st.cache_resource(show_spinner="Opening the queue …", max_entries=8)
def _frozen(root: str, queue_id: str, _store: Store) -> Queue:
    return find_queue(_store, queue_id)


def _fill(desk: _Desk, queue: Queue | None) -> None:
    """Let the widgets show the queue of the address, unless they do already."""
    shown = AUDIT if queue is None else queue.queue_id
    if SOURCE in st.session_state and st.session_state.get(_SHOWN) == shown:
        return
    st.session_state.pop(_PROBLEM, None)
    st.session_state[SOURCE] = AUDIT if queue is None else queue.definition.source
    if queue is not None:
        if queue.definition.source in BY_SCORE:
            st.session_state[BY] = queue.definition.by or desk.run.suspicion
        fill_filter(desk.store, desk.run, desk.scores, queue.definition)


def _controls(desk: _Desk, queue: Queue | None) -> None:
    reopen = partial(_open, desk)
    _source(desk, queue, reopen)
    if queue is None:
        return
    filter_controls(desk.store, desk.run, desk.scores, queue, reopen)
    narrowed = filter_in_words(queue.definition, named_percentiles(desk.store, queue.definition))
    _openings(desk, queue.definition, is_narrowed=bool(narrowed))
    batch_button(desk.store, queue, desk.reviewer)
    st.text(_in_words(queue.definition, narrowed), width="content")


def _source(desk: _Desk, queue: Queue | None, reopen: Callable[[], None]) -> None:
    """Draw what the queue is made of, and the score where one orders it."""
    st.selectbox(
        "Queue",
        [source for source in SOURCES if source != "suspects" or desk.order is None],
        format_func=SOURCES.__getitem__,
        key=SOURCE,
        on_change=reopen,
        label_visibility="collapsed",
        width=200,
    )
    if queue is not None and queue.definition.source in BY_SCORE:
        st.selectbox(
            "Score of the order",
            desk.scores,
            format_func=lambda score: SCORES[score].title,
            key=BY,
            on_change=reopen,
            label_visibility="collapsed",
            width=150,
        )


def _openings(desk: _Desk, definition: QueueDefinition, *, is_narrowed: bool) -> None:
    """Draw the buttons that open the queue without its filter, or as it would be now."""
    if is_narrowed:
        st.button(
            "Clear",
            icon=":material/filter_alt_off:",
            key="queue clear",
            help="Take the filter away.",
            on_click=_clear,
            args=(desk, definition),
        )
    st.button(
        "Open anew",
        icon=":material/refresh:",
        key="queue anew",
        on_click=_open_anew,
        args=(desk, definition),
        help="Make the list as it would be now and go to its first undecided example. Until then it stays as "
        "it was when it was opened.",
    )


def _in_words(definition: QueueDefinition, narrowed: list[str]) -> str:
    words = " · ".join([queue_in_words(definition), *narrowed])
    return words[:1].upper() + words[1:]


def _open(desk: _Desk) -> None:
    """Open the queue that the widgets describe."""
    from diet_core.store.decisions.queues import QueueDefinition

    source = st.session_state[SOURCE]
    if source == AUDIT:
        return _name(AUDIT)
    with _told():
        filter, percentiles = chosen_filter(desk.store, desk.run)
        definition = QueueDefinition(
            desk.run.run_id,
            source=source,
            by=st.session_state.get(BY, desk.scores[0]) if source in BY_SCORE else desk.order,
            filter=filter,
            status=chosen_status(),
            reviewer=desk.reviewer if source == "skipped" else "",
        )
        _name(open_queue(desk.store, definition).queue_id, percentiles)


def _open_anew(desk: _Desk, definition: QueueDefinition) -> None:
    reviewer = desk.reviewer if definition.source == "skipped" else definition.reviewer
    with _told():
        percentiles = named_percentiles(desk.store, definition)
        _name(open_queue(desk.store, replace(definition, reviewer=reviewer)).queue_id, percentiles)


def _clear(desk: _Desk, definition: QueueDefinition) -> None:
    whole = type(definition)(
        definition.run_id, source=definition.source, by=definition.by, reviewer=definition.reviewer
    )
    with _told():
        _name(open_queue(desk.store, whole).queue_id)
        st.session_state.pop(_SHOWN, None)  # a range that could not be stays in no widget


@contextmanager
def _told() -> Iterator[None]:
    """Keep a mistake for the next drawing: a callback has no place of its own on the page."""
    try:
        yield
        st.session_state.pop(_PROBLEM, None)
    except DietError as error:
        st.session_state[_PROBLEM] = str(error)


def _tell(message: str) -> None:
    st.session_state[_MESSAGE] = message


def _name(queue: str, percentiles: Percentiles | None = None) -> None:
    """Put a queue into the address, last and with its percentiles: each change is a step to go back."""
    st.query_params.pop("example", None)
    if percentiles is None:
        forget_percentiles()
        st.query_params["queue"] = queue
    else:
        st.query_params.update({"queue": queue, **percentiles_in_address(percentiles)})
