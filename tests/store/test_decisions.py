from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diet_core.errors import DietError, NotFoundError, SettingError
from diet_core.store.decisions.decisions import (
    count_decisions,
    decide,
    list_effective_decisions,
    undo,
)
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.store import open_store
from tests.store.conflicts import list_conflicts

DATASET = "reviews-v1"


@pytest.fixture
def reviewed(store, reviews):
    """A store with the reviews in it."""
    add_dataset(store, reviews)
    return store


def effective(store) -> dict[str, tuple[str, str | None]]:
    rows = list_effective_decisions(store, DATASET).to_dict("records")
    return {
        row["example_id"]: (row["action"], row["label"] if row["action"] == "relabel" else None)
        for row in rows
    }


def test_a_decision_tells_who_when_and_what(reviewed):
    decide(reviewed, DATASET, "r1", "relabel", label="negative", note="sarcasm", reviewer="ada")
    (row,) = list_effective_decisions(reviewed, DATASET).to_dict("records")
    assert (row["example_id"], row["action"], row["old_label"], row["label"]) == (
        "r1",
        "relabel",
        "positive",
        "negative",
    )
    assert (row["reviewer"], row["note"]) == ("ada", "sarcasm")
    assert row["decided_at"].tzinfo is not None


def test_no_decisions_is_an_empty_table_with_columns(reviewed):
    found = list_effective_decisions(reviewed, DATASET)
    assert len(found) == 0
    assert "decided_at" in found


def test_last_decision_wins(reviewed):
    decide(reviewed, DATASET, "r1", "drop")
    decide(reviewed, DATASET, "r1", "keep")
    assert effective(reviewed) == {"r1": ("keep", None)}
    assert reviewed.rows("SELECT count(*) FROM decisions") == [(2,)]


def test_decision_ids_rise(reviewed):
    ids = [decide(reviewed, DATASET, f"r{i}", "keep") for i in (5, 3, 4)]
    assert ids == sorted(set(ids))


def test_undo_brings_back_what_held_before(reviewed):
    decide(reviewed, DATASET, "r1", "drop")
    decide(reviewed, DATASET, "r1", "keep")
    undo(reviewed, DATASET, "me")
    assert effective(reviewed) == {"r1": ("drop", None)}


def test_undo_twice_reverts_two_and_then_nothing_is_left(reviewed):
    decide(reviewed, DATASET, "r1", "drop")
    decide(reviewed, DATASET, "r2", "drop")
    undo(reviewed, DATASET, "me")
    undo(reviewed, DATASET, "me")
    assert effective(reviewed) == {}
    with pytest.raises(NotFoundError, match="no decision on reviews-v1"):
        undo(reviewed, DATASET, "me")
    assert reviewed.rows("SELECT count(*) FROM decisions") == [(4,)]


def test_undo_leaves_other_reviewers_and_data_sets_alone(reviewed, reviews):
    other = add_dataset(reviewed, reviews, overwrite=True).dataset_id
    decide(reviewed, DATASET, "r1", "drop", reviewer="ada")
    decide(reviewed, DATASET, "r2", "drop", reviewer="bob")
    decide(reviewed, other, "r3", "drop", reviewer="ada")
    undo(reviewed, DATASET, "ada")
    assert effective(reviewed) == {"r2": ("drop", None)}
    assert len(list_effective_decisions(reviewed, other)) == 1


def test_reviewers_who_agree_are_both_named(reviewed):
    decide(reviewed, DATASET, "r1", "drop", reviewer="ada")
    decide(reviewed, DATASET, "r1", "drop", reviewer="bob")
    assert list_effective_decisions(reviewed, DATASET)["reviewer"].tolist() == ["ada, bob"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("drop", None), ("keep", None)),
        (("drop", None), ("unsure", None)),
        (("relabel", "negative"), ("relabel", "positive")),
    ],
)
def test_disagreement_is_a_conflict_and_has_no_effect(reviewed, first, second):
    decide(reviewed, DATASET, "r1", first[0], label=first[1], reviewer="ada")
    decide(reviewed, DATASET, "r1", second[0], label=second[1], reviewer="bob")
    assert effective(reviewed) == {}
    assert list_conflicts(reviewed, DATASET)["example_id"].tolist() == ["r1"]
    (row,) = count_decisions(reviewed).to_dict("records")
    assert row == {"dataset_id": DATASET, "n_effective": 0, "n_conflicts": 1}
    undo(reviewed, DATASET, "bob")
    assert effective(reviewed) == {"r1": first}


