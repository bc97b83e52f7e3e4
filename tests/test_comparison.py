"""What a retraining's numbers allow to say."""

from __future__ import annotations

import math

import pytest

from diet_core.config import Rule
from diet_core.jobs.comparison import difference, estimated_seconds, retrainings, runs_table, verdicts
from diet_core.jobs.retraining import Retraining, plan_retraining
from diet_core.jobs.summary import retrain_summary


def _arms(**accuracies: list[float | None]) -> list[dict]:
    return [{"name": name, "accuracy": values, "n_train": 10} for name, values in accuracies.items()]


def test_difference_is_a_paired_t_interval():
    found = difference([0.82, 0.84, 0.86], [0.80, 0.81, 0.82])
    half = 4.303 * 0.01 / math.sqrt(3)
    assert found.mean == pytest.approx(0.03)
    assert (found.low, found.high) == (pytest.approx(0.03 - half), pytest.approx(0.03 + half))
    assert found.is_clear


def test_difference_compares_common_repeats_only():
    found = difference([0.8, 0.9, 0.7], [0.7, 0.8])
    assert found.n == 2
    assert difference([0.8], []) is None
    assert difference([None], [None]) is None


def test_one_repeat_proves_nothing():
    found = difference([0.9], [0.1])
    assert not found.is_clear
    [sentence] = verdicts(_arms(selected=[0.9], random=[0.1]))
    assert sentence == (
        "The selection is 80.0 points above a random choice of the same size in one repeat; "
        "one repeat cannot tell chance from effect."
    )


def test_an_interval_around_zero_shows_no_difference():
    [sentence] = verdicts(_arms(selected=[0.80, 0.84, 0.82], random=[0.81, 0.81, 0.81]))
    assert "1.0 points above a random choice of the same size (mean of 3 repeats" in sentence
    assert sentence.endswith("these repeats do not show a difference.")


def test_a_clear_loss_is_told_as_one():
    random, full = verdicts(
        _arms(selected=[0.70, 0.71, 0.72], full=[0.8, 0.81, 0.83], random=[0.7, 0.71, 0.72])
    )
    assert full.startswith("The selection is 10.3 points below all examples (mean of 3 repeats")
    assert "more than the randomness of training explains" in full
    assert random.startswith("The selection and a random choice of the same size are equal to 0.1 points")
    assert "do not show a difference" in random


def test_two_equal_repeats_are_too_few():
    [sentence] = verdicts(_arms(selected=[0.5, 0.5], full=[0.8, 0.8]))
    assert sentence.endswith("95 % interval −30.0 to −30.0): too few repeats to be sure.")


def test_arms_without_results_or_baselines_say_nothing():
    assert verdicts([]) == []
    assert verdicts(_arms(selected=[0.8, 0.9])) == []
    assert verdicts(_arms(random=[0.8, 0.9])) == []
    assert runs_table([]).columns.tolist() == ["arm", "repeat", "accuracy"]


def test_retrainings_are_those_of_the_run(workspace, sentence_run, do_work):
    plan = Retraining(rule=Rule(), repeats=2, baselines=("random",), epochs=1)
    folder = plan_retraining(workspace, sentence_run, plan)
    (workspace.runs / "broken-20261121-150000-ffff").mkdir()
    (workspace.runs / "broken-20261121-150000-ffff" / "config.json").write_text("{")
    assert retrainings(workspace, sentence_run.run_id) == [folder]
    assert retrainings(workspace, "reviews-20261121-142530-1a2b") == []
    assert do_work(folder) == 0
    arms = retrain_summary(folder)["arms"]
    table = runs_table(arms)
    assert table["arm"].tolist() == ["selected", "selected", "random", "random"]
    assert table["repeat"].tolist() == [1, 2, 1, 2]
    assert len(verdicts(arms)) == 1


def test_estimate_goes_by_the_scoring_runs_speed(sentence_run):
    seconds = sentence_run.status()["seconds"]["train"]
    n = _n_train(sentence_run)
    # As many examples and epochs as its two seeds took together.
    assert estimated_seconds(sentence_run, [n], epochs=3, repeats=2) == pytest.approx(seconds)
    assert estimated_seconds(sentence_run, [n, n], epochs=3, repeats=1) == pytest.approx(seconds)


def _n_train(folder) -> int:
    from diet_core.jobs.facts import read_snapshot

    return int((read_snapshot(folder)["split"] == "train").sum())
