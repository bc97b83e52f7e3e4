"""Which examples are most alike, by the angle between their features."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

_ROWS: Final = 4096  # multiplied at once: a third faster than all of 100,000 rows
_QUERIES: Final = 32
# Similarities closer than this come in the order of the rows: sums differ by the number of queries.
_DECIMALS: Final = 6


def unit_vectors(features: NDArray[np.floating]) -> Vectors:
    """Return each row divided by its length, float32, shape (n_examples, width).

    A row of length 0, and one with a value that is not finite, becomes 0: it is like nothing.

    >>> unit_vectors(np.array([[3.0, 4.0], [0.0, 0.0]])).round(1).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    vectors = np.zeros(features.shape, np.float32)
    for start in range(0, len(features), _ROWS):
        part = features[start : start + _ROWS].astype(np.float32)
        part[~np.isfinite(part).all(axis=1)] = 0
        lengths = np.linalg.norm(part, axis=1, keepdims=True)
        np.divide(part, lengths, out=vectors[start : start + _ROWS], where=lengths > 0)
    return vectors


def most_similar(queries: Vectors, vectors: Vectors, k: int) -> tuple[NDArray[np.int64], Vectors]:
    """Return the rows most like each query, and their cosine similarity.

    Args:
        queries: From `unit_vectors`, shape (n_queries, width).
        vectors: From `unit_vectors`, shape (n_examples, width).
        k: How many; fewer come back where there are fewer rows.

    Returns:
        Row numbers and similarities, both of shape (n_queries, min(k, n_examples)), the most similar first.

    >>> rows, similarities = most_similar(np.eye(1, 2, dtype="f4"), np.eye(2, dtype="f4"), 2)
    >>> rows.tolist(), similarities.tolist()
    ([[0, 1]], [[1.0, 0.0]])
    """
    k = min(k, len(vectors))
    rows = np.zeros((len(queries), k), np.int64)
    values = np.zeros((len(queries), k), np.float32)
    for start in range(0, len(queries) if k else 0, _QUERIES):
        cosines = _cosines(queries[start : start + _QUERIES], vectors)
        for i, similar in enumerate(cosines, start):
            best = np.argpartition(similar, len(similar) - k)[len(similar) - k :]
            rows[i] = best[np.lexsort((best, -similar[best].round(_DECIMALS)))]
            values[i] = similar[rows[i]]
    return rows, values


def _cosines(queries: Vectors, vectors: Vectors) -> Vectors:
    cosines = np.empty((len(queries), len(vectors)), np.float32)
    for start in range(0, len(vectors), _ROWS):
        cosines[:, start : start + _ROWS] = (vectors[start : start + _ROWS] @ queries.T).T
    return cosines
