"""Events of the desk: stored once, in their order, taken back, and never lost."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diet_core.errors import NotFoundError, SettingError
from diet_core.store.decisions.audit import list_audited, start_audit
from diet_core.store.decisions.decisions import (
    count_decisions,
    decide,
    list_effective_decisions,
    undo,
)
from diet_core.store.decisions.events import DeskEvent, apply_events
from diet_core.store.decisions.history import list_last_events, read_history, read_states
from diet_core.store.decisions.pace import read_pace
from diet_core.store.decisions.queues import list_next_undecided
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.migrate import known_migrations, migrate
from diet_core.store.store import open_store
from diet_core.tables import DECISION_ACTIONS, MARKS
from tests.store.conflicts import list_conflicts

DATASET = "reviews-v1"
OTHER = "reviews-v2"


@pytest.fixture
def desk(store, reviews):
    """A store with the reviews in it."""
    add_dataset(store, reviews)
    return store


def deliver(store, *events: DeskEvent, reviewer: str = "me", dataset: str = DATASET):
    return apply_events(store, dataset, events, reviewer=reviewer)


def taken_back(name: str, reverts: str | int | None) -> DeskEvent:
    return DeskEvent(name, "r1", "undo", reverts=reverts)


def n_events(store) -> int:
    return store.rows("SELECT count(*) FROM decisions")[0][0]


def effective(store, dataset=DATASET) -> dict[str, str]:
    table = list_effective_decisions(store, dataset)
    return dict(zip(table["example_id"], table["action"], strict=True))


def test_an_event_becomes_a_decision_with_all_that_it_says(desk):
    event = DeskEvent("e1", "r1", "relabel", "negative", "sarcasm")
    receipt = apply_events(desk, DATASET, [event], reviewer="ada", run_id="run", queue_id="q-1")
    assert (receipt.accepted, receipt.refused) == (("e1",), {})
    stored = desk.rows(
        "SELECT example_id, action, old_label, label, note, reviewer, run_id, queue_id, batch_id, reverts, "
        "client_event_id FROM decisions"
    )
    assert stored == [
        ("r1", "relabel", "positive", "negative", "sarcasm", "ada", "run", "q-1", None, None, "e1")
    ]
    (decision,) = list_effective_decisions(desk, DATASET).to_dict("records")
    assert abs(datetime.now(UTC) - decision["decided_at"]).total_seconds() < 60


def test_events_are_numbered_in_their_order(desk):
    names = [f"e{i}" for i in range(20)]
    deliver(desk, *(DeskEvent(name, f"r{101 + i % 9}", "keep") for i, name in enumerate(names)))
    stored = desk.rows("SELECT client_event_id FROM decisions ORDER BY decision_id")
    assert [row[0] for row in stored] == names


def test_nothing_delivered_is_nothing_stored(desk):
    receipt = deliver(desk)
    assert (receipt.accepted, receipt.refused, n_events(desk)) == ((), {}, 0)


def test_a_second_delivery_stores_nothing_and_is_accepted(desk):
    events = [
        DeskEvent("a", "r1", "drop"),
        DeskEvent("b", "r2", "skip"),
        taken_back("u", "a"),
        DeskEvent("c", "r3", "flag"),
    ]
    first = deliver(desk, *events)
    stored = desk.rows("FROM decisions")
    assert deliver(desk, *events) == first
    assert desk.rows("FROM decisions") == stored
    assert first.accepted == ("a", "b", "u", "c")


def test_an_event_twice_in_one_delivery_is_stored_once(desk):
    receipt = deliver(desk, DeskEvent("a", "r1", "drop"), DeskEvent("a", "r1", "drop"))
    assert receipt.accepted == ("a",)
    assert n_events(desk) == 1


def test_a_delivery_may_overlap_the_one_before(desk):
    a, b, c = (DeskEvent(name, f"r{i}", "keep") for i, name in enumerate("abc", start=1))
    deliver(desk, a, b)
    assert deliver(desk, a, b, c).accepted == ("a", "b", "c")
    assert n_events(desk) == 3


def test_a_decision_that_was_taken_back_does_not_come_back_with_a_late_delivery(desk):
    decided = DeskEvent("a", "r1", "drop")
    deliver(desk, decided, taken_back("u", "a"))
    deliver(desk, decided)
    assert effective(desk) == {}


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (DeskEvent("x", "r999", "keep"), "There is no training example 'r999' in reviews-v1."),
        (DeskEvent("x", "r10", "keep"), "There is no training example 'r10' in reviews-v1."),
        (DeskEvent("x", "r10", "flag"), "There is no training example 'r10' in reviews-v1."),
        (DeskEvent("x", "r1", "burn"), "'burn' is no action of the desk."),
        (DeskEvent("x", "r1", "relabel"), "Relabel of 'r1' came without a class."),
        (DeskEvent("x", "r1", "relabel", "neutral"), "'neutral' is not a class of reviews-v1."),
        (DeskEvent("x", "r1", "keep", "negative"), "A label ('negative') came with keep."),
        (DeskEvent("x", "r1", "skip", "negative"), "A label ('negative') came with skip."),
        (taken_back("x", "never"), "There is no decision 'never' in reviews-v1 that could be taken back."),
        (taken_back("x", 77), "There is no decision 77 in reviews-v1 that could be taken back."),
        (taken_back("x", None), "There is no decision None in reviews-v1 that could be taken back."),
        (taken_back("x", "of bob"), "This is a decision of bob, who alone can take it back."),
        (taken_back("x", "u"), "An undo cannot be taken back: decide anew."),
        (
            DeskEvent("x", "r\ud83d", "keep"),
            "This press of a key came without a name of its own, or with broken characters.",
        ),
        (
            DeskEvent("", "r1", "keep"),
            "This press of a key came without a name of its own, or with broken characters.",
        ),
    ],
)
def test_an_event_that_cannot_be_is_refused_and_does_not_stop_the_others(desk, event, sentence):
    deliver(desk, DeskEvent("of bob", "r5", "drop"), reviewer="bob")
    deliver(desk, DeskEvent("mine", "r6", "drop"), taken_back("u", "mine"))
    receipt = deliver(desk, DeskEvent("a", "r1", "keep"), event, DeskEvent("b", "r2", "keep"))
    assert receipt.refused == {event.client_event_id: sentence}
    assert receipt.accepted == ("a", "b")
    assert effective(desk) == {"r5": "drop", "r1": "keep", "r2": "keep"}
    assert n_events(desk) == 5


def test_half_an_emoji_in_a_note_does_not_lose_the_decision(desk):
    cut = DeskEvent("a", "r1", "keep", note="so \ud83d")
    assert deliver(desk, cut, DeskEvent("b", "r2", "keep", note=None)).refused == {}
    assert [row["note"] for row in list_last_events(desk, DATASET, "me")] == ["", "so ?"]


def test_texts_of_people_are_stored_as_they_are(desk):
    note = "'; DROP TABLE decisions; -- <b>\u202eabc\u200b</b> 😀\n$x$"
    deliver(desk, DeskEvent("a'; --", "r1", "keep", note=note), reviewer="o'hara ?")
    (event,) = list_last_events(desk, DATASET, "o'hara ?")
    assert (event["note"], event["client_event_id"]) == (note, "a'; --")


def test_events_need_a_reviewer_and_a_data_set(desk):
    with pytest.raises(SettingError, match="reviewer's name is empty"):
        deliver(desk, DeskEvent("a", "r1", "keep"), reviewer="  ")
    with pytest.raises(NotFoundError, match="no data set 'films-v1'"):
        deliver(desk, DeskEvent("a", "r1", "keep"), dataset="films-v1")
    assert n_events(desk) == 0


def test_the_command_line_decides_but_does_not_mark(desk):
    for mark in MARKS:
        with pytest.raises(SettingError, match="is not a decision"):
            decide(desk, DATASET, "r1", mark)


def test_an_undo_names_what_it_takes_back(desk):
    deliver(desk, DeskEvent("a", "r1", "drop"), DeskEvent("b", "r2", "drop"), taken_back("u", "a"))
    assert effective(desk) == {"r2": "drop"}


def test_an_undo_may_name_the_number_of_a_decision(desk):
    number = decide(desk, DATASET, "r1", "drop")
    assert deliver(desk, taken_back("u", number)).accepted == ("u",)
    assert effective(desk) == {}


def test_undo_brings_back_the_decision_before(desk):
    deliver(desk, DeskEvent("a", "r1", "keep"), DeskEvent("b", "r1", "drop"), taken_back("u", "b"))
    assert effective(desk) == {"r1": "keep"}


def test_an_undo_of_what_was_taken_back_is_accepted_and_changes_nothing(desk):
    deliver(desk, DeskEvent("a", "r1", "keep"), DeskEvent("b", "r1", "drop"), taken_back("u", "b"))
    for name in ("v", "v", "w"):
        assert deliver(desk, taken_back(name, "b")).accepted == (name,)
    assert effective(desk) == {"r1": "keep"}
    assert n_events(desk) == 3


def test_an_undo_cannot_reach_another_data_set(desk, reviews):
    add_dataset(desk, reviews, overwrite=True)
    deliver(desk, DeskEvent("a", "r1", "keep"))
    assert "u" in deliver(desk, taken_back("u", "a"), dataset=OTHER).refused
    assert effective(desk) == {"r1": "keep"}


def batch(store, batch_id, ids, reviewer="me") -> list[int]:
    return [decide(store, DATASET, i, "drop", reviewer=reviewer, batch_id=batch_id) for i in ids]


def test_an_undo_of_one_of_a_batch_takes_back_the_batch(desk):
    batch(desk, "b-1", ["r1", "r2", "r3"])
    batch(desk, "b-1", ["r4"], reviewer="bob")
    batch(desk, "b-2", ["r5"])
    second = desk.rows("SELECT decision_id FROM decisions WHERE example_id = 'r2'")[0][0]
    events = [taken_back("u", second)]
    deliver(desk, *events)
    assert deliver(desk, *events).accepted == ("u",)
    assert effective(desk) == {"r4": "drop", "r5": "drop"}
    assert n_events(desk) == 8


def test_undo_on_the_command_line_takes_back_a_batch_as_one_and_passes_over_marks(desk):
    decide(desk, DATASET, "r9", "keep")
    batch(desk, "b-1", ["r1", "r2", "r3"])
    deliver(desk, DeskEvent("s", "r5", "skip"), DeskEvent("f", "r6", "flag"))
    number = undo(desk, DATASET)
    assert number == desk.rows("SELECT max(decision_id) FROM decisions")[0][0]
    assert effective(desk) == {"r9": "keep"}
    undo(desk, DATASET)
    assert effective(desk) == {}
    with pytest.raises(NotFoundError, match="no decision on reviews-v1 that could be undone"):
        undo(desk, DATASET)
    assert [event["action"] for event in list_last_events(desk, DATASET, "me")] == ["flag", "skip"]


def test_marks_are_no_decisions(desk):
    deliver(desk, *(DeskEvent(mark, "r1", mark) for mark in MARKS))
    assert effective(desk) == {}
    assert len(list_conflicts(desk, DATASET)) == 0
    assert len(count_decisions(desk)) == 0
    assert desk.rows("FROM active_decisions") == []
    assert read_pace(desk, DATASET, "me")["today"] == 0


def test_marks_do_not_move_a_decision(desk):
    deliver(desk, DeskEvent("a", "r1", "drop"), *(DeskEvent(mark, "r1", mark) for mark in MARKS))
    assert effective(desk) == {"r1": "drop"}
    assert state(desk)["decision"] == "drop"
    (row,) = count_decisions(desk).to_dict("records")
    assert (row["n_effective"], row["n_conflicts"]) == (1, 0)


def test_marks_do_not_count_in_an_audit(desk):
    sample = start_audit(desk, DATASET, 20)
    events = [DeskEvent(f"s{i}", i, "skip") for i in sample.example_ids[:5]]
    apply_events(desk, DATASET, events, reviewer="me", queue_id=sample.queue_id)
    assert list_next_undecided(desk, sample.queue_id, DATASET).n_undecided == 20
    assert list_audited(desk, sample)["decision"].isna().all()
    decided = [DeskEvent("k", sample.example_ids[3], "keep")]
    apply_events(desk, DATASET, decided, reviewer="me", queue_id=sample.queue_id)
    assert list_audited(desk, sample)["decision"].notna().sum() == 1


def test_last_events_tell_what_happened_the_newest_first(desk):
    deliver(desk, DeskEvent("a", "r2", "relabel", "positive", "clear"), DeskEvent("b", "r1", "skip"))
    skip, relabel = list_last_events(desk, DATASET, "me")
    assert (skip["action"], skip["client_event_id"]) == ("skip", "b")
    at = datetime.fromisoformat(relabel.pop("decided_at"))
    assert at.utcoffset() == datetime.now(UTC).utcoffset()
    assert relabel == {
        "decision_id": relabel["decision_id"],
        "client_event_id": "a",
        "example_id": "r2",
        "action": "relabel",
        "label": "positive",
        "note": "clear",
        "batch_id": None,
        "n": 1,
        "text": "review 2 says neg",
    }


def test_last_events_leave_out_what_was_taken_back_and_what_others_did(desk):
    deliver(desk, DeskEvent("a", "r1", "keep"), DeskEvent("b", "r2", "keep"), taken_back("u", "a"))
    deliver(desk, DeskEvent("c", "r3", "keep"), reviewer="bob")
    assert [event["client_event_id"] for event in list_last_events(desk, DATASET, "me")] == ["b"]


def test_last_events_have_a_limit(desk):
    deliver(desk, *(DeskEvent(f"e{i}", f"r{i}", "keep") for i in range(1, 9)))
    assert [event["client_event_id"] for event in list_last_events(desk, DATASET, "me", 3)] == [
        "e8",
        "e7",
        "e6",
    ]
    assert len(list_last_events(desk, DATASET, "me", -5)) == 1


def test_a_batch_is_one_of_the_last_events(desk):
    deliver(desk, DeskEvent("a", "r9", "keep"))
    ids = batch(desk, "b-1", ["r1", "r2", "r3"])
    deliver(desk, DeskEvent("z", "r8", "keep"))
    last = list_last_events(desk, DATASET, "me")
    assert [(event["example_id"], event["n"]) for event in last] == [("r8", 1), ("r1", 3), ("r9", 1)]
    assert (last[1]["batch_id"], last[1]["decision_id"]) == ("b-1", ids[0])
    deliver(desk, taken_back("u", last[1]["decision_id"]))
    assert [event["example_id"] for event in list_last_events(desk, DATASET, "me")] == ["r8", "r9"]


def test_last_events_can_be_undone_one_by_one_after_a_restart(workspace, reviews):
    with open_store(workspace) as store:
        add_dataset(store, reviews)
        deliver(store, *(DeskEvent(f"e{i}", f"r{i}", "keep") for i in range(1, 6)))
    for i in range(3):
        with open_store(workspace) as store:
            newest = list_last_events(store, DATASET, "me")[0]
            deliver(store, taken_back(f"u{i}", newest["decision_id"]))
    with open_store(workspace) as store:
        assert effective(store) == {"r1": "keep", "r2": "keep"}
        undone = [row for row in read_history(store, DATASET, "r5") if row["is_reverted"]]
        assert len(undone) == 1


def test_the_history_of_an_example_has_everything(desk):
    deliver(desk, DeskEvent("a", "r1", "drop", note="spam"), DeskEvent("f", "r1", "flag"))
    deliver(desk, DeskEvent("b", "r1", "relabel", "negative"), reviewer="bob")
    deliver(desk, taken_back("u", "a"), DeskEvent("c", "r2", "keep"))
    history = read_history(desk, DATASET, "r1")
    assert [(row["reviewer"], row["action"], row["label"], row["is_reverted"]) for row in history] == [
        ("me", "drop", None, True),
        ("me", "flag", None, False),
        ("bob", "relabel", "negative", False),
        ("me", "undo", None, False),
    ]
    assert history[3]["reverts"] == history[0]["decision_id"]
    assert history[0]["note"] == "spam"
    assert all(datetime.fromisoformat(row["decided_at"]).tzinfo for row in history)
    assert read_history(desk, DATASET, "r7") == []


NOTHING = {"decision": None, "label": None, "note": "", "by": [], "flagged": False, "skipped": False}


def state(store, example_id="r1", reviewer="me"):
    return read_states(store, DATASET, [example_id, "r100"], reviewer).get(example_id)


def test_an_untouched_example_has_no_state(desk):
    assert read_states(desk, DATASET, ["r1", "r2"], "me") == {}
    assert read_states(desk, DATASET, [], "me") == {}


def test_a_state_is_what_one_reviewer_sees(desk):
    deliver(desk, DeskEvent("a", "r1", "drop", note="mine"))
    deliver(desk, DeskEvent("b", "r1", "relabel", "negative", "his"), reviewer="bob")
    assert state(desk) == NOTHING | {"decision": "drop", "note": "mine", "by": ["bob: relabel negative"]}
    of_bob = {"decision": "relabel", "label": "negative", "note": "his", "by": ["me: drop"]}
    assert state(desk, reviewer="bob") == NOTHING | of_bob
    both = ["me: drop", "bob: relabel negative"]
    assert state(desk, reviewer="eve") == NOTHING | {"by": both}


def test_what_was_taken_back_leaves_no_state(desk):
    deliver(desk, DeskEvent("a", "r1", "drop"), DeskEvent("f", "r1", "flag"), DeskEvent("s", "r1", "skip"))
    deliver(desk, *(taken_back(f"u{name}", name) for name in "afs"))
    assert state(desk) is None


def test_whoever_flags_last_has_the_say(desk):
    deliver(desk, DeskEvent("a", "r1", "flag"))
    assert state(desk, reviewer="bob")["flagged"]
    deliver(desk, DeskEvent("b", "r1", "unflag"), reviewer="bob")
    assert state(desk) is None
    deliver(desk, taken_back("u", "b"), reviewer="bob")
    assert state(desk)["flagged"]


def test_a_skip_is_the_reviewers_own_and_ends_with_a_decision_of_anybody(desk):
    deliver(desk, DeskEvent("a", "r1", "skip"))
    assert state(desk)["skipped"]
    assert state(desk, reviewer="bob") is None
    deliver(desk, DeskEvent("b", "r1", "keep"), reviewer="bob")
    assert not state(desk)["skipped"]
    deliver(desk, DeskEvent("c", "r1", "skip"))
    assert state(desk)["skipped"]


def test_deliveries_in_eight_threads_are_all_stored_once(desk):
    def work(number: int) -> int:
        events = [DeskEvent(f"e{number // 2}-{i}", f"r{i}", "keep") for i in range(1, 6)]
        return len(deliver(desk, *events).accepted)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(40))) == [5] * 40
    assert desk.rows("SELECT count(*), count(DISTINCT client_event_id) FROM decisions") == [(100, 100)]


KILLED = """
import os, signal, sys
from pathlib import Path
from diet_core.config import Workspace
from diet_core.store.decisions.events import DeskEvent, apply_events
from diet_core.store.store import open_store
store = open_store(Workspace(Path(sys.argv[1])))
for i in range(1, 6):
    receipt = apply_events(store, "reviews-v1", [DeskEvent(f"e{i}", f"r{i}", "keep")], reviewer="me")
    print(receipt.accepted[0], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_acknowledged_survives_a_kill(workspace, reviews):
    with open_store(workspace) as store:
        add_dataset(store, reviews)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(workspace.root)], capture_output=True, text=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert killed.stdout.split() == ["e1", "e2", "e3", "e4", "e5"], killed.stderr
    with open_store(workspace) as store:
        before = store.rows("SELECT max(decision_id), count(*) FROM decisions")[0]
        deliver(store, *(DeskEvent(f"e{i}", f"r{i}", "keep") for i in range(1, 7)))
        assert before[1] == 5
        assert store.rows(
            "SELECT count(*), count(*) FILTER (decision_id > ?) FROM decisions", [before[0]]
        ) == [(6, 1)]


