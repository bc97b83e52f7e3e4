"""Pace of a reviewer, and the share of confirmed errors along a queue."""

from __future__ import annotations

from datetime import timedelta

import pytest

from diet_core.store.decisions.batches import decide_batch
from diet_core.store.decisions.decisions import decide, now, undo
from diet_core.store.decisions.events import DeskEvent, apply_events
from diet_core.store.decisions.pace import decisions_per_hour, read_confirmed_curve, read_pace
from diet_core.store.decisions.queues import QueueDefinition, open_queue

DATASET = "reviews-v1"
START = now()


def times(*seconds: float):
    return [START + timedelta(seconds=s) for s in seconds]


def test_pace_is_intervals_over_their_time():
    assert decisions_per_hour(times(0, 10, 20, 30, 40)) == pytest.approx(360)
    assert decisions_per_hour(times(0, 1, 2, 3, 3600 / 60)) == pytest.approx(4 * 60)


def test_fewer_than_five_decisions_tell_no_pace():
    assert decisions_per_hour([]) is None
    assert decisions_per_hour(times(0, 10, 20, 30)) is None


def test_decisions_of_one_moment_tell_no_pace():
    assert decisions_per_hour(times(0, 0, 0, 0, 0)) is None


def test_a_pause_of_more_than_five_minutes_begins_a_session():
    early = [0, 1, 2, 3, 4, 5]
    assert decisions_per_hour(times(*early, *(1000 + 10 * i for i in range(5)))) == pytest.approx(360)
    assert decisions_per_hour(times(*early, 1000, 1001)) is None
    assert decisions_per_hour(times(0, 300, 600, 900, 1200)) == pytest.approx(12)


@pytest.fixture
def desk(store, scored):
    return store


def decided_at(store, example_ids, ago: timedelta, apart: timedelta, reviewer="me", action="keep"):
    """Decide on examples at a time in the past."""
    events = [DeskEvent(f"{reviewer}-{i}", i, action) for i in example_ids]
    apply_events(store, DATASET, events, reviewer=reviewer)
    for place, event in enumerate(events):
        with store.transaction() as cursor:
            cursor.execute(
                "UPDATE decisions SET decided_at = ? WHERE client_event_id = ?",
                [START - ago + place * apart, event.client_event_id],
            )


def test_today_is_the_last_24_hours_of_one_reviewer(desk):
    hour, second = timedelta(hours=1), timedelta(seconds=6)
    decided_at(desk, [f"r{i}" for i in range(1, 10)], 25 * hour, second)
    decided_at(desk, [f"r{i}" for i in range(11, 18)], hour, second)
    decided_at(desk, [f"r{i}" for i in range(21, 24)], hour, second, reviewer="bob")
    decided_at(desk, ["r31"], hour, second, action="skip")
    pace = read_pace(desk, DATASET, "me")
    assert (pace["today"], pace["per_hour"]) == (7, pytest.approx(600))
    assert read_pace(desk, DATASET, "bob") == {"today": 3, "per_hour": None}
    assert read_pace(desk, DATASET, "eve") == {"today": 0, "per_hour": None}


def test_what_was_taken_back_does_not_count_and_a_batch_counts_once(desk, scored):
    queue = open_queue(desk, QueueDefinition(scored.run_id))
    decide_batch(desk, queue, "keep", reviewer="me")
    assert read_pace(desk, DATASET, "me")["today"] == 1
    undo(desk, DATASET)
    assert read_pace(desk, DATASET, "me")["today"] == 0


def test_the_curve_counts_what_is_confirmed_per_block(desk, scored):
    queue = open_queue(desk, QueueDefinition(scored.run_id, "highest"))
    ids = queue.example_ids
    for place, action in {0: "drop", 1: "keep", 2: "unsure", 19: "drop", 20: "keep", 215: "drop"}.items():
        decide(desk, DATASET, ids[place], action)
    decide(desk, DATASET, ids[3], "relabel", label="negative")
    decide(desk, DATASET, ids[4], "drop")
    decide(desk, DATASET, ids[4], "keep", reviewer="bob")
    apply_events(desk, DATASET, [DeskEvent("s", ids[100], "skip")], reviewer="me")
    names = ("from_rank", "to_rank", "n_decided", "n_confirmed")
    found = [tuple(row[name] for name in names) for row in read_confirmed_curve(desk, queue)]
    assert found == [(1, 20, 6, 3), (21, 40, 1, 0), (201, 216, 1, 1)]


def test_the_curve_is_cut_after_200_blocks(desk, scored):
    queue = open_queue(desk, QueueDefinition(scored.run_id, "highest"))
    decide_batch(desk, queue, "drop", reviewer="me")
    curve = read_confirmed_curve(desk, queue, block=1)
    assert [row["from_rank"] for row in curve] == list(range(1, 201))
    assert read_confirmed_curve(desk, queue, block=500) == [
        {"from_rank": 1, "to_rank": 216, "n_decided": 216, "n_confirmed": 216}
    ]


def test_nothing_decided_is_no_curve(desk, scored):
    assert read_confirmed_curve(desk, open_queue(desk, QueueDefinition(scored.run_id))) == []
