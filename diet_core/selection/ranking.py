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


def ranking(example_ids: Sequence[str], values: ArrayLike, by: str = "el2n") -> NDArray[np.int64]:
    """Return the row numbers in the order hardest first.

    Ties are ordered by blake2b(example_id), then example_id: fair to every class and the same
    whatever the order of the rows.

    Args:
        example_ids: One id per row.
        values: The score of each row, shape (n_examples,).
        by: The score's name; it tells whether high or low is hard.

    Returns:
        Shape (n_examples,).

    Raises:
        SettingError: If `by` is not a score, or a value is missing.

    >>> ranking(["a", "b", "c"], [0.1, 0.9, 0.5]).tolist()
    [1, 2, 0]
    """
    if by not in SCORES:
        raise SettingError(f"{by!r} is not a score. Choose one of: {', '.join(SCORES)}.")
    v = np.asarray(values, dtype=np.float64)
    if missing := int(np.isnan(v).sum()):
        raise SettingError(
            f"{missing} of {len(v)} examples have no {by}, so they cannot be ranked by it. "
            f"{MISSING_SCORE_ADVICE}"
        )
    signed = -v if SCORES[by].high_is_hard else v
    order = np.argsort(signed, kind="stable")
    return _with_ties_ordered(order, signed[order], example_ids)


def _with_ties_ordered(
    order: NDArray[np.int64], ordered_values: NDArray[np.float64], example_ids: Sequence[str]
) -> NDArray[np.int64]:
    """Sort each group of equal values by `tie_key`; only tied ids are hashed."""
    is_new = ordered_values[1:] != ordered_values[:-1]  # a difference would not know two infinities as equal
    starts = np.concatenate(([0], np.flatnonzero(is_new) + 1, [len(order)]))
    for group in np.flatnonzero(np.diff(starts) > 1):
        rows = order[starts[group] : starts[group + 1]]
        order[starts[group] : starts[group + 1]] = sorted(rows, key=lambda row: tie_key(example_ids[row]))
    return order
