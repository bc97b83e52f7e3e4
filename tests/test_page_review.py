"""Review: one suspect at a time, saved at once."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from diet_core.dataset import Roles
from diet_core.store import ExampleFilter
from tests.app_pages import app, shown

pytestmark = pytest.mark.usefixtures("fresh_caches")

DATASET = "reviews-v1"
NOTHING = pd.DataFrame()


@pytest.fixture
def suspects(store, scored) -> list[str]:
    """The suspects in the order of the label error; their number is below 50."""
    chosen = ExampleFilter(agreement="disagree")
    return store.examples_page(scored.run_id, by="label_error", filter=chosen)["example_id"].tolist()


def at_hand(test) -> str:
    """The example that the buttons are about."""
    return next(b.key for b in test.button if b.key and b.key.startswith("Keep ")).removeprefix("Keep ")


def press(test, title: str):
    return test.button(key=f"{title} {at_hand(test)}").click().run()


def decisions(store) -> list[tuple]:
    found = store.effective_decisions(DATASET)
    return list(zip(found["example_id"], found["action"], found["label"].fillna(""), strict=True))


def test_review_without_a_run_says_how_to_make_one(workspace):
    test = app("review")
    assert not test.exception
    assert "There is no scored run yet" in shown(test)


def test_review_begins_with_the_most_suspicious_example(store, scored, suspects, reviews):
    test = app("review")
    assert not test.exception
    assert at_hand(test) == suspects[0] == "r1"
    assert reviews.examples["text"][1] in [element.value for element in test.text]
    assert not any("not bold" in element.value for element in test.markdown)
    assert test.query_params["example"] == "r1"
    assert test.query_params["run"] == scored.run_id


def test_review_says_why_an_example_is_here(store, scored, suspects):
    test = app("review")
    assert {metric.label: metric.value for metric in test.metric} == {"Label error": "0.933", "EL2N": "1.400"}
    words = shown(test)
    assert "Number 1 of this queue" in words
    assert "Rank 1 of 216 by label error" in words
    assert "of class positive" in words
    assert "negative  93%" in words


@pytest.mark.parametrize(
    ("title", "action", "label"),
    [
        ("Keep", "keep", ""),
        ("Take suggestion", "relabel", "negative"),
        ("Drop", "drop", ""),
        ("Unsure", "unsure", ""),
    ],
)
def test_review_saves_a_decision_at_once_and_goes_on(store, scored, suspects, title, action, label):
    test = press(app("review"), title)
    assert not test.exception
    assert decisions(store) == [("r1", action, label)]
    (event,) = store.rows("SELECT run_id, reviewer, old_label FROM decisions")
    assert event == (scored.run_id, "me", "positive")
    assert at_hand(test) == suspects[1]
    assert f"1 of {len(suspects)} decided, {int(action in ('drop', 'relabel'))} of them changed" in str(
        [element.text for element in test.get("progress")]
    )


def test_review_lets_another_class_be_picked(store, scored, suspects):
    test = app("review")
    assert test.button(key="class 2 r1").disabled  # the given one
    test.button(key="class 1 r1").click().run()
    assert decisions(store) == [("r1", "relabel", "negative")]


def test_review_offers_many_classes_as_a_list(store, reviews, synthetic_scores, scored):
    classes = tuple(f"class {i}" for i in range(12))
    run = many_classes(store, reviews, synthetic_scores, scored, classes)
    test = app("review", run=run.run_id)
    assert not test.exception
    assert not [b for b in test.button if b.key and b.key.startswith("class ")]
    choice = test.selectbox(key="class of r1")
    assert "class 0" not in choice.options
    choice.set_value("class 7").run()
    assert not test.exception
    found = store.effective_decisions("many-v1")
    assert found[["example_id", "label"]].values.tolist() == [["r1", "class 7"]]


def many_classes(store, reviews, scores, scored, classes):
    """A run of another data set of twelve classes."""
    info = dataclasses.replace(
        reviews.info, name="many", classes=classes, label_values={}, roles=Roles("text", "label")
    )
    examples = reviews.examples.assign(label=classes[0])
    info = store.add_dataset(dataclasses.replace(reviews, info=info, examples=examples))
    run = dataclasses.replace(scored, run_id="many-20261121-142530-1a2b", dataset=info)
    labels = {"label": classes[0], "predicted_label": classes[1], "suggested_label": classes[1]}
    store.ingest_run(run, scores.assign(**labels), NOTHING, NOTHING)
    return run


def test_review_skips_and_goes_back(store, scored, suspects):
    test = press(app("review"), "Skip")
    assert at_hand(test) == suspects[1]
    press(test, "Back")
    assert at_hand(test) == suspects[0]
    press(test, "Back")
    assert at_hand(test) == suspects[0]
    assert not test.exception
    assert decisions(store) == []


def test_review_undoes_many_steps(store, scored, suspects):
    test = app("review")
    assert test.button(key="undo").disabled
    press(press(test, "Drop"), "Keep")
    test.button(key="undo").click().run()
    assert at_hand(test) == suspects[1]
    test.button(key="undo").click().run()
    assert at_hand(test) == suspects[0]
    assert decisions(store) == []
    assert test.button(key="undo").disabled


def test_review_tells_that_nothing_is_left_to_undo(store, scored, suspects):
    test = press(app("review"), "Drop")
    store.undo(DATASET)
    test.button(key="undo").click().run()
    assert not test.exception
    assert "has no decision" in shown(test)


def test_review_opens_a_last_decision_again(store, scored, suspects):
    test = press(press(app("review"), "Drop"), "Keep")
    listed = [b for b in test.button if b.key and b.key.startswith("open ")]
    assert [b.label.replace("\\", "").split(" · ")[0] for b in listed] == ["Keep", "Drop"]
    listed[1].click().run()
    assert at_hand(test) == suspects[0]
    assert "me: drop" in shown(test)
    press(test, "Keep")
    assert decisions(store) == [(suspects[1], "keep", ""), (suspects[0], "keep", "")]


def test_review_goes_on_where_it_was_after_a_refresh(store, scored, suspects):
    press(press(app("review"), "Drop"), "Unsure")
    test = app("review")
    assert at_hand(test) == suspects[2]


def test_review_restores_the_example_of_the_address(store, scored, suspects):
    test = app("review", run=scored.run_id, example=suspects[3])
    assert at_hand(test) == suspects[3]
    press(test, "Keep")
    assert at_hand(test) == suspects[4]


def test_review_shows_an_example_outside_of_the_queue(store, scored, suspects):
    test = app("review", run=scored.run_id, example="r239")
    assert at_hand(test) == "r239"
    assert "Not in this queue" in shown(test)


@pytest.mark.parametrize("example", ["r0", "<b>nowhere</b>", ""])
def test_review_of_an_unknown_example_begins_at_the_first(store, scored, suspects, example):
    test = app("review", run=scored.run_id, example=example)
    assert not test.exception
    assert "is not in this run" in shown(test)
    assert at_hand(test) == suspects[0]


def test_review_of_one_class_begins_anew(store, scored, suspects, reviews):
    test = press(app("review"), "Skip")
    test.selectbox(key="class").set_value("negative").run()
    assert not test.exception
    labels = reviews.examples.set_index("example_id")["label"]
    assert at_hand(test) == next(i for i in suspects if labels[i] == "negative")


def test_review_of_all_examples_goes_by_the_same_order(store, scored, suspects):
    test = app("review", queue="All examples")
    assert at_hand(test) == suspects[0]
    assert "of 216 decided" in str([element.text for element in test.get("progress")])


def test_review_saves_the_reviewers_name(store, scored, suspects):
    test = app("review", reviewer="ann *b*")
    press(test, "Drop")
    assert store.effective_decisions(DATASET)["reviewer"].tolist() == ["ann *b*"]
    test.text_input(key="reviewer").set_value("  ").run()
    press(test, "Drop")
    assert store.effective_decisions(DATASET)["reviewer"].tolist() == ["ann *b*", "me"]


def test_review_says_when_all_are_decided(store, scored, suspects):
    for example_id in suspects[:-1]:
        store.decide(DATASET, example_id, "keep")
    test = press(app("review"), "Keep")
    assert not test.exception
    assert "Every example of this queue is decided" in shown(test)
    assert "example" not in test.query_params
    test.button(key="undo").click().run()
    assert at_hand(test) == suspects[-1]


def test_review_of_an_empty_queue_says_so(store, scored, synthetic_scores):
    store.ingest_run(
        scored, synthetic_scores.assign(predicted_label=synthetic_scores["label"]), NOTHING, NOTHING
    )
    test = app("review")
    assert not test.exception
    assert "No example is in this queue" in shown(test)


def test_review_of_a_run_without_label_errors_says_so(store, scored, synthetic_scores):
    store.ingest_run(scored, synthetic_scores.assign(label_error=np.nan), NOTHING, NOTHING)
    test = app("review")
    assert not test.exception
    assert "no label errors" in shown(test)


def test_a_late_press_on_a_card_that_is_gone_decides_nothing(store, scored, suspects):
    test = app("review")
    test.query_params["example"] = suspects[1]
    test.button(key="Keep r1").click().run()
    assert not test.exception
    assert decisions(store) == []
