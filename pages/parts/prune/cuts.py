"""Examples on both sides of a rule's cuts, and near-duplicates of which some stay and some go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from diet_core.tables import SCORES
from pages.parts.rule.preview import VALUE_COLUMNS

if TYPE_CHECKING:
    from diet_core.pruning.cuts import Group
    from diet_core.pruning.outcome import Outcome, Ranked
    from diet_core.rule import Rule
    from diet_core.store.store import Store

_SIDES = {
    "Hard end": "Above the cut: dropped as too hard. Below it: the hardest that stay.",
    "Easy end": "Above the cut: the easiest that stay. Below it: the first that are dropped as easy.",
}
_RANDOM = "A random choice has no cut: of every score, about as many examples stay as the share says."
_COLUMNS = {
    "Rank": st.column_config.NumberColumn(format="localized", width=60, help="1 is the hardest."),
    **VALUE_COLUMNS,
    "Outcome": st.column_config.TextColumn(width=80),
    "Label": st.column_config.TextColumn(width=80),
    "Text": st.column_config.TextColumn(width=560),
}


def examples_at_cuts(store: Store, ranked: Ranked, outcome: Outcome, groups: list[Group], rule: Rule) -> None:
    """Draw five examples on either side of each cut."""
    from diet_core.pruning.cuts import at_cut
    from diet_core.store.queries.run_arrays import read_shown_texts

    st.subheader("Examples at the cuts", anchor=False)
    if not groups:
        st.caption(_RANDOM)
        return
    group = _picked_group(groups, rule)
    parts = [at_cut(ranked, group, bound) for bound in group.bounds]
    places = [position for part in parts for position in part["position"]]
    texts = read_shown_texts(store, ranked.examples.dataset_id, places)
    for (title, help), part in zip(_SIDES.items(), parts, strict=True):
        st.markdown(f"**{title}**", help=help)
        if part.empty:
            st.caption("Nothing is cut here.")
        else:
            _cut_table(part, texts, outcome, rule, key=f"cut {title}")


def _picked_group(groups: list[Group], rule: Rule) -> Group:
    """Return all examples, or those of the class that the user chose."""
    if not rule.per_class:
        return groups[0]
    named = {group.label: group for group in groups}
    return named[st.selectbox("Class at the cut", list(named), width=260)]


def _cut_table(part: pd.DataFrame, texts: pd.DataFrame, outcome: Outcome, rule: Rule, key: str) -> None:
    shown = texts.loc[part["position"]].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "Rank": part["rank"],
            SCORES[rule.by].title: part["value"],
            "Outcome": outcome_words(outcome, part["row"]),
            "Label": part["label"],
            "Text": shown["text"],
        }
    )
    if shown["text_pair"].notna().any():
        table["Second text"] = shown["text_pair"]
    st.dataframe(table, hide_index=True, key=key, height="content", column_config=_COLUMNS)


def outcome_words(outcome: Outcome, rows: pd.Series) -> list[str]:
    """Return what becomes of some rows, and whether a decision says so."""
    at = rows.to_numpy(int)
    words = {(True, True): "stays", (False, False): "dropped"}
    sides = zip(outcome.by_rule[at], outcome.is_kept[at], strict=True)
    return [words.get((by, end), f"{'stays' if end else 'dropped'} (decision)") for by, end in sides]
