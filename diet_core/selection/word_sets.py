"""Texts as sets of words, each word a 64-bit number: what near-duplicates are compared by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from diet_core.selection.draw import mixed

Hashes = NDArray[np.uint64]
Counts = NDArray[np.int64]
Texts: TypeAlias = Sequence[str | None] | Any  # a list, or an Arrow array (which has no types)

# Shorter texts are one word, the whole text: "yes!" and "yes?" share their only word and mean two things.
FEWEST_WORDS: Final = 3
# Texts that are split at a time, which bounds the memory that their words take.
CHUNK: Final = 20_000

_BETWEEN_WORDS: Final = r"[\x00-/:-@\[-`{-\x7f]+"  # all of ASCII but letters and digits
_SECOND_TEXT: Final = np.uint64(0xD1B54A32D192ED03)
_WHOLE_TEXT: Final = np.uint64(0xA0761D6478BD642F)


@dataclass(frozen=True)
class WordSets:
    """The words of each text; a word that comes twice is here twice.

    Attributes:
        words: Of all texts behind each other, shape (n_words,).
        starts: Where each text begins, and the end, shape (n_texts + 1,); no text is empty.
    """

    words: Hashes
    starts: Counts

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.starts) - 1

    def of(self, rows: Counts) -> tuple[Hashes, Counts]:
        """Return the words of some texts behind each other, and how many each has."""
        n_words = (self.starts[1:] - self.starts[:-1])[rows]
        return self.words[_ranges(self.starts[rows], n_words)], n_words


def word_sets(texts: Texts, pairs: Texts | None = None) -> WordSets:
    """Return the words of each text: runs of letters, digits and signs beyond ASCII, whatever the case.

    A word of the second text is another one than the same word of the first. Texts of fewer than three words
    are one word: the whole text as it is, so that only equal ones are alike.

    Args:
        texts: Shape (n_texts,).
        pairs: The second texts, None where there are none.

    >>> sets = word_sets(["A cat sat.", "a CAT, sat", "a cat", "a cat!"])
    >>> first, second = sets.words[:3], sets.words[3:6]
    >>> bool((first == second).all()), len(sets.words[6:]), bool(sets.words[6] == sets.words[7])
    (True, 2, False)
    """
    columns = [_array(texts)] + ([] if pairs is None else [_array(pairs)])
    with np.errstate(over="ignore"):
        parts = [_sets_of_chunk(chunk) for chunk in _chunks(columns)]
    words = np.concatenate([part[0] for part in parts] or [np.zeros(0, np.uint64)])
    n_words = np.concatenate([part[1] for part in parts] or [np.zeros(0, np.int64)])
    return WordSets(words, _starts(n_words))


def _array(texts: Texts) -> pa.Array:
    array = (
        texts if isinstance(texts, pa.Array | pa.ChunkedArray) else pa.array(list(texts), pa.large_string())
    )
    whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return pc.fill_null(whole.cast(pa.large_string()), "")


def _chunks(columns: list[pa.Array]) -> Iterator[list[pa.Array]]:
    for start in range(0, len(columns[0]), CHUNK):
        yield [column.slice(start, CHUNK) for column in columns]


def _sets_of_chunk(columns: list[pa.Array]) -> tuple[Hashes, Counts]:
    """Return the words of some texts and how many each has, at least one."""
    words, n_words = _words(columns[0])
    if len(columns) == 2:
        second, n_second = _words(columns[1])
        words, n_words = _joined((words, n_words), (second ^ _SECOND_TEXT, n_second))
    is_short = n_words < FEWEST_WORDS
    whole = _whole_texts([column.filter(pa.array(is_short)) for column in columns])
    of_long, of_short = np.where(is_short, 0, n_words), is_short.astype(np.int64)
    return _joined((words[np.repeat(~is_short, n_words)], of_long), (whole ^ _WHOLE_TEXT, of_short))


def _words(texts: pa.Array) -> tuple[Hashes, Counts]:
    """Return the number of each word, text by text, and how many words each text has."""
    split = pc.split_pattern_regex(pc.utf8_lower(texts), _BETWEEN_WORDS)
    pieces, rows = pc.list_flatten(split), pc.list_parent_indices(split).to_numpy()
    is_word = pc.not_equal(pieces, "")
    n_words = np.bincount(rows[is_word.to_numpy(zero_copy_only=False)], minlength=len(texts))
    return _hashed(pieces.filter(is_word)), n_words


def _whole_texts(columns: list[pa.Array]) -> Hashes:
    """Return a number for each text as it is, or each pair of texts."""
    hashes = np.zeros(len(columns[0]), np.uint64)
    for texts in columns:
        hashes = mixed(hashes + _hashed(texts))
    return hashes


def _hashed(strings: pa.Array) -> Hashes:
    """Return a number for each string, the same one always."""
    coded = strings.dictionary_encode()
    of_words = pd.util.hash_array(coded.dictionary.to_numpy(zero_copy_only=False), categorize=False)
    hashed: Hashes = of_words[coded.indices.to_numpy()]
    return hashed


def _joined(first: tuple[Hashes, Counts], second: tuple[Hashes, Counts]) -> tuple[Hashes, Counts]:
    """Return the words of two columns, for each text those of the first and then those of the second."""
    (a, n_a), (b, n_b) = first, second
    words = np.empty(len(a) + len(b), np.uint64)
    starts = _starts(n_a + n_b)[:-1]
    words[_ranges(starts, n_a)], words[_ranges(starts + n_a, n_b)] = a, b
    return words, n_a + n_b


def _starts(counts: Counts) -> Counts:
    return np.concatenate(([0], np.cumsum(counts)))


def _ranges(starts: Counts, counts: Counts) -> Counts:
    """Return the numbers starts[i], starts[i] + 1, … (counts[i] of them) for each i, behind each other."""
    shift = starts - _starts(counts)[:-1]
    ranges: Counts = np.arange(counts.sum()) + np.repeat(shift, counts)
    return ranges
