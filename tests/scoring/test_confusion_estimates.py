"""The confusions between classes: counted by slow, obvious loops, and found again where they were planted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cleanlab.count import compute_confident_joint
from hypothesis import given, settings
from hypothesis import strategies as st

from diet_core.errors import SettingError
from diet_core.scoring.label_confusions import (
    concentration,
    confident_confusions,
    confident_joint,
    label_confusions,
    true_class_probs,
)


def random_case(n_examples=300, n_classes=4, seed=0):
    """Probabilities and labels that mostly agree."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, n_classes, n_examples)
    z = 2 * np.eye(n_classes)[true] + rng.normal(0, 1, (n_examples, n_classes))
    probs = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    labels = np.where(rng.random(n_examples) < 0.15, rng.integers(0, n_classes, n_examples), true)
    return probs, labels


def noisy_case(written_for, rate, n_classes=5, n_examples=6000, seed=0):
    """Sure probabilities, and labels of which some are `written_for` the true class."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, n_classes, n_examples)
    z = 5 * np.eye(n_classes)[true] + rng.normal(0, 1, (n_examples, n_classes))
    probs = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return probs, np.where(rng.random(n_examples) < rate, written_for(true, rng), true)


def following(true, rng):
    return (true + 1) % 5


def evenly(true, rng):
    return (true + rng.integers(1, 5, len(true))) % 5


def test_confusions_are_those_of_the_obvious_loop():
    probs, labels = random_case()
    found = confident_confusions(probs, labels)
    counts, expected, sharp = np.zeros((4, 4)), np.zeros((4, 4)), np.zeros((4, 4))
    thresholds = [np.mean([p[k] for p, y in zip(probs, labels, strict=True) if y == k]) for k in range(4)]
    for p, y in zip(probs, labels, strict=True):
        candidates = [k for k in range(4) if p[k] >= thresholds[k]]
        if not candidates:
            continue
        best = max(candidates, key=lambda k: p[k])
        counts[y, best] += 1
        expected[:, best] += p
        sharp[y, best] += best != y and p[y] < 0.2 * p[best]
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_allclose(found.expected, expected, rtol=1e-12)
    np.testing.assert_array_equal(found.sharp, sharp)
    assert found.n_given.tolist() == np.bincount(labels).tolist()


def test_confident_joint_is_cleanlabs():
    probs, labels = random_case()
    joint = compute_confident_joint(labels, probs, calibrate=True)
    np.testing.assert_allclose(confident_joint(probs, labels), joint, atol=1)  # cleanlab rounds to whole ones


def test_concentration_of_even_errors_is_nought_and_of_one_other_class_each_one():
    even = np.full((4, 4), 1000) - np.diag(np.full(4, 1000))
    assert abs(concentration(even)) < 1e-3
    assert concentration(1000 * np.roll(np.eye(4), 1, axis=0)) == 1
    assert concentration(np.zeros((4, 4))) == 0


def test_concentration_of_few_even_errors_has_no_bias():
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(2000):
        counts = np.zeros((6, 6))
        for true in range(6):
            for _ in range(3):
                counts[(true + rng.integers(1, 6)) % 6, true] += 1
        draws.append(concentration(counts))
    assert abs(np.mean(draws)) < 4 * np.std(draws) / math.sqrt(len(draws))


@settings(max_examples=40, deadline=None)
@given(n_classes=st.integers(2, 30), n_examples=st.integers(1, 60), seed=st.integers(0, 9999))
def test_confusions_are_probabilities_that_rule_nothing_out(n_classes, n_examples, seed):
    confusions = label_confusions(*random_case(n_examples, n_classes, seed))
    np.testing.assert_allclose(confusions.sum(axis=0), 1, rtol=1e-12)
    assert (confusions > 0).all()
    assert np.isfinite(confusions).all()


def test_confusions_find_the_planted_ones():
    confusions = label_confusions(*noisy_case(following, 0.2))
    for true in range(5):
        assert confusions[(true + 1) % 5, true] == pytest.approx(0.2, abs=0.04)
        others = [confusions[s, true] for s in range(5) if s not in (true, (true + 1) % 5)]
        assert max(others) < 0.02


def test_confusions_of_even_errors_are_even():
    confusions = label_confusions(*noisy_case(evenly, 0.2))
    off = confusions[~np.eye(5, dtype=bool)]
    assert off.max() - off.min() < 1e-12
    assert off[0] == pytest.approx(0.05, abs=0.01)


def test_confusions_of_two_classes_keep_their_directions():
    probs, labels = noisy_case(lambda true, rng: np.zeros_like(true), 0.3, n_classes=2)
    confusions = label_confusions(probs, labels)
    assert confusions[0, 1] > 2 * confusions[1, 0]


def test_confusions_do_not_depend_on_the_order_of_the_rows():
    probs, labels = random_case()
    order = np.random.default_rng(1).permutation(len(labels))
    np.testing.assert_allclose(
        label_confusions(probs, labels), label_confusions(probs[order], labels[order]), rtol=1e-9
    )


def test_confusions_follow_the_names_of_the_classes():
    probs, labels = random_case()
    renamed = np.array([2, 0, 3, 1])
    confusions = label_confusions(probs[:, np.argsort(renamed)], renamed[labels])
    np.testing.assert_allclose(
        confusions[np.ix_(renamed, renamed)], label_confusions(probs, labels), rtol=1e-9
    )


def test_true_class_probs_are_bayes_rule():
    probs, labels = random_case(20)
    confusions = label_confusions(probs, labels)
    posterior = true_class_probs(probs, labels, confusions)
    for p, y, found in zip(probs, labels, posterior, strict=True):
        weighed = [p[k] * confusions[y, k] for k in range(4)]
        np.testing.assert_allclose(found, np.array(weighed) / sum(weighed), rtol=1e-12)


@pytest.mark.parametrize(
    ("probs", "labels", "words"),
    [
        ([0.5, 0.5], [0], "shape"),
        ([[0.5, 0.5]], [0, 1], "shape"),
        ([[0.5, 0.5]], [2], "example 0 is 2"),
        ([[1.5, -0.5]], [0], "outside of 0 to 1"),
        ([[np.nan, 1.0]], [0], "outside of 0 to 1"),
        ([[1.0]], [0], "one class only"),
    ],
)
def test_confusions_refuse_what_is_no_classification(probs, labels, words):
    with pytest.raises(SettingError, match=words):
        label_confusions(probs, labels)
