"""The Review page around the desk: what it opens, what its address names, what it says."""

import numpy as np
import pandas as pd
import pytest

from diet_core.store.decisions.decisions import decide, list_effective_decisions
from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.runs import ingest_run
from diet_core.store.queries.examples import read_page
from tests.pages.app_pages import app, shown
from tests.pages.review.desk_page import has_desk, many_classes, send, told

pytestmark = pytest.mark.usefixtures("fresh_caches")

DATASET = "reviews-v1"
NOTHING = pd.DataFrame()


@pytest.fixture
def suspects(store, scored) -> list[str]:
    """The suspects in the order of the label error; their number is below 50."""
    chosen = ExampleFilter(agreement="disagree")
    return read_page(store, scored.run_id, by="label_error", filter=chosen)["example_id"].tolist()


def decisions(store) -> list[tuple]:
    found = list_effective_decisions(store, DATASET)
    return list(zip(found["example_id"], found["action"], found["label"].fillna(""), strict=True))


def test_review_without_a_run_says_how_to_make_one(workspace):
    test = app("review")
    assert not test.exception
    assert "There is no scored run yet" in shown(test)
    assert not has_desk(test)


def test_review_begins_with_the_most_suspicious_example(store, scored, suspects, reviews):
    test = app("review")
    assert not test.exception
    assert told(test)["upcoming"] == suspects
    assert told(test)["start"] == suspects[0] == "r1"
    assert told(test)["rows"][0]["text"] == reviews.examples["text"][1]
    assert test.query_params["run"] == scored.run_id
    assert test.query_params["queue"] == told(test)["queue_id"]


def test_texts_of_examples_reach_no_markdown_of_the_page(store, scored, suspects):
    test = app("review")
    assert "not bold" not in shown(test)


def test_review_saves_what_the_browser_delivers_and_says_so(store, scored, suspects):
    test = send(
        app("review"),
        (suspects[0], "keep", None),
        (suspects[1], "relabel", "negative"),
        (suspects[2], "skip", None),
        ("nowhere", "keep", None),
        at=suspects[3],
    )
    assert not test.exception
    assert decisions(store) == [(suspects[0], "keep", ""), (suspects[1], "relabel", "negative")]
    assert store.rows("SELECT DISTINCT run_id, reviewer, queue_id FROM decisions") == [
        (scored.run_id, "me", told(test)["queue_id"])
    ]
    found = told(test)
    assert found["accepted"] == ["0-0", "0-1", "0-2"]
    assert list(found["refused"]) == ["0-3"]
    assert (found["seq"], found["session"]) == (1, "s")
    assert found["upcoming"] == [*suspects[3:], suspects[2]]
    assert test.query_params["example"] == suspects[3]


def test_a_delivery_is_stored_once_however_often_the_page_is_drawn(store, scored, suspects):
    test = send(app("review"), (suspects[0], "drop", None), at=suspects[1])
    test.run().run()
    assert not test.exception
    assert store.rows("SELECT count(*) FROM decisions") == [(1,)]


def test_a_reviewer_s_last_delivery_is_stored_though_another_queue_was_chosen(store, scored, suspects):
    test = app("review")
    before = told(test)
    test.selectbox(key="queue source").set_value("highest").run()
    assert told(test)["queue_id"] != before["queue_id"]
    event = {"client_event_id": "e", "example_id": suspects[0], "action": "keep", "label": None, "note": ""}
    place = {name: before[name] for name in ("dataset_id", "run_id", "queue_id", "reviewer")}
    send(test, queue_id=before["queue_id"], at=suspects[1], events=[{**event, "reverts": None, **place}])
    assert told(test)["accepted"] == ["e"]
    assert store.rows("SELECT queue_id FROM decisions") == [(before["queue_id"],)]
    assert "example" not in test.query_params  # where it was in the other queue


def test_review_goes_on_where_it_was_after_a_refresh(store, scored, suspects):
    test = send(app("review"), (suspects[0], "drop", None), (suspects[1], "unsure", None), at=suspects[2])
    after = app("review", **{name: test.query_params[name] for name in ("run", "queue", "example")})
    assert told(after)["start"] == suspects[2]
    assert told(after)["queue_id"] == told(test)["queue_id"]
    assert told(app("review"))["start"] == suspects[2]  # without an address too


