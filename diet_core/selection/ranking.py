"""The order of the examples: hardest first, the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

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
    v = checked_values(values, by)
    signed = -v if SCORES[by].high_is_hard else v
    order = np.argsort(signed, kind="stable")
    return _with_ties_ordered(order, signed[order], example_ids, tie)


def ranks(order: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the rank of each row in an order of the rows, 1 = first, shape (n_examples,).

    >>> ranks(np.array([1, 2, 0])).tolist()
    [3, 1, 2]
    """
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(1, len(order) + 1, dtype=np.int32)
    return rank


def _with_ties_ordered(
    order: NDArray[np.int64],
    ordered_values: NDArray[np.float64],
    example_ids: Sequence[str],
    tie: NDArray[np.uint64] | None,
) -> NDArray[np.int64]:
    """Sort each group of equal values by `tie_key`; only tied ids are hashed."""
    is_new = ordered_values[1:] != ordered_values[:-1]  # a difference would not know two infinities as equal
    group = np.concatenate(([0], np.cumsum(is_new)))[: len(order)]
    is_tied = np.concatenate((~is_new, [False])) | np.concatenate(([False], ~is_new))
    places = np.flatnonzero(is_tied[: len(order)])
    rows, groups = order[places], group[places]
    numbers = tie_numbers([example_ids[row] for row in rows]) if tie is None else tie[rows]
    sorting = np.lexsort((numbers, groups))
    order[places] = rows[sorting]
    return _with_equal_numbers_ordered(order, places, groups, numbers[sorting], example_ids)


def _with_equal_numbers_ordered(
    order: NDArray[np.int64],
    places: NDArray[np.int64],
    groups: NDArray[np.int64],
    numbers: NDArray[np.uint64],
    example_ids: Sequence[str],
) -> NDArray[np.int64]:
    """Sort by the whole `tie_key` where the numbers do not decide: repeated ids, or chance in 2**64."""
    is_new = (numbers[1:] != numbers[:-1]) | (groups[1:] != groups[:-1])
    starts = np.concatenate(([0], np.flatnonzero(is_new) + 1, [len(places)]))
    for i in np.flatnonzero(np.diff(starts) > 1):
        among = places[starts[i] : starts[i + 1]]
        order[among] = sorted(order[among], key=lambda row: tie_key(example_ids[row]))
    return order
