"""Decisions on a whole queue: exact counts before, one act, one undo, and what people decided stays."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from diet_core.errors import NotFoundError, SettingError
from diet_core.store.decisions.batches import decide_batch, preview_batch
from diet_core.store.decisions.decisions import decide, list_effective_decisions, undo
from diet_core.store.decisions.events import DeskEvent, apply_events
from diet_core.store.decisions.history import list_last_events
from diet_core.store.decisions.queues import QueueDefinition, open_queue
from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.runs import ingest_run
from tests.store.conflicts import list_conflicts

DATASET = "reviews-v1"
NOTHING = pd.DataFrame()


@pytest.fixture
def queue(store, scored):
    """The suspects of the run."""
    return open_queue(store, QueueDefinition(scored.run_id))


@pytest.fixture
def judged(store, queue):
    """The suspects, of which the reviewer dropped the first and bob kept the second; the third is skipped."""
    first, second, third = queue.example_ids[:3]
    decide(store, DATASET, first, "drop", note="by hand")
    decide(store, DATASET, second, "keep", reviewer="bob")
    apply_events(store, DATASET, [DeskEvent("s", third, "skip")], reviewer="me")
    return queue


def effective(store) -> dict[str, tuple[str, str | None]]:
    table = list_effective_decisions(store, DATASET).astype(object)
    labels = table["label"].where(table["label"].notna(), None)
    return {i: (a, x) for i, a, x in zip(table["example_id"], table["action"], labels, strict=True)}


def test_a_batch_decides_on_all_that_nobody_decided_on(store, judged):
    ids = judged.example_ids
    before = effective(store)
    batch_id, n = decide_batch(store, judged, "keep", reviewer="me", note="looked at")
    assert n == len(ids) - 2
    assert effective(store) == before | dict.fromkeys(ids[2:], ("keep", None))
    rows = store.rows(
        "SELECT example_id, note, reviewer, run_id, queue_id FROM decisions WHERE batch_id = ? "
        "ORDER BY decision_id",
        [batch_id],
    )
    common = ("looked at", "me", judged.definition.run_id, judged.queue_id)
    assert rows == [(i, *common) for i in ids[2:]]


def test_a_batch_keeps_the_imported_label(store, judged, reviews):
    decide_batch(store, judged, "relabel", label="negative", reviewer="me")
    labels = reviews.examples.set_index("example_id")["label"]
    rows = store.rows("SELECT example_id, old_label, label FROM decisions WHERE batch_id IS NOT NULL")
    assert rows
    assert all((old, new) == (labels[i], "negative") for i, old, new in rows)


def test_the_preview_counts_exactly_what_the_batch_then_does(store, judged):
    for action, label in (("keep", None), ("relabel", "negative"), ("relabel", None)):
        for overwrite in (False, True):
            preview = preview_batch(store, judged, action, label=label, overwrite=overwrite, reviewer="me")
            _, n = decide_batch(
                store,
                judged,
                action,
                label=label,
                use_suggestion=action == "relabel" and label is None,
                overwrite=overwrite,
                reviewer="me",
            )
            assert preview.n_to_decide == n
            assert len(list_conflicts(store, DATASET)) == preview.n_conflicts
            undo(store, DATASET)


def test_the_preview_tells_what_is_left_out_and_shows_ten(store, judged, reviews, synthetic_scores):
    preview = preview_batch(store, judged, "keep")
    ids = judged.example_ids
    assert (preview.n_queue, preview.n_decided_by_people, preview.n_without_suggestion) == (len(ids), 2, 0)
    assert (preview.n_to_decide, preview.n_conflicts) == (len(ids) - 2, 0)
    rows = preview.rows.set_index("example_id")
    assert list(rows.index) == list(ids[2:12])
    known = synthetic_scores.set_index("example_id").loc[rows.index]
    texts = reviews.examples.set_index("example_id").loc[rows.index, "text"]
    assert rows["text"].tolist() == texts.str[:120].tolist()
    for column in ("label", "suggested_label", "suggested_probability"):
        assert rows[column].tolist() == known[column].tolist()
    assert rows["value"].tolist() == known["label_error"].tolist()


def test_the_preview_shows_the_score_that_orders_the_queue(store, scored, synthetic_scores):
    easiest = open_queue(store, QueueDefinition(scored.run_id, "lowest", by="el2n"))
    shown = preview_batch(store, easiest, "keep").rows["value"].tolist()
    assert shown == sorted(synthetic_scores["el2n"])[:10]


def test_a_batch_to_the_suggestions_gives_each_its_own(store, judged, synthetic_scores):
    _, n = decide_batch(store, judged, "relabel", use_suggestion=True, reviewer="me")
    suggested = synthetic_scores.set_index("example_id")["suggested_label"]
    found = effective(store)
    assert all(found[i] == ("relabel", suggested[i]) for i in judged.example_ids[2:])
    assert n == len(judged.example_ids) - 2


def test_examples_without_a_suggestion_are_left_out_and_counted(store, scored, judged, synthetic_scores):
    third, fourth = judged.example_ids[2:4]
    is_missing = synthetic_scores["example_id"].isin([third, fourth])
    scores = synthetic_scores.assign(suggested_label=synthetic_scores["suggested_label"].mask(is_missing))
    ingest_run(store, scored, scores, NOTHING, NOTHING)
    preview = preview_batch(store, judged, "relabel")
    assert (preview.n_without_suggestion, preview.n_to_decide) == (2, len(judged.example_ids) - 4)
    _, n = decide_batch(store, judged, "relabel", use_suggestion=True, reviewer="me")
    assert n == preview.n_to_decide
    assert not effective(store).keys() & {third, fourth}
    assert preview_batch(store, judged, "keep").n_to_decide == 2


def test_with_folds_suggestions_are_those_out_of_fold(store, scored, synthetic_scores):
    run = dataclasses.replace(scored, config=dataclasses.replace(scored.config, folds=5))
    scores = synthetic_scores.assign(
        predicted_label_oof=synthetic_scores["suggested_label"],
        suggested_label_oof=synthetic_scores["label"],
        suggested_probability_oof=0.5,
        label_error_oof=0.25,
    )
    ingest_run(store, run, scores, NOTHING, NOTHING)
    queue = open_queue(store, QueueDefinition(run.run_id))
    rows = preview_batch(store, queue, "relabel").rows
    assert rows["suggested_label"].tolist() == rows["label"].tolist()
    assert set(rows["suggested_probability"]) == {0.5}
    assert set(rows["value"]) == {0.25}


def test_a_batch_that_overwrites_wins_over_the_own_decision_and_conflicts_with_those_of_others(store, judged):
    first, second = judged.example_ids[:2]
    preview = preview_batch(store, judged, "drop", overwrite=True, reviewer="me")
    assert (preview.n_to_decide, preview.n_conflicts) == (len(judged.example_ids), 1)
    decide_batch(store, judged, "drop", overwrite=True, reviewer="me")
    assert effective(store)[first] == ("drop", None)
    assert list_conflicts(store, DATASET)["example_id"].tolist() == [second]
    assert preview_batch(store, judged, "keep", overwrite=True, reviewer="me").n_conflicts == 0
    assert preview_batch(store, judged, "drop", overwrite=True, reviewer="bob").n_conflicts == 0


def test_one_undo_takes_back_the_batch_and_decisions_by_hand_stay(store, judged):
    before = list_effective_decisions(store, DATASET)
    for overwrite in (False, True):
        batch_id, n = decide_batch(store, judged, "drop", overwrite=overwrite, reviewer="me")
        newest = list_last_events(store, DATASET, "me")[0]
        assert (newest["batch_id"], newest["n"], newest["example_id"]) == (
            batch_id,
            n,
            judged.example_ids[0 if overwrite else 2],
        )
        event = DeskEvent(f"u-{overwrite}", newest["example_id"], "undo", reverts=newest["decision_id"])
        apply_events(store, DATASET, [event], reviewer="me")
        pd.testing.assert_frame_equal(list_effective_decisions(store, DATASET), before)
    decide_batch(store, judged, "drop", reviewer="me")
    undo(store, DATASET)
    pd.testing.assert_frame_equal(list_effective_decisions(store, DATASET), before)


def test_everything_below_the_20th_percentile_can_be_kept_at_once(store, scored, synthetic_scores):
    high = synthetic_scores["el2n"].quantile(0.2)
    easiest = synthetic_scores.query("el2n <= @high")["example_id"].tolist()
    decide(store, DATASET, easiest[0], "drop")
    queue = open_queue(
        store,
        QueueDefinition(scored.run_id, "lowest", by="el2n", filter=ExampleFilter(score="el2n", high=high)),
    )
    assert sorted(queue.example_ids) == sorted(easiest)
    _, n = decide_batch(store, queue, "keep", reviewer="me")
    assert n == len(easiest) - 1
    assert effective(store) == dict.fromkeys(easiest, ("keep", None)) | {easiest[0]: ("drop", None)}


def test_a_second_batch_finds_nothing_left(store, judged):
    decide_batch(store, judged, "keep", reviewer="me")
    assert decide_batch(store, judged, "drop", reviewer="bob")[1] == 0
    preview = preview_batch(store, judged, "drop")
    assert (preview.n_to_decide, len(preview.rows)) == (0, 0)
    assert "suggested_probability" in preview.rows


def test_a_batch_of_an_empty_queue_is_nothing(store, scored):
    queue = open_queue(store, QueueDefinition(scored.run_id, "flagged"))
    assert preview_batch(store, queue, "keep").n_queue == 0
    assert decide_batch(store, queue, "keep", reviewer="me")[1] == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"action": "skip"}, SettingError, "'skip' is not a decision"),
        ({"action": "undo"}, SettingError, "'undo' is not a decision"),
        ({"action": "relabel"}, SettingError, "one class or to the suggestions"),
        ({"action": "keep", "use_suggestion": True}, SettingError, "one class or to the suggestions"),
        (
            {"action": "relabel", "label": "negative", "use_suggestion": True},
            SettingError,
            "one class or to the suggestions",
        ),
        ({"action": "keep", "label": "negative"}, SettingError, "given with keep"),
        ({"action": "relabel", "label": "neutral"}, NotFoundError, "'neutral' is not a class of reviews-v1"),
        ({"action": "keep", "reviewer": " "}, SettingError, "reviewer's name is empty"),
    ],
)
def test_a_batch_that_cannot_be_is_refused(store, queue, arguments, error, message):
    with pytest.raises(error, match=message):
        decide_batch(store, queue, **{"reviewer": "me", **arguments})
    assert store.rows("SELECT count(*) FROM decisions") == [(0,)]


@pytest.mark.parametrize("action", ["skip", "undo", "'; --"])
def test_a_preview_of_no_decision_is_refused(store, queue, action):
    with pytest.raises(SettingError, match="is not a decision"):
        preview_batch(store, queue, action)