def test_deciding_does_not_change_the_queue(store, scored, suspects):
    test = app("review")
    frozen = told(test)["queue_id"]
    decide(store, DATASET, suspects[0], "relabel", label="negative")
    after = app("review", queue=frozen)
    assert (told(after)["queue_id"], told(after)["n"]) == (frozen, len(suspects))


def test_review_restores_the_example_of_the_address(store, scored, suspects):
    test = app("review", run=scored.run_id, example=suspects[3])
    assert (told(test)["start"], told(test)["is_named"]) == (suspects[3], True)
    assert told(test)["rows"][0]["example_id"] == suspects[3]


def test_review_shows_an_example_outside_of_the_queue(store, scored, suspects):
    test = app("review", run=scored.run_id, example="r239")
    assert not test.exception
    assert told(test)["rows"][0]["example_id"] == "r239"
    assert told(test)["rows"][0]["pos"] is None


@pytest.mark.parametrize("example", ["r0", "<b>nowhere</b>", ""])
def test_review_of_an_unknown_example_begins_at_the_first(store, scored, suspects, example):
    test = app("review", run=scored.run_id, example=example)
    assert not test.exception
    assert "is not in this run" in shown(test)
    assert (told(test)["start"], told(test)["is_named"]) == (suspects[0], False)


@pytest.mark.parametrize("queue", ["q-000000000000", "<b>nothing</b>", ""])
def test_review_of_an_unknown_queue_is_the_default_one(store, scored, suspects, queue):
    test = app("review", queue=queue)
    assert not test.exception
    assert "from the URL was not found" in shown(test)
    assert told(test)["upcoming"] == suspects


def test_review_tells_all_classes(store, reviews, synthetic_scores, scored):
    classes = tuple(f"class {i}" for i in range(12))
    run = many_classes(store, reviews, synthetic_scores, scored, classes)
    test = app("review", run=run.run_id)
    assert not test.exception
    assert told(test)["classes"] == list(classes)
    send(test, ("r1", "relabel", "class 7"), at="r3")
    found = list_effective_decisions(store, "many-v1")
    assert found[["example_id", "label"]].values.tolist() == [["r1", "class 7"]]


def test_another_run_brings_its_own_queue(store, reviews, synthetic_scores, scored, suspects):
    run = many_classes(store, reviews, synthetic_scores, scored, ("a", "b"))
    test = app("review", run=scored.run_id)
    test.selectbox(key="run").set_value(run.run_id).run()
    assert not test.exception
    assert (told(test)["run_id"], told(test)["dataset_id"]) == (run.run_id, "many-v1")
    assert told(test)["n"] == 216


def test_decisions_are_saved_under_the_reviewer_s_name(store, scored, suspects):
    test = app("review", reviewer="ann *b*")
    assert told(test)["reviewer"] == "ann *b*"
    send(test, (suspects[0], "drop", None), at=suspects[1])
    assert list_effective_decisions(store, DATASET)["reviewer"].tolist() == ["ann *b*"]
    test.text_input(key="reviewer").set_value("  ").run()
    assert told(test)["reviewer"] == "me"


def test_a_decided_queue_has_nothing_left(store, scored, suspects):
    for example_id in suspects:
        decide(store, DATASET, example_id, "keep")
    test = app("review")
    assert not test.exception
    assert (told(test)["start"], told(test)["remaining"]) == (None, 0)
    assert told(test)["progress"]["n_decided"] == told(test)["n"] == len(suspects)


def test_review_of_an_empty_queue_is_drawn(store, scored, synthetic_scores):
    ingest_run(
        store, scored, synthetic_scores.assign(predicted_label=synthetic_scores["label"]), NOTHING, NOTHING
    )
    test = app("review")
    assert not test.exception
    assert told(test)["n"] == 0


def test_review_of_a_run_without_label_errors_goes_by_another_score(store, scored, synthetic_scores):
    ingest_run(store, scored, synthetic_scores.assign(label_error=np.nan), NOTHING, NOTHING)
    test = app("review")
    assert not test.exception
    assert told(test)["n"] == 216
    assert told(test)["start"] == read_page(store, scored.run_id, by="el2n", limit=1)["example_id"][0]


def test_review_of_a_run_without_scores_says_so(store, scored, synthetic_scores):
    ingest_run(store, scored, synthetic_scores[:0], NOTHING, NOTHING)
    test = app("review")
    assert not test.exception
    assert "has scored no example" in shown(test)
    assert not has_desk(test)
