"""What a rule would take out, drawn: counts, cost, histogram with its cuts, classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from diet_core.charts.prune import class_bars, cut_histogram
from diet_core.tables import SCORES, meaning_of
from pages.shared.chart import chart_downloads, headed, show_chart
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.pruning.cuts import Group
    from diet_core.pruning.outcome import Outcome, Ranked
    from diet_core.rule import Rule

MAX_CLASS_BARS = 20
MAX_WARNINGS = 5

_STAY_HELP = "Rule and decisions together."
_ENDS = {
    "shares": ("Dropped easy", "Dropped hard"),
    "window": ("Dropped easy", "Dropped hard"),
    "auto": ("Right too often", "Right too seldom"),
}


def counts(outcome: Outcome, groups: list[Group], rule: Rule) -> None:
    """Draw how many stay and go, and why."""
    n = len(outcome.is_kept)
    figures = [("Stay", outcome.n_kept, _STAY_HELP), *_dropped(outcome, groups, rule)]
    changed = outcome.n_dropped_by_decision + outcome.n_held_by_decision + outcome.n_relabelled
    figures.append(("By decisions", changed, _decided(outcome)))
    for column, (title, number, help) in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(title, f"{number:,}", border=True, help=help)
    st.caption(f"{outcome.n_kept / n:.1%} of {n:,} training examples stay, {outcome.n_dropped:,} go.")


def _dropped(outcome: Outcome, groups: list[Group], rule: Rule) -> list[tuple[str, int, str]]:
    """Return what the rule alone drops: at both ends, or at random."""
    from diet_core.pruning.cuts import n_at_ends

    if not groups:
        n = len(outcome.by_rule) - int(outcome.by_rule.sum())
        return [("Not drawn", n, "By the rule, whatever their score.")]
    hard, easy = n_at_ends(groups)
    of_easy, of_hard = _ENDS[rule.kind]
    return [
        (of_easy, easy, "By the rule, from the easy end."),
        (of_hard, hard, "By the rule, from the hard end."),
    ]


def _decided(outcome: Outcome) -> str:
    return (
        f"Dropped though the rule keeps them: {outcome.n_dropped_by_decision:,}. Kept though the rule drops "
        f"them: {outcome.n_held_by_decision:,}. With a new label: {outcome.n_relabelled:,}."
    )


def histogram(ranked: Ranked, outcome: Outcome, groups: list[Group], rule: Rule, grand: str) -> None:
    """Draw the score's histogram with the cut lines; `grand` is the run's scope of GraNd."""
    from diet_core.pruning import cuts as pruning_cuts
    from diet_core.pruning import outcome as pruning

    bins = pruning.histogram(ranked, outcome.by_rule)
    cuts = pruning_cuts.cut_values(ranked, rule, groups)
    chart = cut_histogram(bins, cuts, rule.by)
    with headed(SCORES[rule.by].title, help=meaning_of(rule.by, grand)):
        chart_downloads(chart, bins, f"cut-{rule.by}", key="cut histogram")
    show_chart(chart, "cut histogram")


def classes(outcome: Outcome) -> None:
    """Draw the rows per class before and after."""
    largest = outcome.classes.nlargest(MAX_CLASS_BARS, "before")
    shown = outcome.classes.loc[sorted(largest.index)]
    chart = class_bars(shown)
    with headed("Classes"):
        chart_downloads(chart, outcome.classes, "classes", key="class bars")
    left, table = st.columns([4, 5], gap="medium")
    with left:
        show_chart(chart, "class bars")
        if len(outcome.classes) > MAX_CLASS_BARS:
            st.caption(f"The {MAX_CLASS_BARS} largest of {len(outcome.classes)} classes; the table has all.")
    with table:
        st.dataframe(_class_rows(outcome.classes), hide_index=True, column_config=_CLASS_COLUMNS)


def warn_of_classes(outcome: Outcome) -> None:
    """Draw a box with the classes that vanish or lose more than half; nothing where all are well."""
    from diet_core.pruning.outcome import class_warnings

    if warnings := class_warnings(outcome.classes):
        more = len(warnings) - MAX_WARNINGS
        shown = [*warnings[:MAX_WARNINGS], *([f"And {more} more classes."] if more > 0 else [])]
        st.warning("  \n".join(map(plain, shown)), icon=":material/warning:")


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
VALUE_COLUMNS = {s.title: st.column_config.NumberColumn(format="%.4f", width=70) for s in SCORES.values()}
