"""Intervals of differences: closed forms, what they must not depend on, and how often they cry wolf."""

from __future__ import annotations

import math

import numpy as np
import pytest

from diet_core.errors import SettingError
from diet_core.scoring.evaluation import macro_f1
from diet_core.scoring.statistics.paired import (
    Interval,
    _macro_f1,
    paired_f1_interval,
    paired_interval,
    repeats_interval,
)
from diet_core.scoring.statistics.paired_words import difference_sentence

T_975 = {2: 4.303, 4: 2.776}  # of Student's t, by degrees of freedom
Z_975 = 1.96


@pytest.fixture
def arms() -> tuple[np.ndarray, np.ndarray]:
    """Three repeats of two arms on 300 test examples, unlike each other."""
    rng = np.random.default_rng(5)
    return rng.random((3, 300)) < 0.8, rng.random((3, 300)) < 0.75


def test_mean_is_the_difference_of_the_accuracies(arms):
    ours, theirs = arms
    found = paired_interval(ours, theirs)
    assert found.mean == pytest.approx(ours.mean() - theirs.mean())
    assert (found.n_repeats, found.n_test) == (3, 300)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)


def test_the_same_seed_gives_the_same_interval_and_another_a_close_one(arms):
    first, again, other = (paired_interval(*arms, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert first.half == pytest.approx(other.half, rel=0.05)


def test_order_of_test_examples_does_not_matter(arms):
    order = np.random.default_rng(1).permutation(300)
    ours, theirs = arms
    assert paired_interval(ours[:, order], theirs[:, order]) == paired_interval(ours, theirs)


def test_order_of_repeats_matters_only_as_pairs(arms):
    ours, theirs = arms
    found = paired_interval(ours[::-1], theirs[::-1])
    assert found.mean == pytest.approx(paired_interval(ours, theirs).mean)
    assert found.half == pytest.approx(paired_interval(ours, theirs).half, rel=0.05)


def test_the_other_way_round_is_the_negative(arms):
    ours, theirs = arms
    there, back = paired_interval(ours, theirs), paired_interval(theirs, ours)
    assert back.mean == -there.mean
    assert back.half == pytest.approx(there.half, rel=0.05)


def test_a_wider_level_gives_a_wider_interval(arms):
    widths = [paired_interval(*arms, level=level).half for level in (0.5, 0.9, 0.95, 0.99)]
    assert widths == sorted(widths)


def test_equal_arms_differ_by_nothing_and_claim_nothing(arms):
    found = paired_interval(arms[0], arms[0])
    assert (found.mean, found.low, found.high) == (0, 0, 0)
    assert not found.is_clear


def test_what_repeats_have_in_common_gives_the_interval_of_the_test_examples():
    """Equal repeats: the chance of the seeds is nothing, that of 400 examples is binomial."""
    d = np.repeat([1, -1, 0], [60, 20, 320])
    found = paired_interval(np.tile(d == 1, (5, 1)), np.tile(d == -1, (5, 1)))
    assert found.mean == pytest.approx(0.1)
    assert found.half == pytest.approx(Z_975 * d.std() / 20, rel=0.03)


@pytest.mark.parametrize("n", [3, 5])
def test_what_differs_between_repeats_gives_students_interval(n):
    """All examples alike within a repeat: test examples add nothing, whichever are drawn."""
    share = np.linspace(0.2, 0.8, n)
    shape = (n, 1000)
    ours = np.broadcast_to(np.arange(1000) / 1000 < share[:, None], shape)
    rng = np.random.default_rng(0)
    shuffled = np.stack([rng.permutation(row) for row in ours])
    found = paired_interval(shuffled, np.zeros(shape, bool))
    expected = T_975[n - 1] * share.std(ddof=1) / math.sqrt(n)
    assert found.half == pytest.approx(expected, rel=0.03)


def test_repeats_that_agree_by_chance_are_not_taken_for_certain():
    """Each repeat differs by 100 of 400, on other examples: no spread, and yet not without an interval."""
    rng = np.random.default_rng(0)
    ours = np.stack([rng.permutation(400) < 300 for _ in range(3)])
    theirs = np.stack([rng.permutation(400) < 200 for _ in range(3)])
    found = paired_interval(ours, theirs)
    assert found.mean == 0.25
    assert 0.01 < found.half < 0.1
    assert found.is_clear


def test_one_repeat_has_the_interval_of_the_test_examples_and_is_never_clear():
    right = np.arange(400) < 300
    found = paired_interval(right[None], np.zeros((1, 400), bool))
    assert found.half == pytest.approx(Z_975 * math.sqrt(0.75 * 0.25 / 400), rel=0.03)
    assert found.excludes_zero
    assert not found.is_clear


def test_two_repeats_are_never_clear():
    found = paired_interval(np.ones((2, 50)), np.zeros((2, 50)))
    assert not found.is_clear


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (np.ones((2, 3)), np.ones((3, 3))),
        (np.ones(3), np.ones(3)),
        (np.ones((0, 3)), np.ones((0, 3))),
        (np.ones((2, 0)), np.ones((2, 0))),
    ],
)
def test_shapes_that_do_not_fit_are_refused(ours, theirs):
    with pytest.raises(SettingError, match="Give the same repeats and test examples"):
        paired_interval(ours, theirs)


