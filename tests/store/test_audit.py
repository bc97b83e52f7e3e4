"""The audit in the store: a frozen sample, the way through it, and what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from diet_core.errors import NotFoundError, SettingError
from diet_core.scoring.statistics.audit import audit_sample, errors_left, share_of_errors
from diet_core.selection.ranking import ranking
from diet_core.store.decisions.audit import find_audit, read_audit_result, start_audit
from diet_core.store.decisions.decisions import decide, list_effective_decisions, undo
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.loading.runs import ingest_run
from diet_core.store.store import open_store

NOTHING = pd.DataFrame()
DATASET = "reviews-v1"


@pytest.fixture
def order(scored, synthetic_scores) -> list[str]:
    """All examples by label error."""
    ids = synthetic_scores["example_id"].to_numpy()
    return ids[ranking(ids.tolist(), synthetic_scores["label_error"], "label_error")].tolist()


def judge(store, sample, actions):
    """Decide on the first examples of a sample, within the audit; k, d, u are keep, drop, unsure."""
    names = {"k": "keep", "d": "drop", "u": "unsure"}
    for example_id, action in zip(sample.example_ids, actions, strict=False):
        if action in names:
            decide(store, DATASET, example_id, names[action], queue_id=sample.queue_id)


def test_an_audit_is_a_random_sample_of_the_training_examples(store, scored, reviews):
    train = reviews.examples.query("split == 'train'")["example_id"].tolist()
    sample = start_audit(store, DATASET, 30, seed=3)
    assert list(sample.example_ids) == audit_sample(train, 30, 3)
    assert (sample.seed, sample.n_examples, sample.dataset_id) == (3, 216, DATASET)


def test_an_audit_stays_as_it_is_when_it_is_asked_for_again(store, scored):
    sample = start_audit(store, DATASET, 30, seed=3)
    assert start_audit(store, DATASET) == find_audit(store, DATASET) == sample
    assert start_audit(store, DATASET, 30, 3) == sample
    assert store.rows("SELECT count(*) FROM queues") == [(1,)]


def test_an_audit_survives_the_closing_of_the_store(store, scored, workspace):
    sample = start_audit(store, DATASET, 30)
    store.close()
    with open_store(workspace) as again:
        assert find_audit(again, DATASET) == sample


def test_an_audit_grows_by_appending(store, scored):
    small = start_audit(store, DATASET, 30)
    large = start_audit(store, DATASET, 50)
    assert large.example_ids[:30] == small.example_ids
    assert len(large.example_ids) == 50
    assert find_audit(store, DATASET) == large


def test_an_audit_holds_all_where_there_are_fewer(store, scored):
    assert len(start_audit(store, DATASET, 1000).example_ids) == 216


def test_an_audit_has_200_examples_by_default(store, scored):
    assert len(start_audit(store, DATASET).example_ids) == 200


def test_an_audit_never_shrinks_nor_becomes_another_one(store, scored):
    start_audit(store, DATASET, 30)
    with pytest.raises(SettingError, match="has 30 examples already"):
        start_audit(store, DATASET, 20)
    with pytest.raises(SettingError, match="was drawn with seed 0"):
        start_audit(store, DATASET, 30, seed=1)


def test_an_audit_needs_an_example(store, scored):
    with pytest.raises(SettingError, match="A sample of 0 examples"):
        start_audit(store, DATASET, 0)
    assert find_audit(store, DATASET) is None


def test_each_version_has_an_audit_of_its_own(store, scored, reviews):
    add_dataset(store, reviews, overwrite=True)
    start_audit(store, DATASET, 30)
    assert find_audit(store, "reviews-v2") is None
    assert len(start_audit(store, "reviews-v2", 40).example_ids) == 40
    assert len(find_audit(store, DATASET).example_ids) == 30


def test_an_audit_of_an_unknown_version_is_a_clear_error(store):
    with pytest.raises(NotFoundError, match="no data set 'nothing-v1'"):
        start_audit(store, "nothing-v1")
    with pytest.raises(NotFoundError, match="no finished run 'nowhere'"):
        read_audit_result(store, "nowhere")


# What it says.


def test_without_an_audit_there_is_no_result(store, scored):
    assert read_audit_result(store, scored.run_id) is None


def test_a_new_audit_says_nothing_but_the_models_guess(store, scored, synthetic_scores):
    start_audit(store, DATASET, 20)
    found = read_audit_result(store, scored.run_id)
    assert (found.n_examples, found.n_sample, found.n_audited, found.n_errors) == (216, 20, 0, 0)
    assert found.share == share_of_errors(0, 0, 216)
    assert found.model_guess == pytest.approx(synthetic_scores["label_error"].sum())
    assert set(found.left) == {0, 2, 4, 11, 22, 43, 108}
    assert (found.reviewed_to, found.left[0].estimate, found.left[0].high) == (0, None, 216)


def test_relabel_and_drop_are_errors_and_keep_is_none(store, scored):
    sample = start_audit(store, DATASET, 20)
    judge(store, sample, "kkdkk")
    decide(store, DATASET, sample.example_ids[5], "relabel", label="negative", queue_id=sample.queue_id)
    found = read_audit_result(store, scored.run_id)
    assert (found.n_audited, found.n_errors, found.n_unclear) == (6, 2, 0)
    assert found.share == share_of_errors(2, 6, 216)


def test_unsure_skipped_and_conflicting_ones_do_not_count(store, scored):
    sample = start_audit(store, DATASET, 20)
    judge(store, sample, "ku dkd")  # the third is skipped
    decide(store, DATASET, sample.example_ids[5], "keep", reviewer="ann", queue_id=sample.queue_id)
    found = read_audit_result(store, scored.run_id)
    assert (found.n_audited, found.n_errors, found.n_unclear) == (6, 1, 3)
    assert found.share == share_of_errors(1, 3, 216)


def test_what_was_decided_elsewhere_counts_once_the_audit_has_come_to_it(store, scored):
    """Else the decided ones of a young audit would mostly be the top of the ranking."""
    sample = start_audit(store, DATASET, 20)
    for example_id in sample.example_ids[3:12]:
        decide(store, DATASET, example_id, "drop")
    judge(store, sample, "kk")
    assert read_audit_result(store, scored.run_id).n_audited == 2
    judge(store, sample, "kkk")
    found = read_audit_result(store, scored.run_id)
    assert (found.n_audited, found.n_errors) == (12, 9)


def test_decisions_on_the_command_line_count_in_the_order_of_drawing(store, scored):
    """They name no queue."""
    sample = start_audit(store, DATASET, 20)
    for example_id in sample.example_ids[:4]:
        decide(store, DATASET, example_id, "keep")
    assert read_audit_result(store, scored.run_id).n_audited == 4


def test_undo_takes_an_example_out_of_the_audit_again(store, scored):
    sample = start_audit(store, DATASET, 20)
    judge(store, sample, "kd")
    undo(store, DATASET)
    found = read_audit_result(store, scored.run_id)
    assert (found.n_audited, found.n_errors) == (1, 0)


def test_decisions_on_another_version_do_not_count(store, scored, reviews):
    add_dataset(store, reviews, overwrite=True)
    sample = start_audit(store, DATASET, 20)
    decide(store, "reviews-v2", sample.example_ids[0], "drop")
    assert read_audit_result(store, scored.run_id).n_audited == 0


def test_errors_left_go_by_the_runs_ranking(store, scored, order):
    """The slow way: ranks from `selection.ranking`, known examples one by one."""
    sample = start_audit(store, DATASET, 60)
    judge(
        store,
        sample,
        ["d" if order.index(i) < 90 and n % 2 else "k" for n, i in enumerate(sample.example_ids)],
    )
    for example_id in order[:10]:
        decide(store, DATASET, example_id, "drop")
    decide(store, DATASET, order[150], "drop")
    actions = list_effective_decisions(store, DATASET).set_index("example_id")["action"]
    ranks = [order.index(i) + 1 for i in actions.index]
    is_error = [action == "drop" for action in actions]
    is_audited = [i in sample.example_ids for i in actions.index]
    found = read_audit_result(store, scored.run_id)
    assert found.reviewed_to == next(r for r, i in enumerate(order) if i not in actions.index) >= 10
    for below, estimate in found.left.items():
        assert estimate == errors_left(below, 216, ranks, is_error, is_audited), below
    assert found.left[found.reviewed_to].estimate > 0


def test_an_unsure_example_is_passed_but_not_known(store, scored, order):
    start_audit(store, DATASET, 20)
    for example_id, action in zip(order, ("drop", "unsure", "keep"), strict=False):
        decide(store, DATASET, example_id, action)
    found = read_audit_result(store, scored.run_id)
    assert found.reviewed_to >= 3
    assert found.left[0].high == 216 - 2  # the unsure one may be wrong


def test_a_census_leaves_nothing(store, scored, order):
    sample = start_audit(store, DATASET, 216)
    judge(store, sample, ["d" if n % 3 == 0 else "k" for n in range(216)])
    found = read_audit_result(store, scored.run_id)
    assert (found.share.low, found.share.high) == (1 / 3, 1 / 3)
    assert {(e.low, e.high) for e in found.left.values()} == {(0, 0)}


def test_a_run_without_label_errors_still_has_a_share(store, scored, synthetic_scores):
    ingest_run(store, scored, synthetic_scores.assign(label_error=np.nan), NOTHING, NOTHING)
    judge(store, start_audit(store, DATASET, 20), "kd")
    found = read_audit_result(store, scored.run_id)
    assert found.share.estimate == 0.5
    assert (found.left, found.model_guess, found.reviewed_to) == ({}, None, 0)
