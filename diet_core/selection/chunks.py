"""A million numbers in parts that stay in the processor's cache: memory never touched before is slow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

AT_ONCE: Final = 1 << 16


def parts(n: int, at_once: int | None = None) -> Iterator[slice]:
    """Yield slices that cover n rows, `AT_ONCE` at most in each where nothing else is asked for.

    >>> list(parts(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    step = at_once or AT_ONCE
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def counts(
    codes: NDArray[np.integer], is_in: NDArray[np.bool_], n_codes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how often each number is there outside and inside a selection.

    Args:
        codes: Numbers from 0, shape (n,).
        is_in: The selection, shape (n,).
        n_codes: How many numbers there are.

    Returns:
        Outside and inside, each of shape (n_codes,).

    >>> counts(np.array([0, 1, 1]), np.array([True, False, True]), 3)
    (array([0, 1, 0]), array([1, 1, 0]))
    """
    found = np.zeros(2 * n_codes, dtype=np.int64)
    for part in parts(len(codes)):
        twice = codes[part].astype(np.int64) * 2
        twice += is_in[part]
        found += np.bincount(twice, minlength=2 * n_codes)
    return found[::2], found[1::2]
