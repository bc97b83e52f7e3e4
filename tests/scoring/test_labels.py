"""Suspicion and suggestion, with cleanlab as the oracle of one seed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cleanlab.rank import get_self_confidence_for_each_label

from diet_core.errors import SettingError
from diet_core.scoring.dynamics import confidence, label_probs
from diet_core.scoring.el2n import el2n, log_softmax
from diet_core.scoring.label_confusions import label_confusions, true_class_probs
from diet_core.scoring.labels import (
    label_error,
    mean_probs,
    self_confidence,
    suggested_labels,
)


def random_case(n_runs=3, n_examples=50, n_classes=4, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (n_runs, n_examples, n_classes)).astype(np.float32)
    return logits, rng.integers(0, n_classes, n_examples)


def test_mean_probs_is_the_mean_of_the_softmax():
    logits = [[[math.log(3), 0.0]], [[0.0, 0.0]]]
    np.testing.assert_allclose(mean_probs(logits), [[0.625, 0.375]], rtol=1e-14)


def test_mean_probs_sum_to_one():
    logits, _ = random_case()
    probs = mean_probs(logits)
    assert probs.shape == (50, 4)
    np.testing.assert_allclose(probs.sum(axis=1), 1, rtol=1e-14)


def test_suspicion_is_one_less_the_posterior_of_the_label():
    logits, labels = random_case()
    probs = mean_probs(logits)
    confusions = label_confusions(probs, labels)
    for p, label, doubt in zip(probs, labels, label_error(logits, labels), strict=True):
        posterior = [p[k] * confusions[label, k] for k in range(4)]
        assert math.isclose(doubt, 1 - posterior[label] / sum(posterior), rel_tol=1e-9)


def test_self_confidence_is_cleanlabs():
    logits, labels = random_case()
    probs = mean_probs(logits)
    np.testing.assert_allclose(
        self_confidence(probs, labels), get_self_confidence_for_each_label(labels, probs), atol=1e-9
    )


def test_self_confidence_is_the_confidence_of_the_last_checkpoint():
    logits, labels = random_case()
    np.testing.assert_allclose(
        self_confidence(mean_probs(logits), labels),
        confidence(label_probs(logits[:, None], labels)),
        atol=1e-14,
    )


def test_even_confusions_rank_as_self_confidence():
    logits, labels = random_case()
    probs = mean_probs(logits)
    even = np.full((4, 4), 0.1) + 0.6 * np.eye(4)
    posterior = true_class_probs(probs, labels, even)[np.arange(50), labels]
    assert (np.argsort(posterior) == np.argsort(self_confidence(probs, labels))).all()


def test_label_error_with_even_confusions_ranks_as_self_confidence():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 5, 4000)
    labels = np.where(rng.random(4000) < 0.2, rng.integers(0, 5, 4000), true)
    logits = (4 * np.eye(5)[true] + rng.normal(0, 1, (4000, 5)))[None]
    doubt, confident = label_error(logits, labels), self_confidence(mean_probs(logits), labels)
    assert (np.diff(doubt[np.argsort(-confident, kind="stable")]) >= -1e-12).all()


def test_label_error_of_two_classes_with_equal_confusions_ranks_as_el2n():
    logits, labels = random_case(n_runs=1, n_classes=2)
    logits = np.concatenate([logits, logits[..., ::-1]], axis=1)  # each class is what the other is
    labels = np.concatenate([labels, 1 - labels])
    order = np.argsort(el2n(logits, labels), kind="stable")
    assert (np.diff(label_error(logits, labels)[order]) >= -1e-12).all()


def test_label_error_keeps_the_order_of_the_least_suspicious():
    gaps = np.linspace(1, 300, 200)
    logits = np.stack([np.stack([gaps, np.zeros(200)], axis=1)])
    doubt = label_error(np.concatenate([logits, logits[..., ::-1]], axis=1), np.repeat([0, 1], 200))[:200]
    assert (np.diff(doubt) < 0).all()
    assert (doubt > 0).all()


def test_label_error_lies_between_zero_and_one():
    doubt = label_error([[[900.0, 0.0], [900.0, 0.0], [0.0, 900.0]]], [0, 1, 1])
    assert doubt.tolist() == [0.0, 1.0, 0.0]


def test_label_error_refuses_labels_that_are_no_class_numbers():
    with pytest.raises(SettingError, match="example 1 is 2"):
        label_error(np.zeros((1, 2, 2)), [0, 2])


def test_label_error_names_a_logit_that_is_not_finite():
    with pytest.raises(SettingError, match="example 1 in run 0"):
        label_error([[[0.0, 1.0], [np.nan, 0.0]]], [0, 1])


def test_suggestion_is_the_most_likely_other_class():
    classes, probabilities = suggested_labels([[0.7, 0.1, 0.2], [0.7, 0.1, 0.2], [0.1, 0.6, 0.3]], [0, 1, 2])
    assert classes.tolist() == [2, 0, 1]
    assert probabilities.tolist() == [0.2, 0.7, 0.6]


def test_suggestion_is_never_the_given_label():
    logits, labels = random_case()
    probs = np.exp(log_softmax(logits))[0]
    classes, probabilities = suggested_labels(probs, labels)
    assert (classes != labels).all()
    for row, (label, best) in enumerate(zip(labels, probabilities, strict=True)):
        assert best == max(p for k, p in enumerate(probs[row]) if k != label)


def test_suggestion_of_a_tie_is_the_first_other_class():
    assert suggested_labels([[0.25, 0.25, 0.25, 0.25]] * 2, [0, 2])[0].tolist() == [1, 0]


def test_suggestion_leaves_the_probabilities_alone():
    probs = np.array([[0.7, 0.3]])
    suggested_labels(probs, [0])
    assert probs.tolist() == [[0.7, 0.3]]
