"""The controls of a review queue: what they open, what the address keeps, and that it stays frozen."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from diet_core.store.decisions.decisions import decide
from diet_core.store.decisions.events import DeskEvent, apply_events
from diet_core.store.decisions.queues import QueueDefinition, open_queue
from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.runs import ingest_run, read_scores
from diet_core.store.queries.examples import read_page
from pages.parts.review.audit import AuditQueue
from tests.pages.app_pages import shown
from tests.pages.review.desk_page import many_classes

pytestmark = pytest.mark.usefixtures("fresh_caches")

DATASET = "reviews-v1"
NOTHING = pd.DataFrame()
AUDIT = "audit"


def page():
    """A page of the controls alone; it writes what it was given."""
    import streamlit as st

    from diet_core.store.loading import runs
    from pages.parts.review.queue import chosen_queue
    from pages.shared.errors import error_box
    from pages.shared.workspace import opened_store

    with error_box():
        store = opened_store()
        asked = st.query_params.get("run")
        run = next(run for run in runs.list_runs(store) if asked in (None, run.run_id))
        st.session_state["given"] = chosen_queue(store, run, st.query_params.get("reviewer", "me"))


def opened(**address: str) -> AppTest:
    test = AppTest.from_function(page, default_timeout=60)
    test.query_params.update(address)
    return test.run()


def address(test: AppTest) -> dict[str, str]:
    """What a refresh of the page begins with."""
    return dict(test.query_params)


def ids(test: AppTest) -> list[str]:
    assert not test.exception
    assert not test.error
    return list(test.session_state["given"].example_ids)


def choose(test: AppTest, **values: object) -> AppTest:
    """Set widgets by the last words of their keys, each with a run of its own."""
    for name, value in values.items():
        key = f"queue {name.replace('_', ' ')}"
        found = [w for kind in KINDS for w in test.get(kind) if w.key == key]
        found[0].set_value(value).run()
    return test


KINDS = ("selectbox", "button_group", "number_input", "text_input")


def ranked(store, run, by="label_error", hardest=True, **chosen) -> list[str]:
    """The oracle: the page of Explore."""
    found = read_page(
        store,
        run.run_id,
        by=by,
        order="hardest" if hardest else "easiest",
        filter=ExampleFilter(**chosen),
        limit=1000,
    )
    return found["example_id"].tolist()


def test_the_first_queue_is_that_of_the_suspects(store, scored):
    test = opened()
    assert ids(test) == ranked(store, scored, agreement="disagree")
    assert test.selectbox(key="queue source").value == "suspects"
    assert "most suspicious first" in shown(test)
    assert test.query_params["queue"] == test.session_state["given"].queue_id
    assert opened(run=scored.run_id).query_params["queue"] == test.query_params["queue"]


def test_the_first_queue_keeps_the_example_of_the_address(store, scored):
    assert address(opened(run=scored.run_id, example="r3"))["example"] == "r3"


def test_a_rerun_freezes_nothing_anew(store, scored):
    test = opened()
    before = test.session_state["given"]
    decide(store, DATASET, before.example_ids[0], "keep")
    test.run()
    assert test.session_state["given"] is before
    assert store.rows("SELECT count(*) FROM queues") == [(1,)]


@pytest.mark.parametrize(("source", "hardest"), [("highest", True), ("lowest", False)])
def test_everything_can_be_ordered_by_any_score(store, scored, source, hardest):
    test = choose(opened(example="r1"), source=source)
    assert ids(test) == ranked(store, scored, by="el2n", hardest=hardest)
    assert "example" not in test.query_params
    choose(test, by="aum")
    assert ids(test) == ranked(store, scored, by="aum", hardest=hardest)
    assert f"{'Lowest' if hardest else 'Highest'} AUM first" in shown(test)


def test_a_filter_survives_a_refresh_by_the_address_alone(store, scored):
    test = opened()
    choose(test, **{"class": "positive"}, predicted="negative", words=" review 1 ")
    wanted = ranked(store, scored, label="positive", predicted_label="negative", search="review 1")
    assert ids(test) == wanted
    assert 0 < len(wanted) < 30
    again = opened(**address(test))
    assert ids(again) == wanted
    assert again.selectbox(key="queue class").value == "positive"
    assert again.selectbox(key="queue predicted").value == "negative"
    assert again.text_input(key="queue words").value == "review 1"
    assert "label positive · prediction negative · with “review 1”" in shown(again)


def test_a_filter_is_cleared_by_one_click(store, scored):
    test = choose(opened(), source="lowest", words="review 2", to_percentile=50.0)
    test.button(key="queue clear").click().run()
    assert ids(test) == ranked(store, scored, by="el2n", hardest=False)
    assert test.text_input(key="queue words").value == ""
    assert test.number_input(key="queue to percentile").value == 100
    assert "percentiles" not in test.query_params
    assert not [b for b in test.button if b.key == "queue clear"]


def test_deciding_takes_nothing_out_until_the_queue_is_opened_anew(store, scored):
    test = choose(opened(), status="undecided")
    before = ids(test)
    decide(store, DATASET, before[0], "keep")
    assert ids(test.run()) == before
    again = opened(**address(test), example=before[3])
    assert ids(again) == before
    again.button(key="queue refresh").click().run()
    assert ids(again) == before[1:]
    assert "example" not in again.query_params


def test_conflicts_are_what_reviewers_disagree_on(store, scored):
    decide(store, DATASET, "r1", "keep", reviewer="ann")
    decide(store, DATASET, "r1", "drop", reviewer="bob")
    decide(store, DATASET, "r3", "drop", reviewer="bob")
    test = choose(opened(), source="highest", status="conflict")
    assert ids(test) == ["r1"]
    assert "reviewers disagree when opened" in shown(test)


def test_skipped_are_those_of_the_reviewer(store, scored):
    for number, (example_id, action, who) in enumerate(
        [("r3", "skip", "me"), ("r5", "skip", "ann"), ("r7", "flag", "ann")]
    ):
        apply_events(store, DATASET, [DeskEvent(str(number), example_id, action)], reviewer=who)
    test = choose(opened(reviewer="ann"), source="skipped")
    assert ids(test) == ["r5"]
    assert "Skipped by ann" in shown(test)
    assert ids(choose(test, source="flagged")) == ["r7"]


@pytest.mark.parametrize("score", ["el2n", "aum"])
def test_below_the_20th_percentile_are_the_easiest_fifth(store, scored, score):
    """And whatever is tied with the hardest of them."""
    test = choose(opened(), source="lowest", by=score, to_percentile=20.0)
    everything = ranked(store, scored, by=score, hardest=False)
    found = ids(test)
    assert found == everything[: len(found)]
    assert 43 <= len(found) < 60  # 20 % of 216
    values = read_scores(store, scored.run_id).set_index("example_id")[score]
    assert values[found[-1]] == values[everything[42]] != values[everything[len(found)]]
    assert test.query_params["percentiles"] == "0-20"


def test_percentiles_survive_a_refresh(store, scored):
    test = choose(opened(), source="highest", from_percentile=80.0)
    again = opened(**address(test))
    assert ids(again) == ids(test)
    assert again.number_input(key="queue from percentile").value == 80
    assert "EL2N percentile 80 to 100" in shown(again)


@pytest.mark.parametrize("named", ["0-30", "20-0", "x", "0-999", "100-100"])
def test_percentiles_that_are_not_the_queues_are_not_believed(store, scored, named):
    test = choose(opened(), source="lowest", to_percentile=20.0)
    again = opened(**{**address(test), "percentiles": named})
    assert ids(again) == ids(test)
    assert again.button_group(key="queue unit").value == "Value"
    assert (
        again.number_input(key="queue to value").value == test.session_state["given"].definition.filter.high
    )


def test_a_range_can_be_given_as_values(store, scored):
    test = choose(opened(), source="highest", unit="Value", from_value=0.2, to_value=0.5)
    assert ids(test) == ranked(store, scored, by="el2n", low=0.2, high=0.5)
    assert "EL2N 0.2 to 0.5" in shown(test)
    again = opened(**address(test))
    assert again.number_input(key="queue from value").value == 0.2
    choose(test, range_of="loss")  # of another score the values mean nothing
    assert ids(test) == ranked(store, scored, by="el2n")


def test_percentiles_become_values_and_values_are_given_up(store, scored):
    test = choose(opened(), source="lowest", to_percentile=20.0)
    before = test.session_state["given"]
    choose(test, unit="Value")
    assert test.session_state["given"] is before
    assert test.number_input(key="queue to value").value == before.definition.filter.high
    assert "percentiles" not in test.query_params
    choose(test, unit="Percentile")
    assert ids(test) == ranked(store, scored, by="el2n", hardest=False)


def test_a_range_that_cannot_be_is_told_and_opens_nothing(store, scored):
    test = choose(opened(), source="lowest", to_percentile=20.0)
    before = ids(test)
    choose(test, from_percentile=60.0)
    assert "The percentiles are 60 and 20" in shown(test)
    assert ids(test) == before
    assert "The percentiles are 60 and 20" in shown(test.run())  # as long as the controls say so
    choose(test, from_percentile=10.0)
    assert not test.warning
    assert len(ids(test)) < len(before)
    choose(test, unit="Value", from_value=5.0)
    assert "from 5 to" in shown(test)


def test_the_audit_is_a_choice_and_stays_in_the_address(store, scored):
    test = choose(opened(example="r1"), source=AUDIT)
    assert not test.exception
    assert isinstance(test.session_state["given"], AuditQueue)
    assert address(test)["queue"] == AUDIT
    again = opened(queue=AUDIT)
    assert isinstance(again.session_state["given"], AuditQueue)
    assert ids(choose(again, source="suspects")) == ranked(store, scored, agreement="disagree")


@pytest.mark.parametrize("named", ["q-000000000000", "<b>x</b>", "Suspects", "", "q-" + "9" * 5000])
def test_an_unknown_queue_is_told_and_the_default_is_shown(store, scored, named):
    test = opened(queue=named)
    assert ids(test) == ranked(store, scored, agreement="disagree")
    assert len(test.warning) == 1
    assert "was not found" in shown(test)
    assert len(shown(test)) < 400
    assert not test.run().warning


def test_the_queue_of_another_run_is_told_unless_the_run_was_just_changed(store, scored, synthetic_scores):
    other = dataclasses.replace(scored, run_id="other-20261122-142530-1a2b")
    ingest_run(store, other, synthetic_scores, NOTHING, NOTHING)
    foreign = open_queue(store, QueueDefinition(other.run_id, source="highest"))
    test = opened(run=scored.run_id, queue=foreign.queue_id)
    assert "belongs to another run" in shown(test)
    assert test.session_state["given"].definition.run_id == scored.run_id
    test = opened(run=other.run_id, queue=foreign.queue_id)
    assert test.session_state["given"].definition == foreign.definition
    test.query_params["run"] = scored.run_id
    test.run()
    assert not test.warning
    assert test.session_state["given"].definition.run_id == scored.run_id


def test_another_queue_in_the_address_is_shown_by_the_controls(store, scored):
    """The browser's way back."""
    test = opened()
    first = test.query_params["queue"]
    choose(test, source="lowest", words="review 2")
    test.query_params["queue"] = first
    test.run()
    assert test.selectbox(key="queue source").value == "suspects"
    assert test.text_input(key="queue words").value == ""


