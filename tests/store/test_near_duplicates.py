"""Near-duplicates in the store: looked for once, then read; and what a cut does to them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from diet_core.errors import NotFoundError
from diet_core.pruning import near_duplicates as duplicates
from diet_core.pruning import outcome as pruning
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.queries.near_duplicates import (
    NearDuplicates,
    is_searched,
    read_near_duplicates,
    save_near_duplicates,
)
from diet_core.store.queries.run_arrays import read_training_examples

COPIES = {
    1: "An old cat sat here.",
    3: "an old cat sat HERE",
    4: "here sat an old cat!",
    10: "an old cat sat here",
}


@pytest.fixture
def copied(store, reviews) -> str:
    """A data set with three training texts and a test text (row 10) that are nearly the same."""
    examples = reviews.examples.copy()
    for row, text in COPIES.items():
        examples.loc[row, "text"] = text
    examples.loc[[5, 6], "text"] = "two equal texts there are"
    return add_dataset(store, dataclasses.replace(reviews, examples=examples)).dataset_id


def test_search_finds_the_training_texts_and_keeps_them(store, copied):
    assert not is_searched(store, copied)
    found = duplicates.search(store, copied)
    assert is_searched(store, copied)
    assert dict(zip(found.positions.tolist(), found.groups.tolist(), strict=True)) == {
        1: 0,
        3: 0,
        4: 0,
        5: 1,
        6: 1,
    }
    kept = read_near_duplicates(store, copied)
    assert kept.positions.tolist() == found.positions.tolist()
    assert kept.groups.tolist() == found.groups.tolist()
    assert kept.n_groups == 2


def test_search_looks_at_both_texts_of_a_pair(store, reviews):
    examples = reviews.examples.copy()
    examples["text_pair"] = [f"the second text of number {i}" for i in range(len(examples))]
    examples["text"] = "one and the same first text"
    examples.loc[7, "text_pair"] = "The second text of number 8!"
    info = add_dataset(store, dataclasses.replace(reviews, examples=examples))
    found = duplicates.search(store, info.dataset_id)
    assert found.groups[np.isin(found.positions, [7, 8])].tolist().count(found.groups[0]) in (0, 2)
    groups = dict(zip(found.positions.tolist(), found.groups.tolist(), strict=True))
    assert groups[7] == groups[8]


def test_a_version_without_near_duplicates_is_searched_once(store, reviews):
    examples = reviews.examples.assign(text=[f"w{i} x{i} y{i} z{i}" for i in range(240)])
    dataset_id = add_dataset(store, dataclasses.replace(reviews, examples=examples)).dataset_id
    assert duplicates.search(store, dataset_id).n_groups == 0
    assert is_searched(store, dataset_id)
    assert read_near_duplicates(store, dataset_id).n_groups == 0


def test_near_duplicates_are_replaced_not_added(store, copied):
    one = NearDuplicates(np.array([1, 3], np.int32), np.array([0, 0], np.int32))
    for _ in range(2):
        save_near_duplicates(store, copied, one, 0.8)
    assert read_near_duplicates(store, copied).positions.tolist() == [1, 3]
    with pytest.raises(NotFoundError):
        save_near_duplicates(store, "reviews-v9", one, 0.8)


def test_across_the_cut_are_groups_of_which_some_stay(store, copied):
    examples = read_training_examples(store, copied)
    found = duplicates.search(store, copied)
    by_rule = ~np.isin(examples.positions, [1, 5, 6])
    across = duplicates.across_the_cut(found, examples, pruning.outcome(examples, by_rule))
    assert across["position"].tolist() == [3, 4, 1]  # what stays first; all of the other group goes
    assert across["is_kept"].tolist() == [True, True, False]
    assert across["label"].tolist() == ["positive", "negative", "positive"]
    assert (examples.positions[across["row"]] == across["position"]).all()
    everything = pruning.outcome(examples, np.ones(len(examples), bool))
    assert duplicates.across_the_cut(found, examples, everything).empty


def test_across_the_cut_leaves_out_what_the_run_has_not_scored(store, copied):
    examples = read_training_examples(store, copied)
    found = duplicates.search(store, copied)
    rows = ~np.isin(examples.positions, [3, 4])
    scored = dataclasses.replace(examples, positions=examples.positions[rows], codes=examples.codes[rows])
    across = duplicates.across_the_cut(
        found, scored, pruning.outcome(scored, np.isin(scored.positions, [1, 5]))
    )
    assert across["position"].tolist() == [5, 6]


def test_across_the_cut_shows_groups_of_several_labels_first(store, copied):
    examples = read_training_examples(store, copied)
    found = duplicates.search(store, copied)
    same = examples.codes.copy()
    same[np.isin(examples.positions, [1, 3, 4])] = 0
    examples = dataclasses.replace(examples, codes=same)
    outcome = pruning.outcome(examples, ~np.isin(examples.positions, [1, 5]))
    across = duplicates.across_the_cut(found, examples, outcome)
    assert across["position"].tolist() == [6, 5, 3, 4, 1]
    assert across["differs"].tolist() == [True, True, False, False, False]
