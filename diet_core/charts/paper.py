"""The paper's figures and tables: small tables in, Altair charts out, on a light or a dark ground.

Source: Fayyaz et al. 2022, "BERT on a Data Diet", Figures 1 to 4, Tables 1 and 2, and §4.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

from diet_core.charts.base import BLUE, GREY, ORANGE, named_colours, with_spread
from diet_core.charts.groups import LINE_COLOURS, label_share_lines
from diet_core.errors import SettingError
from diet_core.tables import SCORES

HEIGHT: Final = 300  # pixels
FACET_WIDTH: Final = 380  # pixels of each of two charts side by side
SHOWN_CLASSES: Final = len(LINE_COLOURS)  # that can be told apart

RANDOM: Final = "random"
FULL: Final = "full"
# What the legends call a series; a score goes by its own title.
TITLES: Final = {RANDOM: "Random, same size", FULL: "All examples"}
TEAL: Final = LINE_COLOURS[2]
# Baselines as in `experiments`.
_COLOURS: Final = {"el2n": BLUE, "grand": TEAL, RANDOM: ORANGE, FULL: GREY}
_OTHERS: Final = LINE_COLOURS[3:]
# In two columns, so that a phone has room for it.
_LINES: Final = alt.Legend(orient="top", columns=2, symbolOpacity=1, symbolType="stroke", symbolStrokeWidth=3)

# Ground, text and grid lines: those of the app (.streamlit/config.toml).
THEMES: Final = {
    "light": ("#ffffff", "#111a26", "#dde2ea"),
    "dark": ("#14181f", "#e3e8ef", "#323b49"),
}


ROW_HEIGHT: Final = 22  # pixels of an example
TEXT_WIDTH: Final = 620  # pixels of an example's text; what is longer is cut
# The columns of a table of examples: title, pixels from the left, width, content.
_COLUMNS: Final = (
    ("Rank", 6, 44, alt.Text("rank:Q", format=",d")),
    ("EL2N", 54, 74, alt.Text("el2n:Q", format=".6f")),
    ("Label", 132, 130, alt.Text("label:N")),
    ("Prediction", 266, 130, alt.Text("predicted_label:N")),
    ("Text", 400, TEXT_WIDTH, alt.Text("text:N")),
)


def title_of(series: str) -> str:
    """Return what legends and tables call a series: a score's title, or the words for a baseline.

    >>> title_of("el2n"), title_of("full")
    ('EL2N', 'All examples')
    """
    return TITLES[series] if series in TITLES else SCORES[series].title


def themed(chart: alt.TopLevelMixin, theme: str) -> alt.TopLevelMixin:
    """Return a chart on the ground of a theme, with axes, legend and text that are read on it.

    Args:
        chart: Any chart that no other configuration was given.
        theme: `light` or `dark`.

    Raises:
        SettingError: If it is neither.
    """
    if theme not in THEMES:
        raise SettingError(f"theme is {theme!r}. Choose one of: {', '.join(THEMES)}.")
    ground, text, grid = THEMES[theme]
    named: dict[str, Any] = {"labelColor": text, "titleColor": text}
    themed: alt.TopLevelMixin = chart.copy().configure(  # type: ignore[attr-defined]
        background=ground,
        axis=alt.AxisConfig(gridColor=grid, domainColor=grid, tickColor=grid, **named),
        legend=alt.LegendConfig(**named),
        title=alt.TitleConfig(color=text),
        text=alt.MarkConfig(color=text),
        view=alt.ViewConfig(stroke=None),
    )
    return themed


def fig1(runs: pd.DataFrame, *, height: int = HEIGHT) -> alt.LayerChart:
    """Return the test accuracy against the moment at which the scores were taken.

    Args:
        runs: A row per training: series (a score, `random` or `full`), epoch (of the scores, null for the
            baselines), repeat, accuracy.
        height: In pixels.

    Source:
        Fayyaz et al. 2022, Figure 1.
    """
    axis = _axis(runs["epoch"], ".2~f")
    return _accuracies(runs, alt.X("epoch:Q", title="Epochs before the scores were taken", axis=axis), height)


def fig2(shares: pd.DataFrame, classes: Sequence[str], *, height: int = HEIGHT) -> alt.HConcatChart:
    """Return which classes the hardest examples are of over the score steps, a chart per score.

    Args:
        shares: Columns score, step, epoch, is_reliable, label, share, share_of_all.
        classes: Which are drawn, in order; beyond eight they cannot be told apart and are left out.
        height: In pixels.

    Source:
        Fayyaz et al. 2022, Figure 2.
    """
    shown = list(classes)[:SHOWN_CLASSES]
    charts = [
        label_share_lines(of_score, shown, height=height).properties(
            title=title_of(str(score)), width=FACET_WIDTH
        )
        for score, of_score in shares.groupby("score", sort=False)
    ]
    for chart in charts:  # the width of one chart among several cannot be its page's
        for layer in chart.layer:
            layer.width = alt.Undefined
    return alt.HConcatChart(hconcat=charts, resolve=alt.Resolve(scale=alt.ScaleResolveMap(y="shared")))


def fig3(runs: pd.DataFrame, *, height: int = HEIGHT) -> alt.LayerChart:
    """Return the test accuracy against the share of the examples that was kept.

    Args:
        runs: A row per training: series (a score, `random` or `full`), keep (null for `full`), repeat,
            accuracy.
        height: In pixels.

    Source:
        Fayyaz et al. 2022, Figure 3.
    """
    axis = _axis(runs["keep"], ".2~%")
    return _accuracies(
        runs, alt.X("keep:Q", title="Share kept", scale=alt.Scale(zero=False, padding=12), axis=axis), height
    )


def fig4(runs: pd.DataFrame, *, height: int = HEIGHT) -> alt.LayerChart:
    """Return the test accuracy against the share that was taken off the very top of what is kept.

    Args:
        runs: A row per training: series (a score, `random` or `full`), drop_hardest (null for `full`),
            repeat, accuracy.
        height: In pixels.

    Source:
        Fayyaz et al. 2022, Figure 4.
    """
    axis = _axis(runs["drop_hardest"], ".2~%")
    return _accuracies(
        runs,
        alt.X("drop_hardest:Q", title="Hardest share dropped", scale=alt.Scale(padding=12), axis=axis),
        height,
    )


def seeds_chart(measured: pd.DataFrame, estimates: pd.DataFrame, *, height: int = HEIGHT) -> alt.LayerChart:
    """Return how well the mean of few seeds ranks as the mean of all does.

    Args:
        measured: A row per choice of seeds: seeds (how many), correlation (Spearman with the mean of all).
        estimates: Columns series, seeds, correlation: lines to compare with.
        height: In pixels.

    Source:
        Fayyaz et al. 2022, §4.
    """
    names = ["Measured", *dict.fromkeys(estimates["series"])]
    colour = named_colours("series", dict(zip(names, (BLUE, TEAL, ORANGE), strict=False)), _LINES)
    x = alt.X(
        "seeds:Q",
        title="Seeds",
        scale=alt.Scale(zero=False, nice=False, padding=16),
        axis=alt.Axis(grid=False, format="d", tickMinStep=1),
    )
    y = alt.Y("correlation:Q", title="Spearman with the mean of all", scale=alt.Scale(zero=False))
    tooltip = [
        alt.Tooltip("series:N", title="What"),
        alt.Tooltip("seeds:Q", title="Seeds"),
        alt.Tooltip("correlation:Q", title="Correlation", format=".4f"),
    ]
    lines = alt.Chart(estimates).encode(x=x, y=y, color=colour, tooltip=tooltip)
    dots = alt.Chart(measured.assign(series="Measured")).encode(x=x, y=y, color=colour, tooltip=tooltip)
    return alt.LayerChart(
        layer=[
            lines.mark_line(strokeDash=[6, 4]),
            lines.mark_point(size=70, filled=True, shape="diamond"),
            dots.mark_circle(size=60, opacity=0.7),
        ],
        height=height,
        width="container",
    )


def examples_chart(examples: pd.DataFrame) -> alt.LayerChart:
    """Return a table of examples as a picture, for reports.

    Args:
        examples: Columns end (`highest` or `lowest`), rank, el2n, label, predicted_label and text, in the
            order to be shown; a text of several lines is shown on one.

    Source:
        Fayyaz et al. 2022, Tables 1 and 2.
    """
    rows = examples.assign(
        place=range(len(examples)), text=examples["text"].str.split().str.join(" ").astype(str)
    )
    _, edge, width, _ = _COLUMNS[-1]
    base = alt.Chart(rows, height=ROW_HEIGHT * len(rows), width=edge + width).encode(
        y=alt.Y("place:O", axis=None, sort=None)
    )
    columns = [
        base.mark_text(align="left", limit=width).encode(x=alt.value(edge), text=content)
        for _, edge, width, content in _COLUMNS
    ]
    head = alt.Chart(rows.head(1)).mark_text(align="left", fontWeight="bold")
    heads = [
        head.encode(x=alt.value(edge), y=alt.value(-8), text=alt.value(title)) for title, edge, *_ in _COLUMNS
    ]
    ends = base.mark_rect(opacity=0.14).encode(
        color=named_colours("end", {"highest": ORANGE, "lowest": BLUE}, alt.Legend(orient="bottom"))
    )
    return alt.LayerChart(layer=[ends, *columns, *heads])


def _axis(places: pd.Series, form: str) -> alt.Axis:
    """Return an axis with a tick at each place where something was measured."""
    ticks = sorted(set(places.dropna().astype(float)))
    return alt.Axis(grid=False, format=form, values=ticks, labelOverlap=True)


def _accuracies(runs: pd.DataFrame, x: alt.X, height: int) -> alt.LayerChart:
    """Return a mean line with its spread per series, and a dashed band across for what has no x."""
    column = str(x.shorthand).removesuffix(":Q")
    named = runs.assign(series=runs["series"].map(title_of)).astype({column: float})
    colour = named_colours("series", _colours(runs["series"]), _LINES)
    y = alt.Y("mean:Q", title="Test accuracy", scale=alt.Scale(zero=False), axis=alt.Axis(format=".1%"))
    lines = alt.Chart(_spread(named.dropna(subset=column), ["series", column]))
    bands = alt.Chart(_spread(named[named[column].isna()], ["series"]))
    tooltip = _tooltip(x, column)
    across = [tooltip[0], *tooltip[2:]]
    return alt.LayerChart(
        layer=[
            bands.mark_rect(opacity=0.13).encode(y="low:Q", y2="high:Q", color=colour),
            bands.mark_rule(strokeDash=[6, 4], strokeWidth=2).encode(y=y, color=colour, tooltip=across),
            lines.mark_area(opacity=0.18).encode(x=x, y="low:Q", y2="high:Q", color=colour),
            lines.mark_line(strokeWidth=2).encode(x=x, y=y, color=colour),
            lines.mark_circle(size=60, opacity=1).encode(x=x, y=y, color=colour, tooltip=tooltip),
            alt.Chart(named.dropna(subset=column))
            .mark_circle(size=22, opacity=0.55)
            .encode(x=x, y="accuracy:Q", color=colour),
        ],
        height=height,
        width="container",
    )  # fmt: skip


def _spread(runs: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return mean and standard deviation of the accuracies of each group; one run has no spread."""
    rows = with_spread(runs, by, "accuracy")
    return rows.assign(low=rows["low"].fillna(rows["mean"]), high=rows["high"].fillna(rows["mean"]))


def _colours(series: pd.Series) -> dict[str, str]:
    """Return the colour of each series by its title."""
    others = itertools.cycle(_OTHERS)
    return {title_of(name): _COLOURS.get(name) or next(others) for name in series.unique()}


def _tooltip(x: alt.X, column: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("series:N", title="Trained on"),
        alt.Tooltip(f"{column}:Q", title=str(x.title), format=".4~g"),
        alt.Tooltip("mean:Q", title="Mean accuracy", format=".2%"),
        alt.Tooltip("std:Q", title="Standard deviation", format=".2%"),
        alt.Tooltip("repeats:Q", title="Trainings"),
    ]
