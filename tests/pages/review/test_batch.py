"""One decision on everything in a queue: counted, looked at, confirmed, and taken back as one."""

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from diet_core.store.decisions.decisions import decide, list_effective_decisions
from diet_core.store.decisions.queues import Queue, QueueDefinition, open_queue
from diet_core.store.filters import ExampleFilter
from tests.conftest import TRICKY
from tests.pages.app_pages import shown
from tests.store.conflicts import list_conflicts

pytestmark = pytest.mark.usefixtures("fresh_caches")

DATASET = "reviews-v1"


def page():
    """A page with a queue's button alone."""
    import streamlit as st

    from diet_core.store.decisions import queues
    from pages.parts.review.batch import batch_button, batch_message
    from pages.shared.errors import error_box
    from pages.shared.workspace import opened_store

    with error_box():
        store = opened_store()
        batch_message(store, st.query_params["reviewer"])
        batch_button(store, queues.find_queue(store, st.query_params["queue"]), st.query_params["reviewer"])


def opened(queue: Queue, reviewer: str = "me") -> AppTest:
    """Open the dialog on a queue."""
    test = AppTest.from_function(page, default_timeout=60)
    test.query_params.update({"queue": queue.queue_id, "reviewer": reviewer})
    return press(test.run(), "batch")


def press(test: AppTest, key: str) -> AppTest:
    test.button(key=key).click().run()
    assert not test.exception
    return test


def choose(test: AppTest, action: str, label: str | None = None) -> AppTest:
    test.segmented_control(key="batch action").set_value(action).run()
    if label is not None:
        test.selectbox(key="batch class").set_value(label).run()
    assert not test.exception
    return test


def is_open(test: AppTest) -> bool:
    return any(button.key == "batch cancel" for button in test.button)


def preview(test: AppTest) -> pd.DataFrame:
    return test.dataframe[0].value


def decisions(store) -> dict[str, tuple[str, str]]:
    found = list_effective_decisions(store, DATASET)
    labels = found["label"].fillna("")
    return dict(zip(found["example_id"], zip(found["action"], labels, strict=True), strict=True))


@pytest.fixture
def suspects(store, scored) -> Queue:
    """Below 50 examples."""
    return open_queue(store, QueueDefinition(scored.run_id))


@pytest.fixture
def everything(store, scored) -> Queue:
    """All 216, the easiest first."""
    return open_queue(store, QueueDefinition(scored.run_id, source="lowest", by="el2n"))


def test_batch_says_how_many_and_shows_the_first_ten(store, suspects, reviews):
    test = opened(suspects)
    n = len(suspects.example_ids)
    assert f"{n} examples** of {n} will be decided by me" in shown(test)
    texts = reviews.examples.set_index("example_id")["text"]
    assert preview(test)["Text"].tolist() == [texts[i] for i in suspects.example_ids[:10]]
    assert preview(test)["Text"][0] == TRICKY  # a table's cell shows it as it is
    assert preview(test)["Label error"].is_monotonic_decreasing
    assert test.button(key="batch act").label == f"Keep: {n} examples"
    assert decisions(store) == {}


@pytest.mark.parametrize("action", ["keep", "drop", "unsure"])
def test_batch_decides_all_and_one_undo_takes_all_back(store, suspects, action):
    test = press(choose(opened(suspects), action), "batch act")
    assert decisions(store) == dict.fromkeys(suspects.example_ids, (action, ""))
    assert not is_open(test)
    assert f"{len(suspects.example_ids)} examples." in shown(test)
    press(test, "batch undo")
    assert decisions(store) == {}
    assert "Undone" in shown(test)
    press(test, "batch close")
    assert "Undone" not in shown(test)


def test_batch_takes_each_examples_suggestion(store, suspects, synthetic_scores):
    test = choose(opened(suspects), "suggestion")
    rows = synthetic_scores.set_index("example_id").loc[list(suspects.example_ids)]
    assert preview(test)["New label"].tolist() == rows["suggested_label"].tolist()[:10]
    press(test, "batch act")
    assert decisions(store) == {i: ("relabel", rows["suggested_label"][i]) for i in suspects.example_ids}
    assert "Took the suggestions of" in shown(test)


def test_batch_relabels_to_a_class_once_it_is_chosen(store, suspects):
    test = choose(opened(suspects), "relabel")
    assert test.button(key="batch act").disabled
    assert not test.dataframe
    choose(test, "relabel", "positive")
    assert set(preview(test)["New label"]) == {"positive"}
    press(test, "batch act")
    assert set(decisions(store).values()) == {("relabel", "positive")}
    assert "to positive." in shown(test)


def test_batch_leaves_out_what_people_decided(store, suspects):
    first, second, *rest = suspects.example_ids
    decide(store, DATASET, first, "drop", reviewer="ann")
    decide(store, DATASET, second, "drop")
    test = opened(suspects)
    assert f"{len(rest)} examples** of {len(rest) + 2}" in shown(test)
    assert test.checkbox(key="batch again").label.endswith("(2)")
    press(test, "batch act")
    assert decisions(store) == dict.fromkeys(rest, ("keep", "")) | dict.fromkeys(
        [first, second], ("drop", "")
    )


