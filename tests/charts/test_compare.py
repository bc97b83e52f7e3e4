"""Charts of two runs side by side."""

import itertools

import pandas as pd

from diet_core.charts.compare import percentile_heatmap, prediction_matrix, shared_curve


def rows(chart) -> list[dict]:
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def cells(n: int = 50) -> pd.DataFrame:
    found = pd.DataFrame(itertools.product(range(0, 2 * n, 2), repeat=2), columns=["a_start", "b_start"])
    return found.assign(a_end=found["a_start"] + 2, b_end=found["b_start"] + 2, count=found["a_start"] + 1)


def test_percentile_heatmap_has_a_mark_per_cell_and_the_diagonal():
    found = rows(percentile_heatmap(cells()))
    assert len(found) == 2500 + 2
    assert [row for row in found if "a" in row] == [{"a": 0, "b": 0}, {"a": 100, "b": 100}]


def test_percentile_heatmap_begins_with_the_rectangle_that_it_is_given():
    (brush,) = percentile_heatmap(cells(3), brushed=((80, 100), (0, 40))).to_dict()["params"]
    assert (brush["name"], brush["value"]) == ("brush", {"x": [80, 100], "y": [0, 40]})
    assert "value" not in percentile_heatmap(cells(3)).to_dict()["params"][0]


def test_percentile_heatmap_can_be_empty():
    assert len(rows(percentile_heatmap(cells().head(0)))) == 2


def test_shared_curve_knows_what_chance_would_give():
    shared = pd.DataFrame({"percent": [1, 100], "n": [2, 200], "n_shared": [1, 200], "share": [0.5, 1.0]})
    assert [(row["share"], row["chance"]) for row in rows(shared_curve(shared, 200))] == [(0.5, 0.01), (1, 1)]


PAIRS = pd.DataFrame(
    {"predicted_a": ["x", "y"], "predicted_b": ["y", "y"], "count": [3, 4], "share": [1.0, 1.0]}
)


def test_prediction_matrix_frames_the_chosen_pair_and_can_be_clicked():
    chart = prediction_matrix(PAIRS, ["x", "y"], chosen=("x", "y"))
    assert [row["is_chosen"] for row in rows(chart)] == [True, False]
    (click,) = chart.to_dict()["params"]
    assert (click["name"], click["select"]["fields"]) == ("click", ["predicted_a", "predicted_b"])


def test_prediction_matrix_of_many_classes_bears_no_numbers():
    assert len(prediction_matrix(PAIRS, ["x", "y"]).to_dict()["layer"]) == 2
    assert len(prediction_matrix(PAIRS, [f"c{i}" for i in range(13)]).to_dict()["layer"]) == 1
