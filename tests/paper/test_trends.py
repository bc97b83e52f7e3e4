"""Which trends of the paper hold: what the intervals say, and nothing more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from diet_core.paper.trends import (
    FAILS,
    HOLDS,
    OPEN,
    accuracy_trends,
    early_label_trends,
    seed_trends,
)
from diet_core.runs.facts import Facts

CLEAR_WIN, TIE, CLEAR_LOSS = (0.02, 0.01, 0.03), (0.0, -0.01, 0.01), (-0.02, -0.03, -0.01)


def difference(arm: str, reference: str, interval, n_repeats: int = 3) -> dict:
    mean, low, high = interval
    found = {"mean": mean, "low": low, "high": high, "n_repeats": n_repeats, "n_test": 500}
    return {"arm": arm, "reference": reference} | found


def places(**of_selection) -> pd.DataFrame:
    empty = {"keep": None, "drop_hardest": None, "epoch": None}
    return pd.DataFrame(
        [
            {"arm": "ours", "series": "el2n"} | empty | of_selection,
            {"arm": "random-keep0.7", "series": "random"} | empty,
            {"arm": "full", "series": "full"} | empty,
        ]
    )


def verdict(figure: str, interval, reference: str = "random-keep0.7", n_repeats: int = 3, **place) -> str:
    differences = pd.DataFrame([difference("ours", reference, interval, n_repeats)])
    (trend,) = accuracy_trends(figure, places(**place), differences)
    return trend.verdict


@pytest.mark.parametrize(
    ("interval", "early", "late"),
    [(CLEAR_WIN, FAILS, HOLDS), (TIE, OPEN, OPEN), (CLEAR_LOSS, HOLDS, FAILS)],
)
def test_fig1_early_scores_should_lose_and_late_ones_win(interval, early, late):
    assert verdict("fig1", interval, epoch=0.25) == early
    assert verdict("fig1", interval, epoch=1.0) == late


@pytest.mark.parametrize(
    ("interval", "much", "little"),
    [(CLEAR_WIN, HOLDS, FAILS), (TIE, OPEN, OPEN), (CLEAR_LOSS, FAILS, HOLDS)],
)
def test_fig3_keeping_much_should_win_and_little_lose(interval, much, little):
    assert verdict("fig3", interval, keep=0.7) == much
    assert verdict("fig3", interval, keep=0.5) == little


def test_fig3_says_nothing_between_sixty_and_seventy_percent():
    assert accuracy_trends("fig3", places(keep=0.6), pd.DataFrame([])) == []


@pytest.mark.parametrize(
    ("interval", "three", "four"), [(CLEAR_WIN, FAILS, HOLDS), (TIE, OPEN, OPEN), (CLEAR_LOSS, FAILS, FAILS)]
)
def test_fig4_three_percent_should_equal_and_four_beat_all_examples(interval, three, four):
    assert verdict("fig4", interval, "full", keep=0.7, drop_hardest=0.03) == three
    assert verdict("fig4", interval, "full", keep=0.7, drop_hardest=0.04) == four


@pytest.mark.parametrize("n_repeats", [1, 2])
def test_one_or_two_repeats_decide_nothing(n_repeats):
    assert verdict("fig3", CLEAR_WIN, n_repeats=n_repeats, keep=0.7) == OPEN


def test_what_was_not_measured_is_not_decided():
    differences = pd.DataFrame([difference("ours", "full", CLEAR_WIN)])
    (trend,) = accuracy_trends("fig3", places(keep=0.7), differences)
    assert (trend.verdict, trend.evidence) == (OPEN, "nothing was measured")


def test_a_trend_tells_its_interval():
    differences = pd.DataFrame([difference("ours", "random-keep0.7", CLEAR_WIN)])
    (trend,) = accuracy_trends("fig3", places(keep=0.7), differences)
    assert trend.in_words == ("EL2N, keep 70 %: better than random — holds here: +2.0 points (+1.0 to +3.0).")


def facts_whose_first_step_picks_a_class(n_seeds: int) -> Facts:
    """Of 100 examples of two classes; at the first step all of class b are wrong, at the last none is."""
    labels = np.arange(100) % 2
    right = np.where(labels[:, None] == np.arange(2), 3.0, -3.0)
    logits = np.stack([np.where(labels[:, None] == 1, -right, right), right])
    noise = np.random.default_rng(0).normal(0, 0.5, (n_seeds, 2, 100, 2))
    return Facts(
        examples=pd.DataFrame({"example_id": [f"e{i}" for i in range(100)], "label": list("ab") * 50}),
        classes=("a", "b"),
        labels=labels,
        seeds=tuple(range(n_seeds)),
        steps=(1, 4),
        logits=(logits[None] + noise).astype(np.float32),
        feature_norm=np.ones((n_seeds, 2, 100), np.float32),
        has_bias=True,
        epoch_steps=4,
    )


def test_early_scores_that_pick_a_class_are_found():
    trends = early_label_trends(facts_whose_first_step_picks_a_class(5), top=0.2)
    assert [trend.verdict for trend in trends] == [HOLDS, HOLDS]


def test_one_seed_decides_nothing_of_early_labels():
    trends = early_label_trends(facts_whose_first_step_picks_a_class(1), top=0.2)
    assert [trend.verdict for trend in trends] == [OPEN, OPEN]
    assert trends[0].evidence.startswith("50.0 points, then ")


def test_seeds_are_set_beside_the_papers_and_decide_nothing():
    (trend,) = seed_trends([0.93, 0.94, 0.95], [0.91, 0.92, 0.93])
    assert trend.verdict == OPEN
    assert "0.9400 ± 0.0100 with the mean of 3 here" in trend.evidence
    assert "at 0.9200 with five" in trend.evidence
    (of_five,) = seed_trends([0.93] * 5, [0.93] * 5)
    assert "the model" not in of_five.evidence
