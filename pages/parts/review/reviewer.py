"""Under whose name decisions are saved."""

from __future__ import annotations

import streamlit as st

from pages.shared.address import read_url
from pages.shared.errors import plain

NAME_LENGTH = 60


def chosen_reviewer() -> str:
    """Return the name under which decisions are saved; it is kept in the URL."""
    named = str(st.session_state.get("reviewer") or read_url("reviewer", str, "") or "me").strip()
    with st.popover(plain(named[:NAME_LENGTH]), icon=":material/person:", width="stretch", wrap=False):
        name = st.text_input(
            "Your name",
            "me",
            key="reviewer",
            bind="query-params",
            max_chars=NAME_LENGTH,
            help="It is saved with every decision; undo reverts decisions of this name only.",
        )
    return (name or "").strip() or "me"
