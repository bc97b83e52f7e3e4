"""EL2N and GraNd against closed forms, a slow oracle, autograd and each other."""

from __future__ import annotations

import math
from decimal import Decimal, getcontext

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn.functional import cross_entropy

from diet_core.errors import SettingError
from diet_core.scoring.el2n import el2n, error_norms, grand, lengths_of, log_softmax

SQRT2 = math.sqrt(2)
LOGITS = st.floats(-30, 30, allow_nan=False, width=32)


def slow_error_norm(logits: list[float], label: int) -> float:
    """‖softmax(z) − one-hot(y)‖₂ in 60 decimal digits: no trick is needed."""
    getcontext().prec = 60
    powers = [Decimal(z).exp() for z in logits]
    error = [p / sum(powers) - (k == label) for k, p in enumerate(powers)]
    return float(sum(e * e for e in error).sqrt())


def random_case(n_runs=3, n_examples=40, n_classes=4, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 4, (n_runs, n_examples, n_classes)).astype(np.float32)
    return logits, rng.integers(0, n_classes, n_examples)


@pytest.mark.parametrize(
    ("logits", "label", "expected"),
    [
        ([0.0, 0.0], 0, math.sqrt(1 / 2)),
        ([0.0, 0.0, 0.0], 2, math.sqrt(2 / 3)),
        ([0.0, 0.0, 0.0, 0.0], 1, math.sqrt(3 / 4)),
        ([math.log(3), 0.0], 0, SQRT2 / 4),  # p = (¾, ¼)
        ([math.log(3), 0.0], 1, SQRT2 * 3 / 4),
        ([math.log(2), 0.0, 0.0], 0, math.sqrt(1 / 4 + 1 / 16 + 1 / 16)),  # p = (½, ¼, ¼)
        ([0.0, math.log(2), 0.0], 0, math.sqrt(9 / 16 + 1 / 4 + 1 / 16)),
        ([200.0, 0.0], 1, SQRT2),
        ([1000.0, 0.0], 0, 0.0),
    ],
)
def test_el2n_has_its_closed_form(logits, label, expected):
    assert el2n([[logits]], [label])[0] == pytest.approx(expected, rel=1e-14, abs=1e-80)


def test_el2n_equals_the_slow_oracle():
    logits, labels = random_case()
    slow = [
        np.mean([slow_error_norm(run[i].tolist(), label) for run in logits])
        for i, label in enumerate(labels.tolist())
    ]
    np.testing.assert_allclose(el2n(logits, labels), slow, rtol=1e-12)


@settings(deadline=None)
@given(arrays(np.float32, (2, 5, 3), elements=LOGITS), arrays(np.int64, 5, elements=st.integers(0, 2)))
def test_el2n_lies_between_zero_and_the_root_of_two(logits, labels):
    scores = el2n(logits, labels)
    assert scores.shape == (5,)
    assert (scores >= 0).all()
    assert (scores <= SQRT2 * (1 + 1e-15)).all()


@settings(deadline=None)
@given(arrays(np.float32, (1, 6, 2), elements=LOGITS), arrays(np.int64, 6, elements=st.integers(0, 1)))
def test_el2n_of_two_classes_is_the_scaled_doubt(logits, labels):
    log_p = log_softmax(logits)[0, np.arange(6), labels]
    np.testing.assert_allclose(el2n(logits, labels), SQRT2 * -np.expm1(log_p), rtol=1e-12)


@settings(deadline=None)
@given(
    arrays(np.float32, (2, 4, 3), elements=st.integers(-9, 9).map(float)),
    st.integers(-1000, 1000).map(float),
)
def test_el2n_ignores_a_shift_of_all_logits(logits, shift):
    labels = [0, 1, 2, 0]
    np.testing.assert_array_equal(el2n(logits + np.float32(shift), labels), el2n(logits, labels))


def test_el2n_follows_a_permutation_of_the_examples():
    logits, labels = random_case()
    order = np.random.default_rng(1).permutation(len(labels))
    np.testing.assert_array_equal(el2n(logits[:, order], labels[order]), el2n(logits, labels)[order])


