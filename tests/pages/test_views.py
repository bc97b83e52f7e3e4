"""Explore's views: what each draws, that it stays small, and that the address restores it."""

from __future__ import annotations

import dataclasses
import json

import pandas as pd
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.loading.runs import RunRecord, ingest_run
from diet_core.store.queries.data_map import MAX_MARKS
from diet_core.store.queries.examples import count_examples
from pages.parts.explore.views import VIEWS
from tests.pages.app_pages import app, shown

pytestmark = pytest.mark.usefixtures("fresh_caches")

NOTHING = pd.DataFrame()
LARGEST = 1_000_000  # bytes of a chart's data


@pytest.fixture
def steps(store, scored, synthetic_scores) -> RunRecord:
    """The reviews' run again, with two score steps."""
    run = dataclasses.replace(scored, run_id="reviews-20261122-142530-1a2b")
    n = len(synthetic_scores)
    seeds = pd.DataFrame(
        {
            "seed": [0] * 2 * n + [1] * 2 * n,
            "step": ([3] * n + [7] * n) * 2,
            "example_id": synthetic_scores["example_id"].tolist() * 4,
            "el2n": synthetic_scores["el2n"].tolist() * 4,
            "grand": synthetic_scores["grand"].tolist() * 4,
        }
    )
    scores = synthetic_scores.assign(
        variability=synthetic_scores["el2n"] / 4, grand_std=synthetic_scores["grand"] / 10
    )
    tops = pd.DataFrame(
        [
            (step, step / 7, step == 7, score, percent, label, percent)
            for step in (3, 7)
            for score in ("el2n", "grand")
            for percent in range(1, 101)
            for label in ("negative", "positive")
        ],
        columns=["step", "epoch", "is_reliable", "score", "percent", "label", "count"],
    )
    ingest_run(store, run, scores, seeds, NOTHING, tops)
    return run


def charts(test: AppTest) -> list:
    return [chart.proto for chart in test.get("vega_lite_chart") + test.get("arrow_vega_lite_chart")]


def marks(chart) -> int:
    """How many rows travel with a chart, over all its data sets."""
    tables = [d.data.data for d in chart.datasets] + ([chart.data.data] if chart.data.data else [])
    return sum(pa.ipc.open_stream(table).read_all().num_rows for table in tables)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_draws_few_marks_and_little_data(store, steps, view):
    test = app("explore", run=steps.run_id, view=view)
    assert not test.exception
    assert not test.error
    assert test.segmented_control(key="view").value == view
    assert "1 to 50 of 216" in shown(test)
    found = charts(test)
    assert found
    for chart in found:
        assert 0 < marks(chart) <= MAX_MARKS
        assert chart.ByteSize() < LARGEST


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_takes_a_filter_that_nothing_passes(store, steps, view):
    test = app("explore", run=steps.run_id, view=view, search="no such words")
    assert not test.exception
    assert not test.error
    assert "None of 216 examples passes the filter" in shown(test)


def test_only_the_chosen_view_is_drawn(store, steps):
    test = app("explore", run=steps.run_id, view="Two scores")
    assert [metric.label for metric in test.metric] == ["Spearman"]
    test.segmented_control(key="view").set_value("Classes").run()
    assert not test.metric


@pytest.mark.parametrize("view", ["Nothing", "distribution"])
def test_a_view_that_does_not_exist_is_the_first(store, scored, view):
    test = app("explore", view=view)
    assert not test.exception
    assert test.segmented_control(key="view").value == "Distribution"


def test_log_counts_of_the_address_are_restored(store, scored):
    test = app("explore", log="true")
    assert test.toggle(key="log").value
    (histogram, _) = [json.loads(chart.spec) for chart in charts(test)]
    assert histogram["encoding"]["y"]["scale"]["type"] == "symlog"


def test_what_lies_beyond_the_axis_is_counted_below_it(store, scored, synthetic_scores):
    run = dataclasses.replace(scored, run_id="far-20261122-142530-1a2b")
    grand = [950.0 if i == 7 else float(i % 2) for i in range(len(synthetic_scores))]
    ingest_run(store, run, synthetic_scores.assign(grand=grand), NOTHING, NOTHING)
    assert "GraNd, 1 above it" in shown(app("explore", run=run.run_id, score="grand"))
    assert "Counted at the ends" not in shown(app("explore", run=run.run_id, score="el2n"))


def test_data_map_counts_its_regions_exactly(store, steps):
    test = app("explore", run=steps.run_id, view="Data map")
    counts = store.rows(
        "SELECT count(*) FILTER (WHERE variability < 0.2 AND confidence >= 0.5), "
        "count(*) FILTER (WHERE variability >= 0.2), "
        "count(*) FILTER (WHERE variability < 0.2 AND confidence < 0.5) FROM scores WHERE run_id = ?",
        [steps.run_id],
    )[0]
    assert test.table[0].value["Examples"].tolist() == [f"{n:,}" for n in counts]
    assert "216 of 216 examples are drawn as points" in shown(test)


@pytest.mark.parametrize("view", ["Data map", "Checkpoints"])
def test_views_of_steps_say_what_a_run_of_one_step_lacks(store, scored, view):
    test = app("explore", run=scored.run_id, view=view)
    assert not test.exception
    assert not test.error
    assert "needs two score steps" in shown(test) or "no values of this score at its steps" in shown(test)