def test_a_queue_may_be_empty(store, scored):
    test = choose(opened(), words="nowhere to be found")
    assert ids(test) == []
    assert "0 examples in this queue" in shown(test)


def test_words_are_shown_as_they_are(store, scored):
    test = choose(opened(), words="<b>$x$ www.example.com")
    assert "with “<b>$x$ www.example.com”" in shown(test)


def test_a_run_without_label_errors_begins_with_the_hardest(store, scored, synthetic_scores):
    ingest_run(store, scored, synthetic_scores.assign(label_error=np.nan), NOTHING, NOTHING)
    test = opened()
    assert ids(test) == ranked(store, scored, by="el2n")
    assert "Likely label errors" not in test.selectbox(key="queue source").options
    assert ids(choose(test, source="flagged")) == []


def test_a_run_that_scored_nothing_has_no_queue(store, scored, synthetic_scores):
    ingest_run(store, scored, synthetic_scores.iloc[:0], NOTHING, NOTHING)
    test = opened()
    assert not test.exception
    assert test.session_state["given"] is None
    assert "has scored no example" in shown(test)


def test_classes_are_those_of_the_runs_data_set(store, reviews, scored, synthetic_scores):
    classes = tuple(f"class {i}" for i in range(12))
    run = many_classes(store, reviews, synthetic_scores, scored, classes)
    test = choose(opened(run=run.run_id), **{"class": "class 0"})
    assert len(ids(test)) == 216
    assert test.selectbox(key="queue class").options == list(classes)
