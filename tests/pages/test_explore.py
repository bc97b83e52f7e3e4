"""Explore: its views, brushes, and one example in detail (what is older lies in test_pages)."""

import dataclasses
import json
import shutil

import pandas as pd
import pytest
import streamlit as st

from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.loading.runs import has_run, ingest_run, read_scores
from diet_core.store.queries.examples import count_examples
from diet_core.store.store import open_store
from pages.parts.explore.table import TEXT_LENGTH
from tests.pages.app_pages import app, shown

pytestmark = pytest.mark.usefixtures("fresh_caches")

NOTHING = pd.DataFrame()


def charts(test) -> list[dict]:
    """The descriptions of the page's charts."""
    return [
        json.loads(chart.proto.spec)
        for chart in test.get("vega_lite_chart") + test.get("arrow_vega_lite_chart")
    ]


def test_explore_limits_table_and_counts_to_the_range_of_the_address(store, scored):
    test = app("explore", run=scored.run_id, score="el2n", low="0.3", high="0.5")
    assert not test.exception
    rows = test.dataframe[0].value
    assert rows["el2n"].between(0.3, 0.5).all()
    n = store.rows("SELECT count(*) FROM scores WHERE el2n BETWEEN 0.3 AND 0.5")[0][0]
    assert f"of {n} in the filter, 216 in all" in shown(test)
    assert test.button(key="clear range").label == "EL2N 0.3 to 0.5"


def test_explore_clears_the_range(store, scored):
    test = app("explore", run=scored.run_id, score="el2n", low="0.3", high="0.5")
    test.button(key="clear range").click().run()
    assert not test.exception
    assert "1 to 50 of 216" in shown(test)
    assert not {"low", "high"} & set(test.query_params)
    assert not [b for b in test.button if b.key == "clear range"]


def test_explore_drops_the_range_with_another_score(store, scored):
    test = app("explore", run=scored.run_id, score="el2n", low="0.3")
    assert test.button(key="clear range").label == "EL2N from 0.3"
    test.selectbox(key="score").set_value("grand").run()
    assert "1 to 50 of 216" in shown(test)
    assert "low" not in test.query_params


@pytest.mark.parametrize("low", ["nan", "inf", "much", "", "1e999"])
def test_explore_ignores_a_range_that_is_no_number(store, scored, low):
    test = app("explore", run=scored.run_id, score="el2n", low=low)
    assert not test.exception
    assert "1 to 50 of 216" in shown(test)


def test_explore_with_an_empty_range_says_so_and_keeps_the_way_out(store, scored):
    test = app("explore", run=scored.run_id, score="el2n", low="0.9", high="0.8")
    assert not test.exception
    assert "None of 216 examples passes the filter" in shown(test)
    assert test.button(key="clear range")


def test_explore_has_a_brush_and_a_matrix(store, scored):
    histogram, matrix = charts(app("explore"))
    assert [param["name"] for param in histogram["params"]] == ["brush"]
    assert len(matrix["layer"]) == 2


def test_explore_of_many_classes_lists_confusions(store, reviews, synthetic_scores, scored):
    classes = tuple(f"class {i}" for i in range(60))
    info = dataclasses.replace(reviews.info, name="many", classes=classes, label_values={})
    examples = reviews.examples.assign(label=classes[0])
    info = add_dataset(store, dataclasses.replace(reviews, info=info, examples=examples))
    run = dataclasses.replace(scored, run_id="many-20261121-142530-1a2b", dataset=info)
    labels = {"label": classes[0], "predicted_label": classes[1], "suggested_label": classes[1]}
    ingest_run(store, run, synthetic_scores.assign(**labels), NOTHING, NOTHING)
    test = app("explore", run=run.run_id)
    assert not test.exception
    confusions = next(d.value for d in test.dataframe if "share" in d.value)
    assert confusions.values.tolist() == [["class 0", "class 1", 216, 1.0]]


def test_explore_says_how_far_seeds_agree_and_how_many_are_enough(store, scored):
    test = app("explore", view="Seeds")
    assert not test.exception
    assert "the mean of 2 with correlation 1.000" in shown(test)
    assert "One seed is estimated to reach 0.97" in shown(test)
    (curve,) = charts(test)
    assert curve["layer"][0]["mark"]["type"] == "rule"


def test_explore_of_one_seed_says_that_nothing_is_known_of_seeds(store, scored, synthetic_scores):
    ingest_run(store, scored, synthetic_scores.assign(el2n_std=None), NOTHING, NOTHING)
    test = app("explore", view="Seeds", order="Most seed-dependent")
    assert not test.exception
    assert "One seed was run" in shown(test)
    assert "With one seed the spread is not known" in shown(test)


def test_explore_shows_an_example_with_its_ranks_and_seeds(workspace, sentence_run):
    shutil.copytree(sentence_run.path, workspace.runs / sentence_run.run_id)
    test = app("explore")
    assert not test.exception
    ranks = next(d.value for d in test.dataframe if "In class" in d.value)
    assert ranks.set_index("Score")["Rank"]["EL2N"] == 1
    assert ranks["In all"].between(0, 1).all()
    seeds = next(d.value for d in test.dataframe if "Seed" in d.value and "GraNd" in d.value)
    assert seeds["Seed"].tolist() == [0, 1]
    assert set(seeds["Prediction"]) <= {"neg", "neu", "pos"}


def test_explore_without_the_runs_folder_leaves_predictions_per_seed_out(store, scored):
    test = app("explore")
    seeds = next(d.value for d in test.dataframe if "Seed" in d.value and "GraNd" in d.value)
    assert list(seeds) == ["Seed", "EL2N", "GraNd"]


def test_explore_sends_long_texts_cut_in_the_table_and_whole_in_the_card(store, reviews, scored):
    text = "long " * 4000 + "end"
    examples = reviews.examples.assign(text=text)
    info = add_dataset(store, dataclasses.replace(reviews, examples=examples), overwrite=True)
    scores = read_scores(store, scored.run_id).drop(columns=["text", "text_pair"])
    run = dataclasses.replace(scored, run_id="reviews-20261122-142530-1a2b", dataset=info)
    ingest_run(store, run, scores, NOTHING, NOTHING)
    test = app("explore", run=run.run_id)
    assert not test.exception
    assert set(test.dataframe[0].value["text"].str.len()) == {TEXT_LENGTH + 1}
    assert text in [element.value for element in test.text]


def test_explore_opens_a_workspace_that_only_has_run_folders(workspace, sentence_run):
    shutil.copytree(sentence_run.path, workspace.runs / sentence_run.run_id)
    assert not app("explore").exception
    st.cache_resource.clear()
    with open_store(workspace) as store:
        assert has_run(store, sentence_run.run_id)


def test_explore_restores_its_filters_from_the_address(store, scored):
    test = app(
        "explore", **{"class": "negative", "predicted": "positive", "agreement": "Disagree", "search": "7"}
    )
    assert not test.exception
    assert test.selectbox(key="class").value == "negative"
    assert test.selectbox(key="predicted").value == "positive"
    assert test.segmented_control(key="agreement").value == "Disagree"
    assert test.text_input(key="search").value == "7"
    chosen = ExampleFilter(label="negative", predicted_label="positive", agreement="disagree", search="7")
    n = count_examples(store, scored.run_id, chosen)
    assert 0 < n < 216
    assert f"of {n} in the filter, 216 in all" in shown(test)
