"""Near-duplicates across the cut: texts that are nearly the same, of which some stay and some go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from diet_core.runs.cost import duration_in_words
from pages.parts.prune.cuts import outcome_words
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.pruning.outcome import Outcome
    from diet_core.store.queries.near_duplicates import NearDuplicates
    from diet_core.store.queries.run_arrays import RunExamples
    from diet_core.store.store import Store

GROUPS_PER_PAGE = 5
MAX_ROWS = 40  # of a page's groups: one text may have thousands of copies
_HELP = (
    "Training texts whose sets of words overlap by 80 % or more (Jaccard index; found by MinHash, then "
    "compared word by word). Where one stays and its copy goes, the rule tore apart what belongs together; "
    "where their labels differ, one of them is likely wrong."
)
_COLUMNS = {
    "Group": st.column_config.NumberColumn(width=60, help="Rows of one group are nearly the same text."),
    "Outcome": st.column_config.TextColumn(width=90),
    "Label": st.column_config.TextColumn(width=90),
    "Text": st.column_config.TextColumn(width=640),
}


def near_duplicates(store: Store, examples: RunExamples, outcome: Outcome) -> None:
    """Draw the groups that the cut goes through, page by page; a search of many texts waits for a click."""
    from diet_core.pruning.near_duplicates import across_the_cut

    st.subheader("Near-duplicates across the cut", anchor=False, help=_HELP)
    found = _found(store, examples)
    if found is None:
        return
    across = across_the_cut(found, examples, outcome)
    groups = across["group"].unique()
    told = f"{found.n_groups:,} groups of near-duplicates among the training texts"
    if not len(groups):
        st.caption(f"{told}; the cut goes through none of them.")
        return
    n_odd = across.loc[across["differs"], "group"].nunique()
    odd = f" In {n_odd:,} of these the labels differ; they come first." if n_odd else ""
    st.caption(f"{told}; of {len(groups):,} some examples stay and some go.{odd}")
    page = 1
    if len(groups) > GROUPS_PER_PAGE:
        pages = -(-len(groups) // GROUPS_PER_PAGE)
        page = st.pagination(pages, max_visible_pages=5, key=f"near-duplicates {pages}")
    shown = groups[(page - 1) * GROUPS_PER_PAGE : page * GROUPS_PER_PAGE]
    rows = across[across["group"].isin(shown)]
    _table(store, examples, outcome, rows.head(MAX_ROWS))
    if len(rows) > MAX_ROWS:
        st.caption(f"The first {MAX_ROWS} of {len(rows):,} texts of these groups.")


def _table(store: Store, examples: RunExamples, outcome: Outcome, rows: pd.DataFrame) -> None:
    """Draw the texts of some groups; a click on one shows what stays beside what goes."""
    from diet_core.store.queries.run_arrays import read_shown_texts

    texts = read_shown_texts(store, examples.dataset_id, rows["position"].tolist()).reset_index(drop=True)
    words = outcome_words(outcome, rows["row"])
    rows = rows.reset_index(drop=True).assign(text=texts["text"], text_pair=texts["text_pair"], words=words)
    table = rows.rename(columns={"words": "Outcome", "label": "Label", "text": "Text"})
    table = table.assign(Group=table["group"] + 1)[["Group", "Outcome", "Label", "Text"]]
    if rows["text_pair"].notna().any():
        table["Second text"] = rows["text_pair"]
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
        _side_by_side(rows[rows["group"] == rows["group"].iloc[chosen[0]]])
    else:
        st.caption("Choose a row to read both sides in full.")


def _side_by_side(group: pd.DataFrame) -> None:
    """Draw the first text of a group that stays beside the first one that goes."""
    for column, is_kept in zip(st.columns(2), (True, False), strict=True):
        side = group[group["is_kept"] == is_kept]
        if side.empty:  # the page of a long group ends before it
            continue
        one = side.iloc[0]
        with column.container(border=True):
            st.caption(f"{one['words'].capitalize()} · label {plain(one['label'])}")
            st.text(one["text"])
            if isinstance(one["text_pair"], str):
                st.text(one["text_pair"])


def _found(store: Store, examples: RunExamples) -> NearDuplicates | None:
    """Return the near-duplicates of the version, looked for at once where that is quick."""
    from diet_core.pruning.near_duplicates import SEARCHED_AT_ONCE, SECONDS_PER_TEXT, search
    from diet_core.store.queries.near_duplicates import is_searched

    dataset_id, n = examples.dataset_id, len(examples)
    if is_searched(store, dataset_id):
        return _kept(str(store.workspace.root), dataset_id, store)
    is_wanted = n <= SEARCHED_AT_ONCE or st.button(
        f"Look for near-duplicates (about {duration_in_words(n * SECONDS_PER_TEXT)})",
        icon=":material/content_copy:",
        key="near-duplicates",
    )
    if not is_wanted:
        st.caption("Nobody has looked for them in this version of the data set yet. It is done once.")
        return None
    with st.spinner(f"Comparing {n:,} texts …", show_time=True):
        return search(store, dataset_id)


@st.cache_resource(show_spinner=False, max_entries=8)
def _kept(root: str, dataset_id: str, _store: Store) -> NearDuplicates:
    from diet_core.store.queries.near_duplicates import read_near_duplicates

    return read_near_duplicates(_store, dataset_id)
