"""The store that all sessions of this process share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.config import Workspace, default_workspace

if TYPE_CHECKING:
    from diet_core.store import Store


def opened_store() -> Store:
    """Return the workspace's store, with every run that has finished meanwhile.

    Raises:
        StoreLockedError: If another process has it open.
        StoreError: If it cannot be used.
    """
    from diet_core.jobs.ingest import reconcile

    store = _store(str(default_workspace().root))
    reconcile(store)
    return store


@st.cache_resource(show_spinner="Opening the workspace …")
def _store(root: str) -> Store:
    from diet_core.store import open_store

    return open_store(Workspace(Path(root)))