def test_el2n_ignores_a_permutation_of_the_classes():
    logits, labels = random_case()
    order = np.array([2, 0, 3, 1])
    renamed = np.argsort(order)[labels]
    np.testing.assert_allclose(el2n(logits[..., order], renamed), el2n(logits, labels), rtol=1e-14)


def test_el2n_of_an_example_does_not_depend_on_its_company():
    logits, labels = random_case()
    alone = [el2n(logits[:, i : i + 1], labels[i : i + 1])[0] for i in range(len(labels))]
    np.testing.assert_array_equal(alone, el2n(logits, labels))


def test_el2n_is_the_mean_of_the_norms_not_the_norm_of_the_mean():
    """Two sure runs that contradict each other: (0 + √2) / 2, where the mean error has length √½."""
    assert el2n([[[200.0, 0.0]], [[0.0, 200.0]]], [0])[0] == pytest.approx(SQRT2 / 2, rel=1e-14)


def test_el2n_is_the_mean_of_its_runs():
    logits, labels = random_case()
    norms = error_norms(logits, labels)
    assert norms.shape == (3, 40)
    np.testing.assert_allclose(el2n(logits, labels), norms.mean(axis=0), rtol=1e-15)
    np.testing.assert_array_equal(norms[1], el2n(logits[1], labels))


def test_el2n_of_the_easiest_examples_keeps_their_order():
    """p_y within 1e-12 of 1 and beyond: 1 − p_y in float64 would give equal scores, then zeros."""
    gaps = np.linspace(28, 300, 500)
    scores = el2n(np.stack([gaps, np.zeros(500)], axis=1), np.zeros(500, dtype=int))
    assert (np.diff(scores) < 0).all()
    assert scores[0] < 1e-11
    np.testing.assert_allclose(scores, SQRT2 / (1 + np.exp(gaps)), rtol=1e-12)


def test_el2n_of_the_hardest_examples_equals_the_slow_oracle():
    logits = [[-gap, 0.0, 1.0] for gap in (20.0, 30.0, 36.0)]
    slow = [slow_error_norm(z, 0) for z in logits]
    np.testing.assert_allclose(el2n(logits, [0, 0, 0]), slow, rtol=1e-15)


def test_el2n_takes_one_run_without_its_axis():
    logits, labels = random_case(n_runs=1)
    np.testing.assert_array_equal(el2n(logits[0], labels), el2n(logits, labels))


def test_el2n_computes_in_float64_whatever_comes_in():
    logits, labels = random_case()
    assert el2n(logits.astype(np.float32), labels).dtype == np.float64
    np.testing.assert_array_equal(el2n(logits, labels), el2n(logits.astype(np.float64), labels))


def test_el2n_leaves_its_arguments_alone():
    logits, labels = random_case()
    before = logits.astype(np.float64), labels.copy()
    given_logits = before[0].copy()
    el2n(given_logits, labels)
    np.testing.assert_array_equal(given_logits, before[0])
    np.testing.assert_array_equal(labels, before[1])


def test_el2n_of_no_examples_is_empty():
    assert el2n(np.empty((2, 0, 3)), np.empty(0, dtype=int)).shape == (0,)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_el2n_names_run_and_example_of_a_logit_that_is_not_finite(value):
    logits, labels = random_case()
    logits[2, 17, 1] = value
    with pytest.raises(SettingError, match=r"example 17 in run 2 are not finite.*lower learning rate"):
        el2n(logits, labels)


@pytest.mark.parametrize(
    ("labels", "example", "value"),
    [
        ([0, 1, 4], 2, "4"),
        ([0, -1, 9], 1, "-1"),
        (["neg", "pos", "neg"], 0, "'neg'"),
        ([0.0, 1.0, 2.0], 0, "0.0"),
        ([True, False, True], 0, "True"),
        (np.array([None, 1, 2], dtype=object), 0, "None"),
    ],
)
def test_el2n_names_a_label_that_is_no_class_number(labels, example, value):
    with pytest.raises(SettingError) as caught:
        el2n(np.zeros((1, 3, 4)), labels)
    assert str(caught.value) == (
        f"The label of example {example} is {value}. Give class numbers, whole numbers from 0 to 3."
    )


