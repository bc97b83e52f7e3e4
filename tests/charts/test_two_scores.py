"""The charts of Explore beside the histogram."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from diet_core.charts.base import histogram_bars, label_matrix
from diet_core.charts.groups import class_spreads, label_share_lines, seed_curve
from diet_core.charts.two_scores import data_map, score_heatmap
from diet_core.store.queries.data_map import Axis

X, Y = Axis("variability", 0.0, 0.5, 0, 0), Axis("confidence", 0.0, 1.0, 0, 0)
CELLS = pd.DataFrame(
    {
        "x_start": [0.0, 0.1],
        "x_end": [0.1, 0.2],
        "y_start": [0.5, 0.0],
        "y_end": [1.0, 0.5],
        "count": [9, 1],
        "correctness": [1.0, 0.25],
    }
)
POINTS = pd.DataFrame(
    {
        "example_id": ["a"],
        "label": ["x"],
        "predicted_label": ["y"],
        "variability": [0.05],
        "confidence": [0.7],
        "correctness": [1.0],
    }
)
NO_CELLS, NO_POINTS = CELLS.head(0), POINTS.head(0)


def brush(spec: dict) -> dict:
    """The description of a chart's brush."""
    return next(param for param in spec["params"] if param["name"] == "brush")


def test_score_heatmap_shades_counts_on_a_log_scale():
    spec = score_heatmap(CELLS, X, Y).to_dict()
    assert spec["encoding"]["color"]["scale"]["type"] == "log"
    assert spec["encoding"]["color"]["scale"]["domain"] == [1, 9]
    assert spec["encoding"]["x"]["scale"]["domain"] == [0.0, 0.5]
    assert [spec["encoding"][axis]["title"] for axis in "xy"] == ["Variability", "Confidence"]


def test_score_heatmap_can_be_brushed_both_ways():
    assert brush(score_heatmap(CELLS, X, Y).to_dict())["select"]["encodings"] == ["x", "y"]
    drawn = score_heatmap(CELLS, X, Y, brushed=((0.1, 0.2), (0.0, 0.5))).to_dict()
    assert brush(drawn)["value"] == {"x": [0.1, 0.2], "y": [0.0, 0.5]}


def test_charts_of_nothing_are_charts():
    assert score_heatmap(NO_CELLS, X, Y).to_dict()
    assert data_map(NO_CELLS, NO_POINTS, X, Y, limits=(0.2, 0.5)).to_dict()


def test_data_map_has_cells_below_points_and_limits():
    grid, dots, limits = data_map(CELLS, POINTS, X, Y, limits=(0.2, 0.5)).to_dict()["layer"]
    assert [layer["mark"]["type"] for layer in (grid, dots, limits)] == ["rect", "circle", "rule"]
    assert grid["encoding"]["color"] == dots["encoding"]["color"]


def test_data_map_draws_no_limit_beyond_its_axes():
    narrow = Axis("variability", 0.0, 0.1, 0, 0)
    spec = data_map(CELLS, POINTS, narrow, Y, limits=(0.2, 0.5)).to_dict()
    name = spec["layer"][2]["data"]["name"]
    assert spec["datasets"][name] == [{"x": 0.0, "x2": 0.1, "y": 0.5, "y2": 0.5}]


def test_data_map_says_of_a_point_what_it_is_but_not_its_text():
    dots = data_map(CELLS, POINTS, X, Y, limits=(0.2, 0.5)).to_dict()["layer"][1]
    titles = [field["title"] for field in dots["encoding"]["tooltip"]]
    assert titles == ["Id", "Label", "Prediction", "Variability", "Confidence", "Correctness"]


BINS = pd.DataFrame(
    {
        "bin_start": [0.0, 1.0],
        "bin_end": [1.0, 2.0],
        "count": [1000, 1],
        "lowest": [0.0, 1.5],
        "highest": [0.9, 70.0],
    }
)


def test_histogram_bars_frame_the_bin_that_holds_what_lies_beyond():
    (data,) = histogram_bars(BINS, "loss").to_dict()["datasets"].values()
    assert [row["is_beyond"] for row in data] == [False, True]


def test_histogram_bars_on_a_log_scale_show_a_bin_of_one():
    y = histogram_bars(BINS, "loss", is_log=True).to_dict()["encoding"]["y"]
    assert y["scale"] == {"type": "symlog", "constant": 1}
    assert y["axis"]["values"] == [0, 1, 10, 100, 1000]
    assert np.log1p(1) / np.log1p(1000) > 0.1  # of the height


def test_label_matrix_frames_what_was_chosen():
    pairs = [(a, b, 2, 0.5) for a in "ab" for b in "ab"]
    counts = pd.DataFrame(pairs, columns=["label", "predicted_label", "count", "share"])

    def framed(*chosen: str | None) -> list[str]:
        chart = label_matrix(counts, ["a", "b"], is_clickable=True, chosen=chosen)
        (data,) = chart.to_dict()["datasets"].values()
        return [row["label"] + row["predicted_label"] for row in data if row["is_chosen"]]

    assert framed(None, None) == []
    assert framed("a", "b") == ["ab"]
    assert framed("a", None) == ["aa", "ab"]
    assert framed(None, "b") == ["ab", "bb"]


QUANTILES = pd.DataFrame(
    {"label": ["b", "a"], "count": [5, 3]}
    | {name: [0.1, 0.2] for name in ("q05", "q25", "median", "q75", "q95")}
)


def test_class_spreads_keep_the_order_and_can_be_clicked():
    spec = class_spreads(QUANTILES, "el2n", chosen="a").to_dict()
    assert all(layer["encoding"]["y"]["sort"] is None for layer in spec["layer"])
    (click,) = spec["params"]
    assert (click["name"], click["select"]["fields"]) == ("click", ["label"])
    (data,) = spec["datasets"].values()
    assert [row["is_chosen"] for row in data] == [False, True]


def shares(steps: list[int], classes: list[str]) -> pd.DataFrame:
    rows = [(s, s / 100, s >= 100, c, 3, 0.5, 0.25) for s in steps for c in classes]
    names = ["step", "epoch", "is_reliable", "label", "count", "share", "share_of_all"]
    return pd.DataFrame(rows, columns=names)


def test_label_share_lines_draw_the_named_classes_with_dashes_and_rings():
    spec = label_share_lines(shares([50, 100], ["a", "b", "c"]), ["a", "c"]).to_dict()
    (data,) = spec["datasets"].values()
    assert {row["label"] for row in data} == {"a", "c"}
    dashes, line, dots = spec["layer"]
    assert dashes["encoding"]["y"]["field"] == "share_of_all"
    assert line["encoding"]["y"]["field"] == "share"
    assert "is_reliable" in json.dumps(dots["encoding"]["fill"])


def test_seed_curve_has_a_line_at_the_target():
    curve = pd.DataFrame({"seeds": [1, 2], "series": "Reliability", "correlation": [0.9, 0.96]})
    spec = seed_curve(curve, 0.97).to_dict()
    assert {"target": 0.97} in [row for rows in spec["datasets"].values() for row in rows]
    assert "shape" not in json.dumps(spec["layer"][1])
