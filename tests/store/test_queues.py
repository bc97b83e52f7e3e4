"""Frozen review queues: what is in them, in which order, and how far they are decided."""

from __future__ import annotations

import dataclasses
import re

import pandas as pd
import pytest

from diet_core.errors import NotFoundError, SettingError
from diet_core.selection.ranking import ranking
from diet_core.store.decisions.audit import start_audit
from diet_core.store.decisions.decisions import decide
from diet_core.store.decisions.events import DeskEvent, apply_events
from diet_core.store.decisions.queues import (
    Queue,
    QueueDefinition,
    QueueProgress,
    find_queue,
    list_next_undecided,
    open_queue,
    read_progress,
)
from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.loading.runs import ingest_run, list_runs
from diet_core.store.queries.examples import read_page
from diet_core.store.store import open_store

DATASET = "reviews-v1"
NOTHING = pd.DataFrame()


@pytest.fixture
def opened(store, scored):
    """A function that opens a queue of the reviews' run."""

    def opened(source: str = "suspects", **rest) -> Queue:
        return open_queue(store, QueueDefinition(scored.run_id, source, **rest))

    return opened


@pytest.fixture
def ranked(synthetic_scores):
    """A function that ranks the rows of the scores by a score, hardest first."""

    def ranked(by: str = "label_error", rows: pd.DataFrame = synthetic_scores) -> list[str]:
        ids = rows["example_id"].tolist()
        return [ids[row] for row in ranking(ids, rows[by], by)]

    return ranked


def press(store, action, *example_ids, reviewer="me", label=None):
    events = [DeskEvent(f"{reviewer}-{action}-{label}-{i}", i, action, label) for i in example_ids]
    assert not apply_events(store, DATASET, events, reviewer=reviewer).refused


def test_suspects_are_those_of_another_prediction_by_suspicion(opened, ranked, synthetic_scores):
    wrong = synthetic_scores.query("label != predicted_label")
    assert list(opened().example_ids) == ranked(rows=wrong)


@pytest.mark.parametrize("by", ["el2n", "confidence", "aum", None])
def test_highest_is_hardest_first_and_lowest_the_reverse_with_ties(opened, ranked, by):
    hardest = ranked(by or "label_error")
    assert list(opened("highest", by=by).example_ids) == hardest
    assert list(opened("lowest", by=by).example_ids) == hardest[::-1]


def test_suspects_can_be_ordered_by_another_score(opened, ranked, synthetic_scores):
    wrong = synthetic_scores.query("label != predicted_label")
    assert list(opened(by="confidence").example_ids) == ranked("confidence", wrong)


def test_a_filter_narrows_every_source(store, opened, ranked, synthetic_scores):
    chosen = ExampleFilter(label="positive", search="REVIEW 1")
    passing = read_page(store, synthetic_run(store), filter=chosen, limit=1000)["example_id"]
    for source in ("suspects", "highest"):
        everything = opened(source).example_ids
        assert list(opened(source, filter=chosen).example_ids) == [i for i in everything if i in set(passing)]


def synthetic_run(store) -> str:
    return list_runs(store)[0].run_id


def test_flagged_are_those_that_anybody_flagged_last(store, opened, ranked):
    press(store, "flag", "r1", "r2", "r3", "r7")
    press(store, "flag", "r4", reviewer="bob")
    press(store, "unflag", "r2", "r4", reviewer="eve")
    order = [i for i in ranked() if i in ("r1", "r3", "r7")]
    assert list(opened("flagged").example_ids) == order


def test_skipped_are_the_reviewers_own_not_decided_since(store, opened, ranked):
    press(store, "skip", "r1", "r2", "r3")
    press(store, "skip", "r4", reviewer="bob")
    press(store, "keep", "r2", reviewer="bob")
    order = [i for i in ranked() if i in ("r1", "r3")]
    assert list(opened("skipped", reviewer="me").example_ids) == order
    assert opened("skipped", reviewer="bob").example_ids == ("r4",)
    assert opened("skipped").example_ids == ()


def test_a_status_narrows_by_what_people_decided(store, opened):
    everything = opened("highest").example_ids
    press(store, "keep", "r1", "r2")
    press(store, "drop", "r2", reviewer="bob")
    press(store, "skip", "r3")

    def chosen(status: str) -> set[str]:
        return set(opened("highest", status=status).example_ids)

    assert chosen("any") == set(everything)
    assert chosen("decided") == {"r1", "r2"}
    assert chosen("conflict") == {"r2"}
    assert chosen("undecided") == set(everything) - {"r1", "r2"}


def test_deciding_never_changes_an_open_queue(store, opened):
    queue = opened(status="undecided")
    press(store, "drop", *queue.example_ids[:5])
    assert find_queue(store, queue.queue_id) == queue
    assert opened(status="undecided").example_ids == queue.example_ids[5:]