# False claims: each model of chance has a true difference of zero. The draws are always the same ones; the
# share of claims among 800 of them lies within 1.5 points of the true one.


def _made(rng: np.random.Generator, n: int, n_test: int, of_seed: float, of_text: float, of_both: float):
    """Two arms without a true difference: what is right depends on seeds, on examples, on both together."""
    base = rng.normal(0.8, 1, n_test)
    arms = []
    for _ in range(2):
        noise = rng.normal(0, of_both, (n, n_test)) + rng.normal(0, of_seed, (n, 1))
        arms.append(base + rng.normal(0, of_text, n_test) + noise > 0)
    return arms


CHANCE = {
    "seeds": (0.1, 0.0, 0.3),
    "texts": (0.0, 0.5, 0.1),
    "single predictions": (0.0, 0.0, 0.7),
    "all of it": (0.05, 0.3, 0.4),
}


@pytest.mark.parametrize("n", [3, 5])
def test_a_true_zero_is_rarely_claimed_to_be_a_difference(n):
    rng = np.random.default_rng(n)
    made = [_made(rng, n, 150, *chance) for chance in CHANCE.values() for _ in range(200)]
    claims = [paired_interval(*arms, draws=200).is_clear for arms in made]
    assert np.mean(claims) <= 0.06


def test_an_interval_over_the_repeats_alone_would_often_cry_wolf():
    """Why test examples are drawn too: two arms that differ on the same texts in each repeat."""
    rng = np.random.default_rng(3)
    made = [_made(rng, 5, 300, *CHANCE["texts"]) for _ in range(200)]
    claims = [repeats_interval(ours.mean(axis=1), theirs.mean(axis=1)).is_clear for ours, theirs in made]
    assert np.mean(claims) > 0.3


def test_a_true_difference_is_found():
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(50):
        ours, theirs = _made(rng, 3, 2000, 0.0, 0.1, 0.3)
        better = ours | (rng.random(ours.shape) < 0.2)
        found += paired_interval(better, theirs, draws=300).is_clear
    assert found >= 45


# Macro-F1.


def test_macro_f1_of_counts_is_that_of_the_repeated_examples():
    rng = np.random.default_rng(2)
    labels, predicted = rng.integers(0, 4, (2, 30))
    n = rng.integers(0, 4, (5, 30))
    expected = [macro_f1(np.repeat(predicted, row), np.repeat(labels, row)) for row in n]
    assert _macro_f1(n, labels, predicted).tolist() == pytest.approx(expected)