def test_decisions_of_an_older_database_mean_the_same(workspace, reviews):
    workspace.database.parent.mkdir(parents=True)
    with duckdb.connect(str(workspace.database)) as old:
        migrate(old, known_migrations()[:3])
        columns = "dataset_id, example_id, action, old_label, note, reviewer, decided_at, reverts"
        rows = "('reviews-v1', 'r1', 'drop', 'positive', '', 'me', now()::TIMESTAMP, NULL), "
        rows += "('reviews-v1', 'r2', 'keep', 'negative', '', 'me', now()::TIMESTAMP, NULL), "
        rows += "('reviews-v1', 'r2', 'undo', 'negative', '', 'me', now()::TIMESTAMP, 2)"
        old.execute(f"INSERT INTO decisions ({columns}) VALUES {rows}")
    with open_store(workspace) as store:
        add_dataset(store, reviews)
        assert effective(store) == {"r1": "drop"}
        deliver(store, DeskEvent("s", "r2", "skip"), DeskEvent("k", "r3", "keep"))
        assert effective(store) == {"r1": "drop", "r3": "keep"}


PRESSES = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bob"]),
        st.sampled_from(["r1", "r2"]),
        st.sampled_from([*DECISION_ACTIONS, *MARKS, "undo", "again"]),
        st.integers(0, 11),
    ),
    max_size=14,
)