@pytest.mark.parametrize(
    ("shape", "n_labels"), [((3,), 3), ((1, 3, 4), 2), ((3, 4), 4), ((1, 1, 3, 4), 3), ((3, 1, 4), 3)]
)
def test_el2n_names_shapes_that_do_not_fit(shape, n_labels):
    with pytest.raises(SettingError) as caught:
        el2n(np.zeros(shape), np.zeros(n_labels, dtype=int))
    assert str(shape) in str(caught.value)
    assert f"({n_labels},)" in str(caught.value)


def test_log_softmax_sums_to_one_and_does_not_overflow():
    logits = np.array([[1e4, 0.0, -1e4], [1e-3, 0.0, 0.0]])
    log_p = log_softmax(logits)
    np.testing.assert_allclose(np.exp(log_p).sum(axis=-1), 1, rtol=1e-15)
    assert log_p[0].tolist() == [0.0, -1e4, -2e4]


@pytest.mark.parametrize(("bias", "expected"), [(True, SQRT2 / 2 * math.sqrt(26)), (False, SQRT2 / 2 * 5)])
def test_grand_has_its_closed_form(bias, expected):
    """δ = (−½, ½) and h = (3, 4)."""
    assert grand([[[0.0, 0.0]]], [0], [[5.0]], bias)[0] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("bias", [True, False])
def test_grand_equals_autograd_on_a_linear_layer(bias):
    torch.manual_seed(0)
    classifiers = [torch.nn.Linear(7, 4, bias=bias).double() for _ in range(2)]
    features = torch.randn(2, 11, 7, dtype=torch.float64)
    labels = torch.arange(11) % 4
    logits = torch.stack([c(h) for c, h in zip(classifiers, features, strict=True)])

    def length(run: int, i: int) -> float:
        loss = cross_entropy(classifiers[run](features[run, i]), labels[i])
        gradients = torch.autograd.grad(loss, list(classifiers[run].parameters()))
        return math.sqrt(sum(float((g**2).sum()) for g in gradients))

    expected = [np.mean([length(run, i) for run in range(2)]) for i in range(11)]
    norms = features.norm(dim=-1).numpy()
    actual = grand(logits.detach().numpy(), labels.numpy(), norms, bias)
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_grand_is_the_mean_of_its_runs():
    logits, labels = random_case()
    norms = np.random.default_rng(1).uniform(1, 9, (3, 40))
    lengths = lengths_of(error_norms(logits, labels), norms)
    assert lengths.shape == (3, 40)
    np.testing.assert_allclose(grand(logits, labels, norms), lengths.mean(axis=0), rtol=1e-15)
    np.testing.assert_array_equal(lengths[2], grand(logits[2], labels, norms[2]))


def test_grand_of_one_run_takes_feature_norms_without_their_axis():
    logits, labels = random_case(n_runs=1)
    norms = np.linspace(1, 2, 40)
    np.testing.assert_array_equal(grand(logits[0], labels, norms), grand(logits, labels, norms[None]))


def test_grand_ranks_as_el2n_where_all_features_are_equally_long():
    logits, labels = random_case()
    np.testing.assert_allclose(
        grand(logits, labels, np.full((3, 40), 2.0), bias=False), 2 * el2n(logits, labels), rtol=1e-14
    )


@pytest.mark.parametrize("shape", [(40,), (2, 40), (3, 39), (3, 40, 1)])
def test_grand_names_feature_norms_of_a_wrong_shape(shape):
    logits, labels = random_case()
    with pytest.raises(SettingError) as caught:
        grand(logits, labels, np.ones(shape))
    assert str(shape) in str(caught.value)
    assert "(3, 40)" in str(caught.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_grand_names_a_feature_norm_that_is_no_length(value):
    logits, labels = random_case()
    norms = np.ones((3, 40))
    norms[1, 6] = value
    with pytest.raises(SettingError, match="example 6 in run 1"):
        grand(logits, labels, norms)


def test_grand_refuses_what_el2n_refuses():
    logits, labels = random_case()
    with pytest.raises(SettingError, match="from 0 to 3"):
        grand(logits, labels + 4, np.ones((3, 40)))
