"""The audit on the Review page."""

import pytest

from diet_core.scoring.statistics.audit import wilson_interval
from diet_core.store.decisions.audit import find_audit, read_audit_result, start_audit
from diet_core.store.decisions.decisions import decide, list_effective_decisions
from diet_core.store.queries.examples import read_page
from tests.pages.app_pages import app, shown
from tests.pages.review.desk_page import has_desk, send, told

pytestmark = pytest.mark.usefixtures("fresh_caches")

DATASET = "reviews-v1"
AUDIT = "audit"


@pytest.fixture
def sample(store, scored):
    return start_audit(store, DATASET, 20)


def progress(test) -> str:
    return " · ".join(told(test)["progress"]["words"])


def test_an_audit_asks_for_its_size_and_says_what_to_expect(store, scored):
    test = app("review", queue=AUDIT)
    assert not test.exception
    assert "How many labels are wrong?" in shown(test)
    assert not has_desk(test)
    assert test.number_input[0].value == 200
    test.number_input[0].set_value(50).run()
    low, high = wilson_interval(10, 50, population=216)
    assert f"50 examples will say about {100 * low:.1f}–{100 * high:.1f} %" in shown(test)
    assert find_audit(store, DATASET) is None
    test.button(key="draw from 1").click().run()
    assert not test.exception
    assert told(test)["upcoming"] == list(find_audit(store, DATASET).example_ids)
    assert told(test)["n"] == 50
    assert "nothing is known yet" in progress(test)


def test_an_audit_that_is_not_drawn_shows_no_example_of_the_address(store, scored):
    test = app("review", queue=AUDIT, run=scored.run_id, example="r1")
    assert not test.exception
    assert "How many labels are wrong?" in shown(test)
    assert not has_desk(test)


def test_the_audit_goes_in_the_order_of_drawing(store, scored, sample):
    test = app("review")
    assert not told(test)["is_blind"]
    test.selectbox(key="queue source").set_value(AUDIT).run()
    assert told(test)["is_blind"]
    assert test.query_params["queue"] == AUDIT
    ids = sample.example_ids
    actions = ("keep", "drop", "unsure", "skip")
    events = [(example_id, action, None) for example_id, action in zip(ids, actions, strict=False)]
    send(test, *events, at=ids[4])
    assert not test.exception
    assert told(test)["upcoming"] == [*ids[4:], ids[3]]
    assert list_effective_decisions(store, DATASET)["action"].tolist() == ["keep", "drop", "unsure"]
    assert store.rows("SELECT DISTINCT queue_id FROM decisions") == [(sample.queue_id,)]
    assert "50 % errors (9–91 %)" in progress(test)


def test_what_the_audit_says_is_below_the_desk(store, scored, sample):
    for example_id, action in zip(sample.example_ids, ("keep", "drop", "unsure"), strict=False):
        decide(store, DATASET, example_id, action)
    test = app("review", queue=AUDIT)
    assert "Result of the audit" in [expander.label for expander in test.expander]
    assert "1 without a clear answer" in shown(test)


def test_the_audit_survives_a_refresh(store, scored, sample):
    send(app("review", queue=AUDIT), (sample.example_ids[0], "keep", None), at=sample.example_ids[1])
    test = app("review", queue=AUDIT)
    assert told(test)["start"] == sample.example_ids[1]
    assert "0 % errors" in progress(test)


def test_the_audit_tells_what_is_left_below_the_review(store, scored, sample):
    for example_id in read_page(store, scored.run_id, by="label_error", limit=5)["example_id"]:
        decide(store, DATASET, example_id, "drop")
    first, second, third = sample.example_ids[:3]
    test = send(app("review", queue=AUDIT), (first, "keep", None), (second, "drop", None), at=third)
    found = read_audit_result(store, scored.run_id)
    left = found.left[found.reviewed_to]
    words = f"About {left.estimate:,} ({left.low:,}–{left.high:,}) errors are left below rank 5"
    assert found.reviewed_to == 5
    assert words in shown(test.run())
    assert words in progress(app("review"))


def test_the_models_own_count_is_called_a_guess(store, scored, sample, synthetic_scores):
    words = shown(app("review", queue=AUDIT))
    guess = synthetic_scores["label_error"].sum()
    assert f"The model guesses {guess:,.0f}; such guesses were between 0.05 and 5.6 times the truth." in words


def test_an_audit_that_is_done_can_grow(store, scored, sample):
    for example_id in sample.example_ids:
        decide(store, DATASET, example_id, "keep")
    test = app("review", queue=AUDIT)
    assert not test.exception
    assert (told(test)["start"], told(test)["remaining"]) == (None, 0)
    assert "0 % errors (0–15 %)" in progress(test)
    assert test.number_input[0].value == 40
    test.button(key="draw from 21").click().run()
    assert not test.exception
    assert (told(test)["n"], told(test)["remaining"]) == (40, 20)
    assert told(test)["start"] == find_audit(store, DATASET).example_ids[20]


def test_a_census_cannot_grow(store, scored):
    for example_id in start_audit(store, DATASET, 216).example_ids:
        decide(store, DATASET, example_id, "keep")
    test = app("review", queue=AUDIT)
    assert not test.exception
    assert not test.number_input


def test_an_audit_that_another_window_drew_meanwhile_stays_as_it_is(store, scored):
    test = app("review", queue=AUDIT)
    test.number_input[0].set_value(30).run()
    start_audit(store, DATASET, 60)
    test.button(key="draw from 1").click().run()
    assert not test.exception
    assert len(find_audit(store, DATASET).example_ids) == told(test)["n"] == 60
