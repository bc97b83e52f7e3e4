"""How good a classifier is on a test split: closed values and slow, obvious versions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diet_core.errors import SettingError
from diet_core.scoring.evaluation import evaluation, macro_f1
from diet_core.worker.evaluations import counting

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


def slow_macro_f1(predicted, labels) -> float:
    """Precision and recall of each class that is named, 0/0 = 0, as scikit-learn defines them."""
    f1 = []
    for k in sorted({*predicted, *labels}):
        right = sum(p == y == k for p, y in zip(predicted, labels, strict=True))
        precision = right / predicted.count(k) if k in predicted else 0
        recall = right / labels.count(k) if k in labels else 0
        f1.append(2 * precision * recall / (precision + recall) if right else 0)
    return sum(f1) / len(f1)


@given(PAIRS)
def test_macro_f1_is_the_mean_of_the_classes_f1(pairs):
    predicted, labels = map(list, zip(*pairs, strict=True))
    assert macro_f1(predicted, labels) == pytest.approx(slow_macro_f1(predicted, labels), abs=1e-12)


def test_macro_f1_by_hand():
    """Class 0: precision 1/2, recall 1; class 1: precision 1, recall 1/2; class 3 is labelled only."""
    assert macro_f1([0, 0, 1, 1], [0, 1, 1, 3]) == pytest.approx((2 / 3 + 2 * 1 / 4 + 0) / 3)


@given(PAIRS)
def test_macro_f1_is_one_for_the_labels_themselves(pairs):
    labels = [y for _, y in pairs]
    assert macro_f1(labels, labels) == 1


def test_macro_f1_leaves_out_classes_that_nobody_names():
    assert macro_f1([0, 7], [0, 7]) == 1
    assert macro_f1([], []) is None


def test_macro_f1_of_other_shapes_is_refused():
    with pytest.raises(SettingError, match=r"predicted has the shape \(2,\) and labels \(3,\)"):
        macro_f1([0, 1], [0, 1, 1])


def test_an_evaluation_says_what_the_logits_predict():
    logits = np.log([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.1, 0.6, 0.3]])
    found = evaluation(logits, [0, 1, 1, 1], ["a", "b", "c"])
    assert found["accuracy"] == 0.75
    assert found["loss"] == pytest.approx(-np.log([0.7, 0.5, 0.3, 0.6]).mean())
    assert found["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert found["per_class_recall"] == {"a": 1.0, "b": pytest.approx(2 / 3), "c": None}


def test_an_evaluation_of_nothing_knows_nothing():
    found = evaluation(np.empty((0, 2)), [], ["a", "b"])
    assert found == {
        "accuracy": None,
        "loss": None,
        "macro_f1": None,
        "per_class_recall": {"a": None, "b": None},
    }


FOUND = [
    {"step": 1, "accuracy": 0.5, "heldout_accuracy": 0.8},
    {"step": 2, "accuracy": 0.9, "heldout_accuracy": 0.7},
    {"step": 3, "accuracy": 0.9, "heldout_accuracy": 0.8},
    {"step": 4, "accuracy": 0.7, "heldout_accuracy": 0.6},
]


@pytest.mark.parametrize(("choose", "step"), [("last", 4), ("heldout", 1), ("best", 2)])
def test_the_evaluation_that_counts_is_the_last_or_the_earliest_of_the_best(choose, step):
    assert counting(FOUND, choose)["step"] == step


@pytest.mark.parametrize("choose", ["heldout", "best"])
def test_without_examples_to_choose_by_the_last_evaluation_counts(choose):
    found = [{"step": step, "accuracy": None, "heldout_accuracy": None} for step in (1, 2)]
    assert counting(found, choose)["step"] == 2
