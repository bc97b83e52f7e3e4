import numpy as np
import pandas as pd
import pytest

from diet_core.errors import NotFoundError
from diet_core.selection.ranking import ranking
from diet_core.store import SUSPECTS, ExampleFilter
from diet_core.store.review import SNIPPET

NOTHING = pd.DataFrame()
ALL = ExampleFilter()
DATASET = "reviews-v1"


@pytest.fixture
def order(scored, synthetic_scores) -> list[str]:
    """All examples by label error; many of the scores are tied."""
    ids = synthetic_scores["example_id"].to_numpy()
    return ids[ranking(ids.tolist(), synthetic_scores["label_error"], "label_error")].tolist()


@pytest.fixture
def suspects(order, synthetic_scores) -> list[str]:
    wrong = synthetic_scores.query("label != predicted_label")["example_id"]
    return [example_id for example_id in order if example_id in set(wrong)]


def visited(store, run_id, queue=SUSPECTS, n=500) -> list[str]:
    """The examples that a reviewer sees who keeps each one."""
    seen, current = [], store.next_suspect(run_id, queue)
    while current is not None and len(seen) < n:
        seen.append(current)
        store.decide(DATASET, current, "keep")
        current = store.next_suspect(run_id, queue, after=current)
    return seen


def test_suspects_come_in_the_order_of_the_ranking_with_its_ties(store, scored, suspects):
    assert visited(store, scored.run_id) == suspects


def test_every_example_can_be_a_queue(store, scored, order):
    assert visited(store, scored.run_id, ALL, n=20) == order[:20]


def test_a_class_is_a_queue_of_its_own(store, scored, suspects, reviews):
    labels = reviews.examples.set_index("example_id")["label"]
    queue = ExampleFilter(agreement="disagree", label="positive")
    assert visited(store, scored.run_id, queue) == [i for i in suspects if labels[i] == "positive"]


def test_deciding_never_reshuffles_the_rest(store, scored, suspects):
    store.decide(DATASET, suspects[2], "drop")
    assert visited(store, scored.run_id) == suspects[:2] + suspects[3:]
    assert [store.place_in_queue(scored.run_id, i) for i in suspects] == list(range(1, len(suspects) + 1))


def test_a_skipped_example_comes_again_behind_the_last(store, scored, suspects):
    run_id = scored.run_id
    second = store.next_suspect(run_id, after=suspects[0])
    assert second == suspects[1]
    assert store.next_suspect(run_id, after=suspects[-1]) == suspects[0]


def test_the_last_undecided_example_comes_after_itself(store, scored, suspects):
    for example_id in suspects[:-1]:
        store.decide(DATASET, example_id, "unsure")
    assert store.next_suspect(scored.run_id, after=suspects[-1]) == suspects[-1]
    store.decide(DATASET, suspects[-1], "keep")
    assert store.next_suspect(scored.run_id, after=suspects[-1]) is None


def test_an_example_outside_of_the_queue_has_neighbours_but_no_place(store, scored, order, suspects):
    outside = order[-1]
    assert outside not in suspects
    assert store.place_in_queue(scored.run_id, outside) is None
    assert store.previous_suspect(scored.run_id, before=outside) == suspects[-1]
    assert store.next_suspect(scored.run_id, after=outside) == suspects[0]


def test_back_shows_decided_examples_too(store, scored, suspects):
    store.decide(DATASET, suspects[0], "drop")
    assert store.previous_suspect(scored.run_id, before=suspects[1]) == suspects[0]
    assert store.previous_suspect(scored.run_id, before=suspects[0]) is None
    assert store.previous_suspect(scored.run_id) == suspects[-1]


def test_undo_brings_an_example_back(store, scored, suspects):
    store.decide(DATASET, suspects[0], "drop")
    store.undo(DATASET)
    assert store.next_suspect(scored.run_id) == suspects[0]


def test_progress_counts_what_is_decided_and_what_changes(store, scored, suspects):
    run_id = scored.run_id
    for example_id, action in zip(suspects, ("keep", "drop", "unsure"), strict=False):
        store.decide(DATASET, example_id, action)
    store.decide(DATASET, suspects[3], "relabel", label="negative")
    store.decide(DATASET, suspects[4], "drop")
    store.decide(DATASET, suspects[4], "keep", reviewer="ann")
    found = store.review_progress(run_id)
    assert (found.n_all, found.n_decided, found.n_changed, found.n_conflicts) == (len(suspects), 5, 2, 1)


def test_progress_of_an_empty_queue_is_zero(store, scored):
    found = store.review_progress(scored.run_id, ExampleFilter(search="no such words"))
    assert (found.n_all, found.n_decided, found.n_changed) == (0, 0, 0)
    assert store.next_suspect(scored.run_id, ExampleFilter(search="no such words")) is None


def test_decisions_on_another_version_do_not_count(store, scored, reviews, suspects):
    store.add_dataset(reviews, overwrite=True)
    store.decide("reviews-v2", suspects[0], "drop")
    assert store.review_progress(scored.run_id).n_decided == 0
    assert store.next_suspect(scored.run_id) == suspects[0]


def test_last_decisions_are_those_that_undo_takes_back_in_turn(store, scored):
    for example_id, action in (("r1", "drop"), ("r3", "keep"), ("r5", "unsure")):
        store.decide(DATASET, example_id, action)
    store.decide(DATASET, "r7", "drop", reviewer="ann")
    for expected in (["r5", "r3", "r1"], ["r3", "r1"], ["r1"]):
        assert store.last_decisions(DATASET, "me")["example_id"].tolist() == expected
        store.undo(DATASET)
    assert store.last_decisions(DATASET, "me").empty
    assert store.last_decisions(DATASET, "ann")["example_id"].tolist() == ["r7"]


def test_last_decisions_are_few_and_short(store, scored, reviews):
    for i in (1, 3, 5):
        store.decide(DATASET, f"r{i}", "relabel", label="negative")
    found = store.last_decisions(DATASET, "me", limit=2)
    assert found["example_id"].tolist() == ["r5", "r3"]
    assert found["label"].tolist() == ["negative", "negative"]
    assert found["text"].str.len().max() <= SNIPPET


def test_standing_decisions_name_each_reviewer_once(store, scored):
    store.decide(DATASET, "r1", "keep")
    store.decide(DATASET, "r1", "drop")
    store.decide(DATASET, "r1", "relabel", label="negative", reviewer="ann")
    found = store.standing_decisions(DATASET, "r1")
    assert [(d["reviewer"], d["action"], d["label"]) for d in found] == [
        ("ann", "relabel", "negative"),
        ("me", "drop", None),
    ]
    assert store.standing_decisions(DATASET, "r3") == []


def test_a_run_without_label_errors_has_no_queue(store, scored, synthetic_scores):
    store.ingest_run(scored, synthetic_scores.assign(label_error=np.nan), NOTHING, NOTHING)
    assert store.next_suspect(scored.run_id, ALL) is None
    assert store.review_progress(scored.run_id, ALL).n_all == 0


def test_has_scored_knows_training_examples_only(store, scored):
    assert store.has_scored(scored.run_id, "r1")
    assert not store.has_scored(scored.run_id, "r0")
    assert not store.has_scored(scored.run_id, "' OR 1=1 --")


def test_review_of_an_unknown_run_is_a_clear_error(store):
    for call in (store.review_progress, store.next_suspect, store.previous_suspect):
        with pytest.raises(NotFoundError, match="no finished run 'nowhere'"):
            call("nowhere")
    with pytest.raises(NotFoundError, match="no finished run 'nowhere'"):
        store.place_in_queue("nowhere", "r1")
