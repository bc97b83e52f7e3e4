"""One page of the examples of a run in the order of a score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.store.queries.examples import read_page
from diet_core.tables import SCORES

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.store.filters import ExampleFilter
    from diet_core.store.store import Store
    from pages.parts.explore.state import Explored

PAGE_ROWS = 50
TEXT_LENGTH = 300  # characters: a cell shows no more, the card shows all
HEIGHT = 560
MOST_SCORES = 3  # in a row, so that the text has room
SPREAD_ORDER = "Most seed-dependent"
_ORDERS = {"Hardest first": "hardest", "Easiest first": "easiest", SPREAD_ORDER: "spread"}
_SPREADS = {"el2n": "EL2N, spread", "grand": "GraNd, spread"}  # of these the store knows it


def examples_table(shown: Explored) -> str:
    """Show a page of the chosen examples and return the id of the selected one, the first if none is."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        order = _picked_order()
        # Another choice of examples starts at its first page: the key is the choice.
        choice = f"{shown.run.run_id} {shown.score} {shown.filter} {order}"
        page = st.pagination(-(-shown.n_chosen // PAGE_ROWS), max_visible_pages=5, key=f"page {choice}")
    by = shown.score if order != "spread" or shown.score in _SPREADS else "el2n"
    offset = (page - 1) * PAGE_ROWS
    rows = shown.counted(_page, by, order, shown.filter, offset, (by, *_of_box(shown)))
    n_chosen, n_all = shown.n_chosen, shown.n_all
    st.caption(
        f"{offset + 1:,} to {offset + len(rows):,} of {n_chosen:,}{_of_all(n_chosen, n_all)}"
        f"{_by_spread(rows, by) if order == 'spread' else ''}"
    )
    scores = [by, *([f"{by}_std"] if order == "spread" else []), *_of_box(shown)]
    return _selected(rows, list(dict.fromkeys(scores))[:MOST_SCORES], f"rows {choice} {page}")


def _page(
    store: Store,
    run_id: str,
    by: str,
    order: str,
    chosen: ExampleFilter,
    offset: int,
    columns: tuple[str, ...],
) -> pd.DataFrame:
    return read_page(
        store,
        run_id,
        by=by,
        order=order,
        filter=chosen,
        limit=PAGE_ROWS,
        offset=offset,
        text_length=TEXT_LENGTH,
        columns=tuple(dict.fromkeys(columns)),
    )


def _picked_order() -> str:
    order = st.segmented_control(
        "Order",
        list(_ORDERS),
        default="Hardest first",
        required=True,
        key="order",
        bind="query-params",
        label_visibility="collapsed",
    )
    return _ORDERS[order or "Hardest first"]


def _of_all(n_chosen: int, n_all: int) -> str:
    return "" if n_chosen == n_all else f" in the filter, {n_all:,} in all"


def _by_spread(rows: pd.DataFrame, by: str) -> str:
    """Return what the order goes by, where it is not the score itself."""
    if rows[f"{by}_std"].isna().all():
        return ". With one seed nothing is known of its spread: the hardest stand first"
    return f", by the standard deviation of {SCORES[by].title} over seeds"


def _of_box(shown: Explored) -> list[str]:
    """Return the scores of the brushed rectangle."""
    return [side[0] for side in shown.box or ()]


def _selected(rows: pd.DataFrame, scores: list[str], key: str) -> str:
    """Draw the rows and return the id of the selected one."""
    columns = [*scores, "label", "predicted_label", "text"]
    has_pairs = bool(rows["text_pair"].notna().any())
    if has_pairs:
        columns.append("text_pair")
    event = st.dataframe(
        rows[columns],
        hide_index=True,
        height=HEIGHT,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            **{name: _score_column(name) for name in scores},
            "label": st.column_config.TextColumn("Label", width=90),
            "predicted_label": st.column_config.TextColumn("Prediction", width=90),
            # Wider than the table can be, so that the text gets all that the others leave; where there
            # is room for all columns, Streamlit shares it out evenly.
            "text": st.column_config.TextColumn("Text", width=420 if has_pairs else 1400),
            "text_pair": st.column_config.TextColumn("Second text", width=980),
        },
    )
    selected = event.selection.rows
    return str(rows["example_id"].iloc[selected[0] if selected else 0])


def _score_column(name: str) -> object:
    of = name.removesuffix("_std")
    title = SCORES[name].title if name in SCORES else _SPREADS[of]
    return st.column_config.NumberColumn(title, format="%.4f", width=80)
