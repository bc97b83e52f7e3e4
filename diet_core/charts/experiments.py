"""Charts of plans: what training on a selection is worth. Small tables in, Altair charts out."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import Final

import altair as alt
import pandas as pd

from diet_core.charts.base import BLUE, GREY, ORANGE, named_colours, with_spread
from diet_core.charts.groups import LINE_COLOURS

METRICS: Final = {"accuracy": "Accuracy", "macro_f1": "Macro-F1"}
HEIGHT: Final = 320  # pixels, of curves without their legend
LEGEND_ROW: Final = 28
ROW_HEIGHT: Final = 52  # of an arm, three lines of its title high
CLASS_ROW_HEIGHT: Final = 16  # of an arm within a class
LINE_LENGTH: Final = 22  # letters of a title that stand side by side, so that a phone has room for the chart
LEGEND_LENGTH: Final = 40

# Vega puts the first line of a label where its middle belongs; half a line is 6 pixels.
_CENTRED: Final = {
    "condition": [
        {"test": f"split(datum.value, '\\n').length === {n}", "value": 6 - 6 * n} for n in (2, 3, 4)
    ],
    "value": 0,
}
_OF_BASELINES: Final = {"full": GREY, "random": ORANGE}
_OF_SELECTIONS: Final = (BLUE, *LINE_COLOURS[2:])


def arm_colours(groups: Mapping[str, str]) -> dict[str, str]:
    """Return the colour of each arm: grey for all examples, orange for random ones, others in turn.

    Args:
        groups: By title, in the order to be shown: `full`, `random`, or anything that the arms of one colour
            have in common.

    >>> arm_colours({"EL2N, keep 0.7": "el2n", "Random, same size": "random", "All examples": "full"})
    {'EL2N, keep 0.7': '#3d7fd9', 'Random, same size': '#cf7420', 'All examples': '#8a94a3'}
    """
    others = dict.fromkeys(group for group in groups.values() if group not in _OF_BASELINES)
    turn = {group: _OF_SELECTIONS[i % len(_OF_SELECTIONS)] for i, group in enumerate(others)}
    return {title: (turn | _OF_BASELINES)[group] for title, group in groups.items()}


def arms_chart(
    trainings: pd.DataFrame, colours: Mapping[str, str], metric: str = "accuracy"
) -> alt.LayerChart:
    """Return every training as a dot, and per arm the mean and one standard deviation to either side.

    Args:
        trainings: Columns title, repeat (from 1) and the metric; where it is missing nothing is drawn.
        colours: By title, as `arm_colours` gives them; also the order of the rows.
        metric: One of `METRICS`.
    """
    rows = _with_lines(trainings.dropna(subset=[metric]))
    spread = with_spread(rows, ["line", "title"], metric)
    y, colour = _rows_of(colours, rows), _colour(colours, rows, has_legend=False)
    x = alt.X(
        f"{metric}:Q",
        title=f"{METRICS[metric]} on the test split",
        scale=alt.Scale(zero=False, padding=16, nice=True),
        axis=alt.Axis(format=".1%", tickCount=5, labelFlush=False),
    )
    tooltip = [alt.Tooltip("title:N", title="Arm"), *_spread_tooltip(METRICS[metric])]
    base = alt.Chart(spread).encode(y=y, color=colour, tooltip=tooltip)
    bars = base.transform_filter("datum.low != null").mark_rule(strokeWidth=1.5)
    dots = (
        alt.Chart(rows)
        .mark_circle(size=90, opacity=0.65)
        .encode(
            x=x,
            y=y,
            color=colour,
            tooltip=[
                alt.Tooltip("title:N", title="Arm"),
                alt.Tooltip("repeat:O", title="Repeat"),
                alt.Tooltip(f"{metric}:Q", title=METRICS[metric], format=".2%"),
            ],
        )
    )
    return alt.LayerChart(
        layer=[
            dots,
            bars.encode(x="low:Q", x2="high:Q"),
            base.mark_tick(thickness=3, size=26).encode(x="mean:Q"),
        ],
        height=alt.Step(ROW_HEIGHT),
        width="container",
    )


def differences_chart(differences: pd.DataFrame) -> alt.LayerChart:
    """Return an interval per arm and reference, with a line at zero; what is not clear is a ring.

    Args:
        differences: Columns title, reference_title, kind (of the reference: random or full), mean, low, high
            (shares, not points), n_repeats, n_test, is_clear.
    """
    rows = _with_lines(differences).assign(
        **{end: 100 * differences[end].astype(float) for end in ("mean", "low", "high")},
        words=differences["is_clear"].map({True: "clear", False: "not distinguishable"}),
        against=differences["kind"].map(_AGAINST),
    )
    shown = [words for words in _AGAINST.values() if words in set(rows["against"])]
    colour = named_colours("against", {words: _COLOUR_AGAINST[words] for words in shown}, _legend(shown))
    base = alt.Chart(rows).encode(
        y=_axis_of_titles("line", list(dict.fromkeys(rows["line"]))),
        yOffset=alt.YOffset("against:N", sort=shown),
        color=colour,
        tooltip=[
            alt.Tooltip("title:N", title="Arm"),
            alt.Tooltip("reference_title:N", title="Against"),
            alt.Tooltip("mean:Q", title="Points", format="+.2f"),
            alt.Tooltip("low:Q", title="95 % from", format="+.2f"),
            alt.Tooltip("high:Q", title="95 % to", format="+.2f"),
            alt.Tooltip("n_repeats:Q", title="Repeats"),
            alt.Tooltip("n_test:Q", title="Test examples", format=",d"),
            alt.Tooltip("words:N", title="It is"),
        ],
    )
    x = alt.X(
        "low:Q",
        title="Difference in points, 95 % interval",
        axis=alt.Axis(format="+.3~g", tickCount=5, labelExpr="datum.value ? datum.label : '0'"),
    )
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=GREY, strokeDash=[5, 4], strokeWidth=1.5)
    # A ring has to hide the line behind it on light and dark ground alike: both are drawn, neither is filled.
    means = base.mark_point(size=80, strokeWidth=2.5).encode(
        x="mean:Q", fill=alt.condition("datum.is_clear", colour, alt.value("transparent"))
    )
    return alt.LayerChart(
        layer=[
            zero.encode(x="zero:Q"),
            base.transform_filter("datum.low != null").mark_rule(strokeWidth=2).encode(x=x, x2="high:Q"),
            means,
        ],
        height=alt.Step(ROW_HEIGHT / max(1, len(shown))),
        width="container",
    )


_AGAINST: Final = {"random": "against random of the same size", "full": "against all examples"}
_COLOUR_AGAINST: Final = {_AGAINST[kind]: colour for kind, colour in _OF_BASELINES.items()}


def curves_chart(
    curves: pd.DataFrame, colours: Mapping[str, str], metric: str = "accuracy"
) -> alt.LayerChart:
    """Return each arm's mean over its optimizer steps, shaded one standard deviation to either side.

    Where no step is known (runs of older versions), it is drawn over the epochs.

    Args:
        curves: Columns title, repeat, step, epoch and the metric: accuracy, macro_f1 or loss.
        colours: By title, as `arm_colours` gives them.
        metric: What is drawn.
    """
    rows = curves.dropna(subset=[metric]).assign(line=lambda rows: rows["title"])
    at, words = ("step", "Optimizer steps") if rows["step"].notna().any() else ("epoch", "Epochs")
    spread = with_spread(rows, ["line", "title", at], metric)
    name, form = METRICS.get(metric, "Loss"), ".1%" if metric in METRICS else ".3~g"
    base = alt.Chart(spread, height=_height(colours, rows), width="container").encode(
        x=alt.X(
            f"{at}:Q",
            title=words,
            axis=alt.Axis(grid=False, format=",d", tickMinStep=1, tickCount=6),
        ),
        color=_colour(colours, rows),
        tooltip=[
            alt.Tooltip("title:N", title="Arm"),
            alt.Tooltip(f"{at}:Q", title=words, format=",d"),
            *_spread_tooltip(name, ".2%" if metric in METRICS else ".4f"),
            alt.Tooltip("repeats:Q", title="Repeats"),
        ],
    )
    y = alt.Y(
        "mean:Q",
        title=f"{name} on the test split",
        scale=alt.Scale(zero=False),
        axis=alt.Axis(format=form, tickCount=6),
    )
    band = base.transform_filter("datum.low != null").mark_area(opacity=0.18)
    return alt.LayerChart(
        layer=[
            band.encode(y=alt.Y("low:Q"), y2="high:Q"),
            base.mark_line(strokeWidth=2).encode(y=y),
            base.mark_circle(size=36, opacity=1).encode(y=y),
        ]
    )


def recall_chart(recalls: pd.DataFrame, colours: Mapping[str, str]) -> alt.LayerChart:
    """Return the mean recall of each class and arm, with a line of one standard deviation to either side.

    Args:
        recalls: Columns title, repeat, label, recall; the classes are drawn in their order.
        colours: By title, as `arm_colours` gives them.
    """
    rows = recalls.dropna(subset=["recall"]).assign(line=lambda rows: rows["title"])
    spread = with_spread(rows, ["label", "line", "title"], "recall")
    shown = _shown(colours, rows)
    base = alt.Chart(spread).encode(
        y=alt.Y(
            "label:N",
            title=None,
            sort=list(dict.fromkeys(rows["label"])),
            axis=alt.Axis(labelLimit=110, grid=True, tickBand="extent"),
        ),
        yOffset=alt.YOffset("title:N", sort=shown),
        color=_colour(colours, rows),
        tooltip=[
            alt.Tooltip("label:N", title="Class"),
            alt.Tooltip("title:N", title="Arm"),
            *_spread_tooltip("Recall"),
        ],
    )
    x = alt.X("mean:Q", title="Recall", scale=alt.Scale(zero=False), axis=alt.Axis(format=".0%", tickCount=6))
    spreads = base.transform_filter("datum.low != null").mark_rule(strokeWidth=1.5)
    return alt.LayerChart(
        layer=[
            spreads.encode(x=alt.X("low:Q"), x2="high:Q"),
            base.mark_circle(size=70, opacity=1).encode(x=x),
        ],
        height=alt.Step(CLASS_ROW_HEIGHT),
        width="container",
    )


def cost_chart(costs: pd.DataFrame, colours: Mapping[str, str]) -> alt.LayerChart:
    """Return the mean accuracy of each arm against the minutes that one training of it takes.

    Args:
        costs: Columns title, minutes, mean, std, n_train, steps; without a mean nothing is drawn.
        colours: By title, as `arm_colours` gives them.
    """
    rows = costs.dropna(subset=["mean", "minutes"])
    rows = rows.assign(low=rows["mean"] - rows["std"], high=rows["mean"] + rows["std"])
    base = alt.Chart(rows, height=_height(colours, rows), width="container").encode(
        x=alt.X(
            "minutes:Q",
            title="Minutes per training",
            scale=alt.Scale(zero=False, padding=24),
            axis=alt.Axis(format=".3~g", tickCount=5),
        ),
        color=_colour(colours, rows),
        tooltip=[
            alt.Tooltip("title:N", title="Arm"),
            alt.Tooltip("minutes:Q", title="Minutes per training", format=".3~g"),
            alt.Tooltip("n_train:Q", title="Examples", format=",d"),
            alt.Tooltip("steps:Q", title="Steps", format=",d"),
            *_spread_tooltip("Accuracy"),
        ],
    )
    y = alt.Y(
        "mean:Q",
        title="Accuracy on the test split",
        scale=alt.Scale(zero=False, padding=16),
        axis=alt.Axis(format=".1%", tickCount=6),
    )
    spreads = base.transform_filter("datum.low != null").mark_rule(strokeWidth=1.5)
    return alt.LayerChart(
        layer=[
            spreads.encode(y=alt.Y("low:Q"), y2="high:Q"),
            base.mark_circle(size=130, opacity=1).encode(y=y),
        ]
    )


def _spread_tooltip(name: str, form: str = ".2%") -> list[alt.Tooltip]:
    return [
        alt.Tooltip("mean:Q", title=f"{name}, mean", format=form),
        alt.Tooltip("std:Q", title="Standard deviation", format=form),
    ]


def _with_lines(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with their titles broken into lines, column `line`."""
    return rows.assign(line=rows["title"].map(_in_lines))


