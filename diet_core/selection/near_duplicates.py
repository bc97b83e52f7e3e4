"""Texts that are nearly the same: groups whose sets of words overlap by four fifths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diet_core.selection.word_sets import Counts, Hashes, Texts, WordSets, word_sets

THRESHOLD: Final = 0.8
# Twelve bands of four hash functions: a pair of Jaccard 0.8 shares a band with probability 0.998, one of 0.9
# is missed three times in a million. Fewer bands miss more, longer ones need more of them.
BANDS: Final = 12
ROWS: Final = 4
# Share of equal hash values that a candidate must have to be compared word by word: four standard deviations
# below 0.8, so that what is far from it costs nothing.
LOOKS_ALIKE: Final = 0.55
# Neighbours in a band's bucket that are looked at. Those that share further bands stand side by side there;
# looking farther costs hours where a million texts are made of one template.
FARTHEST: Final = 8
_PAIRS: Final = 50_000  # compared at a time: about 50 MB

Pairs = tuple[Counts, Counts]


def near_duplicates(texts: Texts, pairs: Texts | None = None) -> NDArray[np.int32]:
    """Return the group of nearly equal texts that each text is in.

    Two texts are near-duplicates where the Jaccard index of their sets of words (`word_sets`) is at least
    0.8; a group is what such pairs connect, so that its ends may be less alike. Candidates come from MinHash
    signatures in bands, each is then compared word by word.

    Args:
        texts: Shape (n_texts,).
        pairs: The second texts, None where there are none.

    Returns:
        Shape (n_texts,): numbers from 0 in the order of the groups' first texts, −1 for a text without
        near-duplicates.

    Source:
        Broder 1997, "On the resemblance and containment of documents"; banding: Leskovec, Rajaraman and
        Ullman, "Mining of Massive Datasets", §3.4.

    >>> near_duplicates(["one two three four five", "no", "Five four three two one!", "no", "no no"]).tolist()
    [0, 1, 0, 1, -1]
    """
    sets = word_sets(texts, pairs)
    signatures = _signatures(sets)
    roots = _connected(np.arange(len(sets)), _alike(sets, _same(signatures)))
    # Of copies one is enough for what follows: a thousand would be compared with a thousand of another.
    firsts = np.unique(roots)
    for a, b in _candidates(signatures[:, firsts], firsts, roots):
        roots[:] = _connected(roots, _alike(sets, (a, b)))
    return _numbered(roots)


def _signatures(sets: WordSets) -> NDArray[np.uint32]:
    """Return the smallest value that each hash function has over a text's words, (n_hashes, n_texts)."""
    rng = np.random.default_rng(1)
    factors = rng.integers(1, 2**63, BANDS * ROWS, np.uint64) * np.uint64(2) + np.uint64(1)
    signatures = np.empty((BANDS * ROWS, len(sets)), np.uint32)
    step = 20_000  # texts whose words stay in the cache
    for first in range(0, len(sets), step):
        starts = sets.starts[first : first + step + 1]
        words = sets.words[starts[0] : starts[-1]]
        for k, factor in enumerate(factors):
            smallest = np.minimum.reduceat(words * factor, starts[:-1] - starts[0])
            signatures[k, first : first + step] = smallest >> np.uint64(32)
    return signatures


def _same(signatures: NDArray[np.uint32]) -> Pairs:
    """Return texts beside the next one of equal signature: copies, but for very few."""
    order = np.arange(signatures.shape[1])
    keys = _keys(signatures)
    return _neighbours(*_sorted(keys, order), 1)


def _candidates(signatures: NDArray[np.uint32], rows: Counts, roots: Counts) -> Iterator[Pairs]:
    """Yield pairs that share a band and look alike, nearest neighbours first, those in one group no more.

    Args:
        signatures: Of the texts that are looked at.
        rows: Their row numbers.
        roots: The group of each row, as it grows.
    """
    bands = _sorted_bands(signatures)
    for distance in range(1, FARTHEST + 1):
        pairs = [_neighbours(order, keys, distance) for order, keys in bands]
        a, b = (np.concatenate(side) for side in zip(*pairs, strict=True))
        if not len(a):
            return
        is_new = roots[rows[a]] != roots[rows[b]]
        a, b = _distinct(a[is_new], b[is_new])
        alike = _look_alike(signatures, a, b)
        yield rows[a[alike]], rows[b[alike]]


def _sorted_bands(signatures: NDArray[np.uint32]) -> list[tuple[Counts, Hashes]]:
    """Return for each band the texts by their key in it, then by those of the bands behind it."""
    order, bands = np.arange(signatures.shape[1]), []
    for band in reversed(range(BANDS)):
        keys = _keys(signatures[band * ROWS : (band + 1) * ROWS])
        order, keys = _sorted(keys, order)
        bands.append((order, keys))
    return bands


