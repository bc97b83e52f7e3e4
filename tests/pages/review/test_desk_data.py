"""What the desk in the browser is told, and what becomes of the events that it delivers."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from diet_core.review.cards import load_card_data
from diet_core.store.decisions.audit import read_audit_result, start_audit
from diet_core.store.decisions.decisions import decide, list_effective_decisions
from diet_core.store.decisions.events import DeskEvent, Receipt, apply_events
from diet_core.store.decisions.queues import QueueDefinition, open_queue
from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.queries.examples import read_page
from diet_core.store.queries.one_example import find_example
from pages.parts.review import desk_data
from pages.parts.review.desk_data import BESIDE, ROWS, Counted, Desk, answer, store_events
from tests.store.conflicts import list_conflicts

DATASET = "reviews-v1"


@pytest.fixture
def facts(store, scored):
    return load_card_data(store, scored.run_id)


@pytest.fixture
def desk(store, scored) -> Desk:
    """The likely label errors, fewer than 50."""
    return Desk(store, scored, open_queue(store, QueueDefinition(scored.run_id)), "me")


@pytest.fixture
def long_desk(store, scored) -> Desk:
    """All 216 examples."""
    return Desk(store, scored, open_queue(store, QueueDefinition(scored.run_id, source="highest")), "me")


@pytest.fixture
def audit_desk(store, scored) -> Desk:
    return Desk(store, scored, start_audit(store, DATASET, 20), "me")


@pytest.fixture
def told(facts):
    """What a browser is told; its message is of the queue at hand unless it says another one."""

    def told(desk: Desk, named=None, counted=None, receipt=None, **message) -> dict:
        if message:
            place = {"queue_id": desk.queue_id, "revision": desk.revision}
            message = place | {"seq": 1, "session": "s"} | message
        found = answer(desk, message, receipt or Receipt(), facts, counted or Counted(), named)
        json.dumps(found, allow_nan=False)
        return found

    return told


def delivered(desk: Desk, number: int, example_id: str, action: str, **fields) -> dict:
    """An event as the browser delivers it."""
    return {
        "client_event_id": f"e{number}",
        "example_id": example_id,
        "action": action,
        "label": None,
        "note": "",
        "reverts": None,
        "at": 1763800000000 + number,
        "dataset_id": desk.dataset_id,
        "reviewer": desk.reviewer,
        "run_id": desk.run.run_id,
        "queue_id": desk.queue_id,
    } | fields


def ids_of(found: dict) -> list[str]:
    return [row["example_id"] for row in found["rows"]]


# Rows and their order.


def test_the_first_answer_begins_at_the_first_undecided_example(store, desk, told):
    ids = desk.example_ids
    decide(store, DATASET, ids[0], "keep", reviewer="ann")
    found = told(desk)
    assert found["start"] == ids[1]
    assert found["first"] == ids[0]
    assert found["upcoming"] == list(ids[1:])
    assert (found["n"], found["remaining"]) == (len(ids), len(ids) - 1)
    assert not found["is_named"]


def test_rows_are_the_example_at_hand_those_beside_it_and_the_next(long_desk, told):
    ids = long_desk.example_ids
    found = told(long_desk, at=ids[100])
    assert ids_of(found)[: 1 + 2 * BESIDE] == [ids[100], *ids[97:100], *ids[101:104]]
    assert ids_of(found) == [ids[100], *ids[97:100], *ids[101 : 101 + ROWS + BESIDE - 1]]
    assert found["upcoming"] == [*ids[100:], *ids[: 200 - 116]]


def test_a_row_is_a_card_with_its_place_and_what_was_said_of_it(store, desk, told):
    ids = desk.example_ids
    decide(store, DATASET, ids[2], "drop", note="n")
    row = next(row for row in told(desk)["rows"] if row["example_id"] == ids[2])
    assert row["pos"] == 2
    assert row["state"]["decision"] == "drop"
    assert row["state"]["note"] == "n"
    assert row["text"] == find_example(store, desk.run.run_id, ids[2])["text"]
    assert told(desk)["rows"][0]["state"] is None


def test_behind_the_last_example_the_queue_begins_anew_and_skipped_ones_come_last(store, desk, told):
    ids = desk.example_ids
    store_events(store, [delivered(desk, 1, ids[5], "skip"), delivered(desk, 2, ids[1], "keep")])
    found = told(desk, at=ids[4])
    assert found["upcoming"] == [ids[4], *ids[6:], ids[0], *ids[2:4], ids[5]]


def test_rows_that_the_browser_has_are_not_sent_again(desk, told):
    ids = desk.example_ids
    found = told(desk, at=ids[0], have=list(ids[:10]))
    assert ids_of(found) == list(ids[10:])
    assert found["upcoming"] == list(ids)


def test_a_browser_that_needs_no_rows_gets_none(desk, told):
    found = told(desk, at=desk.example_ids[3], needs_rows=False)
    assert found["rows"] == []
    assert "upcoming" not in found
    assert "remaining" not in found


def test_a_message_of_another_queue_is_not_followed(desk, told):
    ids = desk.example_ids
    found = told(desk, queue_id="q-other", at=ids[5], have=list(ids), needs_rows=False, history=ids[0], seq=9)
    assert found["start"] == ids[0]
    assert ids_of(found) == list(ids)
    assert found["history"] is None
    assert (found["seq"], found["session"], found["queue_id"]) == (9, "s", desk.queue_id)


def test_a_message_from_before_a_batch_is_not_followed(desk, told):
    """The browser then begins anew, with everything that the batch has changed."""
    ids = desk.example_ids
    found = told(replace(desk, revision=1), revision=0, at=ids[5], have=list(ids), needs_rows=False)
    assert found["revision"] == 1
    assert ids_of(found) == list(ids)


def test_the_example_of_the_address_comes_first(desk, told):
    ids = desk.example_ids
    found = told(desk, named=ids[7])
    assert found["is_named"]
    assert found["start"] == ids_of(found)[0] == ids[7]
    assert found["upcoming"][0] == ids[7]


def test_an_example_outside_of_the_queue_has_no_place_in_it(desk, told):
    outside = next(f"r{i}" for i in range(1, 240) if i % 10 and f"r{i}" not in desk.example_ids)
    found = told(desk, named=outside)
    assert found["start"] == ids_of(found)[0] == outside
    assert found["rows"][0]["pos"] is None
    assert found["upcoming"] == list(desk.example_ids)


def test_a_queue_that_is_decided_has_nothing_to_show(store, desk, told):
    store_events(store, [delivered(desk, i, e, "keep") for i, e in enumerate(desk.example_ids)])
    found = told(desk)
    assert (found["start"], found["upcoming"], found["rows"], found["remaining"]) == (None, [], [], 0)
    assert found["first"] == desk.example_ids[0]


def test_an_empty_queue_has_no_first_example(store, scored, told):
    nothing = QueueDefinition(scored.run_id, filter=ExampleFilter(search="no such words"))
    found = told(Desk(store, scored, open_queue(store, nothing), "me"))
    assert (found["n"], found["first"], found["start"], found["rows"]) == (0, None, None, [])
    assert found["progress"]["n_all"] == 0


def test_what_the_queue_searches_for_is_marked_in_its_texts(store, scored, told):
    definition = QueueDefinition(scored.run_id, source="highest", filter=ExampleFilter(search="says NEG"))
    desk = Desk(store, scored, open_queue(store, definition), "me")
    assert told(desk)["search"] == "says NEG"


def test_scores_out_of_fold_are_named_as_the_reason(desk, told):
    with_folds = replace(desk, run=replace(desk.run, config=replace(desk.run.config, folds=3)))
    assert told(desk)["why"] == []
    assert told(with_folds)["why"] == ["By models that did not train on it"]


def test_a_workspace_has_a_name_of_its_own_in_the_browser(desk, tmp_path):
    from diet_core.config import Workspace
    from diet_core.store.store import open_store

    with open_store(Workspace(tmp_path / "other")) as other:
        assert replace(desk, store=other).place != desk.place
    assert replace(desk, reviewer="ann").place == desk.place


# Events.


def test_events_are_stored_with_where_they_were_taken(store, desk):
    events = [
        delivered(desk, 1, "r1", "relabel", label="negative", note="why"),
        delivered(desk, 2, "r3", "keep"),
    ]
    assert store_events(store, events) == Receipt(("e1", "e2"), {})
    columns = "example_id, action, label, note, reviewer, run_id, queue_id"
    assert store.rows(f"SELECT {columns} FROM decisions ORDER BY decision_id") == [
        ("r1", "relabel", "negative", "why", "me", desk.run.run_id, desk.queue_id),
        ("r3", "keep", None, "", "me", desk.run.run_id, desk.queue_id),
    ]


def test_one_delivery_may_hold_events_of_several_reviewers_queues_and_versions(store, desk, reviews):
    add_dataset(store, reviews, overwrite=True)
    events = [
        delivered(desk, 1, "r1", "keep"),
        delivered(desk, 2, "r1", "drop", reviewer="ann"),
        delivered(desk, 3, "r3", "drop", queue_id="audit reviews-v1"),
        delivered(desk, 4, "r1", "unsure", dataset_id="reviews-v2", run_id=None),
        delivered(desk, 5, "r5", "keep"),
    ]
    assert set(store_events(store, events).accepted) == {"e1", "e2", "e3", "e4", "e5"}
    found = store.rows("SELECT client_event_id, dataset_id, reviewer, queue_id FROM decisions ORDER BY 1")
    assert found == [
        ("e1", DATASET, "me", desk.queue_id),
        ("e2", DATASET, "ann", desk.queue_id),
        ("e3", DATASET, "me", "audit reviews-v1"),
        ("e4", "reviews-v2", "me", desk.queue_id),
        ("e5", DATASET, "me", desk.queue_id),
    ]
    assert list_conflicts(store, DATASET)["example_id"].tolist() == ["r1"]


def test_what_is_delivered_twice_is_stored_once(store, desk):
    events = [delivered(desk, 1, "r1", "keep"), delivered(desk, 2, "r1", "undo", reverts="e1")]
    assert store_events(store, events) == store_events(store, events) == Receipt(("e1", "e2"), {})
    assert store.rows("SELECT count(*) FROM decisions") == [(2,)]
    assert list_effective_decisions(store, DATASET).empty


def test_refused_events_are_told_and_do_not_stop_the_others(store, desk, told):
    events = [
        delivered(desk, 1, "nowhere", "keep"),
        delivered(desk, 2, "r1", "relabel", label="no class"),
        delivered(desk, 3, "r1", "keep"),
    ]
    receipt = store_events(store, events)
    found = told(desk, receipt=receipt)
    assert found["accepted"] == ["e3"]
    assert set(found["refused"]) == {"e1", "e2"}
    assert "nowhere" in found["refused"]["e1"]


def test_events_of_a_data_set_that_is_gone_are_refused_and_keep_nobody_waiting(store, desk):
    """Else the browser would deliver them for ever, and nothing after them."""
    events = [
        delivered(desk, 1, "r1", "keep", dataset_id="gone-v3"),
        delivered(desk, 2, "r1", "keep", reviewer=" "),
        delivered(desk, 3, "r1", "keep"),
    ]
    receipt = store_events(store, events)
    assert receipt.accepted == ("e3",)
    assert "gone-v3" in receipt.refused["e1"]
    assert "e2" in receipt.refused


def test_no_events_are_no_trouble(store):
    assert store_events(store, ()) == Receipt((), {})


# Figures.


def test_progress_counts_what_everybody_decided(store, desk, told):
    ids = desk.example_ids
    for number, action in enumerate(("keep", "drop", "unsure")):
        decide(store, DATASET, ids[number], action)
    decide(store, DATASET, ids[0], "drop", reviewer="ann")
    found = told(desk)
    assert (found["progress"]["n_all"], found["progress"]["n_decided"]) == (len(ids), 3)
    assert found["progress"]["words"] == ["1 changed", "1 in conflict"]
    first_block = {"from_rank": 1, "to_rank": 20, "n_decided": 3, "n_confirmed": 1}
    assert found["progress"]["curve"] == [first_block]
    assert [event["example_id"] for event in found["last"]] == [ids[2], ids[1], ids[0]]


def test_progress_tells_the_pace_and_the_errors_that_the_audit_leaves(store, desk, told):
    start_audit(store, DATASET, 20)
    events = [delivered(desk, i, e, "drop") for i, e in enumerate(desk.example_ids[:6])]
    for event in events:
        store_events(store, [event])
    words = told(desk)["progress"]["words"]
    assert words[0] == "6 changed"
    assert words[-1].endswith(" an hour")


def test_figures_are_counted_once_a_second_and_say_when_they_lag(store, desk, told):
    counted = Counted()
    first = told(desk, counted=counted, seq=1, needs_rows=False)
    assert not first["is_stale"]
    decide(store, DATASET, desk.example_ids[0], "keep")
    second = told(desk, counted=counted, seq=2, needs_rows=False)
    assert second["is_stale"]
    assert second["progress"] == first["progress"]
    assert second["progress"]["seq"] == 1
    assert "last" not in second
    counted.again_at = time.monotonic()
    third = told(desk, counted=counted, seq=3, needs_rows=False)
    assert not third["is_stale"]
    assert third["progress"]["n_decided"] == 1
    assert third["progress"]["seq"] == 3


def test_new_rows_come_with_new_figures(store, desk, told):
    counted = Counted(again_at=time.monotonic() + 3600)
    found = told(desk, counted=counted, seq=5)
    assert (found["progress"]["seq"], found["is_stale"]) == (5, False)
    assert counted.again_at < time.monotonic() + desk_data.COUNT_AGAIN + 60


def test_history_is_told_of_the_example_that_is_asked_for(store, desk, told):
    example_id = desk.example_ids[3]
    assert told(desk, at=example_id)["history"] is None
    store_events(
        store, [delivered(desk, 1, example_id, "keep"), delivered(desk, 2, example_id, "undo", reverts="e1")]
    )
    found = told(desk, at=example_id, history=example_id, needs_rows=False)["history"]
    assert found["example_id"] == example_id
    assert [(event["action"], event["is_reverted"]) for event in found["events"]] == [
        ("keep", True),
        ("undo", False),
    ]


# The audit.


def test_the_audit_goes_in_the_order_of_drawing_and_is_blind(audit_desk, told):
    found = told(audit_desk)
    assert found["is_blind"]
    assert found["upcoming"] == list(audit_desk.example_ids)
    assert found["why"] == ["Drawn by chance, for the audit"]
    assert found["search"] == ""
    assert found["progress"]["words"] == ["nothing is known yet"]
    assert found["queue_id"] == "audit reviews-v1"


def test_other_queues_are_not_blind(store, audit_desk, desk, told):
    assert not told(desk)["is_blind"]


def test_the_audit_says_what_it_found_so_far(store, audit_desk, told):
    ids = audit_desk.example_ids
    actions = ("keep", "drop", "unsure")
    store_events(store, [delivered(audit_desk, i, ids[i], action) for i, action in enumerate(actions)])
    progress = told(audit_desk)["progress"]
    assert (progress["n_all"], progress["n_decided"], progress["curve"]) == (20, 3, [])
    assert progress["words"][0] == "50 % errors (9–91 %)"


def test_queues_tell_what_the_audit_leaves_below_the_review(store, audit_desk, scored, long_desk, told):
    for example_id in read_page(store, scored.run_id, by="label_error", limit=5)["example_id"]:
        apply_events(store, DATASET, [DeskEvent(example_id, example_id, "drop")], reviewer="me")
    ids = audit_desk.example_ids
    store_events(store, [delivered(audit_desk, 1, ids[0], "keep"), delivered(audit_desk, 2, ids[1], "drop")])
    found = read_audit_result(store, scored.run_id)
    left = found.left[found.reviewed_to]
    words = f"About {left.estimate:,} ({left.low:,}–{left.high:,}) errors are left below rank 5"
    assert words in told(long_desk)["progress"]["words"]


def test_queues_tell_when_going_on_finds_no_more_than_chance(store, audit_desk, long_desk, told):
    audited = [delivered(audit_desk, i, e, "drop") for i, e in enumerate(audit_desk.example_ids)]
    below = [e for e in long_desk.example_ids if e not in audit_desk.example_ids][-60:]
    read = [delivered(long_desk, 100 + i, e, "keep") for i, e in enumerate(below)]
    assert not any("place to stop" in words for words in told(long_desk)["progress"]["words"])
    store_events(store, audited + read)
    (words,) = (words for words in told(long_desk)["progress"]["words"] if "place to stop" in words)
    assert words.startswith("The last ")
