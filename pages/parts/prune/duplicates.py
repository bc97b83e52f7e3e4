"""Near-duplicates across the cut: texts that are nearly the same, of which some are kept and some dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from diet_core.pruning import near_duplicates as pruning
from diet_core.pruning.outcome import Outcome
from diet_core.runs.cost import duration_in_words
from diet_core.store.queries.near_duplicates import NearDuplicates, is_searched, read_near_duplicates
from diet_core.store.queries.run_arrays import RunExamples, read_shown_texts
from pages.parts.prune.cuts import outcome_words
from pages.shared.errors import plain
from pages.shared.table import page_offset, text_columns
from pages.shared.workspace import store_cache

if TYPE_CHECKING:
    from diet_core.store.store import Store

GROUPS_PER_PAGE = 5
MAX_ROWS = 40  # of a page's groups: one text may have thousands of copies
_HELP = (
    "Training texts whose sets of words overlap by 80 % or more (Jaccard index; found by MinHash, then "
    "compared word by word). Where one is kept and its copy dropped, the rule split what belongs together; "
    "where their labels differ, one of them is likely wrong."
)
_COLUMNS = {
    "Group": st.column_config.NumberColumn(width=60, help="Rows of one group are nearly the same text."),
    "Outcome": st.column_config.TextColumn(width=90),
    "Label": st.column_config.TextColumn(width=90),
    "Text": st.column_config.TextColumn(width=640),
}


def near_duplicates(store: Store, examples: RunExamples, outcome: Outcome) -> None:
    """Draw the groups that the cut splits, page by page; a search of many texts waits for a click."""
    st.subheader("Near-duplicates across the cut", anchor=False, help=_HELP)
    duplicates = _duplicates(store, examples)
    if duplicates is None:
        return
    across = pruning.across_the_cut(duplicates, examples, outcome)
    groups = across["group"].unique()
    words = f"{duplicates.n_groups:,} groups of near-duplicates among the training texts"
    if not len(groups):
        st.caption(f"{words}; the cut splits none of them.")
        return
    n_odd = across.loc[across["differs"], "group"].nunique()
    odd = f" In {n_odd:,} of these the labels differ; they come first." if n_odd else ""
    st.caption(f"{words}; the cut splits {len(groups):,} of them.{odd}")
    offset = 0
    if len(groups) > GROUPS_PER_PAGE:
        offset = page_offset(len(groups), f"near-duplicates {len(groups)}", GROUPS_PER_PAGE)
    rows = across[across["group"].isin(groups[offset : offset + GROUPS_PER_PAGE])]
    _table(store, examples, outcome, rows.head(MAX_ROWS).reset_index(drop=True))
    if len(rows) > MAX_ROWS:
        st.caption(f"The first {MAX_ROWS} of {len(rows):,} texts of these groups.")


def _table(store: Store, examples: RunExamples, outcome: Outcome, rows: pd.DataFrame) -> None:
    """Draw the texts of some groups; a click on one shows a kept text beside a dropped one."""
    texts = read_shown_texts(store, examples.dataset_id, rows["position"].tolist()).reset_index(drop=True)
    columns = {
        "Group": rows["group"] + 1,
        "Outcome": outcome_words(outcome, rows["row"]),
        "Label": rows["label"],
    }
    table = pd.DataFrame(columns | text_columns(texts))
    event = st.dataframe(
        table,
        hide_index=True,
        key=f"near-duplicate rows {rows['group'].iloc[0]} {len(rows)}",
        height="content",
        column_config=_COLUMNS,
        on_select="rerun",
        selection_mode="single-row",
    )
    if chosen := event.selection.rows:
        is_same_group = rows["group"] == rows["group"].iloc[chosen[0]]
        _side_by_side(table[is_same_group], rows.loc[is_same_group, "is_kept"])
    else:
        st.caption("Choose a row to read both sides in full.")


def _side_by_side(group: pd.DataFrame, is_kept: pd.Series) -> None:
    """Draw the first kept text of a group beside the first dropped one."""
    for column, side in zip(st.columns(2), (group[is_kept], group[~is_kept]), strict=True):
        if side.empty:  # the page of a long group ends before it
            continue
        one = side.iloc[0]
        with column.container(border=True):
            st.caption(f"{one['Outcome'].capitalize()} · label {plain(one['Label'])}")
            st.text(one["Text"])
            if isinstance(one.get("Second text"), str):
                st.text(one["Second text"])


def _duplicates(store: Store, examples: RunExamples) -> NearDuplicates | None:
    """Return the near-duplicates of the version, searched at once where that is quick."""
    dataset_id, n = examples.dataset_id, len(examples)
    if is_searched(store, dataset_id):
        return _stored(store, dataset_id)
    is_wanted = n <= pruning.SEARCHED_AT_ONCE or st.button(
        f"Search for near-duplicates (about {duration_in_words(n * pruning.SECONDS_PER_TEXT)})",
        icon=":material/content_copy:",
        key="near-duplicates",
    )
    if not is_wanted:
        st.caption("This version of the data set was not searched yet. It is searched once.")
        return None
    with st.spinner(f"Comparing {n:,} texts …", show_time=True):
        return pruning.search(store, dataset_id)


@store_cache(8)
def _stored(store: Store, dataset_id: str) -> NearDuplicates:
    return read_near_duplicates(store, dataset_id)
