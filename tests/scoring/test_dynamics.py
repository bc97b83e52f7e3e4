"""AUM, the data map's coordinates and forgetting, by hand and against slow loops."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from diet_core.errors import SettingError
from diet_core.scoring import dynamics
from diet_core.scoring.dynamics import checked_checkpoints, label_probs, margins


def is_right(logits, labels):
    z, y = checked_checkpoints(logits, labels)
    return z.argmax(axis=-1) == y


def aum(logits, labels):
    return dynamics.aum(margins(logits, labels))


def confidence(logits, labels):
    return dynamics.confidence(label_probs(logits, labels))


def variability(logits, labels):
    return dynamics.variability(label_probs(logits, labels))


def correctness(logits, labels):
    return dynamics.correctness(is_right(logits, labels))


def forgetting(logits, labels):
    return dynamics.forgetting(is_right(logits, labels))


def never_learned(logits, labels):
    return dynamics.never_learned(is_right(logits, labels))


SCORES = [
    aum,
    confidence,
    correctness,
    forgetting,
    is_right,
    label_probs,
    margins,
    never_learned,
    variability,
]


def random_case(n_seeds=2, n_steps=5, n_examples=30, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (n_seeds, n_steps, n_examples, n_classes)).astype(np.float32)
    return logits, rng.integers(0, n_classes, n_examples)


def checkpoints(sequence: str) -> list:
    """Logits of one seed and one example of class 0: R is a right checkpoint, W a wrong one."""
    return [[[1.0, 0.0] if right == "R" else [0.0, 1.0]] for right in sequence]


def with_prob(p: float) -> list[float]:
    """Logits that give class 0 the probability p."""
    return [math.log(p), math.log(1 - p)]


def test_margins_are_those_of_the_aum_packages_own_test():
    """Example b is seen with label 0, then with label 2: its margin is 1 both times."""
    assert margins([[[[1.0, 2.0, 3.0], [6.0, 5.0, 4.0]]]], [1, 0]).tolist() == [[[-1.0, 1.0]]]
    assert margins([[[[7.0, 8.0, 9.0], [12.0, 11.0, 10.0]]]], [2, 1]).tolist() == [[[1.0, -1.0]]]


def test_aum_is_the_mean_margin_over_checkpoints():
    logits = [[[[1.0, 2.0, 3.0]], [[4.0, 2.0, 1.0]], [[0.0, 9.0, 3.0]]]]
    assert aum(logits, [0]).tolist() == [(-2.0 + 2.0 - 9.0) / 3]


def test_margin_of_a_batch_of_one_keeps_its_axis():
    assert margins([[[[5.0, 3.0]]]], [0]).tolist() == [[[2.0]]]
    assert aum([[[[5.0, 3.0]]]], [0]).tolist() == [2.0]


def test_margin_takes_the_runner_up_where_the_label_is_on_top():
    """A margin against the largest logit of all would be 0 for every right prediction."""
    assert margins([[[[9.0, 7.0, 1.0]]]], [0]).tolist() == [[[2.0]]]


def test_margin_takes_the_top_where_the_label_is_second():
    """A margin against the second largest logit would compare the label with itself."""
    assert margins([[[[9.0, 7.0, 1.0]]]], [1]).tolist() == [[[-2.0]]]


def test_margin_of_a_tie_is_zero():
    assert margins([[[[4.0, 4.0, 1.0]]]], [0]).tolist() == [[[0.0]]]


def test_margins_equal_the_slow_loop():
    logits, labels = random_case()
    slow = [
        [
            [
                float(z[y]) - max(float(v) for k, v in enumerate(z) if k != y)
                for z, y in zip(step, labels, strict=True)
            ]
            for step in seed
        ]
        for seed in logits
    ]
    np.testing.assert_array_equal(margins(logits, labels), slow)
    np.testing.assert_allclose(aum(logits, labels), np.mean(slow, axis=(0, 1)), rtol=1e-12)


def test_margins_leave_the_logits_alone():
    logits = np.zeros((1, 1, 2, 2))
    margins(logits, [0, 1])
    assert (logits == 0).all()


def test_label_probs_are_the_softmax_of_the_label():
    logits = [[[with_prob(0.25), with_prob(0.9)]]]
    np.testing.assert_allclose(label_probs(logits, [0, 1]), [[[0.25, 0.1]]], rtol=1e-14)


def test_confidence_is_the_mean_over_checkpoints_and_seeds():
    logits = [[[with_prob(0.2)], [with_prob(0.4)]], [[with_prob(0.6)], [with_prob(0.9)]]]
    np.testing.assert_allclose(confidence(logits, [0]), [0.525], rtol=1e-14)


def test_variability_is_the_population_std():
    """Of 0.2 and 0.6: 0.2, where the sample std would be 0.283."""
    np.testing.assert_allclose(variability([[[with_prob(0.2)], [with_prob(0.6)]]], [0]), [0.2], rtol=1e-13)


def test_variability_is_taken_per_seed_then_averaged():
    """Two seeds that never move, at 0.1 and 0.9, vary by nothing; pooled they would vary by 0.4."""
    still = [[[with_prob(p)], [with_prob(p)]] for p in (0.1, 0.9)]
    np.testing.assert_allclose(variability(still, [0]), [0.0], atol=1e-15)
    moving = [[[with_prob(0.2)], [with_prob(0.6)]], [[with_prob(0.3)], [with_prob(0.5)]]]
    np.testing.assert_allclose(variability(moving, [0]), [0.15], rtol=1e-13)


def test_variability_is_at_most_one_half():
    assert variability([[[[800.0, 0.0]], [[0.0, 800.0]]]], [0]).tolist() == [0.5]


def test_one_checkpoint_has_no_variability_and_no_forgetting():
    logits, labels = random_case(n_steps=1)
    assert np.isnan(variability(logits, labels)).all()
    assert np.isnan(forgetting(logits, labels)).all()
    assert np.isfinite(confidence(logits, labels)).all()
    assert np.isfinite(aum(logits, labels)).all()


@pytest.mark.parametrize(
    ("sequence", "count"),
    [("RR", 0), ("RW", 1), ("WR", 0), ("WW", 0), ("RWRW", 2), ("RWWWR", 1), ("WRWRWR", 2), ("RRRRW", 1)],
)
def test_forgetting_counts_right_to_wrong(sequence, count):
    assert forgetting([checkpoints(sequence)], [0]).tolist() == [count]


def test_forgetting_is_the_mean_over_seeds():
    assert forgetting([checkpoints("RWRW"), checkpoints("RRRW")], [0]).tolist() == [1.5]


def test_forgetting_does_not_run_on_from_one_seed_to_the_next():
    assert forgetting([checkpoints("WR"), checkpoints("WR")], [0]).tolist() == [0.0]


def test_never_learned_is_a_flag_apart_from_forgetting():
    logits = [checkpoints("WWW"), checkpoints("WWW")]
    assert forgetting(logits, [0]).tolist() == [0.0]
    assert never_learned(logits, [0]).tolist() == [True]


def test_never_learned_needs_every_seed_and_checkpoint_to_be_wrong():
    assert never_learned([checkpoints("WWW"), checkpoints("WRW")], [0]).tolist() == [False]


def test_never_learned_is_known_from_one_checkpoint():
    assert never_learned([checkpoints("W")], [0]).tolist() == [True]
    assert never_learned([checkpoints("W")], [0]).dtype == np.bool_


def test_correctness_is_the_share_of_right_checkpoints():
    assert correctness([checkpoints("RWWW"), checkpoints("RRWW")], [0]).tolist() == [0.375]


def test_is_right_gives_a_tie_to_the_first_class_as_argmax_does():
    assert is_right([[[[1.0, 1.0], [1.0, 1.0]]]], [0, 1]).tolist() == [[[True, False]]]


def test_dynamics_equal_slow_loops():
    logits, labels = random_case()
    right = [
        [[int(z.argmax()) == y for z, y in zip(step, labels, strict=True)] for step in seed]
        for seed in logits
    ]
    for i in range(len(labels)):
        sequences = [[step[i] for step in seed] for seed in right]
        forgotten = [sum(a and not b for a, b in pairwise(s)) for s in sequences]
        assert forgetting(logits, labels)[i] == np.mean(forgotten)
        assert correctness(logits, labels)[i] == pytest.approx(np.mean(sequences))
        assert never_learned(logits, labels)[i] == (not any(map(any, sequences)))


@pytest.mark.parametrize("score", [aum, confidence, correctness, forgetting, never_learned, variability])
def test_dynamics_follow_a_permutation_of_the_examples(score):
    logits, labels = random_case()
    order = np.random.default_rng(1).permutation(len(labels))
    np.testing.assert_allclose(score(logits[:, :, order], labels[order]), score(logits, labels)[order])


@pytest.mark.parametrize("score", [aum, confidence, correctness, forgetting, never_learned, variability])
def test_dynamics_ignore_a_shift_of_all_logits(score):
    logits, labels = random_case()
    np.testing.assert_allclose(score(logits + np.float64(7), labels), score(logits, labels), atol=1e-12)


@pytest.mark.parametrize("score", SCORES)
def test_dynamics_need_the_axis_of_the_checkpoints(score):
    with pytest.raises(SettingError, match=r"\(2, 3, 4\).*n_seeds, n_steps, n_examples, n_classes"):
        score(np.zeros((2, 3, 4)), [0, 1, 2])


@pytest.mark.parametrize("score", SCORES)
def test_dynamics_refuse_labels_that_do_not_fit(score):
    with pytest.raises(SettingError, match="label"):
        score(np.zeros((1, 2, 3, 4)), [0, 1])
    with pytest.raises(SettingError, match="example 2 is 4"):
        score(np.zeros((1, 2, 3, 4)), [0, 1, 4])


def test_dynamics_name_the_example_of_a_logit_that_is_not_finite():
    logits = np.zeros((2, 3, 4, 2))
    logits[1, 2, 3, 0] = np.nan
    with pytest.raises(SettingError, match=r"example 3 .* not finite"):
        aum(logits, [0, 0, 0, 0])