def test_the_same_event_twice_is_stored_once(reviewed):
    first = decide(reviewed, DATASET, "r1", "drop", client_event_id="e-1")
    assert decide(reviewed, DATASET, "r1", "drop", client_event_id="e-1") == first
    assert reviewed.rows("SELECT count(*) FROM decisions") == [(1,)]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("r1", "burn", None, "me"), SettingError, "'burn' is not a decision"),
        (("r1", "relabel", None, "me"), SettingError, "--label"),
        (("r1", "relabel", "furious", "me"), NotFoundError, "'furious' is not a class of reviews-v1"),
        (("r1", "drop", "negative", "me"), SettingError, "was given with drop"),
        (("r1", "drop", None, " "), SettingError, "reviewer's name is empty"),
        (("x9", "drop", None, "me"), NotFoundError, "no example 'x9'"),
        (("r0", "drop", None, "me"), DietError, "the test split is never relabelled"),
    ],
)
def test_a_decision_that_cannot_be_is_refused(reviewed, arguments, error, message):
    example_id, action, label, reviewer = arguments
    with pytest.raises(error, match=message):
        decide(reviewed, DATASET, example_id, action, label=label, reviewer=reviewer)
    assert reviewed.rows("SELECT count(*) FROM decisions") == [(0,)]


def test_decisions_on_an_unknown_data_set_are_refused(reviewed):
    for call in (list_effective_decisions, undo):
        with pytest.raises(NotFoundError, match="reviews-v9"):
            call(reviewed, "reviews-v9")


def test_text_of_people_is_data(reviewed):
    note = "'; DROP TABLE decisions; --"
    decide(reviewed, DATASET, "r1", "drop", note=note, reviewer="o'\"hara")
    assert list_effective_decisions(reviewed, DATASET)["note"].tolist() == [note]


def test_decisions_of_eight_threads_are_all_kept(reviewed):
    def decided(number: int) -> int:
        return decide(
            reviewed,
            DATASET,
            f"r{1 + number % 9}",
            "keep",
            reviewer=f"r{number % 8}",
            client_event_id=f"e{number // 2}",
        )

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(decided, range(160)))
    assert len(set(ids)) == 80
    assert reviewed.rows("SELECT count(*), count(DISTINCT client_event_id) FROM decisions") == [(80, 80)]


def test_undo_in_eight_threads_reverts_each_decision_once(reviewed):
    for number in range(1, 9):
        decide(reviewed, DATASET, f"r{number}", "drop")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: undo(reviewed, DATASET, "me"), range(8)))
    assert reviewed.rows("SELECT count(DISTINCT reverts) FROM decisions") == [(8,)]
    assert effective(reviewed) == {}


def test_decisions_survive_the_process(workspace, reviews):
    with open_store(workspace) as store:
        add_dataset(store, reviews)
        decide(store, DATASET, "r1", "drop")
    with open_store(workspace) as store:
        assert effective(store) == {"r1": ("drop", None)}
        assert decide(store, DATASET, "r2", "keep") > 1


def expected(events: list[tuple[str, str, str]]) -> dict[str, tuple[str, None]]:
    """The slow, obvious meaning: each reviewer's stack per data set; all who have a say must agree."""
    stacks: dict[str, list[tuple[str, str]]] = {}
    for reviewer, example_id, action in events:
        stack = stacks.setdefault(reviewer, [])
        if action != "undo":
            stack.append((example_id, action))
        elif stack:
            stack.pop()
    opinions: dict[str, dict[str, str]] = {}
    for reviewer, stack in stacks.items():
        for example_id, action in stack:
            opinions.setdefault(example_id, {})[reviewer] = action
    return {
        example_id: (min(by.values()), None)
        for example_id, by in opinions.items()
        if len(set(by.values())) == 1
    }


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bob"]),
        st.sampled_from(["r1", "r2"]),
        st.sampled_from(["keep", "drop", "unsure", "undo"]),
    ),
    max_size=12,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(events=EVENTS)
def test_effective_decisions_equal_the_slow_meaning(reviewed, events):
    with reviewed.transaction() as cursor:
        cursor.execute("DELETE FROM decisions")
    for reviewer, example_id, action in events:
        if action != "undo":
            decide(reviewed, DATASET, example_id, action, reviewer=reviewer)
            continue
        try:
            undo(reviewed, DATASET, reviewer)
        except NotFoundError:
            continue
    assert effective(reviewed) == expected(events)
