"""Charts: small tables in, Altair charts out. Readable on light and dark grounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

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
SHADES: Final = ("#64748b", "#1e5bb8")  # white on them: at least 4.7:1
HEIGHT: Final = 260  # pixels

BRUSH: Final = "brush"
NUMBERED_CLASSES: Final = 12

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
    brushed: tuple[float, float] | None = None,
) -> alt.Chart:
    """Return a bar per bin: all examples in grey, those of the filter in colour in front.

    Args:
        bins: Columns bin_start, bin_end, count, and where there is a filter count_filtered; lowest and
            highest say which values a bin really holds.
        column: The score that was counted.
        height: In pixels.
        has_brush: Whether a range can be drawn over the bars; the selection is called `BRUSH`.
        brushed: The range that is drawn at first.
    """
    title = SCORES[column].title if column in SCORES else column
    columns = [name for name in ("count", "count_filtered") if name in bins]
    bars = bins.melt([c for c in bins if c not in columns], columns, "series", "examples")
    bars["series"] = bars["series"].map({"count": ALL, "count_filtered": FILTERED})
    base = alt.Chart(bars[bars["examples"] > 0], height=height, width="container")
    chart: alt.Chart = base.mark_bar(binSpacing=1).encode(
        x=alt.X("bin_start:Q", bin="binned", title=title, axis=alt.Axis(grid=False, tickCount=10)),
        x2="bin_end:Q",
        y=alt.Y("examples:Q", title="Examples", stack=None, axis=alt.Axis(format=",d", tickMinStep=1)),
        color=_colour(columns),
        order=alt.Order("series:N"),
        tooltip=_tooltip(bins, title),
    )
    if has_brush:
        value = alt.selection_interval(
            name=BRUSH, encodings=["x"], value={"x": brushed} if brushed else alt.Undefined
        )
        chart = chart.add_params(value)
    return chart


def label_matrix(counts: pd.DataFrame, classes: Sequence[str], *, height: int = HEIGHT) -> alt.LayerChart:
    """Return a cell per pair of label and prediction, bluer for a larger share of the label's examples.

    Args:
        counts: Columns label, predicted_label, count and share; pairs that do not occur are left out.
        classes: The order of both axes; with more than 12 the cells bear no numbers.
        height: In pixels.
    """
    cells = alt.Chart(counts, height=height, width="container").encode(
        x=alt.X("predicted_label:N", sort=list(classes), title="Prediction", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("label:N", sort=list(classes), title="Label"),
        tooltip=[
            alt.Tooltip("label:N", title="Label"),
            alt.Tooltip("predicted_label:N", title="Prediction"),
            alt.Tooltip("count:Q", title="Examples", format=",d"),
            alt.Tooltip("share:Q", title="Share of the label", format=".1%"),
        ],
    )
    shade = alt.Color("share:Q", scale=alt.Scale(domain=[0, 1], range=list(SHADES)), legend=None)
    layers = [cells.mark_rect().encode(color=shade)]
    if len(classes) <= NUMBERED_CLASSES:
        layers.append(
            cells.mark_text(fontSize=13, color="white").encode(text=alt.Text("count:Q", format=",d"))
        )
    return alt.LayerChart(layer=layers)


def _colour(columns: list[str]) -> alt.Color:
    """Return the colours of the series; a single one needs no legend."""
    if len(columns) == 1:
        return alt.Color("series:N", scale=alt.Scale(domain=[ALL], range=[BLUE]), legend=None)
    scale = alt.Scale(domain=[ALL, FILTERED], range=[GREY, BLUE])
    return alt.Color("series:N", scale=scale, title=None, legend=alt.Legend(orient="top-right"))


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
    held = pd.Series(values).groupby(number).agg(["size", "min", "max"]).reindex(range(bins))
    return pd.DataFrame(
        {
            "bin_start": edges[:-1],
            "bin_end": edges[1:],
            "count": held["size"].fillna(0).astype(int).to_numpy(),
            "lowest": held["min"].to_numpy(),
            "highest": held["max"].to_numpy(),
        }
    )