def test_a_rectangle_of_the_address_limits_the_table_and_can_be_taken_away(store, steps):
    test = app("explore", run=steps.run_id, view="Data map", box="variability:0.05:0.1,confidence::0.9")
    assert not test.exception
    chosen = ExampleFilter(ranges=(("variability", 0.05, 0.1), ("confidence", None, 0.9)))
    n = count_examples(store, steps.run_id, chosen)
    assert 0 < n < 216
    assert f"of {n} in the filter, 216 in all" in shown(test)
    rows = test.dataframe[0].value
    assert rows["variability"].between(0.05, 0.1).all()
    assert list(rows)[:3] == ["el2n", "variability", "confidence"]
    button = test.button(key="clear box")
    assert button.label == "Variability 0.05 to 0.1; Confidence up to 0.9"
    button.click().run()
    assert "1 to 50 of 216" in shown(test)
    assert "box" not in test.query_params


def test_a_rectangle_stays_in_another_view(store, steps):
    test = app("explore", run=steps.run_id, view="Data map", box="variability:0.05:0.1,confidence::0.9")
    test.segmented_control(key="view").set_value("Distribution").run()
    assert not test.exception
    assert test.button(key="clear box")
    assert test.query_params["box"] == "variability:0.05:0.1,confidence::0.9"


@pytest.mark.parametrize(
    "box",
    [
        "variability:0.1:0.2",
        "text:0:1,el2n:0:1",
        "el2n:0:1,forgetting:0:1",
        "; DROP TABLE scores,el2n:0:1",
        "el2n:0:1,grand:0:1,loss:0:1",
        ",",
    ],
)
def test_a_rectangle_that_is_none_is_ignored(store, scored, box):
    test = app("explore", run=scored.run_id, box=box)
    assert not test.exception
    assert not test.error
    assert "1 to 50 of 216" in shown(test)


def test_two_scores_of_the_address_are_restored(store, scored):
    test = app("explore", run=scored.run_id, view="Two scores", x="loss", y="aum")
    assert not test.exception
    assert (test.selectbox(key="x").value, test.selectbox(key="y").value) == ("loss", "aum")
    assert test.metric[0].value == "-1.0000"


def test_two_scores_of_two_classes_are_no_independent_evidence(store, scored):
    assert "no independent evidence" in shown(app("explore", run=scored.run_id, view="Two scores"))


def test_classes_stay_all_when_one_is_chosen(store, scored):
    test = app("explore", **{"view": "Classes", "class": "positive"})
    assert not test.exception
    classes = test.dataframe[0].value
    assert set(classes["label"]) == {"negative", "positive"}
    assert classes["count"].sum() == 216
    assert classes["median"].is_monotonic_decreasing


def test_of_many_classes_the_first_are_drawn_and_all_listed(store, reviews, synthetic_scores, scored):
    classes = tuple(f"class {i:02}" for i in range(40))
    labels = [classes[i % 40] for i in range(len(reviews.examples))]
    info = dataclasses.replace(reviews.info, name="many", classes=classes, label_values={})
    data = dataclasses.replace(reviews, info=info, examples=reviews.examples.assign(label=labels))
    run = dataclasses.replace(scored, run_id="many-20261121-142530-1a2b", dataset=add_dataset(store, data))
    scores = synthetic_scores.drop(columns="label").assign(predicted_label=classes[0])
    ingest_run(store, run, scores, NOTHING, NOTHING)
    n = store.rows("SELECT count(DISTINCT label) FROM scores WHERE run_id = ?", [run.run_id])[0][0]
    test = app("explore", run=run.run_id, view="Classes", classes="Largest first")
    assert not test.exception
    assert f"The first 30 of {n} classes; the table has all." in shown(test)
    assert len(test.dataframe[0].value) == n > 30
    assert test.dataframe[0].value["count"].is_monotonic_decreasing
    assert marks(charts(test)[0]) == 30


def test_checkpoints_of_the_address_are_restored(store, steps):
    test = app("explore", run=steps.run_id, view="Checkpoints", top="7", by="GraNd")
    assert not test.exception
    assert test.slider(key="top").value == 7
    assert test.segmented_control(key="by").value == "GraNd"
    assert "The hardest 7 % by GraNd" in shown(test)
    assert "Rings: steps before the end of the first epoch" in shown(test)


def test_the_most_seed_dependent_examples_come_first(store, steps):
    test = app("explore", run=steps.run_id, order="Most seed-dependent", score="grand")
    assert not test.exception
    assert "by the standard deviation of GraNd over seeds" in shown(test)
    rows = test.dataframe[0].value
    assert list(rows)[:2] == ["grand", "grand_std"]
    assert rows["grand_std"].is_monotonic_decreasing


def test_the_order_by_spread_of_another_score_is_that_of_el2n(store, scored):
    test = app("explore", order="Most seed-dependent", score="loss")
    assert "by the standard deviation of EL2N over seeds" in shown(test)
    assert test.dataframe[0].value["el2n_std"].is_monotonic_decreasing


def test_every_chart_can_be_taken_away(store, steps):
    for view in ("Distribution", "Data map", "Two scores", "Classes", "Checkpoints", "Seeds"):
        test = app("explore", run=steps.run_id, view=view)
        titles = [button.label for button in test.get("download_button")]
        assert titles.count("PNG") == titles.count("SVG") == titles.count("Rows as CSV") == len(charts(test))