def slow_meaning(log: list[dict]) -> tuple[dict, dict, dict]:
    """Opinions, flags and skips by walking through the log."""
    opinions: dict[str, dict[str, str]] = {}
    flags: dict[str, bool] = {}
    skips: dict[tuple[str, str], bool] = {}
    for event in log:
        if event["undone"]:
            continue
        who, example_id, action = event["who"], event["example"], event["action"]
        if action in DECISION_ACTIONS:
            opinions.setdefault(example_id, {})[who] = action
            skips = {key: value for key, value in skips.items() if key[0] != example_id}
        elif action == "skip":
            skips[example_id, who] = True
        else:
            flags[example_id] = action == "flag"
    return opinions, flags, skips


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(presses=PRESSES)
def test_events_equal_the_slow_meaning(desk, presses):
    with desk.transaction() as cursor:
        cursor.execute("DELETE FROM decisions")
    log: list[dict] = []
    for number, (who, example_id, action, at) in enumerate(presses):
        named = log[at] if at < len(log) else None
        label = "negative" if action == "relabel" else None
        event = DeskEvent(f"e{number}", example_id, action, label)
        if action in ("undo", "again"):
            event = DeskEvent(f"e{number}", example_id, "undo", reverts=named["name"] if named else "nothing")
        if action == "again" and named:
            event, who = named["event"], named["who"]
        receipt = deliver(desk, event, reviewer=who)
        if event.action == "undo":
            is_possible = named is not None and named["who"] == who
            assert bool(receipt.accepted) == is_possible
            if is_possible:
                named["undone"] = True
        elif action != "again":
            of_log = {"name": event.client_event_id, "who": who, "example": example_id, "action": action}
            log.append({**of_log, "undone": False, "event": event})
    opinions, flags, skips = slow_meaning(log)
    agreed = {i: min(by.values()) for i, by in opinions.items() if len(set(by.values())) == 1}
    assert effective(desk) == agreed
    for who, example_id in itertools.product(("ada", "bob"), ("r1", "r2")):
        found = read_states(desk, DATASET, [example_id], who).get(example_id, NOTHING)
        own = opinions.get(example_id, {})
        assert found["decision"] == own.get(who)
        assert len(found["by"]) == len(own.keys() - {who})
        assert found["flagged"] == flags.get(example_id, False)
        assert found["skipped"] == skips.get((example_id, who), False)
        in_view = desk.rows("FROM skipped_examples WHERE example_id = ? AND reviewer = ?", [example_id, who])
        assert bool(in_view) == found["skipped"]
    assert {row[1] for row in desk.rows("FROM flagged_examples")} == {
        i for i, is_set in flags.items() if is_set
    }
    for who in ("ada", "bob"):
        mine = [event["name"] for event in log if event["who"] == who and not event["undone"]]
        assert [event["client_event_id"] for event in list_last_events(desk, DATASET, who)] == mine[::-1]
