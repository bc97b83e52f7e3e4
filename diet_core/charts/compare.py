"""Charts of two runs side by side: small tables in, Altair charts out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import altair as alt
import pandas as pd

from diet_core.charts.base import BLUE, CHOSEN, GREY, Ends, brush_over, pair_matrix
from diet_core.charts.two_scores import count_shade

HEIGHT: Final = 340  # pixels


def percentile_heatmap(
    cells: pd.DataFrame, *, height: int = HEIGHT, brushed: Sequence[Ends] | None = None
) -> alt.LayerChart:
    """Return a cell per pair of percentiles in A and in B, darker for more examples (on a log scale).

    Equal orders lie on the diagonal, which is drawn; what is harder in B lies above it.

    Args:
        cells: Columns a_start, a_end, b_start, b_end (0 = easiest, 100 = hardest) and count.
        height: In pixels.
        brushed: The rectangle that is drawn at first, of A and of B; the selection is called `BRUSH`.
    """
    scale = alt.Scale(domain=[0, 100], nice=False)
    grid = (
        alt.Chart(cells)
        .mark_rect()
        .encode(
            x=alt.X("a_start:Q", title="Percentile in A", scale=scale, axis=_percent_axis()),
            x2=alt.X2("a_end:Q"),
            y=alt.Y("b_start:Q", title="Percentile in B", scale=scale, axis=_percent_axis()),
            y2=alt.Y2("b_end:Q"),
            color=count_shade(cells),
            tooltip=[
                alt.Tooltip("count:Q", title="Examples", format=",d"),
                alt.Tooltip("a_start:Q", title="In A from (%)"),
                alt.Tooltip("a_end:Q", title="In A to (%)"),
                alt.Tooltip("b_start:Q", title="In B from (%)"),
                alt.Tooltip("b_end:Q", title="In B to (%)"),
            ],
        )
        .add_params(brush_over(["x", "y"], brushed))
    )
    same = (
        alt.Chart(pd.DataFrame({"a": [0, 100], "b": [0, 100]}))
        .mark_line(color=CHOSEN, strokeDash=[5, 4], strokeWidth=1.5)
        .encode(x=alt.X("a:Q"), y=alt.Y("b:Q"))
    )
    return alt.LayerChart(layer=[grid, same], height=height, width="container")


def shared_curve(shared: pd.DataFrame, n_common: int, *, height: int = HEIGHT) -> alt.LayerChart:
    """Return which share of the hardest examples both sides have in common, and what chance would give.

    Args:
        shared: Columns percent, n, n_shared and share, a row per percent.
        n_common: How many examples there are.
        height: In pixels.
    """
    rows = shared.assign(chance=shared["n"] / n_common)
    base = alt.Chart(rows).encode(
        x=alt.X(
            "percent:Q",
            title="Hardest examples of each side",
            scale=alt.Scale(domain=[0, 100]),
            axis=_percent_axis(),
        ),
        tooltip=[
            alt.Tooltip("percent:Q", title="Hardest (%)"),
            alt.Tooltip("n:Q", title="Examples of each side", format=",d"),
            alt.Tooltip("n_shared:Q", title="In both", format=",d"),
            alt.Tooltip("share:Q", title="Shared", format=".1%"),
            alt.Tooltip("chance:Q", title="By chance", format=".1%"),
        ],
    )
    y = alt.Y("share:Q", title="Shared", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%"))
    found = base.mark_line(color=BLUE, point=alt.OverlayMarkDef(size=18, color=BLUE)).encode(y=y)
    chance = base.mark_line(color=GREY, strokeDash=[5, 4]).encode(y=alt.Y("chance:Q"))
    return alt.LayerChart(layer=[chance, found], height=height, width="container")


def prediction_matrix(
    pairs: pd.DataFrame,
    classes: Sequence[str],
    *,
    height: int = HEIGHT,
    chosen: tuple[str, str] | None = None,
) -> alt.LayerChart:
    """Return a cell per prediction of A and of B, bluer for a larger share of A's; a click chooses one.

    Args:
        pairs: Columns predicted_a, predicted_b, count and share; pairs that do not occur are left out.
        classes: The order of both axes; with more than 12 the cells bear no numbers.
        height: In pixels.
        chosen: The pair whose cell has a frame; the selection is called `CLICK`.
    """
    return pair_matrix(
        pairs,
        classes,
        {"predicted_a": "A predicts", "predicted_b": "B predicts"},
        "Share of A's predictions of this class",
        height=height,
        is_clickable=True,
        chosen=chosen or (None, None),
    )


def _percent_axis() -> alt.Axis:
    return alt.Axis(grid=False, values=[0, 20, 40, 60, 80, 100], labelExpr="datum.value + ' %'")
