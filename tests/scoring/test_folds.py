"""Which fold an example is in: even, the same on every machine, and never apart from its repeats."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diet_core.errors import SettingError
from diet_core.scoring.folds import checked_folds, fold_numbers, unseen_classes, unseen_in_words

LABELS = st.lists(st.sampled_from("abcd"), min_size=20, max_size=90)
FOLDS = st.integers(2, 20)
SEEDS = st.integers(0, 5)


def ids(n: int) -> list[str]:
    return [f"id-{i}" for i in range(n)]


def per_fold(numbers: np.ndarray, folds: int) -> list[int]:
    return np.bincount(numbers - 1, minlength=folds).tolist()


@settings(deadline=None)
@given(LABELS, FOLDS, SEEDS)
def test_fold_numbers_are_even_within_each_class_and_in_all(labels, folds, seed):
    numbers = fold_numbers(labels, ids(len(labels)), folds, seed)
    assert numbers.min() >= 1
    assert numbers.max() <= folds
    for label in set(labels):
        counts = per_fold(numbers[np.array(labels) == label], folds)
        assert max(counts) - min(counts) <= 1
    sizes = per_fold(numbers, folds)
    assert max(sizes) - min(sizes) <= 1


@settings(deadline=None)
@given(LABELS, FOLDS, SEEDS, st.randoms(use_true_random=False))
def test_fold_numbers_ignore_the_order_of_the_rows(labels, folds, seed, random):
    n = len(labels)
    texts = [f"text {i % 25}" for i in range(n)]
    order = random.sample(range(n), n)
    whole = fold_numbers(labels, ids(n), folds, seed, texts)
    shuffled = fold_numbers(
        [labels[i] for i in order], [f"id-{i}" for i in order], folds, seed, [texts[i] for i in order]
    )
    assert shuffled.tolist() == whole[order].tolist()


@settings(deadline=None)
@given(LABELS, FOLDS, SEEDS, st.integers(20, 60))
def test_repeats_of_a_text_are_in_one_fold(labels, folds, seed, n_texts):
    n = len(labels)
    texts = [f"text {i % n_texts}" for i in range(n)]
    numbers = fold_numbers(labels, ids(n), folds, seed, texts)
    assert len(set(zip(texts, numbers.tolist(), strict=True))) == len(set(texts))


@settings(deadline=None)
@given(LABELS, FOLDS, SEEDS)
def test_no_fold_is_empty(labels, folds, seed):
    texts = [f"text {min(i, folds)}" for i in range(len(labels))]  # the last text comes very often
    assert min(per_fold(fold_numbers(labels, ids(len(labels)), folds, seed, texts), folds)) >= 1


def test_single_texts_even_out_what_repeats_leave():
    labels = ["a"] * 30
    texts = ["often"] * 8 + [f"text {i}" for i in range(22)]
    assert sorted(per_fold(fold_numbers(labels, ids(30), 3, 0, texts), 3)) == [10, 10, 10]


def test_another_seed_gives_another_split():
    labels = ["a", "b"] * 50
    first, second = (fold_numbers(labels, ids(100), 5, seed) for seed in (0, 1))
    assert first.tolist() != second.tolist()
    assert (first == second).mean() < 0.5  # one in five by chance


def test_an_example_keeps_company_by_chance_whatever_its_place():
    """The fold does not follow the order of the ids."""
    numbers = fold_numbers(["a"] * 1000, ids(1000), 2, 0)
    assert abs((numbers[1:] == numbers[:-1]).mean() - 0.5) < 0.06


def test_more_folds_than_texts_are_refused():
    with pytest.raises(SettingError, match=r"folds is 4, but there are 3 different training texts"):
        fold_numbers(["a"] * 5, ids(5), 4, 0, ["x", "y", "z", "z", "z"])
    assert Counter(fold_numbers(["a"] * 3, ids(3), 3, 0).tolist()) == {1: 1, 2: 1, 3: 1}


@pytest.mark.parametrize("folds", [0, 2, 20])
def test_these_folds_can_be_asked_for(folds):
    assert checked_folds(folds) == folds


@pytest.mark.parametrize("folds", [-1, 1, 21])
def test_other_folds_are_refused(folds):
    with pytest.raises(SettingError, match=rf"folds is {folds}\. Give 0 for none"):
        checked_folds(folds)


def test_unseen_classes_lie_in_one_fold():
    labels = ["a", "a", "b", "b", "c"]
    assert unseen_classes(labels, np.array([1, 2, 2, 2, 1])) == ["b", "c"]


def test_unseen_classes_are_named_but_not_all_of_very_many():
    assert unseen_in_words([]) is None
    assert "of classes a, b are" in str(unseen_in_words(["a", "b"]))
    assert "c5, … are" in str(unseen_in_words([f"c{i}" for i in range(9)]))