def _in_lines(title: str, length: int = LINE_LENGTH) -> str:
    """Return a title in lines that end at a comma where they can."""
    parts = title.split(", ")
    tied = [part.replace(" ", "\xa0") if len(part) < length else part for part in parts]
    return "\n".join(textwrap.wrap(", ".join(tied), length)).replace("\xa0", " ")


def _shown(colours: Mapping[str, str], rows: pd.DataFrame) -> list[str]:
    """Return the titles that occur, in their order."""
    titles = set(rows["title"])
    return [title for title in colours if title in titles]


def _rows_of(colours: Mapping[str, str], rows: pd.DataFrame) -> alt.Y:
    return _axis_of_titles("line", [_in_lines(title) for title in _shown(colours, rows)])


def _axis_of_titles(field: str, order: list[str]) -> alt.Y:
    axis = alt.Axis(labelExpr="split(datum.label, '\\n')", labelLimit=160, labelOffset=_CENTRED, grid=False)
    return alt.Y(f"{field}:N", title=None, sort=order, axis=axis)


def _legend(entries: list[str]) -> alt.Legend:
    """Return a legend of one entry a row, long ones in lines: phones are narrow."""
    lines = json.dumps({entry: _in_lines(entry, LEGEND_LENGTH).split("\n") for entry in entries})
    expression = f"{lines}[datum.label]"
    return alt.Legend(orient="top", columns=1, labelLimit=320, labelExpr=expression, symbolOpacity=1)


def _height(colours: Mapping[str, str], rows: pd.DataFrame) -> int:
    """Return the height of a chart whose legend takes a part of it."""
    return HEIGHT + LEGEND_ROW * len(_shown(colours, rows))


def _colour(colours: Mapping[str, str], rows: pd.DataFrame, *, has_legend: bool = True) -> alt.Color:
    shown = _shown(colours, rows)
    legend = _legend(shown) if has_legend else None
    return named_colours("title", {title: colours[title] for title in shown}, legend)