def test_the_same_queue_twice_is_one_row(store, opened):
    assert opened() == opened()
    assert store.rows("SELECT count(*) FROM queues") == [(1,)]


def test_a_queue_of_other_examples_or_another_definition_has_another_name(store, opened):
    names = [opened().queue_id, opened("highest").queue_id, opened("lowest").queue_id]
    names.append(opened("highest", filter=ExampleFilter(search="review")).queue_id)
    names.append(opened("flagged").queue_id)
    press(store, "flag", "r1")
    names.append(opened("flagged").queue_id)
    assert len(set(names)) == 6
    assert all(re.fullmatch(r"q-[0-9a-f]{12}", name) for name in names)


def test_only_skips_belong_to_a_reviewer(opened):
    assert opened(reviewer="me") == opened(reviewer="bob") == opened()
    assert opened("skipped", reviewer="me") != opened("skipped", reviewer="bob")


def test_an_empty_queue_is_a_queue(store, opened):
    queue = opened("flagged")
    assert queue.example_ids == ()
    assert find_queue(store, queue.queue_id) == queue
    assert read_progress(store, queue) == QueueProgress(0, 0, 0, 0)


def test_a_queue_survives_the_closing_of_the_store(store, opened, workspace):
    chosen = ExampleFilter(label="positive", search="'; ?", score="grand", low=0.25, high=8.0)
    queues = [opened(), opened("lowest", by="el2n", status="decided", filter=chosen)]
    store.close()
    with open_store(workspace) as again:
        assert [find_queue(again, queue.queue_id) for queue in queues] == queues


@pytest.mark.parametrize("name", ["q-000000000000", "", "audit reviews-v1", "' OR 1=1 --"])
def test_an_unknown_queue_is_an_error_that_says_what_to_do(store, scored, name):
    start_audit(store, DATASET)
    with pytest.raises(NotFoundError, match="Open Review anew"):
        find_queue(store, name)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"source": "audit"}, "source is 'audit'. Choose one of: suspects, highest"),
        ({"status": "open"}, "status is 'open'. Choose one of: any, undecided"),
        ({"by": "drop table"}, "'drop table' is not a score"),
    ],
)
def test_a_definition_of_unknown_words_is_refused(fields, message):
    with pytest.raises(SettingError, match=message):
        QueueDefinition("run", **fields)


def test_a_queue_by_a_score_with_missing_values_is_refused(opened):
    with pytest.raises(SettingError, match="216 of 216 examples have no forgetting"):
        opened("highest", by="forgetting")


def test_a_queue_of_an_unknown_run_is_refused(store):
    with pytest.raises(NotFoundError, match="no finished run"):
        open_queue(store, QueueDefinition("nothing-20261121-142530-1a2b"))


@pytest.fixture
def folded(store, scored, synthetic_scores):
    """The run once more, whose models out of fold agree on all but three examples."""
    run = dataclasses.replace(scored, config=dataclasses.replace(scored.config, folds=5))
    is_wrong = synthetic_scores["example_id"].isin(["r3", "r5", "r8"])
    other = synthetic_scores["suggested_label"]
    oof = synthetic_scores.assign(
        predicted_label_oof=other.where(is_wrong, synthetic_scores["label"]),
        suggested_label_oof=other,
        suggested_probability_oof=0.5,
        label_error_oof=1 - synthetic_scores["label_error"],
    )
    ingest_run(store, run, oof, NOTHING, NOTHING)
    return run


def test_with_folds_suspects_are_those_of_the_models_that_did_not_train_on_them(opened, folded, ranked):
    order = [i for i in ranked()[::-1] if i in ("r3", "r5", "r8")]
    found = opened()
    assert sorted(found.example_ids) == sorted(order)
    assert found.definition.filter.out_of_fold
    predicted = opened("highest", filter=ExampleFilter(agreement="disagree")).example_ids
    assert set(predicted) == {"r3", "r5", "r8"}


def test_progress_counts_what_people_decided_in_the_queue(store, opened):
    queue = opened()
    ids, outside = queue.example_ids, next(i for i in opened("lowest").example_ids)
    assert outside not in ids
    press(store, "keep", ids[0], outside)
    press(store, "drop", ids[1])
    press(store, "relabel", ids[2], label="negative")
    press(store, "unsure", ids[3], reviewer="bob")
    press(store, "skip", ids[4])
    press(store, "keep", ids[5])
    press(store, "drop", ids[5], reviewer="bob")
    assert read_progress(store, queue) == QueueProgress(len(ids), 5, 2, 1)


def test_decisions_on_another_version_do_not_count(store, opened, reviews):
    queue = opened()
    add_dataset(store, reviews, overwrite=True)
    decide(store, "reviews-v2", queue.example_ids[0], "drop")
    assert read_progress(store, queue).n_decided == 0
    assert list_next_undecided(store, queue.queue_id, "reviews-v1").example_ids[0] == queue.example_ids[0]
