"""Near-duplicates: groups of texts whose sets of words overlap by four fifths."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diet_core.selection.near_duplicates import THRESHOLD, jaccard, near_duplicates
from diet_core.selection.word_sets import CHUNK, word_sets


def words_of(text: str, second: str | None = None) -> frozenset:
    """The slow, obvious version of a text's set of words."""
    tagged = [(side, w) for side, t in enumerate([text, second or ""]) for w in _split(t)]
    return frozenset([(text, second)] if len(tagged) < 3 else tagged)


def _split(text: str) -> list[str]:
    return re.findall(r"[0-9a-z\x80-\U0010ffff]+", text.lower())


def similarity(a: frozenset, b: frozenset) -> float:
    return len(a & b) / len(a | b)


def copies(n: int, seed: int = 0) -> list[str]:
    """Texts of 3 to 40 words; every other one is an earlier one with some words changed."""
    rng = np.random.default_rng(seed)
    texts: list[str] = []
    for i in range(n):
        words = [f"w{k}" for k in rng.integers(0, 3000, rng.integers(3, 40))]
        if i % 2 and i > 1:
            words = texts[rng.integers(len(texts))].split()
            for at in rng.integers(0, len(words), int(rng.integers(0, 1 + len(words) // 4))):
                words[at] = f"w{rng.integers(3000)}"
        texts.append(" ".join(words))
    return texts


def groups_of(sets: list[frozenset], threshold: float) -> list[int]:
    """The connected components of all pairs above a threshold, by the number of their first text."""
    root = list(range(len(sets)))
    for a, b in combinations(range(len(sets)), 2):
        if similarity(sets[a], sets[b]) >= threshold and root[a] != root[b]:
            low, high = sorted((root[a], root[b]))
            root = [low if r == high else r for r in root]
    return root


@pytest.mark.parametrize("seed", [0, 1])
def test_near_duplicates_are_those_that_comparing_all_pairs_finds(seed):
    texts = copies(300, seed)
    found = near_duplicates(texts)
    sets = [words_of(text) for text in texts]
    wide, sure = groups_of(sets, THRESHOLD), groups_of(sets, 0.9)
    assert len(set(sure)) < 270  # there is something to find
    for a, b in combinations(range(len(texts)), 2):
        is_together = found[a] >= 0 and found[a] == found[b]
        assert is_together or sure[a] != sure[b], (texts[a], texts[b])
        assert not is_together or wide[a] == wide[b], (texts[a], texts[b])


@given(st.lists(st.text("ab. B!é", max_size=12), min_size=1, max_size=12), st.data())
@settings(deadline=None, max_examples=60)
def test_jaccard_is_that_of_the_sets_of_words(texts, data):
    rows = st.lists(st.integers(0, len(texts) - 1), min_size=3, max_size=3)
    a, b = np.array(data.draw(rows)), np.array(data.draw(rows))
    expected = [similarity(words_of(texts[i]), words_of(texts[j])) for i, j in zip(a, b, strict=True)]
    assert jaccard(word_sets(texts), a, b).tolist() == pytest.approx(expected)


def test_equal_texts_are_one_group_however_many_they_are():
    found = near_duplicates(["the same old text again"] * 5000 + ["and quite another one here"])
    assert found.tolist() == [0] * 5000 + [-1]


def test_short_texts_are_alike_only_where_they_are_equal():
    texts = ["yes!", "yes?", "Yes!", "yes!", "", ":)", ":(", "", "not good", "not good.", "not good"]
    assert near_duplicates(texts).tolist() == [0, -1, -1, 0, 1, -1, -1, 1, 2, -1, 2]


def test_case_order_and_punctuation_make_no_difference_to_longer_texts():
    found = near_duplicates(["An apple, a day!", "a DAY an (apple)", "an apple a week"])
    assert found.tolist() == [0, 0, -1]


def test_second_texts_count_apart_from_first_ones():
    first = ["a man walks his dog", "a man walks his dog", "he sleeps", "he sleeps", "a man walks his dog"]
    second = ["he sleeps", "he sleeps", "a man walks his dog", None, "the cat is white and black"]
    assert near_duplicates(first, second).tolist() == [0, 0, -1, -1, -1]


def test_groups_are_numbered_by_their_first_texts():
    texts = ["x y z v", "a b c d", "p q r s", "a b c d", "x y z v"]
    assert near_duplicates(texts).tolist() == [0, 1, -1, 1, 0]


def test_words_are_the_same_in_every_chunk_and_slice():
    texts = [f"text number {i % 7} of several é" for i in range(CHUNK + 50)]
    found = near_duplicates(pa.chunked_array([texts[:10], texts[10:]]))
    assert len(set(found.tolist())) == 7
    assert (found == np.arange(len(texts)) % 7).all()
    sliced = word_sets(pa.array(texts).slice(CHUNK - 5, 20))
    whole = word_sets(texts)
    assert (sliced.words == whole.of(np.arange(CHUNK - 5, CHUNK + 15))[0]).all()


def test_no_texts_and_one_text_have_no_near_duplicates():
    assert near_duplicates([]).tolist() == []
    assert near_duplicates(["all alone in here"]).tolist() == [-1]