def test_batch_decides_again_only_where_asked_and_tells_of_conflicts(store, suspects):
    first, second, *rest = suspects.example_ids
    decide(store, DATASET, first, "drop", reviewer="ann")
    decide(store, DATASET, second, "drop")
    test = opened(suspects)
    test.checkbox(key="batch again").check().run()
    assert f"{len(rest) + 2} examples** of" in shown(test)
    assert "1 example on which somebody else decided otherwise" in shown(test)
    press(test, "batch act")
    assert decisions(store) == dict.fromkeys([second, *rest], ("keep", ""))
    assert list_conflicts(store, DATASET)["example_id"].tolist() == [first]
    press(test, "batch undo")
    assert decisions(store) == {first: ("drop", ""), second: ("drop", "")}


def test_batch_of_nothing_left_says_so(store, suspects):
    for example_id in suspects.example_ids:
        decide(store, DATASET, example_id, "keep")
    test = opened(suspects)
    assert "Nothing is left to decide here" in shown(test)
    assert test.button(key="batch act").disabled


def test_batch_of_an_empty_queue_cannot_be_opened(store, scored):
    empty = open_queue(store, QueueDefinition(scored.run_id, filter=ExampleFilter(search="nowhere")))
    test = AppTest.from_function(page, default_timeout=60)
    test.query_params.update({"queue": empty.queue_id, "reviewer": "me"})
    assert test.run().button(key="batch").disabled


@pytest.mark.parametrize("typed", ["", "215", "yes", "21 7", "²16"])
def test_batch_above_100_is_confirmed_by_its_number(store, everything, typed):
    test = opened(everything)
    test.text_input(key="batch typed").set_value(typed)
    press(test, "batch act")
    assert "Type 216 first" in shown(test)
    assert decisions(store) == {}
    test.text_input(key="batch typed").set_value(" 216 ")
    press(test, "batch act")
    assert len(decisions(store)) == 216


def test_batch_of_100_needs_no_typing(store, everything, scored):
    ids = everything.example_ids
    for example_id in ids[100:]:
        decide(store, DATASET, example_id, "drop", reviewer="ann")
    test = opened(everything)
    assert not test.text_input
    press(test, "batch act")
    assert decisions(store) == dict.fromkeys(ids[:100], ("keep", "")) | dict.fromkeys(ids[100:], ("drop", ""))


def clicked_twice():
    """What two clicks on the button do that come before the browser has closed the dialog."""
    import streamlit as st

    from diet_core.store.decisions import queues
    from pages.parts.review.batch import BulkAction, begin, decide, opened_on
    from pages.shared.workspace import opened_store

    store = opened_store()
    queue = queues.find_queue(store, st.query_params["queue"])
    begin(queue)
    token = opened_on(queue)
    for action in ("drop", "keep"):
        act = BulkAction(action, overwrite=True)
        decide(store, queue, "me", token, act, len(queue.example_ids))


def test_a_double_click_decides_once(store, suspects):
    test = AppTest.from_function(clicked_twice, default_timeout=60)
    test.query_params["queue"] = suspects.queue_id
    assert not test.run().exception
    assert decisions(store) == dict.fromkeys(suspects.example_ids, ("drop", ""))
    assert store.rows("SELECT count(DISTINCT batch_id) FROM decisions") == [(1,)]


def test_a_double_click_on_undo_takes_one_batch_back(store, suspects):
    decide(store, DATASET, "r1", "drop")
    test = press(opened(suspects), "batch act")
    twice = test.button(key="batch undo")
    press(test, "batch undo")
    twice.click()
    twice.run()
    assert not test.exception
    assert decisions(store) == {"r1": ("drop", "")}


def test_batch_can_be_cancelled_and_begins_anew(store, suspects):
    test = press(choose(opened(suspects), "drop"), "batch cancel")
    assert not is_open(test)
    assert decisions(store) == {}
    press(test, "batch")
    assert test.segmented_control(key="batch action").value == "keep"


def test_the_dialog_stays_open_when_the_page_runs_again(store, suspects):
    test = choose(opened(suspects), "drop")
    test.run()
    assert is_open(test)
    assert test.segmented_control(key="batch action").value == "drop"


def test_the_dialog_of_another_queue_is_closed(store, suspects, everything):
    test = opened(suspects)
    test.query_params["queue"] = everything.queue_id
    assert not is_open(test.run())


def test_a_batch_of_another_reviewer_cannot_be_undone_here(store, suspects):
    test = press(opened(suspects, "ann *b*"), "batch act")
    assert set(list_effective_decisions(store, DATASET)["reviewer"]) == {"ann *b*"}
    test.query_params["reviewer"] = "bob"
    assert not [b for b in test.run().button if b.key == "batch undo"]


def test_below_the_20th_percentile_everything_is_kept_but_what_people_decided(store, scored, everything):
    """The whole way of the controls is in test_page_queue.py; here what a batch makes of its queue."""
    from diet_core.store.queries.histograms import find_percentile_range

    low, high = find_percentile_range(store, scored.run_id, "el2n", 0, 20)
    chosen = ExampleFilter(score="el2n", low=low, high=high)
    queue = open_queue(store, QueueDefinition(scored.run_id, source="lowest", by="el2n", filter=chosen))
    decide(store, DATASET, queue.example_ids[5], "drop")
    test = opened(queue)
    n = len(queue.example_ids) - 1
    assert f"{n} examples** of {n + 1}" in shown(test)
    press(test, "batch act")
    kept = {i for i, said in decisions(store).items() if said == ("keep", "")}
    assert kept == set(queue.example_ids) - {queue.example_ids[5]}
    press(test, "batch undo")
    assert decisions(store) == {queue.example_ids[5]: ("drop", "")}
