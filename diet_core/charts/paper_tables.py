"""The paper's tables and its seeds as pictures: small tables in, Altair charts out.

Source: Fayyaz et al. 2022, "BERT on a Data Diet", Tables 1 and 2, and §4.
"""

from __future__ import annotations

from typing import Final

import altair as alt
import pandas as pd

from diet_core.charts.base import BLUE, ORANGE
from diet_core.charts.paper import HEIGHT, TEAL, line_legend

ROW_HEIGHT: Final = 22  # pixels of an example
TEXT_WIDTH: Final = 620  # pixels of an example's text; what is longer is cut


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
    colour = alt.Color(
        "series:N",
        title=None,
        sort=names,
        scale=alt.Scale(domain=names, range=[BLUE, TEAL, ORANGE][: len(names)]),
        legend=line_legend(),
    )
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
    base = alt.Chart(rows, height=ROW_HEIGHT * len(rows), width=_EDGES[-1] + TEXT_WIDTH).encode(
        y=alt.Y("place:O", axis=None, sort=None)
    )
    columns = [
        base.mark_text(align="left", limit=width).encode(x=alt.value(edge), text=content)
        for edge, width, content in zip(_EDGES, _WIDTHS, _CONTENTS, strict=True)
    ]
    heads = [
        alt.Chart(rows.head(1))
        .mark_text(align="left", fontWeight="bold")
        .encode(x=alt.value(edge), y=alt.value(-8), text=alt.value(words))
        for edge, words in zip(_EDGES, _HEADS, strict=True)
    ]
    ends = base.mark_rect(opacity=0.14).encode(
        color=alt.Color(
            "end:N",
            title=None,
            scale=alt.Scale(domain=["highest", "lowest"], range=[ORANGE, BLUE]),
            legend=alt.Legend(orient="bottom"),
        )
    )
    return alt.LayerChart(layer=[ends, *columns, *heads])


_WIDTHS: Final = (44, 74, 130, 130, TEXT_WIDTH)
_EDGES: Final = (6, 54, 132, 266, 400)
_HEADS: Final = ("Rank", "EL2N", "Label", "Prediction", "Text")
_CONTENTS: Final = (
    alt.Text("rank:Q", format=",d"),
    alt.Text("el2n:Q", format=".6f"),
    alt.Text("label:N"),
    alt.Text("predicted_label:N"),
    alt.Text("text:N"),
)
