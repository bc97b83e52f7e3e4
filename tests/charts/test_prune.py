"""Charts of pruning."""

import pandas as pd

from diet_core.charts.prune import MAX_LINES, class_bars, cut_histogram

BINS = pd.DataFrame({"bin_start": [0.0, 1.0], "bin_end": [1.0, 2.0], "kept": [3, 0], "dropped": [1, 2]})


def rows(chart) -> list[dict]:
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def test_cut_histogram_holds_the_bars_that_are_there_and_the_cuts():
    cuts = pd.DataFrame({"label": [None], "cut": ["easiest"], "value": [0.5]})
    found = rows(cut_histogram(BINS, cuts, "el2n"))
    assert [(row["outcome"], row["examples"]) for row in found if "outcome" in row] == [
        ("kept", 3),
        ("dropped", 1),
        ("dropped", 2),
    ]
    assert [row["label"] for row in found if "cut" in row] == ["all examples"]


def test_cut_histogram_has_no_more_lines_than_can_be_told_apart():
    cuts = pd.DataFrame({"label": [f"c{i}" for i in range(100)], "cut": "easiest", "value": 0.5})
    assert sum("cut" in row for row in rows(cut_histogram(BINS, cuts, "el2n"))) == MAX_LINES
    assert not any("cut" in row for row in rows(cut_histogram(BINS, cuts.head(0), "el2n")))


def test_class_bars_keep_the_order_of_the_classes():
    chart = class_bars(pd.DataFrame({"label": ["z", "a"], "before": [5, 4], "after": [3, 2]}))
    assert [row["label"] for row in rows(chart)] == ["z", "a", "z", "a"]
    assert chart.to_dict()["encoding"]["y"]["sort"] is None
