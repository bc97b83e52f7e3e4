"""The data set that a page works on, kept in the address as `dataset`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.store.loading.datasets import list_datasets
from pages.shared.pickers import picked

if TYPE_CHECKING:
    from diet_core.store.loading.datasets import DatasetSummary
    from diet_core.store.store import Store


def picked_dataset(store: Store) -> DatasetSummary:
    """Return the data set that the user chose, the newest at first; without any the page ends."""
    lines = {line.info.dataset_id: line for line in list_datasets(store)}
    if not lines:
        st.info(
            "There is no data set yet. Import a file, or load the sample on Home.", icon=":material/info:"
        )
        with st.container(horizontal=True):
            st.page_link("pages/import_data.py", label="Import a file", icon=":material/upload_file:")
            st.page_link("pages/home.py", label="Home", icon=":material/home:")
        st.stop()
    return lines[
        picked("Data set", "dataset", list(lines), help="Name and version, the newest import first.")
    ]
