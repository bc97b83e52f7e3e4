"""Charts of pruning: small tables in, Altair charts out."""

from __future__ import annotations

from typing import Final

import altair as alt
import pandas as pd

from diet_core.charts.base import BLUE, GREY, ORANGE, named_colours
from diet_core.tables import SCORES

KEPT: Final = "kept"
DROPPED: Final = "dropped"
BEFORE: Final = "before"
AFTER: Final = "after"
HEIGHT: Final = 230  # pixels
CLASS_ROW_HEIGHT: Final = 40
MAX_LINES: Final = 40  # cut lines that can be told apart; more are left to the tables


def cut_histogram(bins: pd.DataFrame, cuts: pd.DataFrame, score: str) -> alt.LayerChart:
    """Return a score's histogram coloured by what a rule keeps, with a line at each cut.

    Args:
        bins: Columns bin_start, bin_end, kept, dropped.
        cuts: Columns label (null where the rule is not per class), cut, value; lines beyond 40 are left out.
        score: The score's name.
    """
    title = SCORES[score].title
    bars = bins.rename(columns={"kept": KEPT, "dropped": DROPPED}).melt(
        ["bin_start", "bin_end"], [KEPT, DROPPED], "outcome", "examples"
    )
    base = alt.Chart(bars[bars["examples"] > 0]).mark_bar(binSpacing=1)
    histogram = base.encode(
        x=alt.X("bin_start:Q", bin="binned", title=title, axis=alt.Axis(grid=False, tickCount=10)),
        x2=alt.X2("bin_end:Q"),
        y=alt.Y("examples:Q", title="Examples", axis=alt.Axis(format=",d", tickMinStep=1)),
        color=named_colours("outcome", {KEPT: BLUE, DROPPED: GREY}),
        tooltip=[
            alt.Tooltip("bin_start:Q", title=f"{title} from", format=".4~g"),
            alt.Tooltip("bin_end:Q", title=f"{title} to", format=".4~g"),
            alt.Tooltip("examples:Q", title="Examples", format=",d"),
            alt.Tooltip("outcome:N", title="By the rule"),
        ],
    )
    return alt.LayerChart(layer=[histogram, _lines(cuts, title)], height=HEIGHT, width="container")


def _lines(cuts: pd.DataFrame, title: str) -> alt.Chart:
    """Return a dashed line per cut."""
    lines = cuts.head(MAX_LINES).assign(label=cuts["label"].fillna("all examples"))
    chart: alt.Chart = (
        alt.Chart(lines.astype({"value": float}))
        .mark_rule(color=ORANGE, strokeDash=[5, 3], strokeWidth=1.5)
        .encode(
            x=alt.X("value:Q"),
            tooltip=[
                alt.Tooltip("cut:N", title="Cut at the"),
                alt.Tooltip("value:Q", title=title, format=".4~g"),
                alt.Tooltip("label:N", title="Class"),
            ],
        )
    )
    return chart


def class_bars(classes: pd.DataFrame) -> alt.Chart:
    """Return two bars per class, its rows before and after.

    Args:
        classes: Columns label, before, after, in the order to be shown.
    """
    bars = classes.melt("label", [BEFORE, AFTER], "when", "examples")
    chart: alt.Chart = (
        alt.Chart(bars, height=alt.Step(CLASS_ROW_HEIGHT / 2), width="container")
        .mark_bar()
        .encode(
            y=alt.Y("label:N", title=None, sort=None, axis=alt.Axis(labelLimit=140)),
            yOffset=alt.YOffset("when:N", sort=[BEFORE, AFTER]),
            x=alt.X("examples:Q", title="Examples", axis=alt.Axis(format=",d", tickCount=5, tickMinStep=1)),
            color=named_colours("when", {BEFORE: GREY, AFTER: BLUE}),
            tooltip=[
                alt.Tooltip("label:N", title="Class"),
                alt.Tooltip("when:N", title="When"),
                alt.Tooltip("examples:Q", title="Examples", format=",d"),
            ],
        )
    )
    return chart
