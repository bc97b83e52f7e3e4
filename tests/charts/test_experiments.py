"""Charts of plans."""

import pandas as pd
import pytest

from diet_core.charts.base import BLUE, GREY
from diet_core.charts.experiments import (
    ORANGE,
    arm_colours,
    arms_chart,
    cost_chart,
    curves_chart,
    differences_chart,
    recall_chart,
)

HARD, RANDOM, FULL = "EL2N, keep 0.7, drop hardest 0.04", "Random, same size", "All examples"
COLOURS = {HARD: BLUE, RANDOM: ORANGE, FULL: GREY}
TRAININGS = pd.DataFrame(
    {
        "title": [HARD, HARD, FULL, FULL],
        "repeat": [1, 2, 1, 2],
        "accuracy": [0.8, 0.9, 0.7, None],
        "macro_f1": [0.5, 0.7, 0.3, None],
    }
)
CURVES = pd.DataFrame(
    {
        "title": [HARD] * 4 + [FULL] * 2,
        "repeat": [1, 1, 2, 2, 1, 1],
        "step": [5, 10, 5, 10, 7, 14],
        "epoch": [1, 2, 1, 2, 1, 2],
        "accuracy": [0.5, 0.6, 0.7, 0.8, 0.4, 0.9],
        "loss": [1.0, 0.5, 1.0, 0.5, 2.0, 0.25],
    }
)
DIFFERENCES = pd.DataFrame(
    {
        "title": [HARD, HARD],
        "reference_title": [RANDOM, FULL],
        "kind": ["random", "full"],
        "mean": [0.02, -0.001],
        "low": [0.01, -0.004],
        "high": [0.03, 0.002],
        "n_repeats": 3,
        "n_test": 400,
        "is_clear": [True, False],
    }
)


def rows(chart) -> list[dict]:
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def spreads(chart) -> dict[str, dict]:
    return {row["title"]: row for row in rows(chart) if "mean" in row}


def encoded(chart, channel: str) -> list[dict]:
    layers = chart.to_dict()["layer"]
    return [layer["encoding"][channel] for layer in layers if channel in layer["encoding"]]


def test_arm_colours_tell_selections_apart_and_never_look_like_a_baseline():
    titles = [*(f"Selection {i}" for i in range(9)), "A list"]
    groups = {title: title for title in titles} | {RANDOM: "random", FULL: "full"}
    colours = arm_colours(groups)
    assert list(colours) == list(groups)
    assert (colours["Selection 0"], colours[RANDOM], colours[FULL]) == (BLUE, ORANGE, GREY)
    assert len({colours[f"Selection {i}"] for i in range(7)}) == 7
    assert {ORANGE, GREY}.isdisjoint(colours[title] for title in titles)


def test_arm_colours_are_one_for_arms_of_one_group():
    colours = arm_colours({"EL2N, keep 0.3": "el2n", "GraNd, keep 0.3": "grand", "EL2N, keep 0.7": "el2n"})
    assert colours["EL2N, keep 0.3"] == colours["EL2N, keep 0.7"] == BLUE
    assert colours["GraNd, keep 0.3"] != BLUE


def test_arms_chart_has_a_dot_per_training_and_a_spread_where_there_is_one():
    found = rows(arms_chart(TRAININGS, COLOURS))
    assert [row["accuracy"] for row in found if "repeat" in row] == [0.8, 0.9, 0.7]
    assert spreads(arms_chart(TRAININGS, COLOURS))[HARD] == pytest.approx(
        {
            "line": "EL2N, keep 0.7,\ndrop hardest 0.04",
            "title": HARD,
            "mean": 0.85,
            "std": 0.0707107,
            "repeats": 2,
            "low": 0.7792893,
            "high": 0.9207107,
        }
    )
    alone = spreads(arms_chart(TRAININGS, COLOURS))[FULL]
    assert (alone["mean"], alone["std"], alone["low"]) == (0.7, None, None)


def test_arms_chart_draws_the_metric_that_is_asked_for():
    chart = arms_chart(TRAININGS, COLOURS, "macro_f1")
    assert spreads(chart)[HARD]["mean"] == pytest.approx(0.6)
    assert encoded(chart, "x")[0]["title"] == "Macro-F1 on the test split"


