"""The store that all sessions of this process share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from diet_core.config import Workspace, default_workspace

if TYPE_CHECKING:
    from diet_core.store.store import Store


def opened_store() -> Store:
    """Return the workspace's store, with every run that has finished meanwhile.

    Raises:
        StoreLockedError: If another process has it open.
        StoreError: If it cannot be used.
    """
    from diet_core.workspace.ingest import reconcile

    _leave_auto_discovery()
    store = _store(str(default_workspace().root))
    reconcile(store)
    return store


def _leave_auto_discovery() -> None:
    """Run the page again through app.py if Streamlit found it in `pages/` by itself.

    A server's first visitor who opens another page than Home comes here so: without app.py's settings, titles
    and error box, and every later visitor too until somebody opens Home.
    """
    # Once a session: a later run may hold a click, which a rerun would lose.
    is_first, st.session_state["has begun"] = "has begun" not in st.session_state, True
    if PagesManager.uses_pages_directory and is_first:
        PagesManager.uses_pages_directory = False
        st.rerun()


@st.cache_resource(show_spinner="Opening the workspace …")
def _store(root: str) -> Store:
    from diet_core.store.store import open_store

    return open_store(Workspace(Path(root)))
