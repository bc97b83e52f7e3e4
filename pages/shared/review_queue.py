"""Which examples are reviewed, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.shared.errors import plain
from pages.shared.review_order import ByChance, ByRank

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from diet_core.store import RunRecord, Store
    from pages.shared.review_order import Order

_QUEUES = {"Suspects": "disagree", "All examples": "all"}
AUDIT = "Audit: random sample"
NAME_LENGTH = 60


def chosen_queue(store: Store, run: RunRecord, for_class: DeltaGenerator, for_queue: DeltaGenerator) -> Order:
    """Return which examples are reviewed; both choices stay in the address."""
    from diet_core.store import ExampleFilter

    queue = for_queue.selectbox(
        "Queue",
        [*_QUEUES, AUDIT],
        key="queue",
        bind="query-params",
        on_change=_begin_anew,
        help="Suspects are the examples for which the seeds, on the mean, find another class likelier than "
        "the given one. The order is that of the label error, the most suspicious first. The audit is a "
        "random sample: it tells how many labels are wrong in all.",
    )
    label = for_class.selectbox(
        "Class",
        list(run.dataset.classes),
        index=None,
        placeholder="All classes",
        key="class",
        bind="query-params",
        on_change=_begin_anew,
        disabled=queue == AUDIT,
    )
    if queue == AUDIT:
        return ByChance(store, run.dataset.dataset_id)
    return ByRank(store, run.run_id, ExampleFilter(label=label, agreement=_QUEUES[queue]))


def chosen_reviewer() -> str:
    """Return the name under which decisions are saved; it stays in the address."""
    named = str(st.session_state.get("reviewer") or st.query_params.get("reviewer") or "me").strip()
    with st.popover(plain(named[:NAME_LENGTH]), icon=":material/person:", width="stretch", wrap=False):
        name = st.text_input(
            "Your name",
            "me",
            key="reviewer",
            bind="query-params",
            max_chars=NAME_LENGTH,
            help="It is saved with every decision; undo takes back decisions of this name only.",
        )
    return (name or "").strip() or "me"


def _begin_anew() -> None:
    """Another queue begins at its first undecided example."""
    st.query_params.pop("example", None)
