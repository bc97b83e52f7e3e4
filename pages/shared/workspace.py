"""The store that all sessions of this process share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from diet_core.config import Workspace, default_workspace
from diet_core.store.loading.runs import RunRecord

if TYPE_CHECKING:
    from diet_core.store.store import Store

P = ParamSpec("P")
R = TypeVar("R")
_CACHE_KEYS: Final[dict[str | type, Callable[[Any], str]]] = {
    "diet_core.store.store.Store": lambda store: str(store.workspace.root),
    RunRecord: lambda run: str(run.run_id),
}


def store_cache(max_entries: int, spinner: str | bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that keeps what a function reads from a store and what never changes there.

    All sessions share the values, and nobody changes them: a copy for each rerun would cost too much.

    Args:
        max_entries: Values that are kept.
        spinner: Shown while one is read.
    """
    return st.cache_resource(show_spinner=spinner, max_entries=max_entries, hash_funcs=_CACHE_KEYS)


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
