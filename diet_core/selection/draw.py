"""Random draws that are the same on every machine, whatever the order of the rows."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from diet_core.selection.chunks import parts

# Of the mixing function splitmix64 (Steele et al. 2014): its step and its two multipliers.
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_AT_ONCE: Final = 1 << 14  # numbers: as many as stay in the processor's cache while they are mixed
_PILES: Final = 8  # by their first bits, each sorted by itself: a million at once leave the cache
_BELOW_FIRST_BITS: Final = np.uint64(64 - 3)
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
    keys = random_keys(seed, tie)
    first_bits = np.empty(len(keys), dtype=np.uint8)
    for part in parts(len(keys)):
        first_bits[part] = keys[part] >> _BELOW_FIRST_BITS
    rank = np.empty(len(keys), dtype=np.int32)
    n_ranked = 0
    for bits in range(_PILES):
        rows = np.flatnonzero(first_bits == bits)
        in_order = rows[_order(keys[rows])]
        rank[in_order] = np.arange(n_ranked + 1, n_ranked + 1 + len(rows), dtype=np.int32)
        n_ranked += len(rows)
    return rank


def _order(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the rows by their keys, equal ones as they stand.

    Numbers of 16 bits are sorted by counting, two of them in less time than one of 64 by comparing. Only
    rows whose keys agree in these 32 bits are compared whole.
    """
    halves = (keys >> np.uint64(32)).astype(np.uint32)
    order = np.argsort(halves.astype(np.uint16), kind="stable")
    order = order[np.argsort((halves >> np.uint32(16)).astype(np.uint16)[order], kind="stable")]
    in_order = halves[order]
    alike = np.flatnonzero(in_order[1:] == in_order[:-1])
    places = np.union1d(alike, alike + 1)
    rows = order[places]
    order[places] = rows[np.argsort(keys[rows], kind="stable")]
    return order
