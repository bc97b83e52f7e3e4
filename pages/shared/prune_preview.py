"""What a rule would take out, drawn: counts, histogram with its cuts, classes, examples at the cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from diet_core.charts_prune import class_bars, cut_histogram
from diet_core.tables import SCORES
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.config import Rule
    from diet_core.jobs.pruning import Outcome, Ranked
    from diet_core.store import RunRecord, Store

MAX_CLASS_BARS = 20


def ranked_examples(store: Store, run: RunRecord, rule: Rule) -> Ranked:
    """Return the examples in the order of the rule's score; sorted once, so that a slider moves at once."""
    return _ranked(str(store.workspace.root), run.run_id, rule.by, rule.per_class, store)


# A resource and not data: nothing changes these rows, and a copy per rerun would cost more than the count.
@st.cache_resource(show_spinner="Ranking the examples …", max_entries=8)
def _ranked(root: str, run_id: str, by: str, per_class: bool, _store: Store) -> Ranked:
    from diet_core.jobs.pruning import ranked

    return ranked(_store, run_id, by, per_class)


def found(ranked: Ranked, rule: Rule, decisions: pd.DataFrame | None, run: RunRecord) -> Outcome:
    """Return what stays and what goes.

    Raises:
        SettingError: If nothing would be left.
    """
    from diet_core.jobs.pruning import kept_of, outcome

    return outcome(ranked.examples, kept_of(ranked, rule), decisions, run.dataset.classes)


def counts(outcome: Outcome, ranked: Ranked, rule: Rule) -> None:
    """Draw how many stay and go, and why."""
    n = len(outcome.is_kept)
    bounds = [group.bounds(rule) for group in ranked.groups]
    hardest = sum(low for low, _ in bounds)
    easiest = n - sum(high for _, high in bounds)
    changed = outcome.n_dropped_by_decision + outcome.n_held_by_decision + outcome.n_relabelled
    figures = st.columns(4)
    figures[0].metric("Stay", f"{outcome.n_kept:,}", border=True, help="Rule and decisions together.")
    figures[1].metric("Dropped easy", f"{easiest:,}", border=True, help="By the rule, from the easy end.")
    figures[2].metric("Dropped hard", f"{hardest:,}", border=True, help="By the rule, from the hardest end.")
    figures[3].metric("By decisions", f"{changed:,}", border=True, help=_decided(outcome))
    st.caption(f"{outcome.n_kept / n:.1%} of {n:,} training examples stay, {outcome.n_dropped:,} go.")


def _decided(outcome: Outcome) -> str:
    return (
        f"Dropped though the rule keeps them: {outcome.n_dropped_by_decision:,}. Kept though the rule drops "
        f"them: {outcome.n_held_by_decision:,}. With a new label: {outcome.n_relabelled:,}."
    )


def histogram(ranked: Ranked, outcome: Outcome, rule: Rule) -> None:
    """Draw the score's histogram with the cut lines."""
    from diet_core.jobs import pruning

    bins = pruning.histogram(ranked, outcome.by_rule)
    st.altair_chart(
        cut_histogram(bins, pruning.cut_values(ranked, rule), rule.by), width="stretch", key="cut histogram"
    )


def classes(outcome: Outcome) -> None:
    """Draw the rows per class before and after, and warn of classes that fall apart."""
    from diet_core.jobs.pruning import class_warnings

    st.subheader("Classes", anchor=False)
    if warnings := class_warnings(outcome.classes):
        shown = [*warnings[:5], *([f"And {len(warnings) - 5} more classes."] if len(warnings) > 5 else [])]
        st.warning("  \n".join(map(plain, shown)), icon=":material/warning:")
    largest = outcome.classes.nlargest(MAX_CLASS_BARS, "before")
    chart, table = st.columns([4, 5], gap="medium")
    with chart:
        st.altair_chart(class_bars(outcome.classes.loc[sorted(largest.index)]), key="class bars")
        if len(outcome.classes) > MAX_CLASS_BARS:
            st.caption(f"The {MAX_CLASS_BARS} largest of {len(outcome.classes)} classes; the table has all.")
    with table:
        st.dataframe(_class_rows(outcome.classes), hide_index=True, column_config=_CLASS_COLUMNS)


def _class_rows(classes: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Class": classes["label"],
            "Before": classes["before"],
            "After": classes["after"],
            "Stays": classes["after"] / classes["before"].where(classes["before"] > 0),
            "Share": classes["share_before"],
            "Share after": classes["share_after"],
        }
    )


_CLASS_COLUMNS = {
    "Class": st.column_config.TextColumn(width=100),
    "Before": st.column_config.NumberColumn(format="localized", width=65),
    "After": st.column_config.NumberColumn(
        format="localized", width=65, help="With the labels that decisions give, where these apply."
    ),
    "Stays": st.column_config.NumberColumn(format="percent", width=65, help="After as a share of before."),
    "Share": st.column_config.NumberColumn(format="percent", width=65, help="Of all training examples."),
    "Share after": st.column_config.NumberColumn(
        format="percent", width=85, help="Of the examples that stay."
    ),
}

_SIDES = {
    "Hardest end": "Above the cut: dropped as too hard. Below it: the hardest that stay.",
    "Easy end": "Above the cut: the easiest that stay. Below it: the first that are dropped as easy.",
}


def examples_at_cuts(store: Store, run: RunRecord, ranked: Ranked, outcome: Outcome, rule: Rule) -> None:
    """Draw five examples on either side of each cut."""
    from diet_core.jobs.pruning import at_cut
    from diet_core.store.prune import shown_texts

    st.subheader("Examples at the cuts", anchor=False)
    group = ranked.groups[0]
    if rule.per_class:
        named = {group.label: group for group in ranked.groups}
        group = named[st.selectbox("Class at the cut", list(named), width=260)]
    parts = [at_cut(ranked, group, bound) for bound in group.bounds(rule)]
    ids = [example_id for part in parts for example_id in part["example_id"]]
    texts = shown_texts(store, run.dataset.dataset_id, ids)
    for tab, (title, help), part in zip(st.tabs(list(_SIDES)), _SIDES.items(), parts, strict=True):
        with tab:
            if part.empty:
                st.caption("Nothing is cut here.")
                continue
            st.caption(help)
            _cut_table(part, texts, outcome, rule, key=f"cut {title}")


def _cut_table(part: pd.DataFrame, texts: pd.DataFrame, outcome: Outcome, rule: Rule, key: str) -> None:
    rows = part["row"].to_numpy(int)
    words = {(True, True): "stays", (False, False): "dropped"}
    sides = zip(outcome.by_rule[rows], outcome.is_kept[rows], strict=True)
    shown = texts.loc[part["example_id"]].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "Rank": part["rank"],
            SCORES[rule.by].title: part["value"],
            "Outcome": [
                words.get((by, end), f"{'stays' if end else 'dropped'} (decision)") for by, end in sides
            ],
            "Label": part["label"],
            "Text": shown["text"],
        }
    )
    if shown["text_pair"].notna().any():
        table["Second text"] = shown["text_pair"]
    st.dataframe(table, hide_index=True, key=key, height="content", column_config=_CUT_COLUMNS)


_CUT_COLUMNS = {
    "Rank": st.column_config.NumberColumn(format="localized", width=60, help="1 is the hardest."),
    **{s.title: st.column_config.NumberColumn(format="%.4f", width=70) for s in SCORES.values()},
    "Outcome": st.column_config.TextColumn(width=80),
    "Label": st.column_config.TextColumn(width=80),
    "Text": st.column_config.TextColumn(width=560),
}
