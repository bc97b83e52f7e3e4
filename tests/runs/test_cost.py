"""What a run costs in time, worked by hand."""

import pytest

from diet_core.runs.cost import GUESS, Speed, Work, extra_cost, extra_cost_in_words, retraining_seconds
from diet_core.runs.facts import read_snapshot
from diet_core.tables import GRAND_SCOPES

SPEED = Speed(training=10, scoring=50, encoding=1000, starting=3, loading=2)
WORK = {"n_train": 500, "n_test": 100, "seeds": 2, "epochs": 3}


def test_seconds_follow_from_the_speeds():
    # 3 + 600/1000 + 2 seeds · (2 + 3 · 500/10 + (3 · 100 + 500)/50)
    assert SPEED.seconds(Work(**WORK)) == pytest.approx(339.6)


def test_each_score_step_costs_a_pass_per_seed():
    # and 3 passes more of 500/50 seconds for each of 2 seeds
    assert SPEED.seconds(Work(**WORK, n_steps=4)) == pytest.approx(339.6 + 2 * 3 * 10)


def test_gradients_of_the_whole_network_cost_a_backward_pass_at_each_step():
    assert SPEED.seconds(Work(**WORK, n_steps=2, grand="full")) == pytest.approx(339.6 + 2 * 9 * 10)


@pytest.mark.parametrize("grand", GRAND_SCOPES)
def test_every_scope_has_a_price(grand):
    assert Work(**WORK, grand=grand).forward_passes >= 1


def test_extra_cost_is_a_share_of_the_plain_run():
    assert extra_cost(Work(**WORK), SPEED) == 0
    assert extra_cost(Work(**WORK, n_steps=4), SPEED) == pytest.approx(60 / 339.6)


def test_extra_cost_without_a_measurement_is_guessed():
    work = Work(n_train=900, n_test=0, seeds=5, epochs=2, n_steps=4)
    assert extra_cost(work, None) == extra_cost(work, GUESS) == pytest.approx(3 / 7)


def test_a_plain_run_has_no_price():
    assert extra_cost_in_words(Work(**WORK), SPEED) is None


def test_price_names_steps_and_scope():
    words = extra_cost_in_words(Work(**WORK, n_steps=4, grand="full"), SPEED)
    assert words == (
        "Scores at 4 steps: 4 passes over 500 examples per seed instead of 1; GraNd in the scope full: "
        "a pass takes about 5 × as long, about +112 % of the time (by what was measured on this machine)."
    )


def test_estimate_goes_by_the_scoring_runs_speed(sentence_run):
    seconds = sentence_run.status().seconds["train"]
    n = _n_train(sentence_run)
    # As many examples and epochs as its two seeds took together.
    assert retraining_seconds(sentence_run, [n], epochs=3, repeats=2) == pytest.approx(seconds)
    assert retraining_seconds(sentence_run, [n, n], epochs=3, repeats=1) == pytest.approx(seconds)


def _n_train(folder) -> int:
    return int((read_snapshot(folder)["split"] == "train").sum())
