import json

import numpy as np
import pandas as pd
import pytest

from diet_core.charts.base import histogram_bars, label_matrix, score_histogram
from diet_core.errors import NotFoundError, SettingError
from diet_core.store.queries.histograms import read_histogram


def rows(chart) -> list[dict]:
    """The rows that travel with a chart."""
    (data,) = chart.to_dict()["datasets"].values()
    return data


def test_score_histogram_counts_every_example_once():
    scores = pd.DataFrame({"el2n": np.linspace(0, 1.4, 1000)})
    chart = score_histogram(scores, "el2n", bins=20)
    assert sum(row["examples"] for row in rows(chart)) == 1000
    assert len(rows(chart)) == 20


def test_score_histogram_names_the_score():
    spec = score_histogram(pd.DataFrame({"el2n": [0.1, 0.2]}), "el2n").to_dict()
    assert spec["encoding"]["x"]["title"] == "EL2N"
    assert "EL2N from" in json.dumps(spec["encoding"]["tooltip"])


def test_score_histogram_of_a_large_table_stays_small():
    scores = pd.DataFrame({"grand": np.random.default_rng(0).gamma(2, 3, 200_000)})
    chart = score_histogram(scores, "grand")
    assert len(rows(chart)) <= 60
    assert len(chart.to_json()) < 30_000


def test_score_histogram_is_not_flattened_by_an_outlier():
    values = [*np.linspace(0, 1, 999), 1e9]
    found = rows(score_histogram(pd.DataFrame({"loss": values}), "loss"))
    assert max(row["bin_end"] for row in found) < 2
    assert max(row["highest"] for row in found) == 1e9
    assert sum(row["examples"] for row in found) == 1000


def test_score_histogram_leaves_out_missing_values():
    scores = pd.DataFrame({"el2n": [0.1, np.nan, np.inf, None, 0.4]})
    assert sum(row["examples"] for row in rows(score_histogram(scores, "el2n"))) == 2


def test_score_histogram_takes_equal_values():
    found = rows(score_histogram(pd.DataFrame({"correctness": [1.0] * 9}), "correctness"))
    assert [row["examples"] for row in found] == [9]


@pytest.mark.parametrize("dtype", ["int64", "Int64", "Float64", "bool"])
def test_score_histogram_takes_any_numbers(dtype):
    scores = pd.DataFrame({"forgetting": pd.Series([0, 1, 1], dtype=dtype)})
    assert sum(row["examples"] for row in rows(score_histogram(scores, "forgetting"))) == 3


def test_score_histogram_refuses_what_is_no_score():
    scores = pd.DataFrame({"el2n": [np.nan, np.nan], "label": ["a", "b"]})
    with pytest.raises(NotFoundError, match="no column 'grand'"):
        score_histogram(scores, "grand")
    with pytest.raises(SettingError, match="All 2 values of 'el2n' are missing"):
        score_histogram(scores, "el2n")
    with pytest.raises(SettingError, match="holds no numbers"):
        score_histogram(scores, "label")
    with pytest.raises(SettingError, match="bins is 0"):
        score_histogram(scores, "el2n", bins=0)


def test_histogram_bars_show_the_filter_in_front_of_all():
    bins = pd.DataFrame(
        {"bin_start": [0.0, 1.0], "bin_end": [1.0, 2.0], "count": [5, 3], "count_filtered": [2, 0]}
    )
    chart = histogram_bars(bins, "el2n")
    found = [(row["series"], row["examples"]) for row in rows(chart)]
    assert found == [("all examples", 5), ("all examples", 3), ("in the filter", 2)]
    assert chart.to_dict()["encoding"]["y"]["stack"] is None


def test_histogram_bars_of_the_store(store, scored):
    chart = histogram_bars(read_histogram(store, scored.run_id, "el2n"), "el2n")
    assert len(rows(chart)) <= 120


BINS = pd.DataFrame({"bin_start": [0.0, 1.0], "bin_end": [1.0, 2.0], "count": [5, 3]})


def test_histogram_bars_have_a_brush_where_wanted():
    assert "params" not in histogram_bars(BINS, "el2n").to_dict()
    (brush,) = histogram_bars(BINS, "el2n", has_brush=True).to_dict()["params"]
    assert brush["name"] == "brush"
    assert brush["select"] == {"type": "interval", "encodings": ["x"]}
    assert "value" not in brush
    (brush,) = histogram_bars(BINS, "el2n", has_brush=True, brushed=(0.5, 1.5)).to_dict()["params"]
    assert brush["value"] == {"x": [0.5, 1.5]}


def counts(classes: list[str]) -> pd.DataFrame:
    pairs = [(a, b, 2, 0.5) for a in classes for b in classes]
    return pd.DataFrame(pairs, columns=["label", "predicted_label", "count", "share"])


def test_label_matrix_has_a_cell_per_pair_in_the_order_of_the_classes():
    chart = label_matrix(counts(["b", "a"]), ["b", "a"]).to_dict()
    cells, numbers = chart["layer"]
    assert cells["encoding"]["x"]["sort"] == ["b", "a"]
    assert cells["encoding"]["y"]["sort"] == ["b", "a"]
    assert numbers["mark"]["type"] == "text"


def test_label_matrix_of_many_classes_bears_no_numbers():
    classes = [f"c{i}" for i in range(13)]
    chart = label_matrix(counts(classes), classes)
    assert len(chart.to_dict()["layer"]) == 1
    assert len(rows(chart)) == 169
