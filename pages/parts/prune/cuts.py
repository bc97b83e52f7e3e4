"""Examples on both sides of a rule's cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from diet_core.pruning.cuts import Group, at_cut
from diet_core.pruning.outcome import Outcome, Ranked
from diet_core.rule import Rule
from diet_core.store.queries.run_arrays import read_shown_texts
from diet_core.tables import SCORES
from pages.shared.table import text_columns

if TYPE_CHECKING:
    from diet_core.store.store import Store

_SIDES = {
    "Hard end": "Above the cut: dropped as too hard. Below it: the hardest that are kept.",
    "Easy end": "Above the cut: the easiest that are kept. Below it: the first that are dropped as easy.",
}
_RANDOM = "A random choice has no cut: of every score, about the chosen share of the examples is kept."
_COLUMNS = {
    "Rank": st.column_config.NumberColumn(format="localized", width=60, help="1 is the hardest."),
    **{s.title: st.column_config.NumberColumn(format="%.4f", width=70) for s in SCORES.values()},
    "Outcome": st.column_config.TextColumn(width=80),
    "Label": st.column_config.TextColumn(width=80),
    "Text": st.column_config.TextColumn(width=560),
}


def examples_at_cuts(store: Store, ranked: Ranked, outcome: Outcome, groups: list[Group], rule: Rule) -> None:
    """Draw five examples on either side of each cut."""
    st.subheader("Examples at the cuts", anchor=False)
    if not groups:
        st.caption(_RANDOM)
        return
    group = _picked_group(groups, rule)
    parts = [at_cut(ranked, group, bound) for bound in group.bounds]
    places = [position for rows in parts for position in rows["position"]]
    texts = read_shown_texts(store, ranked.examples.dataset_id, places)
    for (title, help), rows in zip(_SIDES.items(), parts, strict=True):
        st.markdown(f"**{title}**", help=help)
        if rows.empty:
            st.caption("Nothing is cut here.")
            continue
        table = pd.DataFrame(
            {
                "Rank": rows["rank"],
                SCORES[rule.by].title: rows["value"],
                "Outcome": outcome_words(outcome, rows["row"]),
                "Label": rows["label"],
                **text_columns(texts.loc[rows["position"]].reset_index(drop=True)),
            }
        )
        key = f"cut {title}"
        st.dataframe(table, hide_index=True, key=key, height="content", column_config=_COLUMNS)


def _picked_group(groups: list[Group], rule: Rule) -> Group:
    """Return all examples, or those of the class that the user chose."""
    if not rule.per_class:
        return groups[0]
    by_class = {group.label: group for group in groups}
    return by_class[st.selectbox("Class at the cut", list(by_class), width=260)]


def outcome_words(outcome: Outcome, rows: pd.Series) -> list[str]:
    """Return whether some rows are kept or dropped, and whether a decision says so."""
    at = rows.to_numpy(int)
    words = {(True, True): "kept", (False, False): "dropped"}
    sides = zip(outcome.by_rule[at], outcome.is_kept[at], strict=True)
    return [words.get((by, end), f"{'kept' if end else 'dropped'} (decision)") for by, end in sides]
