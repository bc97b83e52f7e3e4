"""Charts: small tables in, Altair charts out. Readable on light and dark grounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.bins import robust_range
from diet_core.errors import NotFoundError, SettingError
from diet_core.tables import SCORES

# Mid-tones: at least 3:1 against white as well as against a near-black ground.
GREY: Final = "#8a94a3"
BLUE: Final = "#3d7fd9"
ORANGE: Final = "#cf7420"  # beside both also told apart without red and green
SHADES: Final = ("#64748b", "#1e5bb8")  # white on them: at least 4.7:1
CHOSEN: Final = "#e8912d"  # the frame of what was clicked, and what lies beyond an axis
HEIGHT: Final = 260  # pixels

TOP: Final = alt.Legend(orient="top")
BRUSH: Final = "brush"
CLICK: Final = "click"
NUMBERED_CLASSES: Final = 12
MATRIX_WIDTH: Final = 165  # pixels that its cells have at least

# What the functions here and in the other charts modules return.
AnyChart = alt.Chart | alt.LayerChart
Ends = tuple[float, float]

ALL: Final = "all examples"
FILTERED: Final = "in the filter"


def score_histogram(scores: pd.DataFrame, column: str, bins: int = 60) -> alt.Chart:
    """Return how a score is spread over the examples.

    The bars are counted here, so that the chart holds one row per bar however long the table is.

    Args:
        scores: The scores table, one row per example.
        column: The score, like `el2n`.
        bins: Number of bars. Values far outside of the inner 99 % are counted in the first and last one.

    Raises:
        NotFoundError: If the table has no such column.
        SettingError: If the column is not numeric or has no values, or `bins` is below 1.
    """
    if column not in scores:
        raise NotFoundError(
            f"The table has no column {column!r} (it has: {', '.join(map(str, scores))}). "
            f"Choose a score: {', '.join(SCORES)}."
        )
    if bins < 1:
        raise SettingError(f"bins is {bins}. Give a whole number of at least 1.")
    return histogram_bars(_counted(_numbers(scores[column], column), bins), column)


def histogram_bars(
    bins: pd.DataFrame,
    column: str,
    *,
    height: int = HEIGHT,
    has_brush: bool = False,
    brushed: Ends | None = None,
    is_log: bool = False,
) -> alt.Chart:
    """Return a bar per bin: all examples in grey, those of the filter in colour in front.

    Args:
        bins: Columns bin_start, bin_end, count, and where there is a filter count_filtered; lowest and
            highest say which values a bin really holds. An outer bin that holds values beyond it has a frame.
        column: The score that was counted.
        height: In pixels.
        has_brush: Whether a range can be drawn over the bars; the selection is called `BRUSH`.
        brushed: The range that is drawn at first.
        is_log: Whether the counts are drawn as log(1 + count), so that a bin of one example is seen.
    """
    title = SCORES[column].title if column in SCORES else column
    columns = [name for name in ("count", "count_filtered") if name in bins]
    bars = bins.melt([c for c in bins if c not in columns], columns, "series", "examples")
    bars["series"] = bars["series"].map({"count": ALL, "count_filtered": FILTERED})
    bars["is_beyond"] = _is_beyond(bars)
    base = alt.Chart(bars[bars["examples"] > 0], height=height, width="container")
    chart: alt.Chart = base.mark_bar(binSpacing=1).encode(
        x=alt.X("bin_start:Q", bin="binned", title=title, axis=alt.Axis(grid=False, tickCount=10)),
        x2=alt.X2("bin_end:Q"),
        y=_counts_axis(int(bars["examples"].max()), is_log),
        color=_colour(columns, is_log),
        stroke=framed("datum.is_beyond"),
        order=alt.Order("series:N"),
        tooltip=_tooltip(bins, title),
    )
    if has_brush:
        chart = chart.add_params(brush_over(["x"], [brushed] if brushed else None))
    return chart


def brush_over(axes: Sequence[Literal["x", "y"]], start: Sequence[Ends] | None) -> alt.Parameter:
    """Return the selection `BRUSH` of a range of x, or of a rectangle of x and y.

    Args:
        axes: Over which it can be drawn.
        start: The ends on each that are drawn at first.
    """
    value: Any = dict(zip(axes, start, strict=True)) if start else alt.Undefined
    return alt.selection_interval(name=BRUSH, encodings=list(axes), value=value)


def label_matrix(
    counts: pd.DataFrame,
    classes: Sequence[str],
    *,
    height: int = HEIGHT,
    is_clickable: bool = False,
    chosen: tuple[str | None, str | None] = (None, None),
) -> alt.LayerChart:
    """Return a cell per pair of label and prediction, bluer for a larger share of the label's examples.

    Args:
        counts: Columns label, predicted_label, count and share; pairs that do not occur are left out.
        classes: The order of both axes; with more than 12 the cells bear no numbers.
        height: In pixels.
        is_clickable: Whether a cell can be chosen: the selection `CLICK` of label and predicted_label.
        chosen: The label and the prediction whose cells have a frame; None means any.
    """
    return pair_matrix(
        counts,
        classes,
        {"label": "Label", "predicted_label": "Prediction"},
        "Share of the label",
        height=height,
        is_clickable=is_clickable,
        chosen=chosen,
    )


def pair_matrix(
    counts: pd.DataFrame,
    classes: Sequence[str],
    titles: dict[str, str],
    share_title: str,
    *,
    height: int,
    is_clickable: bool,
    chosen: tuple[str | None, str | None],
) -> alt.LayerChart:
    """Return a cell per pair of classes, bluer for a larger share of its row.

    Args:
        counts: The two columns of classes, count and share.
        classes: The order of both axes; with more than 12 the cells bear no numbers.
        titles: Of the columns: the one that goes down, then the one that goes across.
        share_title: What the share is of.
        height: In pixels.
        is_clickable: Whether a cell can be chosen: the selection `CLICK` of both columns.
        chosen: The classes whose cells have a frame, down and across; None means any.
    """
    down, across = titles
    rows = counts.assign(is_chosen=_is_chosen(counts, (down, across), chosen))
    cells = alt.Chart(rows, height=height, width="container").encode(
        x=alt.X(f"{across}:N", sort=list(classes), title=titles[across], axis=_class_axis(classes)),
        y=alt.Y(f"{down}:N", sort=list(classes), title=titles[down]),
    )
    rects = cells.mark_rect(strokeWidth=3, cursor="pointer" if is_clickable else "default").encode(
        color=alt.Color("share:Q", scale=alt.Scale(domain=[0, 1], range=list(SHADES)), legend=None),
        stroke=framed("datum.is_chosen"),
        tooltip=[
            *(alt.Tooltip(f"{column}:N", title=title) for column, title in titles.items()),
            alt.Tooltip("count:Q", title="Examples", format=",d"),
            alt.Tooltip("share:Q", title=share_title, format=".1%"),
        ],
    )
    if is_clickable:
        rects = rects.add_params(alt.selection_point(name=CLICK, fields=[down, across]))
    if len(classes) > NUMBERED_CLASSES:
        return alt.LayerChart(layer=[rects])
    # Without a tooltip the numbers let the pointer through to their cells.
    numbers = cells.mark_text(fontSize=13, color="white").encode(text=alt.Text("count:Q", format=",d"))
    return alt.LayerChart(layer=[rects, numbers])


def named_colours(field: str, colours: Mapping[str, str], legend: alt.Legend | None = TOP) -> alt.Color:
    """Return the colour of each name in a column; the legend has no title and stands above the chart.

    Args:
        field: The column.
        colours: By name, in the order of the legend.
        legend: Another one, or None.
    """
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color(f"{field}:N", title=None, sort=list(colours), scale=scale, legend=legend)


def with_spread(rows: pd.DataFrame, by: list[str], metric: str) -> pd.DataFrame:
    """Return mean, std, low, high and repeats of each group.

    Args:
        rows: With the columns of `by` and the metric.
        by: What tells the groups apart.
        metric: The column that is counted.

    Returns:
        low and high lie one standard deviation (ddof 1) to either side of the mean; with std they are missing
        where there is one repeat.
    """
    found = rows.groupby(by, sort=False)[metric].agg(["mean", "std", "count"]).reset_index()
    found = found.rename(columns={"count": "repeats"})
    return found.assign(low=found["mean"] - found["std"], high=found["mean"] + found["std"])


def framed(test: str) -> alt.StrokeValue:
    """Return the frame of the marks for which a Vega expression holds.

    An `alt.condition` says the same, but altair tries every schema of a channel on it: 10 ms each.
    """
    shown = alt.ConditionalPredicateValueDefstringnullExprRef(test=test, value=CHOSEN)
    return alt.StrokeValue(None, condition=shown)


def _colour(columns: list[str], is_log: bool) -> alt.Color:
    """Return the colours of the series; a single one needs no legend."""
    if len(columns) == 1:
        return named_colours("series", {ALL: BLUE}, None)
    # Within the frame there is room as long as the counts fall off, which their logarithms do not.
    legend = alt.Legend(orient="top" if is_log else "top-right")
    return named_colours("series", {ALL: GREY, FILTERED: BLUE}, legend)


def _class_axis(classes: Sequence[str]) -> alt.Axis:
    """Return the axis of few classes with every label, cut where there is no room; of many as they fit."""
    if len(classes) > NUMBERED_CLASSES:
        return alt.Axis(labelAngle=-45, labelLimit=90)
    return alt.Axis(labelAngle=0, labelOverlap=False, labelLimit=max(24, MATRIX_WIDTH // len(classes)))


def _counts_axis(largest: int, is_log: bool) -> alt.Y:
    """Return the axis of the counts; on a log scale zero has its place at the bottom."""
    if not is_log:
        return alt.Y("examples:Q", title="Examples", stack=None, axis=alt.Axis(format=",d", tickMinStep=1))
    axis = alt.Axis(format=",d", values=[0, *(10**k for k in range(len(str(largest))))])
    scale = alt.Scale(type="symlog", constant=1)
    return alt.Y("examples:Q", title="Examples (log)", stack=None, scale=scale, axis=axis)


def _is_beyond(bars: pd.DataFrame) -> pd.Series:
    """Return whether a bin holds values that lie beyond it; rounding alone is not beyond."""
    if "lowest" not in bars:
        return pd.Series(False, index=bars.index)
    slack = 1e-6 * (bars["bin_end"] - bars["bin_start"])
    return (bars["lowest"] < bars["bin_start"] - slack) | (bars["highest"] > bars["bin_end"] + slack)


def _is_chosen(
    counts: pd.DataFrame, columns: tuple[str, str], chosen: tuple[str | None, str | None]
) -> pd.Series:
    """Return which cells are of the chosen classes; none where nothing is chosen."""
    is_chosen = pd.Series(chosen != (None, None), index=counts.index)
    for column, value in zip(columns, chosen, strict=True):
        if value is not None:
            is_chosen &= counts[column] == value
    return is_chosen


def _tooltip(bins: pd.DataFrame, title: str) -> list[alt.Tooltip]:
    """Return the exact values behind a bar."""
    low, high = ("lowest", "highest") if "lowest" in bins else ("bin_start", "bin_end")
    return [
        alt.Tooltip(f"{low}:Q", title=f"{title} from", format=".4~g"),
        alt.Tooltip(f"{high}:Q", title=f"{title} to", format=".4~g"),
        alt.Tooltip("examples:Q", title="Examples", format=",d"),
        alt.Tooltip("series:N", title="Counted"),
    ]


def _numbers(values: pd.Series, column: str) -> NDArray[np.float64]:
    """Return the finite values of a column."""
    if not pd.api.types.is_numeric_dtype(values):
        raise SettingError(f"Column {column!r} holds no numbers. Choose a score: {', '.join(SCORES)}.")
    numbers: NDArray[np.float64] = values.to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        raise SettingError(
            f"All {len(values)} values of {column!r} are missing. "
            "Choose another score (forgetting and variability need two checkpoints)."
        )
    return numbers


def _counted(values: NDArray[np.float64], bins: int) -> pd.DataFrame:
    """Return the bins of the values with the counts and the values that each holds."""
    inner_low, inner_high = np.quantile(values, [0.005, 0.995])
    start, end = robust_range(values.min(), values.max(), inner_low, inner_high)
    edges = np.linspace(start, end, bins + 1)
    number = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
    inside = pd.Series(values).groupby(number).agg(["size", "min", "max"]).reindex(range(bins))
    return pd.DataFrame(
        {
            "bin_start": edges[:-1],
            "bin_end": edges[1:],
            "count": inside["size"].fillna(0).astype(int).to_numpy(),
            "lowest": inside["min"].to_numpy(),
            "highest": inside["max"].to_numpy(),
        }
    )
