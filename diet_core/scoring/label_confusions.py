"""Estimated label confusions: which label is given by mistake for which class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

SHOWN: Final = 10


@dataclass(frozen=True)
class Flow:
    """One way in which labels are assumed to be wrong.

    Attributes:
        given: Number of the class that the label names.
        true: Number of the true class.
        share: P(label is given | truth is true), in [0, 1].
    """

    given: int
    true: int
    share: float


def largest_flows(flows: ArrayLike, n_true: ArrayLike, limit: int = SHOWN) -> list[Flow]:
    """Return the flows between two classes that most examples go, the largest first.

    Args:
        flows: T[s, k] = P(label is s | truth is k), shape (n_classes, n_classes).
        n_true: Examples that are truly of each class, shape (n_classes,).
        limit: How many at most.

    Returns:
        By T[s, k]·n_true[k], ties by s, then k; those without an example are left out.

    >>> largest_flows([[0.9, 0.02], [0.1, 0.98]], [100, 1000])
    [Flow(given=0, true=1, share=0.02), Flow(given=1, true=0, share=0.1)]
    """
    shares = np.asarray(flows, dtype=np.float64)
    numbers = shares * np.asarray(n_true, dtype=np.float64)
    np.fill_diagonal(numbers, 0)
    order = np.argsort(-numbers, axis=None, kind="stable")[:limit]
    places = [divmod(int(place), len(shares)) for place in order]
    return [Flow(s, k, float(shares[s, k])) for s, k in places if numbers[s, k] > 0]
