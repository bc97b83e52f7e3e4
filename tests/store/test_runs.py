import dataclasses
import json
from datetime import datetime

import pandas as pd
import pytest

from diet_core.errors import NotFoundError
from diet_core.store.loading.runs import (
    has_run,
    ingest_run,
    list_runs,
    read_accuracies,
    read_metrics,
    read_run,
    read_scores,
)
from diet_core.store.queries.examples import list_available_scores
from diet_core.tables import SCORE_COLUMNS

NOTHING = pd.DataFrame()


def test_run_gives_back_what_was_ingested(store, scored):
    assert read_run(store, scored.run_id) == scored
    assert list_runs(store) == [scored]
    assert list_runs(store, "reviews-v1") == [scored]
    assert list_runs(store, "reviews-v2") == []


def test_scores_have_all_columns_in_the_order_of_the_examples(store, scored, synthetic_scores):
    found = read_scores(store, scored.run_id)
    assert tuple(found) == SCORE_COLUMNS
    same = [column for column in found if column in synthetic_scores]
    pd.testing.assert_frame_equal(found[same], synthetic_scores[same], check_dtype=False)
    assert found["forgetting"].isna().all()


def test_ingest_again_replaces(store, scored, synthetic_scores):
    again = dataclasses.replace(scored, state="cancelled")
    ingest_run(store, again, synthetic_scores.head(3), NOTHING, NOTHING)
    assert read_run(store, scored.run_id).state == "cancelled"
    assert len(read_scores(store, scored.run_id)) == 3
    assert store.rows("SELECT count(*) FROM seed_scores") == [(0,)]
    assert len(list_runs(store)) == 1


def test_ingest_takes_a_run_without_scores(store, scored):
    retrain = dataclasses.replace(scored, run_id="reviews-20261121-150000-2b3c", kind="retrain")
    nothing = pd.DataFrame(columns=list(SCORE_COLUMNS))
    ingest_run(store, retrain, nothing, pd.DataFrame(columns=["seed", "step", "example_id"]), NOTHING)
    assert has_run(store, retrain.run_id)
    assert len(read_scores(store, retrain.run_id)) == 0
    assert list_available_scores(store, retrain.run_id) == []
    assert len(read_scores(store, scored.run_id)) == 216


def test_ingest_takes_the_label_of_the_example_where_none_is_given(store, scored, synthetic_scores):
    ingest_run(store, scored, synthetic_scores.drop(columns="label"), NOTHING, NOTHING)
    assert read_scores(store, scored.run_id)["label"].tolist() == synthetic_scores["label"].tolist()


def test_ingest_keeps_the_label_that_a_run_trained_on(store, scored, synthetic_scores):
    ingest_run(store, scored, synthetic_scores.assign(label="positive"), NOTHING, NOTHING)
    assert set(read_scores(store, scored.run_id)["label"]) == {"positive"}


def test_a_run_with_unknown_examples_changes_nothing(store, scored, synthetic_scores):
    strange = synthetic_scores.assign(example_id="x" + synthetic_scores["example_id"])
    with pytest.raises(NotFoundError, match=r"216 examples .* not in data set reviews-v1"):
        ingest_run(store, scored, strange, NOTHING, NOTHING)
    assert len(read_scores(store, scored.run_id)) == 216


def test_a_run_that_fails_half_way_changes_nothing(store, scored, synthetic_scores):
    with pytest.raises((ValueError, TypeError)):
        ingest_run(
            store,
            scored,
            synthetic_scores.head(1),
            NOTHING,
            pd.DataFrame({"seed": ["zero"], "accuracy": ["good"]}),
        )
    assert len(read_scores(store, scored.run_id)) == 216


def test_metrics_and_accuracies(store, scored):
    found = read_metrics(store, scored.run_id)
    assert json.loads(found["per_class_recall"][1]) == {"negative": 0.8, "positive": 1.0}
    (row,) = read_accuracies(store).to_dict("records")
    assert row["accuracy"] == pytest.approx(0.85)
    assert row["n_seeds"] == 2


def test_accuracies_are_of_the_last_epoch_per_arm(store, scored, synthetic_scores):
    metrics = pd.DataFrame(
        {
            "arm": ["full", "full", "random"],
            "seed": 0,
            "epoch": [1, 2, 1],
            "accuracy": [0.5, 0.7, 0.6],
            "per_class_recall": [None, '{"a": 1}', None],
        }
    )
    ingest_run(store, scored, synthetic_scores, NOTHING, metrics)
    assert read_accuracies(store)[["arm", "accuracy"]].values.tolist() == [["full", 0.7], ["random", 0.6]]


def test_a_time_without_a_zone_is_utc(store, scored, synthetic_scores):
    ingest_run(
        store,
        dataclasses.replace(scored, created_at=datetime(2026, 11, 21, 14, 25, 30)),
        synthetic_scores,
        NOTHING,
        NOTHING,
    )
    assert read_run(store, scored.run_id).created_at == scored.created_at


def test_an_unknown_run_says_where_the_list_is(store):
    assert not has_run(store, "reviews-20200101-000000-0000")
    with pytest.raises(NotFoundError, match="python -m diet_core runs"):
        read_run(store, "reviews-20200101-000000-0000")
