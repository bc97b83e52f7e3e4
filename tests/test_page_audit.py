"""The audit on the Review page."""

import pytest

from diet_core.scoring.audit import wilson_interval
from tests.app_pages import app, shown

pytestmark = pytest.mark.usefixtures("fresh_caches")

DATASET = "reviews-v1"
AUDIT = "Audit: random sample"


@pytest.fixture
def sample(store, scored):
    return store.start_audit(DATASET, 20)


def at_hand(test) -> str:
    """The example that the buttons are about."""
    return next(b.key for b in test.button if b.key and b.key.startswith("Keep ")).removeprefix("Keep ")


def press(test, title: str):
    return test.button(key=f"{title} {at_hand(test)}").click().run()


def progress(test) -> str:
    return str([element.text for element in test.get("progress")])


def test_an_audit_asks_for_its_size_and_says_what_to_expect(store, scored):
    test = app("review", queue=AUDIT)
    assert not test.exception
    assert "How many labels are wrong?" in shown(test)
    assert test.number_input[0].value == 200
    test.number_input[0].set_value(50).run()
    low, high = wilson_interval(10, 50, population=216)
    assert f"50 examples will say about {100 * low:.1f}–{100 * high:.1f} %" in shown(test)
    assert store.audit(DATASET) is None
    test.button(key="draw").click().run()
    assert not test.exception
    assert len(store.audit(DATASET).example_ids) == 50
    assert at_hand(test) == store.audit(DATASET).example_ids[0]
    assert "Audited 0 of 50: nothing is known yet" in progress(test)


def test_an_audit_that_is_not_drawn_shows_no_example_of_the_address(store, scored):
    test = app("review", queue=AUDIT, run=scored.run_id, example="r1")
    assert not test.exception
    assert "How many labels are wrong?" in shown(test)


def test_the_audit_goes_in_the_order_of_drawing(store, scored, sample):
    test = app("review")
    test.selectbox(key="queue").set_value(AUDIT).run()
    assert test.selectbox(key="class").disabled
    seen = []
    for title in ("Keep", "Drop", "Unsure", "Skip"):
        seen.append(at_hand(test))
        press(test, title)
        assert not test.exception
    assert seen == list(sample.example_ids[:4])
    found = store.effective_decisions(DATASET)
    assert found["action"].tolist() == ["keep", "drop", "unsure"]
    assert store.rows("SELECT DISTINCT queue_id FROM decisions") == [(sample.queue_id,)]
    assert "Audited 3 of 20: 50 % errors (9–91 %)" in progress(test)
    assert "1 without a clear answer" in shown(test)
    press(test, "Back")
    assert at_hand(test) == sample.example_ids[3]


def test_the_audit_survives_a_refresh(store, scored, sample):
    press(app("review", queue=AUDIT), "Keep")
    test = app("review", queue=AUDIT)
    assert at_hand(test) == sample.example_ids[1]
    assert "Audited 1 of 20: 0 % errors" in progress(test)


def test_the_audit_hides_the_models_opinion_until_asked(store, scored, sample):
    test = app("review", queue=AUDIT)
    assert "Drawn by chance as number 1" in shown(test)
    assert "Hidden" in shown(test)
    assert not test.metric
    assert not [b for b in test.button if b.key and b.key.startswith("Take suggestion")]
    press(test, "Show suggestion")
    assert {metric.label for metric in test.metric} == {"Label error", "EL2N"}
    assert "Number 1 of this queue" in shown(test)
    press(test, "Take suggestion")
    assert store.effective_decisions(DATASET)["action"].tolist() == ["relabel"]
    assert "Hidden" in shown(test)  # of the next one
    assert not test.metric


def test_other_queues_hide_nothing(store, scored, sample):
    test = app("review")
    assert "Hidden" not in shown(test)
    assert len(test.metric) == 2


def test_another_class_can_be_picked_in_the_audit(store, scored, sample):
    test = app("review", queue=AUDIT)
    first = at_hand(test)
    number = 1 + test.button(key=f"class 1 {first}").disabled
    test.button(key=f"class {number} {first}").click().run()
    assert store.effective_decisions(DATASET)[["example_id", "action"]].values.tolist() == [
        [first, "relabel"]
    ]


def test_undo_in_the_audit_shows_the_example_again(store, scored, sample):
    test = press(app("review", queue=AUDIT), "Drop")
    test.button(key="undo").click().run()
    assert at_hand(test) == sample.example_ids[0]
    assert "Audited 0 of 20" in progress(test)


def test_the_audit_tells_what_is_left_below_the_review(store, scored, sample):
    ids = store.examples_page(scored.run_id, by="label_error", limit=5)["example_id"]
    for example_id in ids:
        store.decide(DATASET, example_id, "drop")
    test = press(press(app("review", queue=AUDIT), "Keep"), "Drop")
    found = store.audit_result(scored.run_id)
    left = found.left[found.reviewed_to]
    words = f"About {left.estimate:,} ({left.low:,}–{left.high:,}) errors are left below rank 5"
    assert found.reviewed_to == 5
    assert words in shown(test)
    assert words in progress(app("review"))


def test_the_models_own_count_is_called_a_guess(store, scored, sample, synthetic_scores):
    words = shown(app("review", queue=AUDIT))
    guess = synthetic_scores["label_error"].sum()
    assert f"The model guesses {guess:,.0f}; such guesses were between 0.05 and 5.6 times the truth." in words


def test_an_audit_that_is_done_can_grow(store, scored, sample):
    for example_id in sample.example_ids:
        store.decide(DATASET, example_id, "keep")
    test = app("review", queue=AUDIT)
    assert not test.exception
    assert "The whole sample is audited" in shown(test)
    assert "0 % errors (0–15 %) among 216 training examples" in shown(test)
    assert test.number_input[0].value == 40
    test.button(key="draw").click().run()
    assert not test.exception
    assert at_hand(test) == store.audit(DATASET).example_ids[20]
    assert "Audited 20 of 40" in progress(test)


def test_a_census_cannot_grow(store, scored):
    for example_id in store.start_audit(DATASET, 216).example_ids:
        store.decide(DATASET, example_id, "keep")
    test = app("review", queue=AUDIT)
    assert not test.exception
    assert not test.number_input


def test_an_audit_that_another_window_made_larger_says_so(store, scored):
    test = app("review", queue=AUDIT)
    test.number_input[0].set_value(30).run()
    store.start_audit(DATASET, 60)
    test.button(key="draw").click().run()
    assert not test.exception
    assert "has 60 examples already" in shown(test)