def _sorted(keys: Hashes, order: Counts) -> tuple[Counts, Hashes]:
    """Return the texts by their keys, those of equal ones in the order that they had; and the keys so."""
    order = order[np.argsort(keys[order], kind="stable")]
    return order, keys[order]


def _keys(rows: NDArray[np.uint32]) -> Hashes:
    """Return one number for each text's hash values, shape (n_texts,)."""
    keys = np.zeros(rows.shape[1], np.uint64)
    for row in rows:
        keys = (keys ^ row) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(32)
    return keys


def _neighbours(order: Counts, keys: Hashes, distance: int) -> Pairs:
    """Return the texts that stand so far from another one of the same key."""
    at = np.flatnonzero(keys[distance:] == keys[: max(len(keys) - distance, 0)])
    return order[at], order[at + distance]


def _distinct(a: Counts, b: Counts) -> Pairs:
    """Return each pair once."""
    return _once(np.minimum(a, b), np.maximum(a, b))


def _once(groups: Counts, values: NDArray[Any]) -> tuple[Counts, NDArray[Any]]:
    """Return each pair of group and value once, by group and then by value."""
    order = np.lexsort((values, groups))
    groups, values = groups[order], values[order]
    is_first = np.ones(len(groups), bool)
    is_first[1:] = (groups[1:] != groups[:-1]) | (values[1:] != values[:-1])
    return groups[is_first], values[is_first]


def _look_alike(signatures: NDArray[np.uint32], a: Counts, b: Counts) -> NDArray[np.bool_]:
    n_equal = np.zeros(len(a), np.int16)
    for row in signatures:
        n_equal += row[a] == row[b]
    is_alike: NDArray[np.bool_] = n_equal >= LOOKS_ALIKE * len(signatures)
    return is_alike


def _alike(sets: WordSets, candidates: Pairs) -> Pairs:
    """Return the pairs whose Jaccard index is at least the threshold."""
    a, b = candidates
    parts = [slice(start, start + _PAIRS) for start in range(0, len(a), _PAIRS)]
    is_alike = np.concatenate([jaccard(sets, a[p], b[p]) >= THRESHOLD for p in parts] or [np.zeros(0, bool)])
    return a[is_alike], b[is_alike]


def jaccard(sets: WordSets, a: Counts, b: Counts) -> NDArray[np.float64]:
    """Return |A ∩ B| / |A ∪ B| of pairs of texts, shape (n_pairs,), in [0, 1].

    Args:
        sets: The words of the texts.
        a: Row numbers of the one side, shape (n_pairs,).
        b: Of the other side.

    >>> sets = word_sets(["one two three four", "two three four four five", "six seven eight"])
    >>> jaccard(sets, np.array([0, 0, 1]), np.array([1, 2, 1])).tolist()
    [0.6, 0.0, 1.0]
    """
    (of_a, words_a), (of_b, words_b) = (_distinct_words(*sets.of(rows)) for rows in (a, b))
    words, of = np.concatenate((words_a, words_b)), np.concatenate((of_a, of_b))
    # A word of both sides comes twice, and only such a word.
    order = np.lexsort((words, of))
    words, of = words[order], of[order]
    is_shared = (words[1:] == words[:-1]) & (of[1:] == of[:-1])
    shared = np.bincount(of[1:][is_shared], minlength=len(a))
    index: NDArray[np.float64] = shared / (np.bincount(of, minlength=len(a)) - shared)
    return index


def _distinct_words(words: Hashes, n_words: Counts) -> tuple[Counts, Hashes]:
    """Return the number of each text once per different word of it, and the words."""
    return _once(np.repeat(np.arange(len(n_words)), n_words), words)


def _connected(roots: Counts, edges: Pairs) -> Counts:
    """Return the smallest row that each row is connected with, after some more edges."""
    roots = roots.copy()
    a, b = edges
    while (is_apart := roots[a] != roots[b]).any():
        a, b = a[is_apart], b[is_apart]
        low = np.minimum(roots[a], roots[b])
        np.minimum.at(roots, roots[a], low)
        np.minimum.at(roots, roots[b], low)
        while (nearer := roots[roots] < roots).any():
            roots[nearer] = roots[roots[nearer]]
    return roots


def _numbered(roots: Counts) -> NDArray[np.int32]:
    """Return groups of at least two rows, numbered in the order of their first rows."""
    sizes = np.bincount(roots, minlength=len(roots))
    numbers = np.full(len(roots), -1, np.int32)
    is_group = sizes > 1
    numbers[is_group] = np.arange(is_group.sum(), dtype=np.int32)
    return numbers[roots]
