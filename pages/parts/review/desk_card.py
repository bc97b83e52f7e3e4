"""The review desk on the page: a component in the browser that decides at once, and its answers.

`desk/*.js` hold the queue and the keys; `desk_data.py` makes the answers.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from pages.parts.review.desk_data import Counted, Desk, answer, store_events
from pages.shared.address import clear_url, read_url, write_url
from pages.shared.errors import error_box
from pages.shared.workspace import store_cache

if TYPE_CHECKING:
    from diet_core.review.card_data import CardData
    from diet_core.store.store import Store

_FOLDER: Final = Path(__file__).parent / "desk"
# One module, in this order.
_SCRIPTS: Final = ("outbox", "place", "words", "choice", "frame", "view", "desk")
_KEY: Final = "review desk"


@st.fragment
def review_desk(desk: Desk) -> None:
    """Draw the desk. Its messages are answered without the rest of the page."""
    last_answer = f"answer {desk.queue_id} {desk.reviewer}"
    with error_box():
        st.session_state[last_answer] = _answer(desk)
    # Also after a mistake: decisions stay in the browser, which tries again.
    if last_answer in st.session_state:
        _component()(key=_KEY, data=st.session_state[last_answer], on_outbox_change=lambda: None)


def _answer(desk: Desk) -> dict[str, Any]:
    message = (st.session_state.get(_KEY) or {}).get("outbox") or {}  # the browser's last one
    receipt = store_events(desk.store, message.get("events", ()))
    counted = st.session_state.setdefault(f"counted {desk.queue_id} {desk.reviewer}", Counted())
    facts = _card_data(desk.store, desk.run.run_id)
    data = answer(desk, message, receipt, facts, counted, _url_example(facts))
    if (at := message.get("at")) is not None and message.get("queue_id") == desk.queue_id:
        write_url("example", at)
    return data


def _url_example(facts: CardData) -> str | None:
    """Return the example of the URL; one that this run does not have is reported and removed."""
    in_url = read_url("example", str, None)
    if in_url is None or in_url in facts.rows:
        return in_url
    clear_url("example")
    st.warning("The example from the URL is not in this run. This is the first undecided one.")
    return None


@store_cache(2, "Reading the run …")
def _card_data(store: Store, run_id: str) -> CardData:
    from diet_core.review.cards import load_card_data

    return load_card_data(store, run_id)


@cache
def _sources() -> tuple[str, str]:
    script = "\n".join((_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    return script, (_FOLDER / "desk.css").read_text(encoding="utf-8")


def _component() -> Any:
    script, style = _sources()
    # Outside of a shadow root the page's own font and colours reach it, and screen readers and tests do.
    return st.components.v2.component("review_desk", js=script, css=style, isolate_styles=False)
