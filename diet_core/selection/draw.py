"""Random draws that are the same on every machine, whatever the order of the rows."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from diet_core.parts import parts

# Of the mixing function splitmix64 (Steele et al. 2014): its step and its two multipliers.
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_AT_ONCE: Final = 1 << 14  # numbers: as many as stay in the processor's cache while they are mixed
_FACTORS: Final = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def random_keys(seed: int, tie: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return what orders the examples of a random draw: the seed mixed into each id's hash.

    A hash of seed and id would do as well, but it takes a second per million ids and this some
    milliseconds; different ids have different keys for every seed, as far as their hashes differ.

    Args:
        seed: Of the draw, in [0, 2**63).
        tie: `ranking.tie_numbers` of the ids (the column `tie` of the store), shape (n_examples,).

    Returns:
        Shape (n_examples,).
    """
    of_seed = _mixed(np.array([seed], dtype=np.uint64))
    keys = np.empty(len(tie), dtype=np.uint64)
    for part in parts(len(tie), _AT_ONCE):
        keys[part] = _mixed(_mixed(tie[part] ^ of_seed) + of_seed)
    return keys


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return splitmix64's output for each number: one to one, every bit depends on every bit."""
    z = numbers + _STEP
    z = (z ^ (z >> np.uint64(30))) * _FACTORS[0]
    z = (z ^ (z >> np.uint64(27))) * _FACTORS[1]
    mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed


def random_ranks(seed: int, tie: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Return the place of each example in a random order, 1 = drawn first.

    Args:
        seed: Of the draw, in [0, 2**63).
        tie: `ranking.tie_numbers` of the ids (the column `tie` of the store), shape (n_examples,).

    Returns:
        Shape (n_examples,).

    >>> from diet_core.selection.ranking import tie_numbers
    >>> random_ranks(0, tie_numbers(["a", "b", "c"])).tolist()
    [2, 1, 3]
    >>> random_ranks(0, tie_numbers(["c", "b", "a"])).tolist()
    [3, 1, 2]
    """
    low, high = _halves(seed, tie)
    by_low = np.argsort(low, kind="stable")
    order = np.argsort(high[by_low], kind="stable")
    rank = np.empty(len(tie), dtype=np.int32)
    alike = []
    for part in parts(len(tie), _AT_ONCE):
        rows = order[part] = by_low[order[part]]
        rank[rows] = np.arange(part.start + 1, part.stop + 1, dtype=np.int32)
        # With the last one of the part before: two that are alike may stand on both sides of a border.
        first = max(part.start - 1, 0)
        rows = order[first : part.stop]
        lows, highs = low[rows], high[rows]
        is_like_next = (lows[1:] == lows[:-1]) & (highs[1:] == highs[:-1])
        alike.append(first + np.flatnonzero(is_like_next))
    _settle(rank, order, np.concatenate([[], *alike]).astype(np.int64), seed, tie)
    return rank


def _halves(seed: int, tie: NDArray[np.uint64]) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Return the lower and the upper half of each key's first 32 bits.

    Numbers of 16 bits are sorted by counting, two of them in less time than one of 64 by comparing.
    """
    low, high = (np.empty(len(tie), dtype=np.uint16) for _ in range(2))
    for part in parts(len(tie), _AT_ONCE):
        first = random_keys(seed, tie[part]) >> np.uint64(32)
        low[part] = first.astype(np.uint16)
        high[part] = first >> np.uint64(16)
    return low, high


def _settle(
    rank: NDArray[np.int32],
    order: NDArray[np.int64],
    alike: NDArray[np.int64],
    seed: int,
    tie: NDArray[np.uint64],
) -> None:
    """Rank by their whole keys those that agree with the next one in what they were sorted by."""
    places = np.union1d(alike, alike + 1)
    rows = order[places]
    rank[rows[np.argsort(random_keys(seed, tie[rows]), kind="stable")]] = places + 1
