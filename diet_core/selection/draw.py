"""Random draws that are the same on every machine, whatever the order of the rows."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from diet_core.selection.ranking import ranks

# Of the mixing function splitmix64 (Steele et al. 2014): its step and its two multipliers.
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
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
    of_seed = mixed(np.array([seed], dtype=np.uint64) + _STEP)
    return mixed(mixed((tie ^ of_seed) + _STEP) + of_seed + _STEP)


def mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return splitmix64's last step for each number: one to one, every bit depends on every bit."""
    z = (z ^ (z >> np.uint64(30))) * _FACTORS[0]
    z = (z ^ (z >> np.uint64(27))) * _FACTORS[1]
    return z ^ (z >> np.uint64(31))


def random_ranks(seed: int, tie: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Return the place of each example in a random order, 1 = drawn first.

    Arguments and shape are those of `random_keys`.

    >>> from diet_core.selection.ranking import tie_numbers
    >>> random_ranks(0, tie_numbers(["a", "b", "c"])).tolist()
    [2, 1, 3]
    >>> random_ranks(0, tie_numbers(["c", "b", "a"])).tolist()
    [3, 1, 2]
    """
    return ranks(np.argsort(random_keys(seed, tie), kind="stable"))
