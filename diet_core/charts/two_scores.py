"""Charts of two scores at once: the data map and the grid of counts. Both can be brushed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import altair as alt
import pandas as pd

from diet_core.charts.base import GREY, Ends, brush_over
from diet_core.tables import SCORES

HEIGHT: Final = 310  # pixels
# Told apart without red and green, and at least 3:1 on white and on near-black.
LOW_TO_HIGH: Final = ("#d9640f", "#8a94a3", "#2f7fe0")
# From few to many; all of them can be told from either ground.
FEW_TO_MANY: Final = ("#8fa6c4", "#3d7fd9", "#9a55c4", "#dd5a2b")


class _AxisLike(Protocol):
    """What a chart has to know of an axis; `store.views.Axis` is one."""

    @property
    def score(self) -> str: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


def score_heatmap(
    cells: pd.DataFrame,
    x: _AxisLike,
    y: _AxisLike,
    *,
    height: int = HEIGHT,
    brushed: Sequence[Ends] | None = None,
) -> alt.Chart:
    """Return a cell per pair of ranges of two scores, darker for more examples (on a log scale).

    Args:
        cells: Columns x_start, x_end, y_start, y_end, count.
        x: The score across and its ends.
        y: The score upwards.
        height: In pixels.
        brushed: The rectangle that is drawn at first; the selection is called `BRUSH`.
    """
    rects = _cells(cells, x, y, height).mark_rect().encode(color=count_shade(cells))
    chart: alt.Chart = rects.add_params(brush_over(["x", "y"], brushed))
    return chart


def count_shade(cells: pd.DataFrame) -> alt.Color:
    """Return the colour of cells by their `count`, from few to many examples on a log scale."""
    scale = _log_scale(cells, range=list(FEW_TO_MANY), interpolate="rgb")
    return alt.Color("count:Q", title="Examples", scale=scale, legend=alt.Legend(format="~s", tickCount=4))


def _log_scale(cells: pd.DataFrame, **settings: Any) -> alt.Scale:
    most = max(2, int(cells["count"].max())) if len(cells) else 2
    return alt.Scale(type="log", domain=[1, most], **settings)


def data_map(
    cells: pd.DataFrame,
    points: pd.DataFrame,
    x: _AxisLike,
    y: _AxisLike,
    *,
    limits: tuple[float, float],
    height: int = HEIGHT,
    brushed: Sequence[Ends] | None = None,
) -> alt.LayerChart:
    """Return the density of all examples, and some of them as points; both coloured by correctness.

    Args:
        cells: Columns x_start, x_end, y_start, y_end, count and correctness (the mean).
        points: Columns example_id, label, predicted_label, correctness, and the two scores.
        x: The score across, variability.
        y: The score upwards, confidence.
        limits: The value of x from which an example is ambiguous, and that of y from which it is easy.
        height: In pixels.
        brushed: The rectangle that is drawn at first; the selection is called `BRUSH`.
    """
    colour = alt.Color(
        "correctness:Q",
        title="Correctness",
        scale=alt.Scale(domain=[0, 0.5, 1], range=list(LOW_TO_HIGH), interpolate="rgb"),
        legend=alt.Legend(format=".0%", values=[0, 0.25, 0.5, 0.75, 1]),
    )
    density = alt.Opacity("count:Q", scale=_log_scale(cells, range=[0.12, 0.6]), legend=None)
    grid = _cells(cells, x, y, height).mark_rect().encode(color=colour, opacity=density)
    dots = (
        alt.Chart(points)
        .mark_circle(size=12, opacity=0.85)
        .encode(
            x=alt.X(f"{x.score}:Q", scale=_scale(x)),
            y=alt.Y(f"{y.score}:Q", scale=_scale(y)),
            color=colour,
            tooltip=_point_tooltip(x, y),
        )
    )
    return alt.LayerChart(
        layer=[grid.add_params(brush_over(["x", "y"], brushed)), dots, *_limit_lines(x, y, limits)],
        width="container",
    )


def _limit_lines(x: _AxisLike, y: _AxisLike, limits: tuple[float, float]) -> list[alt.Chart]:
    """Return where the regions of the data map meet, as far as it lies within the axes."""
    ambiguous, easy = limits
    ends = pd.DataFrame(
        {
            "x": [ambiguous, x.start],
            "x2": [ambiguous, min(ambiguous, x.end)],
            "y": [y.start, easy],
            "y2": [y.end, easy],
        }
    )
    is_seen = [x.start < ambiguous < x.end, y.start < easy < y.end and x.start < ambiguous]
    mark = alt.Chart(ends[is_seen]).mark_rule(color=GREY, strokeDash=[5, 4], strokeWidth=1.5)
    return [mark.encode(x=alt.X("x:Q"), x2=alt.X2("x2:Q"), y=alt.Y("y:Q"), y2=alt.Y2("y2:Q"))]


def _cells(cells: pd.DataFrame, x: _AxisLike, y: _AxisLike, height: int) -> alt.Chart:
    titles = SCORES[x.score].title, SCORES[y.score].title
    tooltip = [
        alt.Tooltip("count:Q", title="Examples", format=",d"),
        alt.Tooltip("x_start:Q", title=f"{titles[0]} from", format=".4~g"),
        alt.Tooltip("x_end:Q", title=f"{titles[0]} to", format=".4~g"),
        alt.Tooltip("y_start:Q", title=f"{titles[1]} from", format=".4~g"),
        alt.Tooltip("y_end:Q", title=f"{titles[1]} to", format=".4~g"),
        alt.Tooltip("correctness:Q", title="Mean correctness", format=".1%"),
    ]
    axes = [alt.Axis(grid=False, tickCount=10, format="~g"), alt.Axis(grid=False, tickCount=6, format="~g")]
    chart: alt.Chart = alt.Chart(cells, height=height, width="container").encode(
        x=alt.X("x_start:Q", title=titles[0], scale=_scale(x), axis=axes[0]),
        x2=alt.X2("x_end:Q"),
        y=alt.Y("y_start:Q", title=titles[1], scale=_scale(y), axis=axes[1]),
        y2=alt.Y2("y_end:Q"),
        tooltip=tooltip,
    )
    return chart


def _scale(axis: _AxisLike) -> alt.Scale:
    return alt.Scale(domain=[axis.start, axis.end], nice=False, zero=False, clamp=True)


def _point_tooltip(x: _AxisLike, y: _AxisLike) -> list[alt.Tooltip]:
    """Return what a point says: no text, which would be most of what travels."""
    return [
        alt.Tooltip("example_id:N", title="Id"),
        alt.Tooltip("label:N", title="Label"),
        alt.Tooltip("predicted_label:N", title="Prediction"),
        alt.Tooltip(f"{x.score}:Q", title=SCORES[x.score].title, format=".4f"),
        alt.Tooltip(f"{y.score}:Q", title=SCORES[y.score].title, format=".4f"),
        alt.Tooltip("correctness:Q", title="Correctness", format=".1%"),
    ]
