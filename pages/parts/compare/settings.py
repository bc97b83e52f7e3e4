"""Compare, Settings: both runs line by line, and what became of their data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from diet_core.store.comparison.results import count_changed_data
from pages.parts.compare.summary import settings_of

if TYPE_CHECKING:
    from pages.parts.compare.state import Shown


def settings_view(shown: Shown) -> None:
    """Draw the settings, what differs first, beside the counts of the examples."""
    settings, data = st.columns([3, 2], gap="medium")
    table = settings_of(shown)
    with settings:
        st.subheader("Settings", anchor=False, help="Lines that differ come first and are marked.")
        shown_table = table.assign(differs=table["differs"].map({True: "≠", False: ""}))
        st.dataframe(
            shown_table[["differs", "setting", "a", "b"]],
            hide_index=True,
            height=420,
            column_config=_SETTINGS,
        )
    one = shown.compared
    n_labels, n_texts = shown.counted(count_changed_data)
    counts = {
        "Scored by both": one.n_common,
        "Only by A": one.n_a - one.n_common,
        "Only by B": one.n_b - one.n_common,
        "Another label in B": n_labels,
        "Another text in B": n_texts,
    }
    with data:
        st.subheader("Examples", anchor=False, help="Matched by their ids. Ranks are among those of both.")
        rows = pd.DataFrame({"Examples": counts.keys(), "Count": counts.values()})
        st.dataframe(rows, hide_index=True, column_config=_COUNTS)


_SETTINGS = {
    "differs": st.column_config.TextColumn("", width=20),
    "setting": st.column_config.TextColumn("Setting", width=150),
    "a": st.column_config.TextColumn("A"),
    "b": st.column_config.TextColumn("B"),
}
_COUNTS = {
    "Examples": st.column_config.TextColumn(""),
    "Count": st.column_config.NumberColumn(format="localized"),
}
