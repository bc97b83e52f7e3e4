"""One page of the common examples, and one example with what either side says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from diet_core.store.comparison.results import MAX_OFFSET, Among, read_compared_page
from diet_core.store.queries.one_example import find_example
from diet_core.tables import SCORES
from pages.shared.errors import plain
from pages.shared.table import PAGE_ROWS, TEXT_LENGTH, page_offset, selected_row

if TYPE_CHECKING:
    from pages.parts.compare.state import Shown

HEIGHT = 330
_ORDER_IN_WORDS = {
    "harder in b": "",
    "easier in b": "",
    "hardest of a": ", hardest of A first",
    "hardest of b": ", hardest of B first",
}


def compared_table(
    shown: Shown, order: str, among: Among, n: int, *, first: str | None = None
) -> pd.Series | None:
    """Show a page of examples and return the row of the selected one, the first if none is.

    Args:
        shown: The comparison.
        order: One of `comparison.views.ORDERS`.
        among: Which examples.
        n: How many these are.
        first: Show ranks instead of percentiles, those of this side (a, b) first; no row can be selected.
    """
    if not n:
        st.info("No common example passes the filter. Widen it.", icon=":material/filter_alt_off:")
        return None
    n_reached = min(n, MAX_OFFSET)
    key = f"{shown.key} {order} {among}"
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        place = st.empty()
        offset = page_offset(n_reached, key)
    rows = read_compared_page(
        shown.store,
        shown.compared,
        order,
        among,
        limit=min(PAGE_ROWS, n_reached - offset),
        offset=offset,
        text_length=TEXT_LENGTH,
    )
    reached = "" if n == n_reached else f" (the first {n_reached:,} in pages)"
    place.caption(f"{offset + 1:,} to {offset + len(rows):,} of {n:,}{reached}{_ORDER_IN_WORDS[order]}")
    if first is not None:
        second = "b" if first == "a" else "a"
        columns = [f"place_{first}", f"place_{second}", f"label_{first}", f"predicted_{first}", "text"]
        st.dataframe(
            rows[columns], hide_index=True, height=HEIGHT, key=f"rows {key} {offset}", column_config=_PLACES
        )
        return None
    return selected_row(rows, list(_COLUMNS), f"rows {key} {offset}", height=HEIGHT, config=_columns(shown))


def _columns(shown: Shown) -> dict[str, Any]:
    title = SCORES[shown.compared.score].title
    values = {
        f"value_{side}": st.column_config.NumberColumn(f"{title}, {side.upper()}", format="%.4f", width=80)
        for side in "ab"
    }
    return _COLUMNS | values


def example_of_both(shown: Shown, row: pd.Series | None) -> None:
    """Draw one example: its whole text, and what either side says of it."""
    if row is None:
        return
    one = shown.compared
    example = find_example(shown.store, one.a.run_id, str(row["example_id"]))
    with st.container(border=True):
        text, sides = st.columns([3, 2], gap="medium")
        with text:
            st.caption(f"Example {plain(str(row['example_id']))}")
            st.text(example["text"])
            if example["text_pair"] is not None:
                st.caption("Second text")
                st.text(example["text_pair"])
        with sides:
            st.dataframe(_both(row, SCORES[one.score].title), hide_index=True)


def _both(row: pd.Series, title: str) -> pd.DataFrame:
    lines = {
        "Label": ("label", "{}"),
        "Prediction": ("predicted", "{}"),
        title: ("value", "{:.4f}"),
        "Rank, 1 = hardest": ("place", "{:,}"),
        "Percentile": ("percentile", "{:.1f} %"),
    }
    return pd.DataFrame(
        [
            {"": name} | {side.upper(): _text(row[f"{column}_{side}"], form) for side in "ab"}
            for name, (column, form) in lines.items()
        ]
    )


def _text(value: Any, form: str) -> str:
    return "–" if pd.isna(value) else form.format(value)


_COLUMNS: dict[str, Any] = {
    "change": st.column_config.NumberColumn(
        "Change",
        format="%+.1f",
        width=60,
        help="Percentile in B minus percentile in A; above 0: harder in B.",
    ),
    "percentile_a": st.column_config.NumberColumn("A", format="%.1f", width=45, help="Percentile in A."),
    "percentile_b": st.column_config.NumberColumn("B", format="%.1f", width=45, help="Percentile in B."),
    "label_a": st.column_config.TextColumn("Label", width=75),
    "predicted_a": st.column_config.TextColumn("A predicts", width=75),
    "predicted_b": st.column_config.TextColumn("B predicts", width=75),
    "text": st.column_config.TextColumn("Text", width=480),
    "text_pair": st.column_config.TextColumn("Second text", width=480),
    "value_a": None,
    "value_b": None,
}
_PLACES = {
    "place_a": st.column_config.NumberColumn("Rank in A", format="localized", width=75),
    "place_b": st.column_config.NumberColumn("Rank in B", format="localized", width=75),
    **{f"label_{side}": st.column_config.TextColumn("Label", width=75) for side in "ab"},
    **{f"predicted_{side}": st.column_config.TextColumn("Prediction", width=75) for side in "ab"},
    "text": st.column_config.TextColumn("Text", width=700),
}