def test_f1_interval_is_that_of_a_slow_bootstrap():
    """One repeat, so that only the test examples are drawn: by their numbers, one draw at a time."""
    rng = np.random.default_rng(6)
    labels = rng.integers(0, 3, 150)
    ours, theirs = (np.where(rng.random(150) < p, labels, rng.integers(0, 3, 150)) for p in (0.8, 0.6))

    def difference(rows):
        return macro_f1(ours[rows], labels[rows]) - macro_f1(theirs[rows], labels[rows])

    drawn = np.array([difference(rng.integers(0, 150, 150)) for _ in range(2000)])
    found = paired_f1_interval(ours[None], theirs[None], labels)
    assert found.mean == pytest.approx(difference(np.arange(150)))
    assert found.half == pytest.approx(np.quantile(np.abs(drawn - drawn.mean()), 0.95), rel=0.06)


def test_f1_interval_is_that_of_the_accuracy_where_both_are_the_same():
    """Two balanced classes with as many errors in each: macro-F1 is nearly the accuracy."""
    rng = np.random.default_rng(8)
    labels = np.arange(1000) % 2
    ours, theirs = (np.where(rng.random((3, 1000)) < p, labels, 1 - labels) for p in (0.9, 0.8))
    f1, accuracy = paired_f1_interval(ours, theirs, labels), paired_interval(ours == labels, theirs == labels)
    assert f1.mean == pytest.approx(accuracy.mean, abs=0.002)
    assert f1.half == pytest.approx(accuracy.half, rel=0.1)


def test_f1_interval_wants_a_label_for_each_example():
    with pytest.raises(SettingError, match="Give one label for each of 3 examples"):
        paired_f1_interval([[0, 1, 1]], [[0, 0, 1]], [0, 1])


# Over the repeats alone.


def test_repeats_interval_is_students():
    found = repeats_interval([0.82, 0.84, 0.86], [0.80, 0.81, 0.82])
    assert found.half == pytest.approx(4.303 * 0.01 / math.sqrt(3), rel=0.02)
    assert found.is_clear
    assert found.n_test == 0


def test_repeats_interval_of_one_repeat_knows_nothing():
    found = repeats_interval([0.9], [0.1])
    assert math.isnan(found.low)
    assert not found.excludes_zero


# Sentences.


def _interval(mean: float, half: float, n_repeats: int = 3, n_test: int = 500) -> Interval:
    return Interval(mean, mean - half, mean + half, n_repeats, n_test)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (_interval(0.008, 0.003), "better than it by 0.8 ± 0.3 points."),
        (_interval(-0.0123, 0.004), "worse than it by 1.2 ± 0.4 points."),
        (_interval(0.001, 0.003), "not distinguishable from it (−0.2 to +0.4)."),
        (_interval(-0.5, 0.5001), "not distinguishable from it (−100.0 to 0.0)."),
        (_interval(0.0004, 0.0003), "better than it by 0.04 ± 0.03 points."),
        (_interval(0.00842, 0.00838), "better than it by 0.842 ± 0.838 points."),
        (_interval(0.03, 0.01, n_repeats=2), "3.0 points above it in two repeats, too few to be sure."),
        (_interval(-0.03, 0.01, n_repeats=1), "3.0 points below it in one repeat, too few to be sure."),
        (_interval(0.0001, 0.01, n_repeats=1), "level with it in one repeat, too few to be sure."),
        (_interval(0, 0), "not distinguishable from it (equal in each repeat)."),
        (_interval(0.02, 0), "not distinguishable from it (+2.0 in each repeat)."),
        (
            _interval(0.02, 0.01, n_test=0),
            "better than it by 2.0 ± 1.0 points, the choice of test examples left out.",
        ),
    ],
)
def test_a_sentence_claims_what_its_interval_allows(found, said):
    sentence = difference_sentence("EL2N", [("it", found)])
    assert sentence == f"EL2N: {said}"
    assert ("better" in sentence or "worse" in sentence) == found.is_clear


def test_a_sentence_has_a_part_for_each_reference_and_names_the_metric():
    found = [("random", _interval(0.008, 0.003)), ("all", _interval(0.001, 0.003)), ("none", None)]
    assert difference_sentence("EL2N", found, "macro-F1") == (
        "EL2N (macro-F1): better than random by 0.8 ± 0.3 points; "
        "not distinguishable from all (−0.2 to +0.4)."
    )


def test_a_sentence_without_intervals_says_so():
    assert difference_sentence("EL2N", []) == "EL2N: there is nothing to compare yet."
