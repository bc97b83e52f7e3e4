"""Planted label errors: a copy of the labels with a known part of them wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diet_core.errors import SettingError

Labels = NDArray[np.int64]
_FORM: Final = re.compile(r"(uniform|next|one-way)-(\d{1,2})\Z", re.ASCII)


@dataclass(frozen=True)
class Noise:
    """A way to write wrong labels.

    Attributes:
        kind: `uniform` (any other class), `next` (the class behind, the first behind the last), or `one-way`
            (the first behind the last only).
        percent: How many of 100 labels are wrong; for `one-way`, of those of the last class.
    """

    kind: str
    percent: int

    @property
    def name(self) -> str:
        """As the command line names it."""
        return f"{self.kind}-{self.percent}"


def noise_of(name: str) -> Noise:
    """Return the noise that a name like `uniform-10`, `next-30` or `one-way-20` means.

    Raises:
        SettingError: If the name is of another form.

    >>> noise_of("next-30")
    Noise(kind='next', percent=30)
    """
    form = _FORM.match(name)
    if form is None or not int(form[2]):
        raise SettingError(
            f"{name!r} names no noise. Give uniform-N, next-N or one-way-N with N from 1 to 99, like next-10."
        )
    return Noise(form[1], int(form[2]))


def planted(labels: Labels, n_classes: int, noise: Noise, draw: int) -> Labels:
    """Return the labels with errors in them.

    Args:
        labels: The true class numbers, shape (n_examples,).
        n_classes: At least 2.
        noise: Which errors and how many.
        draw: Seeds which examples have them and what is written instead.

    Returns:
        Shape (n_examples,). Exactly the stated share (rounded) of the examples that may be wrong is wrong.

    >>> planted(np.array([0, 1, 2, 2]), 3, Noise("next", 99), draw=0).tolist()
    [1, 2, 0, 0]
    >>> planted(np.array([0, 1, 2, 2]), 3, Noise("one-way", 99), draw=0).tolist()
    [0, 1, 0, 0]
    """
    rng = np.random.default_rng([draw, noise.percent, len(labels)])
    candidates = (
        np.flatnonzero(labels == n_classes - 1) if noise.kind == "one-way" else np.arange(len(labels))
    )
    n_wrong = round(noise.percent / 100 * len(candidates))
    wrong = rng.choice(candidates, n_wrong, replace=False)
    written = labels.copy()
    shift = rng.integers(1, n_classes, n_wrong) if noise.kind == "uniform" else 1
    written[wrong] = (labels[wrong] + shift) % n_classes
    return written
