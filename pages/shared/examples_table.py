"""One page of the examples of a run in the order of a score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.tables import SCORES

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.store import ExampleFilter, RunRecord, Store

PAGE_ROWS = 50
TEXT_LENGTH = 300  # characters: a cell shows no more, the card shows all
_ORDERS = {"Hardest first": True, "Easiest first": False}


def examples_table(
    store: Store, run: RunRecord, score: str, chosen: ExampleFilter, n_chosen: int, n_all: int
) -> str:
    """Show a page of the chosen examples and return the id of the selected one, the first if none is."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        order = st.segmented_control(
            "Order",
            list(_ORDERS),
            default="Hardest first",
            required=True,
            key="order",
            label_visibility="collapsed",
        )
        # Another choice of examples starts at its first page: the key is the choice.
        page = st.pagination(
            -(-n_chosen // PAGE_ROWS), max_visible_pages=5, key=f"page {run.run_id} {score} {chosen} {order}"
        )
    offset = (page - 1) * PAGE_ROWS
    rows = store.examples_page(
        run.run_id,
        by=score,
        hardest=_ORDERS[order or "Hardest first"],
        filter=chosen,
        limit=PAGE_ROWS,
        offset=offset,
        text_length=TEXT_LENGTH,
    )
    st.caption(f"{offset + 1:,} to {offset + len(rows):,} of {n_chosen:,}{_of_all(n_chosen, n_all)}")
    return _selected(rows, score, f"rows {run.run_id} {score} {chosen} {order} {page}")


def _of_all(n_chosen: int, n_all: int) -> str:
    return "" if n_chosen == n_all else f" in the filter, {n_all:,} in all"


def _selected(rows: pd.DataFrame, score: str, key: str) -> str:
    """Draw the rows and return the id of the selected one."""
    columns = [score, "label", "predicted_label", "text"]
    if rows["text_pair"].notna().any():
        columns.append("text_pair")
    event = st.dataframe(
        rows[columns],
        hide_index=True,
        height=560,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            score: st.column_config.NumberColumn(SCORES[score].title, format="%.4f", width=80),
            "label": st.column_config.TextColumn("Label", width=90),
            "predicted_label": st.column_config.TextColumn("Prediction", width=90),
            # Wider than the table can be, so that the text gets all that the others leave; where there
            # is room for all columns, Streamlit shares it out evenly.
            "text": st.column_config.TextColumn("Text", width=1400 if len(columns) == 4 else 420),
            "text_pair": st.column_config.TextColumn("Second text", width=980),
        },
    )
    selected = event.selection.rows
    return str(rows["example_id"].iloc[selected[0] if selected else 0])
