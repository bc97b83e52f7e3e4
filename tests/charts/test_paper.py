"""The paper's figures as charts."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from diet_core.charts.paper import (
    SHOWN_CLASSES,
    THEMES,
    examples_chart,
    fig1,
    fig2,
    fig3,
    fig4,
    seeds_chart,
    themed,
)
from diet_core.errors import SettingError

X = {fig1: "epoch", fig3: "keep", fig4: "drop_hardest"}
ACCURACIES = {"el2n": [0.8, 0.9], "random": [0.7, 0.7]}


def runs(x: str, repeats: int = 2) -> pd.DataFrame:
    """Two points per series, and all examples, which have no x."""
    rows = [
        {"series": series, x: place, "repeat": repeat, "accuracy": accuracies[repeat]}
        for series, accuracies in ACCURACIES.items()
        for place in (0.5, 0.7)
        for repeat in range(repeats)
    ]
    full = [{"series": "full", x: None, "repeat": i, "accuracy": 0.95} for i in range(repeats)]
    return pd.DataFrame(rows + full)


def rows_with(chart, name: str) -> list[dict]:
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows if name in row]


@pytest.mark.parametrize("figure", X, ids=lambda figure: figure.__name__)
def test_a_figure_has_the_mean_with_one_standard_deviation_to_either_side(figure):
    found = {
        (row["series"], row.get(X[figure])): (row["mean"], row["low"], row["high"])
        for row in rows_with(figure(runs(X[figure])), "mean")
    }
    spread = 0.005**0.5  # of 0.8 and 0.9, ddof 1
    assert found["EL2N", 0.5] == pytest.approx((0.85, 0.85 - spread, 0.85 + spread))
    assert found["Random, same size", 0.7] == pytest.approx((0.7, 0.7, 0.7))
    assert found["All examples", None] == pytest.approx((0.95, 0.95, 0.95))


@pytest.mark.parametrize("figure", X, ids=lambda figure: figure.__name__)
def test_a_figure_shows_every_training_as_a_dot(figure):
    assert len(rows_with(figure(runs(X[figure])), "repeat")) == 8


def test_one_repeat_has_no_spread():
    found = rows_with(fig3(runs("keep", repeats=1)), "mean")
    assert all(row["low"] == row["mean"] == row["high"] and row["std"] is None for row in found)


def test_a_baseline_without_a_place_is_a_band_across():
    marks = [layer["mark"]["type"] for layer in fig1(runs("epoch")).to_dict()["layer"]]
    assert marks == ["rect", "rule", "area", "line", "circle", "circle"]
    assert "x" not in fig1(runs("epoch")).to_dict()["layer"][0]["encoding"]


def test_a_series_has_the_same_colour_in_every_figure():
    def colour_of(chart, name: str) -> str:
        scale = chart.to_dict()["layer"][0]["encoding"]["color"]["scale"]
        return scale["range"][scale["domain"].index(name)]

    some = runs("keep")
    without = some[some["series"] != "el2n"]
    for name in ("Random, same size", "All examples"):
        assert colour_of(fig3(some), name) == colour_of(fig3(without), name)


def test_every_series_has_a_colour_of_its_own():
    table = pd.concat([runs("keep").assign(series=by) for by in ("el2n", "grand", "loss", "aum", "random")])
    scale = fig3(table).to_dict()["layer"][0]["encoding"]["color"]["scale"]
    assert len(set(scale["range"])) == len(scale["domain"]) == 5


def test_fig2_draws_a_chart_per_score_and_no_more_classes_than_can_be_told_apart():
    classes = [f"c{i}" for i in range(SHOWN_CLASSES + 3)]
    where = {"step": 4, "epoch": 1.0, "is_reliable": True, "share": 0.1, "share_of_all": 0.1}
    shares = pd.DataFrame(
        [{"score": score, "label": label} | where for score in ("el2n", "grand") for label in classes]
    )
    chart = fig2(shares, classes)
    assert [part["title"] for part in chart.to_dict()["hconcat"]] == ["EL2N", "GraNd"]
    assert {row["label"] for row in rows_with(chart, "label")} == set(classes[:SHOWN_CLASSES])


def test_seeds_chart_has_a_dot_per_choice_and_the_lines_beside():
    measured = pd.DataFrame({"seeds": [1, 1, 2], "correlation": [0.9, 0.92, 0.97]})
    lines = pd.DataFrame({"series": ["The paper"], "seeds": [1], "correlation": [0.9311]})
    found = rows_with(seeds_chart(measured, lines), "correlation")
    assert [row["series"] for row in found].count("Measured") == 3
    assert [row["series"] for row in found].count("The paper") == 1


def examples(text: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "end": ["highest", "lowest"],
            "rank": [1, 9],
            "el2n": [1.41, 0.001],
            "label": ["a", "b"],
            "predicted_label": ["b", "b"],
            "text": [text, "fine"],
        }
    )


def svg_of(chart) -> str:
    import io

    content = io.StringIO()
    chart.save(content, format="svg")
    return content.getvalue()


def test_texts_of_examples_are_shown_as_they_are():
    drawn = svg_of(examples_chart(examples("<b>bold</b> & **more**\nsecond line")))
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; **more** second line" in drawn


def test_a_text_that_is_too_long_is_cut_with_a_mark():
    drawn = svg_of(examples_chart(examples("word " * 400)))
    assert max(map(len, re.findall(r">([^<]*)</text>", drawn))) < 200
    assert "…" in drawn


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_puts_its_text_on_its_ground(theme):
    ground, text, _ = THEMES[theme]
    drawn = svg_of(themed(fig4(runs("drop_hardest")).properties(width=300), theme))
    assert f'fill="{ground}"' in drawn
    assert f'fill="{text}"' in drawn


def luminance(colour: str) -> float:
    """Of WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", THEMES)
def test_every_line_can_be_told_from_either_ground(theme):
    table = pd.concat([runs("keep").assign(series=by) for by in ("el2n", "grand", "random", "full")])
    colours = fig3(table).to_dict()["layer"][0]["encoding"]["color"]["scale"]["range"]
    ground = luminance(THEMES[theme][0])
    for colour in colours:
        low, high = sorted((luminance(colour), ground))
        assert (high + 0.05) / (low + 0.05) >= 3, colour


def test_an_unknown_theme_is_refused():
    with pytest.raises(SettingError, match="theme is 'sepia'"):
        themed(fig3(runs("keep")), "sepia")


def test_a_picture_can_be_themed_twice_from_the_same_chart():
    chart = fig3(runs("keep")).properties(width=300)
    assert svg_of(themed(chart, "light")) != svg_of(themed(chart, "dark"))