def test_arms_chart_keeps_the_order_and_colours_of_the_arms_that_are_there():
    chart = arms_chart(TRAININGS, COLOURS)
    assert encoded(chart, "color")[0]["scale"] == {"domain": [HARD, FULL], "range": [BLUE, GREY]}
    assert encoded(chart, "y")[0]["sort"] == ["EL2N, keep 0.7,\ndrop hardest 0.04", "All examples"]


def test_differences_chart_is_in_points_with_a_line_at_zero():
    chart = differences_chart(DIFFERENCES)
    of_random, of_full = (row for row in rows(chart) if "mean" in row)
    assert [of_random[end] for end in ("mean", "low", "high")] == pytest.approx([2, 1, 3])
    assert [of_full[end] for end in ("mean", "low", "high")] == pytest.approx([-0.1, -0.4, 0.2])
    assert [row["words"] for row in (of_random, of_full)] == ["clear", "not distinguishable"]
    assert {"zero": 0.0} in rows(chart)


def test_differences_chart_fills_what_is_clear_only():
    fill = encoded(differences_chart(DIFFERENCES), "fill")[0]
    assert fill["condition"]["test"] == "datum.is_clear"
    assert fill["value"] == "transparent"


def test_differences_chart_names_only_the_references_that_are_there():
    scale = encoded(differences_chart(DIFFERENCES.tail(1)), "color")[0]["scale"]
    assert scale == {"domain": ["against all examples"], "range": [GREY]}


def test_curves_chart_has_mean_and_spread_at_each_step():
    found = {(row["title"], row["step"]): row for row in rows(curves_chart(CURVES, COLOURS))}
    assert list(found) == [(HARD, 5), (HARD, 10), (FULL, 7), (FULL, 14)]
    assert found[HARD, 10]["mean"] == pytest.approx(0.7)
    assert found[HARD, 10]["low"] == pytest.approx(0.7 - 0.1414214)
    assert found[FULL, 14]["low"] is None  # one repeat has no spread


def test_curves_chart_of_the_loss_is_no_percentage():
    chart = curves_chart(CURVES, COLOURS, "loss")
    axis = encoded(chart, "y")[1]
    assert (axis["title"], axis["axis"]["format"]) == ("Loss on the test split", ".3~g")


def test_recall_chart_keeps_the_order_of_the_classes_and_leaves_out_what_is_missing():
    recalls = pd.DataFrame(
        {
            "title": [HARD, FULL, HARD, FULL],
            "repeat": 1,
            "label": ["z", "z", "a", "a"],
            "recall": [1.0, 0.5, 0.25, None],
        }
    )
    chart = recall_chart(recalls, COLOURS)
    assert [(row["label"], row["title"], row["mean"]) for row in rows(chart)] == [
        ("z", HARD, 1.0),
        ("z", FULL, 0.5),
        ("a", HARD, 0.25),
    ]
    assert encoded(chart, "y")[0]["sort"] == ["z", "a"]


def test_curves_chart_goes_over_the_epochs_where_no_step_is_known():
    chart = curves_chart(CURVES.assign(step=None), COLOURS)
    assert [(row["title"], row["epoch"]) for row in rows(chart)] == [
        (t, e) for t in (HARD, FULL) for e in (1, 2)
    ]
    assert encoded(chart, "x")[0]["title"] == "Epochs"


def test_cost_chart_has_a_dot_per_arm_with_an_accuracy():
    costs = pd.DataFrame(
        {
            "title": [HARD, FULL, RANDOM],
            "minutes": [2.0, 3.0, None],
            "mean": [0.8, 0.9, None],
            "std": [0.01, None, None],
            "n_train": [66, 100, 66],
            "steps": [6, 8, 6],
        }
    )
    found = rows(cost_chart(costs, COLOURS))
    assert [(row["title"], row["minutes"], row["mean"]) for row in found] == [(HARD, 2, 0.8), (FULL, 3, 0.9)]
    assert (found[0]["low"], found[1]["low"]) == (pytest.approx(0.79), None)
