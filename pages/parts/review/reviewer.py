"""Under whose name decisions are saved."""

from __future__ import annotations

import streamlit as st

from pages.shared.errors import plain

NAME_LENGTH = 60


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
