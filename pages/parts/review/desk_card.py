"""The review desk on the page: a component in the browser that decides at once, and what answers it.

`desk/*.js` hold the queue and the keys; `desk_data.py` says what the browser is told.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from pages.parts.review.desk_data import Counted, Desk, answer, store_events
from pages.shared.errors import error_box

if TYPE_CHECKING:
    from diet_core.review.card_data import CardData
    from diet_core.store.store import Store

_FOLDER: Final = Path(__file__).parent / "desk"
_SCRIPTS: Final = (
    "outbox.js",
    "place.js",
    "words.js",
    "choice.js",
    "frame.js",
    "view.js",
    "desk.js",
)  # one module, in this order
_KEY: Final = "review desk"


@st.fragment
def review_desk(desk: Desk) -> None:
    """Draw the desk. Its messages are answered without the rest of the page."""
    last_answer = f"answer {desk.queue_id} {desk.reviewer}"
    with error_box():
        st.session_state[last_answer] = _answer(desk)
    # Also after a mistake: what was decided stays in the browser, which tries again.
    if last_answer in st.session_state:
        _component()(key=_KEY, data=st.session_state[last_answer], on_outbox_change=lambda: None)


def _answer(desk: Desk) -> dict[str, Any]:
    message = _message()
    receipt = store_events(desk.store, message.get("events", ()))
    counted = st.session_state.setdefault(f"counted {desk.queue_id} {desk.reviewer}", Counted())
    facts = _run_facts(desk.store, desk.run.run_id)
    data = answer(desk, message, receipt, facts, counted, _named(facts))
    _name(message.get("at") if message.get("queue_id") == desk.queue_id else None)
    return data


def _message() -> dict[str, Any]:
    """Return the browser's last message; empty before the first."""
    state = st.session_state.get(_KEY) or {}
    return state.get("outbox") or {}


def _named(facts: CardData) -> str | None:
    """Return the example of the address; one that this run does not have is told and left out."""
    named = st.query_params.get("example")
    if named is None or named in facts.rows:
        return named
    st.query_params.pop("example")
    st.warning("The example of the address is not in this run. This is the first undecided one.")
    return None


def _name(example_id: str | None) -> None:
    if example_id is not None and st.query_params.get("example") != example_id:
        st.query_params["example"] = example_id


@st.cache_resource(show_spinner="Reading the run …", max_entries=2)
def _run_facts(_store: Store, run_id: str) -> CardData:
    from diet_core.review.cards import load_card_data

    return load_card_data(_store, run_id)


@cache
def _sources() -> tuple[str, str]:
    script = "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return script, (_FOLDER / "desk.css").read_text(encoding="utf-8")


def _component() -> Any:
    script, style = _sources()
    # Outside of a shadow root the page's own font and colours reach it, and screen readers and tests do.
    return st.components.v2.component("review_desk", js=script, css=style, isolate_styles=False)
