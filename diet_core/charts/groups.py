"""Charts of classes, checkpoints and seeds: how a run's scores differ between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import altair as alt
import pandas as pd

from diet_core.charts.base import BLUE, CHOSEN, CLICK, GREY, ORANGE, framed, named_colours
from diet_core.tables import SCORES

HEIGHT: Final = 270  # pixels
ROW_HEIGHT: Final = 24  # of a class
# Told apart without red and green, and at least 3:1 on white and on near-black.
LINE_COLOURS: Final = (
    BLUE,
    ORANGE,
    "#2a9d8f",
    "#c2528b",
    "#8a6fd1",
    "#7f8c2d",
    "#b5564a",
    "#5f7f95",
)


def class_spreads(quantiles: pd.DataFrame, score: str, *, chosen: str | None = None) -> alt.LayerChart:
    """Return a box per class: the inner half, a line for the inner 90 %, a tick at the median.

    Args:
        quantiles: Columns label, count, q05, q25, median, q75, q95, in the order to be shown.
        score: The score's name.
        chosen: The class that has a frame. A click on a class is the selection `CLICK` of its label.
    """
    title = SCORES[score].title
    rows = quantiles.assign(is_chosen=quantiles["label"] == chosen)
    base = alt.Chart(rows, height=alt.Step(ROW_HEIGHT), width="container").encode(
        y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=150, ticks=False, domain=False)),
        tooltip=[
            alt.Tooltip("label:N", title="Class"),
            alt.Tooltip("count:Q", title="Examples", format=",d"),
            *(alt.Tooltip(f"{name}:Q", title=words, format=".4f") for name, words in _QUANTILES.items()),
        ],
    )
    x = alt.X("q05:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=8))
    click = alt.selection_point(name=CLICK, fields=["label"])
    frame = framed("datum.is_chosen")
    # What can be clicked is as wide as the whole line, and hardly seen.
    ground = base.mark_bar(height=ROW_HEIGHT - 2, color=GREY, opacity=0.12, cursor="pointer")
    line = base.mark_rule(strokeWidth=2, color=GREY).encode(x=x, x2=alt.X2("q95:Q"))
    box = base.mark_bar(height=ROW_HEIGHT - 10, color=BLUE, strokeWidth=3).encode(
        x=alt.X("q25:Q"), x2=alt.X2("q75:Q"), stroke=frame
    )
    tick = base.mark_tick(thickness=3, size=ROW_HEIGHT - 6, color=CHOSEN).encode(x=alt.X("median:Q"))
    return alt.LayerChart(layer=[ground.encode(x=x, x2=alt.X2("q95:Q")).add_params(click), line, box, tick])


_QUANTILES: Final[Mapping[str, str]] = {
    "q05": "5 %",
    "q25": "25 %",
    "median": "Median",
    "q75": "75 %",
    "q95": "95 %",
}


def label_share_lines(
    shares: pd.DataFrame, classes: Sequence[str], *, height: int = HEIGHT
) -> alt.LayerChart:
    """Return each class's share of the hardest examples over the score steps, dashed its share of all.

    Args:
        shares: Columns step, epoch, is_reliable, label, share, share_of_all. Unreliable steps are rings.
        classes: Which are drawn, eight at most can be told apart.
        height: In pixels.

    Source:
        Fayyaz et al. 2022, Figure 2.
    """
    rows = shares[shares["label"].isin(list(classes))]
    colours = dict(zip(classes, LINE_COLOURS, strict=False))
    colour = named_colours("label", colours, alt.Legend(orient="right", labelLimit=180))
    y = alt.Y("share:Q", title="Share of the hardest", axis=alt.Axis(format=".0%", tickCount=6))
    base = alt.Chart(rows, height=height, width="container").encode(
        x=alt.X("step:Q", title="Score step", axis=alt.Axis(grid=False, format=",d", tickMinStep=1)),
        color=colour,
        tooltip=[
            alt.Tooltip("label:N", title="Class"),
            alt.Tooltip("step:Q", title="Step", format=",d"),
            alt.Tooltip("epoch:Q", title="Epochs", format=".2~f"),
            alt.Tooltip("share:Q", title="Share of the hardest", format=".1%"),
            alt.Tooltip("share_of_all:Q", title="Share of all", format=".1%"),
        ],
    )
    dots = base.mark_point(size=55, strokeWidth=2).encode(
        y=y, fill=alt.condition("datum.is_reliable", colour, alt.value("transparent"))
    )
    dashes = base.mark_line(strokeDash=[4, 4], strokeWidth=1.2, opacity=0.8).encode(y=alt.Y("share_of_all:Q"))
    return alt.LayerChart(layer=[dashes, base.mark_line(strokeWidth=2).encode(y=y), dots])


def seed_curve(curve: pd.DataFrame, target: float, *, height: int = 260) -> alt.LayerChart:
    """Return how well the mean of k seeds ranks: measured, estimated, and against infinitely many.

    Args:
        curve: Columns seeds, series and correlation.
        target: The correlation that is enough, a dashed line.
        height: In pixels.
    """
    lines = alt.Chart(curve, height=height, width="container").encode(
        x=alt.X("seeds:Q", title="Seeds", axis=alt.Axis(grid=False, format="d", tickMinStep=1)),
        y=alt.Y("correlation:Q", title="Correlation", scale=alt.Scale(zero=False)),
        color=named_colours("series", dict(zip(curve["series"].unique(), LINE_COLOURS, strict=False))),
        tooltip=[
            alt.Tooltip("series:N", title="What"),
            alt.Tooltip("seeds:Q", title="Seeds", format="d"),
            alt.Tooltip("correlation:Q", title="Correlation", format=".4f"),
        ],
    )
    enough = (
        alt.Chart(pd.DataFrame({"target": [target]}))
        .mark_rule(color=GREY, strokeDash=[5, 4])
        .encode(y=alt.Y("target:Q"), tooltip=[alt.Tooltip("target:Q", title="Enough")])
    )
    return alt.LayerChart(layer=[enough, lines.mark_line(), lines.mark_point(filled=True, size=50)])
