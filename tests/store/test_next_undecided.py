"""What comes next in a frozen queue, against a replay of all events one by one."""

import numpy as np
import pytest

from diet_core.store.decisions.audit import start_audit
from diet_core.store.decisions.decisions import decide
from diet_core.store.decisions.events import DeskEvent, apply_events
from diet_core.store.decisions.queues import (
    NextUndecided,
    QueueDefinition,
    find_places_in_queue,
    list_next_undecided,
    open_queue,
)
from diet_core.store.loading.datasets import add_dataset
from diet_core.tables import DECISION_ACTIONS

DATASET = "reviews-v1"


@pytest.fixture
def queue(store, scored):
    return open_queue(store, QueueDefinition(scored.run_id))


def replayed(ids, events, position, reviewer, limit) -> NextUndecided:
    """The slow and obvious version; `events` are (reviewer, event) in the order in which they happened."""
    taken_back = {event.reverts for _, event in events if event.action == "undo"}
    standing = [one for one in events if one[1].client_event_id not in taken_back]
    decided = {event.example_id for _, event in standing if event.action in DECISION_ACTIONS}
    skipped = {event.example_id for who, event in standing if event.action == "skip" and who == reviewer}
    around = [*ids[position:], *ids[:position]]
    undecided = [i for i in around if i not in decided]
    ordered = [i for i in undecided if i not in skipped] + [i for i in undecided if i in skipped]
    return NextUndecided(tuple(ordered[:limit]), len(undecided))


def happened(store, ids, n: int, seed: int) -> list:
    """Let two reviewers do `n` things on a few examples, some of which they take back."""
    draw, events = np.random.default_rng(seed), []
    for number in range(n):
        who = ("me", "ann")[draw.integers(2)]
        own = [e for w, e in events if w == who and e.action != "undo"]
        if own and draw.random() < 0.25:
            was = own[draw.integers(len(own))]
            event = DeskEvent(f"e{number}", was.example_id, "undo", reverts=was.client_event_id)
        else:
            action = ("keep", "drop", "unsure", "skip", "skip", "flag")[draw.integers(6)]
            event = DeskEvent(f"e{number}", ids[draw.integers(len(ids))], action)
        assert apply_events(store, DATASET, [event], reviewer=who).accepted == (f"e{number}",)
        events.append((who, event))
    return events


@pytest.mark.parametrize("seed", range(3))
def test_undecided_ahead_is_what_a_replay_of_all_events_leaves(store, queue, seed):
    ids = list(queue.example_ids)
    events = happened(store, ids[:12], 30, seed)
    for reviewer in ("me", "ann", "nobody"):
        for position, limit in ((0, 500), (1, 500), (5, 3), (len(ids) - 1, 7), (len(ids), 500)):
            found = list_next_undecided(
                store, queue.queue_id, DATASET, position=position, reviewer=reviewer, limit=limit
            )
            assert found == replayed(ids, events, position, reviewer, limit)


def test_a_fresh_queue_is_ahead_as_it_was_frozen(store, queue):
    found = list_next_undecided(store, queue.queue_id, DATASET, limit=500)
    assert found == NextUndecided(queue.example_ids, len(queue.example_ids))


def test_the_way_wraps_around_and_skipped_examples_come_last(store, queue):
    ids = queue.example_ids
    apply_events(
        store, DATASET, [DeskEvent("a", ids[4], "skip"), DeskEvent("b", ids[6], "keep")], reviewer="me"
    )
    found = list_next_undecided(store, queue.queue_id, DATASET, position=3, reviewer="me", limit=500)
    assert found.example_ids == (ids[3], ids[5], *ids[7:], *ids[:3], ids[4])
    assert found.n_undecided == len(ids) - 1
    others = list_next_undecided(store, queue.queue_id, DATASET, position=3, reviewer="ann", limit=2)
    assert others.example_ids == (ids[3], ids[4])  # a skip is its reviewer's own


def test_nothing_is_ahead_when_all_is_decided(store, queue):
    events = [DeskEvent(f"e{i}", example_id, "unsure") for i, example_id in enumerate(queue.example_ids)]
    apply_events(store, DATASET, events, reviewer="ann")
    assert list_next_undecided(store, queue.queue_id, DATASET, reviewer="me") == NextUndecided((), 0)


def test_decisions_on_another_version_take_nothing_out(store, queue, reviews):
    add_dataset(store, reviews, overwrite=True)
    decide(store, "reviews-v2", queue.example_ids[0], "drop")
    assert list_next_undecided(store, queue.queue_id, DATASET, limit=1).example_ids == queue.example_ids[:1]


def test_the_audit_is_ahead_in_the_order_of_drawing(store, scored):
    sample = start_audit(store, DATASET, 20)
    decide(store, DATASET, sample.example_ids[0], "keep")
    found = list_next_undecided(store, sample.queue_id, DATASET, limit=500)
    assert found == NextUndecided(sample.example_ids[1:], 19)


@pytest.mark.parametrize("queue_id", ["q-000000000000", "", "' OR 1=1 --"])
def test_an_unknown_queue_has_nothing_ahead_and_no_places(store, scored, queue_id):
    assert list_next_undecided(store, queue_id, DATASET) == NextUndecided((), 0)
    assert find_places_in_queue(store, queue_id, ["r1"]) == {}


def test_places_are_told_of_those_that_are_in_the_queue(store, queue):
    ids = queue.example_ids
    assert find_places_in_queue(store, queue.queue_id, [ids[7], "nowhere", ids[0]]) == {ids[7]: 7, ids[0]: 0}
    assert find_places_in_queue(store, queue.queue_id, []) == {}
    outside = next(f"r{i}" for i in range(240) if f"r{i}" not in ids)
    assert find_places_in_queue(store, queue.queue_id, [outside]) == {}
