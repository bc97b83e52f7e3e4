"""What a rule keeps and drops, drawn: counts, histogram with its cuts, classes."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import streamlit as st

from diet_core.charts.prune import class_bars, cut_histogram
from diet_core.pruning import outcome as pruning
from diet_core.pruning.cuts import Group, cut_values, n_at_ends
from diet_core.pruning.outcome import Outcome, Ranked, class_warnings
from diet_core.rule import Rule
from diet_core.tables import SCORES, meaning_of
from pages.shared.chart import chart_downloads, headed, show_chart
from pages.shared.errors import plain
from pages.shared.widgets import figures

MAX_CLASS_BARS: Final = 20
MAX_WARNINGS: Final = 5
_ENDS: Final = ("Dropped easy", "Dropped hard")
_SHARE: Final[dict[str, Any]] = {"format": "percent", "width": 65}
_COUNT: Final[dict[str, Any]] = {"format": "localized", "width": 65}
_AFTER_HELP = "With the labels that decisions give, where these apply."
_CLASS_COLUMNS: Final = {
    "Class": st.column_config.TextColumn(width=100),
    "Before": st.column_config.NumberColumn(**_COUNT),
    "After": st.column_config.NumberColumn(**_COUNT, help=_AFTER_HELP),
    "Kept": st.column_config.NumberColumn(**_SHARE, help="After as a share of before."),
    "Share": st.column_config.NumberColumn(**_SHARE, help="Of all training examples."),
    "Share after": st.column_config.NumberColumn(**_SHARE | {"width": 85}, help="Of the examples kept."),
}


def counts(outcome: Outcome, groups: list[Group], rule: Rule) -> None:
    """Draw how many examples are kept and dropped, and why."""
    n = len(outcome.is_kept)
    changed = outcome.n_dropped_by_decision + outcome.n_held_by_decision + outcome.n_relabelled
    by_decisions = (
        f"Dropped though the rule keeps them: {outcome.n_dropped_by_decision:,}. Kept though the rule drops "
        f"them: {outcome.n_held_by_decision:,}. With a new label: {outcome.n_relabelled:,}."
    )
    figures(
        [
            ("Kept", outcome.n_kept, "By the rule and the decisions together."),
            *_dropped(outcome, groups, rule),
            ("By decisions", changed, by_decisions),
        ]
    )
    st.caption(f"{outcome.n_kept / n:.1%} of {n:,} training examples kept, {outcome.n_dropped:,} dropped.")


def _dropped(outcome: Outcome, groups: list[Group], rule: Rule) -> list[tuple[str, int, str]]:
    """Return what the rule alone drops: at both ends, or at random."""
    if not groups:
        n = len(outcome.by_rule) - int(outcome.by_rule.sum())
        return [("Not drawn", n, "By the rule, whatever their score.")]
    hard, easy = n_at_ends(groups)
    of_easy, of_hard = ("Always correct", "Never correct") if rule.kind == "auto" else _ENDS
    return [
        (of_easy, easy, "By the rule, from the easy end."),
        (of_hard, hard, "By the rule, from the hard end."),
    ]


def histogram(ranked: Ranked, outcome: Outcome, groups: list[Group], rule: Rule, grand: str) -> None:
    """Draw the score's histogram with the cut lines; `grand` is the run's scope of GraNd."""
    bins = pruning.histogram(ranked, outcome.by_rule)
    chart = cut_histogram(bins, cut_values(ranked, rule, groups), rule.by)
    with headed(SCORES[rule.by].title, help=meaning_of(rule.by, grand)):
        chart_downloads(chart, bins, f"cut-{rule.by}", key="cut histogram")
    show_chart(chart, "cut histogram")


def classes(outcome: Outcome) -> None:
    """Draw the training examples per class before and after."""
    largest = outcome.classes.nlargest(MAX_CLASS_BARS, "before")
    chart = class_bars(outcome.classes.loc[sorted(largest.index)])
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
    """Draw a box with the classes that vanish or lose more than half; nothing without such a class."""
    if warnings := class_warnings(outcome.classes):
        more = len(warnings) - MAX_WARNINGS
        shown = [*warnings[:MAX_WARNINGS], *([f"And {more} more classes."] if more > 0 else [])]
        st.warning("  \n".join(map(plain, shown)), icon=":material/warning:")


def _class_rows(classes: pd.DataFrame) -> pd.DataFrame:
    before = classes["before"]
    kept = classes["after"] / before.where(before > 0)
    shown = classes.assign(kept=kept)[["label", "before", "after", "kept", "share_before", "share_after"]]
    return shown.set_axis(list(_CLASS_COLUMNS), axis="columns")
