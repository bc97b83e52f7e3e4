"""One page of the examples of a run in the order of a score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from diet_core.store.queries.examples import read_page
from diet_core.tables import SCORES
from pages.shared.address import segments
from pages.shared.table import PAGE_ROWS, TEXT_LENGTH, page_offset, selected_row

if TYPE_CHECKING:
    import pandas as pd

    from pages.parts.explore.state import Explored

HEIGHT = 560
MOST_SCORES = 3  # in a row, so that the text has room
_ORDERS = {"Hardest first": "hardest", "Easiest first": "easiest", "Most seed-dependent": "spread"}
_SPREADS = {"el2n": "EL2N, std", "grand": "GraNd, std"}  # of these the store knows it


def examples_table(shown: Explored) -> str:
    """Show a page of the chosen examples and return the id of the selected one, the first if none is."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        order = segments("Order", _ORDERS, "order")
        # Another choice of examples starts at its first page: the key is the choice.
        choice = f"{shown.run.run_id} {shown.score} {shown.filter} {order}"
        offset = page_offset(shown.n_chosen, choice)
    by = shown.score if order != "spread" or shown.score in _SPREADS else "el2n"
    of_box = [score for score, *_ in shown.box]
    rows = shown.counted(
        read_page,
        by=by,
        order=order,
        filter=shown.filter,
        limit=PAGE_ROWS,
        offset=offset,
        text_length=TEXT_LENGTH,
        columns=tuple(dict.fromkeys((by, *of_box))),
    )
    n_chosen, n_all = shown.n_chosen, shown.n_all
    of_all = "" if n_chosen == n_all else f" in the filter, {n_all:,} in all"
    by_spread = _by_spread(rows, by) if order == "spread" else ""
    st.caption(f"{offset + 1:,} to {offset + len(rows):,} of {n_chosen:,}{of_all}{by_spread}")
    scores = list(dict.fromkeys([by, *([f"{by}_std"] if order == "spread" else []), *of_box]))[:MOST_SCORES]
    columns = [*scores, "label", "predicted_label", "text", "text_pair"]
    key, config = f"rows {choice} {offset}", _columns(scores, has_pairs=not rows["text_pair"].isna().all())
    return str(selected_row(rows, columns, key, height=HEIGHT, config=config)["example_id"])


def _by_spread(rows: pd.DataFrame, by: str) -> str:
    """Return what the order goes by, where it is not the score itself."""
    if rows[f"{by}_std"].isna().all():
        return ". With one seed the spread is not known: the hardest come first"
    return f", by the standard deviation of {SCORES[by].title} over seeds"


def _columns(scores: list[str], *, has_pairs: bool) -> dict[str, Any]:
    """Return how the columns look."""
    return {
        **{name: _score_column(name) for name in scores},
        "label": st.column_config.TextColumn("Label", width=90),
        "predicted_label": st.column_config.TextColumn("Prediction", width=90),
        # Wider than the table can be, so that the text gets all the room that is left; where there is room
        # for all columns, Streamlit shares it out evenly.
        "text": st.column_config.TextColumn("Text", width=420 if has_pairs else 1400),
        "text_pair": st.column_config.TextColumn("Second text", width=980),
    }


def _score_column(name: str) -> Any:
    title = SCORES[name].title if name in SCORES else _SPREADS[name.removesuffix("_std")]
    return st.column_config.NumberColumn(title, format="%.4f", width=80)
