"""Made-up examples by the million: ids, texts and labels with known errors, made as whole columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.noise.planting import Labels

CLASSES: Final = ("business", "science", "sports", "world")
SHARES: Final = (0.4, 0.3, 0.2, 0.1)  # of the classes: real data sets are seldom balanced
WRONG: Final = 0.04  # share of wrong labels, about what real data sets have
TO_THE_NEXT: Final = 0.7  # of these: one class is mostly taken for a certain other
REPEATED: Final = 0.02  # share of texts that are another one's again, half of them with a word more
WORDS: Final = 3_000
SHORTEST, LONGEST = 8, 60  # words of a text
# Syllables begin a word differently from the next word, as in a language.
_SYLLABLES: Final = tuple(consonant + vowel for consonant in "bdfghklmnprstvz" for vowel in "aeou")
_ENDINGS: Final = ("", "n", "st", "rel")
_AT_ONCE: Final = 200_000  # texts: their words as strings are a gigabyte in a million


@dataclass(frozen=True)
class MadeExamples:
    """Examples, all of them for training.

    Attributes:
        table: Columns as `tables.EXAMPLE_COLUMNS`.
        truth: The right class of each, shape (n,).
        labels: The given one, shape (n,).
    """

    table: pa.Table
    truth: Labels
    labels: Labels

    @property
    def ids(self) -> list[str]:
        """Of the examples, in order."""
        ids: list[str] = self.table.column("example_id").to_pylist()
        return ids


def made_examples(rng: np.random.Generator, n: int) -> MadeExamples:
    """Return `n` examples of unequal classes; a part of their labels is wrong."""
    truth = rng.choice(len(CLASSES), n, p=SHARES).astype(np.int64)
    to_next = rng.random(n) < TO_THE_NEXT
    other = (truth + np.where(to_next, 1, rng.integers(1, len(CLASSES), n))) % len(CLASSES)
    labels = np.where(rng.random(n) < WRONG, other, truth)
    columns = {
        "example_id": made_ids(rng, n),
        "source_row": pa.array(np.arange(n, dtype=np.int64)),
        "text": made_texts(rng, n),
        "text_pair": pa.nulls(n, pa.string()),
        "label": pa.DictionaryArray.from_arrays(labels, list(CLASSES)).cast(pa.string()),
        "split": pa.DictionaryArray.from_arrays(np.zeros(n, np.int64), ["train"]).cast(pa.string()),
    }
    return MadeExamples(pa.table(columns), truth, labels)


def made_ids(rng: np.random.Generator, n: int) -> pa.StringArray:
    """Return `n` ids of 16 hex digits, the form of the default ids."""
    offsets = np.arange(n + 1, dtype=np.int32) * 16
    digits = rng.bytes(8 * n).hex().encode()
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(digits))


def made_word(number: int) -> str:
    """Return a word; each number has its own.

    Args:
        number: From 0 to `WORDS` - 1; small ones are frequent in `made_texts`.

    >>> [made_word(n) for n in (0, 1, 61, 2999)]
    ['baba', 'beban', 'beben', 'zuterel']
    """
    first, second = number % len(_SYLLABLES), number // len(_SYLLABLES)
    return _SYLLABLES[first] + _SYLLABLES[second] + _ENDINGS[number % len(_ENDINGS)]


def made_texts(rng: np.random.Generator, n: int) -> pa.ChunkedArray:
    """Return `n` texts of 8 to 60 words, of which some are much more frequent than others."""
    words = pa.array([made_word(number) for number in range(WORDS)])
    parts = [_joined(rng, min(_AT_ONCE, n - start), words) for start in range(0, n, _AT_ONCE)]
    return pa.chunked_array(parts, pa.string())


def _joined(rng: np.random.Generator, n: int, words: pa.StringArray) -> pa.StringArray:
    ends = np.cumsum(rng.integers(SHORTEST, LONGEST, n))
    chosen = (WORDS * rng.random(ends[-1] if n else 0, np.float32) ** 2).astype(np.int32)
    offsets = pa.array(np.concatenate([[0], ends]).astype(np.int32))
    texts = pc.binary_join(pa.ListArray.from_arrays(offsets, words.take(pa.array(chosen))), " ")
    return _repeated(rng, pc.utf8_capitalize(texts))


def _repeated(rng: np.random.Generator, texts: pa.StringArray) -> pa.StringArray:
    """Let some texts say what the one before them says; half of these with a word behind it."""
    is_repeat = rng.random(len(texts)) < REPEATED
    is_repeat[:1] = False
    has_more = pa.array(is_repeat & (rng.random(len(texts)) < 0.5))
    again = texts.take(pa.array(np.arange(len(texts)) - is_repeat))
    return pc.if_else(has_more, pc.binary_join_element_wise(again, "again", " "), again)
