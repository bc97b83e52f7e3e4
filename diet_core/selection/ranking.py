"""The order of the examples: hardest first, the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diet_core.errors import SettingError
from diet_core.tables import MISSING_SCORE_ADVICE, SCORES


def tie_key(example_id: str) -> tuple[bytes, str]:
    """Return what orders examples of equal score: blake2b of the id, then the id."""
    return hashlib.blake2b(example_id.encode()).digest(), example_id


def tie_numbers(example_ids: Sequence[str]) -> NDArray[np.uint64]:
    """Return the first 8 bytes of each id's blake2b as a number: what `tie_key` goes by, all but never equal.

    Args:
        example_ids: One id per row; the store keeps the numbers in `scores.tie`, because hashing a million
            ids takes about a second.

    Returns:
        Shape (n_examples,).

    >>> int(tie_numbers(["a"])[0]) == int.from_bytes(tie_key("a")[0][:8], "big")
    True
    """
    digests = b"".join(hashlib.blake2b(example_id.encode()).digest()[:8] for example_id in example_ids)
    return np.frombuffer(digests, dtype=">u8").astype(np.uint64)


def checked_values(values: ArrayLike, by: str) -> NDArray[np.float64]:
    """Return the values of a score as numbers, none missing.

    Raises:
        SettingError: If `by` is not a score, or a value is missing.
    """
    if by not in SCORES:
        raise SettingError(f"{by!r} is not a score. Choose one of: {', '.join(SCORES)}.")
    v = np.asarray(values, dtype=np.float64)
    if missing := int(np.isnan(v).sum()):
        raise SettingError(
            f"{missing} of {len(v)} examples have no {by}, so they cannot be ranked by it. "
            f"{MISSING_SCORE_ADVICE}"
        )
    return v


def ranking(
    example_ids: Sequence[str],
    values: ArrayLike,
    by: str = "el2n",
    tie: NDArray[np.uint64] | None = None,
) -> NDArray[np.int64]:
    """Return the row numbers in the order hardest first.

    Ties are ordered by blake2b(example_id), then example_id: fair to every class and the same
    whatever the order of the rows.

    Args:
        example_ids: One id per row.
        values: The score of each row, shape (n_examples,).
        by: The score's name; it tells whether high or low is hard.
        tie: `tie_numbers(example_ids)` where they are known already, shape (n_examples,).

    Returns:
        Shape (n_examples,).

    Raises:
        SettingError: If `by` is not a score, or a value is missing.

    >>> ranking(["a", "b", "c"], [0.1, 0.9, 0.5]).tolist()
    [1, 2, 0]
    """
    fair = tie_order(example_ids, tie_numbers(example_ids) if tie is None else tie)
    return hardest_first(checked_values(values, by), by, fair)


def hardest_first(values: NDArray[np.float64], by: str, fair: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row numbers in the order hardest first.

    Args:
        values: The score of each row, none missing, shape (n_examples,).
        by: The score's name.
        fair: The rows in the `tie_order`, in which equal values stay, shape (n_examples,).

    Returns:
        Shape (n_examples,).
    """
    signed = -values if SCORES[by].high_is_hard else values
    return fair[np.argsort(signed[fair], kind="stable")]


def tie_order(example_ids: Sequence[str], tie: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the row numbers in the order of equal scores: by `tie_key`.

    Args:
        example_ids: One id per row.
        tie: `tie_numbers(example_ids)`, shape (n_examples,).

    Returns:
        Shape (n_examples,).
    """
    order = np.argsort(tie, kind="stable")
    is_new = tie[order][1:] != tie[order][:-1]
    if is_new.all():
        return order
    for start, end in pairwise([0, *(np.flatnonzero(is_new) + 1).tolist(), len(order)]):
        if end - start > 1:  # repeated ids, or chance in 2**64
            order[start:end] = sorted(order[start:end], key=lambda row: tie_key(example_ids[row]))
    return order


def ranks(order: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the rank of each row in an order of the rows, 1 = first, shape (n_examples,).

    >>> ranks(np.array([1, 2, 0])).tolist()
    [3, 1, 2]
    """
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(1, len(order) + 1, dtype=np.int32)
    return rank
