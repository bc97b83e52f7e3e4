"""A table of many examples: one page at a time, of which one row is selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    import pandas as pd

PAGE_ROWS = 50
TEXT_LENGTH = 300  # characters: a cell shows no more, the card shows all


def page_offset(n: int, key: str, size: int = PAGE_ROWS) -> int:
    """Draw the numbers of the pages of `n` rows and return how many rows lie before the chosen page."""
    return (st.pagination(-(-n // size), max_visible_pages=5, key=f"page {key}") - 1) * size


def text_columns(texts: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the columns that show texts, the second text only where there is one."""
    second = {"Second text": texts["text_pair"]} if texts["text_pair"].notna().any() else {}
    return {"Text": texts["text"], **second}


def selected_row(
    rows: pd.DataFrame, columns: Sequence[str], key: str, *, height: int, config: Mapping[str, Any]
) -> pd.Series:
    """Draw a page and return the selected row, the first if none is.

    Args:
        rows: Of the page.
        columns: Which are shown; `text_pair` only where there is one.
        key: Of the widget.
        height: In pixels.
        config: How the columns look.
    """
    shown = [name for name in columns if name != "text_pair" or rows[name].notna().any()]
    event = st.dataframe(
        rows[shown],
        hide_index=True,
        height=height,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        column_config=config,
    )
    selected = event.selection.rows
    return rows.iloc[selected[0] if selected else 0]
