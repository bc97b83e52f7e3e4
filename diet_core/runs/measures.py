"""What every model of a run says of every example: worked out once, in parts, on all cores."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from diet_core.scoring.dynamics import label_probs, margins
from diet_core.scoring.el2n import Floats, error_norms

if TYPE_CHECKING:
    from diet_core.runs.facts import Facts

# Numbers that a core works on at once: float64 copies of all logits of many steps would not fit into memory.
_CHUNK: Final = 1_000_000


@dataclass(frozen=True)
class Measures:
    """Of each seed, step and example; all arrays have the shape (n_seeds, n_steps, n_examples).

    Attributes:
        el2n: The length of the error vector.
        label_prob: The probability of the given label.
        margin: The given label's logit less the largest other one.
        predicted: The class of the largest logit.
    """

    el2n: Floats
    label_prob: Floats
    margin: Floats
    predicted: NDArray[np.int16]


def measures(facts: Facts) -> Measures:
    """Return the measures of a run's facts."""
    shape = facts.logits.shape[:3]
    found = Measures(np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape, np.int16))

    def fill(rows: slice) -> None:
        logits, labels = facts.logits[:, :, rows], facts.labels[rows]
        flat = logits.reshape(-1, *logits.shape[2:])
        found.el2n[:, :, rows] = error_norms(flat, labels).reshape(logits.shape[:3])
        found.label_prob[:, :, rows] = label_probs(logits, labels)
        found.margin[:, :, rows] = margins(logits, labels)
        found.predicted[:, :, rows] = logits.argmax(axis=-1)

    n = shape[2]
    size = max(1, _CHUNK * n // max(facts.logits.size, 1))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(fill, [slice(start, start + size) for start in range(0, n, size)]))
    return found
